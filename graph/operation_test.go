package graph_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// said asks, and reads the answer into T; it fails on errors.
func said[T any](t testing.TB, h http.Handler, actor, query string, variables map[string]any) T {
	t.Helper()
	got, _ := ask(t, h, query, variables, actor)
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data   T
		Errors []any
	}
	if err := json.Unmarshal(text, &answer); err != nil || len(answer.Errors) > 0 {
		t.Fatalf("%s\n%v: %v %s", query, variables, err, text)
	}
	return answer.Data
}

type named struct{ ID string }

type affected struct {
	Counts   map[string]int
	Affected struct{ Nodes []hit }
}

type hit struct {
	State string
	Ci    named
}

// graphState is the graph and the engine's answers as the API shows them.
type graphState struct {
	Cis struct {
		Nodes []struct {
			ID, Name, Description, Lifecycle, Environment string
			Attributes                                    map[string]any
			Labels                                        []map[string]string
			DependencyGroups                              []map[string]any
			Relationships                                 struct{ Nodes []map[string]any }
			Service                                       *named
			OperationalState                              string
			SinglePointsOfFailure                         struct{ Nodes []struct{ Ci named } }
		}
	}
}

const graphStateQuery = `{ cis(first: 100) { nodes { id name description lifecycle environment attributes labels { name value } service { id } operationalState
	dependencyGroups { id name mode threshold members { weight relationship { id } } }
	relationships(first: 100, direction: OUTGOING) { nodes { id type { code } target { id } strength attributes reportedBy evidence } }
	singlePointsOfFailure(first: 100, facts: NONE) { nodes { ci { id } } } } } }`

// built returns the graph without how its CIs fare.
func (g graphState) built() graphState {
	g.Cis.Nodes = slices.Clone(g.Cis.Nodes)
	for i := range g.Cis.Nodes {
		g.Cis.Nodes[i].OperationalState = ""
	}
	return g
}

// worse lists the CIs that are DEGRADED or DOWN and fared better before, by id.
func (g graphState) worse(before graphState) (all []hit) {
	rank, was := []string{"", "OPERATIONAL", "AT_RISK", "DEGRADED", "DOWN"}, map[string]int{}
	for _, c := range before.Cis.Nodes {
		was[c.ID] = slices.Index(rank, c.OperationalState)
	}
	for _, c := range g.Cis.Nodes {
		if is := slices.Index(rank, c.OperationalState); is >= slices.Index(rank, "DEGRADED") && is > was[c.ID] {
			all = append(all, hit{c.OperationalState, named{c.ID}})
		}
	}
	slices.SortFunc(all, func(a, b hit) int { return cmp.Compare(a.Ci.ID, b.Ci.ID) })
	return all
}

// hangs maps "point>service" for all single points of services.
func (g graphState) hangs() map[string]bool {
	pairs := map[string]bool{}
	for _, c := range g.Cis.Nodes {
		if c.Service != nil {
			for _, p := range c.SinglePointsOfFailure.Nodes {
				pairs[p.Ci.ID+">"+c.Service.ID] = true
			}
		}
	}
	return pairs
}

type shifts []struct {
	Ci       *named
	Services []named
}

func (s shifts) pairs() map[string]bool {
	pairs := map[string]bool{}
	for _, p := range s {
		for _, service := range p.Services {
			if p.Ci != nil {
				pairs[p.Ci.ID+">"+service.ID] = true
			}
		}
	}
	return pairs
}

func minus(a, b map[string]bool, unknown func(string) bool) map[string]bool {
	rest := map[string]bool{}
	for pair := range a {
		if !b[pair] && !unknown(pair) {
			rest[pair] = true
		}
	}
	return rest
}

func TestAPreviewIsWhatThenHappensAndAnUndoTakesAllOfItBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := serverWithin(t, s, wide()) // the whole graph is read in one operation, to be compared
		var ids []string
		for i, stage := range []string{"LIVE", "LIVE", "LIVE", "LIVE", "LIVE", "LIVE", "PLANNED"} {
			class := []string{"server", "application_service"}[i%2]
			ids = append(ids, said[struct{ CreateCI struct{ Ci named } }](t, h, "dev", `mutation($c: String!, $n: String!, $l: Lifecycle!) { createCI(input: {class: $c, name: $n, lifecycle: $l}) { ci { id } } }`,
				map[string]any{"c": class, "n": fmt.Sprint("ci ", i), "l": stage}).CreateCI.Ci.ID)
		}
		relate := func(source, target int) map[string]any {
			r := said[struct{ RelateCIs struct{ Relationship named } }](t, h, "dev", `mutation($s: ID!, $t: ID!) { relateCIs(input: {type: "depends_on", source: $s, target: $t}) { relationship { id } } }`,
				map[string]any{"s": ids[source], "t": ids[target]})
			return map[string]any{"relationship": r.RelateCIs.Relationship.ID}
		}
		for dependent, needs := range map[int][]int{1: {0, 2}, 3: {2, 4, 6}, 5: {6}} {
			var members []any
			for _, need := range needs {
				members = append(members, relate(dependent, need))
			}
			said[any](t, h, "dev", `mutation($c: ID!, $m: [DependencyGroupMemberInput!]!) { createDependencyGroup(input: {ci: $c, name: "either", mode: ANY, members: $m}) { dependencyGroup { id } } }`,
				map[string]any{"c": ids[dependent], "m": members})
		}
		relate(5, 1)
		relate(4, 0)
		relate(6, 4)
		accepted := 0
		rapid.Check(t, func(rt *rapid.T) {
			before := said[graphState](t, h, "dev", graphStateQuery, nil)
			operations := drawOperations(rt, before, ids)
			if len(operations) > 0 {
				operations[0]["acceptConsequences"] = map[string]any{"reason": "drawn"}
			}
			down := rapid.SampledFrom(ids).Draw(rt, "down")
			change := said[struct{ DraftChange struct{ Change named } }](t, h, "dev", `mutation($d: ID!) { draftChange(input: {type: EMERGENCY, title: "x", scope: [{id: $d, role: TAKEN_DOWN}],
				plannedStart: "2030-01-01T22:00:00Z", plannedEnd: "2030-01-02T06:00:00Z"}) { change { id } } }`, map[string]any{"d": down}).DraftChange.Change.ID
			planned := said[struct {
				PlanChangeOperations struct{ UserErrors []any }
			}](t, h, "dev", `mutation($c: ID!, $o: [PlannedOperationInput!]!) { planChangeOperations(input: {id: $c, operations: $o}) { userErrors { message } } }`, map[string]any{"c": change, "o": operations})
			if len(planned.PlanChangeOperations.UserErrors) > 0 || len(operations) == 0 {
				return
			}
			accepted++
			preview := said[struct {
				Change struct {
					Preview struct {
						Conflicts                            []any
						ImpactAfter                          affected
						SinglePointsGained, SinglePointsLost shifts
					}
				}
			}](t, h, "dev", `query($c: ID!) { change(id: $c) { preview { conflicts { summary } impactAfter { counts { downCount } affected(first: 100) { nodes { state ci { id } } } }
				singlePointsGained { ci { id } services { id } } singlePointsLost { ci { id } services { id } } } } }`, map[string]any{"c": change}).Change.Preview
			created := carryOut(t, h, change)
			after := said[graphState](t, h, "dev", graphStateQuery, nil)
			happened := slices.DeleteFunc(after.worse(before), func(n hit) bool { return n.Ci.ID == down || slices.Contains(created, n.Ci.ID) })
			foretold := preview.ImpactAfter.Affected.Nodes
			slices.SortFunc(foretold, func(a, b hit) int { return cmp.Compare(a.Ci.ID, b.Ci.ID) })
			if diff := gocmp.Diff(foretold, happened, cmpopts.EquateEmpty()); diff != "" || len(preview.Conflicts) > 0 {
				rt.Fatalf("%v: impact (- foretold, + happened):\n%s", operations, diff)
			}
			finish(t, h, change)
			ofNew := func(pair string) bool {
				return slices.ContainsFunc(created, func(id string) bool { return len(pair) > len(id) && pair[:len(id)+1] == id+">" })
			}
			for name, d := range map[string][2]map[string]bool{
				"gained": {preview.SinglePointsGained.pairs(), minus(after.hangs(), before.hangs(), ofNew)},
				"lost":   {preview.SinglePointsLost.pairs(), minus(before.hangs(), after.hangs(), ofNew)},
			} {
				if diff := gocmp.Diff(d[0], d[1]); diff != "" {
					rt.Fatalf("%v: single points %s (- foretold, + happened):\n%s", operations, name, diff)
				}
			}
			undo := said[struct {
				DraftUndo struct {
					Change     named
					UserErrors []any
				}
			}](t, h, "dev", `mutation($c: ID!) { draftUndo(input: {id: $c, acceptConsequences: {reason: "drawn"}}) { change { id } userErrors { message } } }`, map[string]any{"c": change}).DraftUndo
			if len(undo.UserErrors) > 0 { // it changed nothing
				if diff := gocmp.Diff(before.built(), after.built()); diff != "" {
					rt.Fatalf("%v: %v:\n%s", operations, undo.UserErrors, diff)
				}
				return
			}
			said[any](t, h, "dev", `mutation($c: ID!) { updateChange(input: {id: $c, plannedStart: "2030-01-01T22:00:00Z", plannedEnd: "2030-01-02T06:00:00Z"}) { change { id } } }`, map[string]any{"c": undo.Change.ID})
			carryOut(t, h, undo.Change.ID)
			finish(t, h, undo.Change.ID)
			if diff := gocmp.Diff(before.built(), said[graphState](t, h, "dev", graphStateQuery, nil).built()); diff != "" {
				rt.Fatalf("%v: the graph (- before, + undone):\n%s", operations, diff)
			}
		})
		if accepted < 5 {
			t.Errorf("only %d plans were accepted", accepted)
		}
	})
}

// finish ends the outage of a change.
func finish(t testing.TB, h http.Handler, change string) {
	t.Helper()
	if got := said[struct{ ReviewChange struct{ Change *named } }](t, h, "dev", `mutation($c: ID!) { reviewChange(input: {id: $c}) { change { id } } }`, map[string]any{"c": change}); got.ReviewChange.Change == nil {
		t.Fatal("the change is not reviewed")
	}
}

// carryOut takes an EMERGENCY change from NEW to IMPLEMENT, and returns the CIs that it creates.
func carryOut(t testing.TB, h http.Handler, change string) (created []string) {
	t.Helper()
	for _, step := range []struct{ actor, verb, more string }{
		{"dev", "requestChangeApproval", `, approvers: ["carl"]`}, {"carl", "approveChange", ""}, {"dev", "scheduleChange", ""}, {"dev", "startChange", `, outsideWindow: {reason: "now"}, acceptImpact: {reason: "others are still carried out"}`},
	} {
		got := said[map[string]struct {
			Change *struct {
				Operations []struct {
					Kind string
					Ci   *named
				}
			}
			UserErrors []any
		}](t, h, step.actor, fmt.Sprintf(`mutation($c: ID!) { %s(input: {id: $c%s}) { change { operations { kind ci { id } } } userErrors { message field } } }`, step.verb, step.more), map[string]any{"c": change})[step.verb]
		if got.Change == nil {
			t.Fatal(step.verb, got.UserErrors)
		}
		created = nil
		for _, o := range got.Change.Operations {
			if o.Kind == "CREATE_CI" && o.Ci != nil {
				created = append(created, o.Ci.ID)
			}
		}
	}
	return created
}

// drawOperations draws a plan, which may be impossible.
func drawOperations(rt *rapid.T, now graphState, ids []string) (all []map[string]any) {
	type relationship struct{ id, source string }
	var relationships []relationship
	groups := map[string][]any{}
	for _, c := range now.Cis.Nodes {
		for _, l := range c.Relationships.Nodes {
			relationships = append(relationships, relationship{l["id"].(string), c.ID})
		}
		for _, g := range c.DependencyGroups {
			groups[g["id"].(string)] = g["members"].([]any)
		}
	}
	all = []map[string]any{}
	keys, related := []string{}, map[string][]map[string]any{}
	end := func(name string) map[string]any {
		if len(keys) > 0 && rapid.Bool().Draw(rt, "new") {
			return map[string]any{"key": rapid.SampledFrom(keys).Draw(rt, name)}
		}
		return map[string]any{"id": rapid.SampledFrom(ids).Draw(rt, name)}
	}
	for i := range rapid.IntRange(1, 6).Draw(rt, "operations") {
		key := fmt.Sprint("k", i)
		switch rapid.SampledFrom([]string{"create", "update", "retire", "relate", "relate", "relate", "unrelate", "group", "regroup", "ungroup"}).Draw(rt, "kind") {
		case "create":
			all = append(all, map[string]any{"key": key, "createCI": map[string]any{"class": "server", "name": key}})
			keys = append(keys, key)
		case "update":
			all = append(all, map[string]any{"updateCI": map[string]any{
				"id": rapid.SampledFrom(ids).Draw(rt, "ci"), "description": rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "text"),
				"labels": []any{map[string]any{"name": "l", "value": rapid.SampledFrom([]any{nil, "a", "b"}).Draw(rt, "label")}}, "environment": rapid.SampledFrom([]string{"PRODUCTION", "STAGING"}).Draw(rt, "environment"),
			}})
		case "retire":
			all = append(all, map[string]any{"retireCI": rapid.SampledFrom(ids).Draw(rt, "ci")})
		case "relate":
			source := end("source")
			all = append(all, map[string]any{"key": key, "relateCIs": map[string]any{"type": "depends_on", "source": source, "target": end("target")}})
			if id, ok := source["id"].(string); ok {
				related[id] = append(related[id], map[string]any{"relationship": map[string]any{"key": key}})
			}
		case "unrelate":
			if len(relationships) > 0 {
				all = append(all, map[string]any{"unrelateCIs": rapid.SampledFrom(relationships).Draw(rt, "relationship").id})
			}
		case "group":
			if some := slices.Sorted(maps.Keys(related)); len(some) > 0 {
				id := rapid.SampledFrom(some).Draw(rt, "dependent")
				all = append(all, map[string]any{"key": key, "createDependencyGroup": map[string]any{"ci": map[string]any{"id": id}, "name": key, "mode": "ANY", "members": related[id]}})
				delete(related, id)
			}
		case "regroup", "ungroup":
			if some := slices.Sorted(maps.Keys(groups)); len(some) > 0 {
				id := rapid.SampledFrom(some).Draw(rt, "group")
				if members := groups[id]; rapid.Bool().Draw(rt, "shrinks") {
					kept := members[0].(map[string]any)["relationship"].(map[string]any)
					all = append(all, map[string]any{"updateDependencyGroup": map[string]any{"id": id, "mode": "ALL", "members": []any{map[string]any{"relationship": kept}}}})
				} else {
					all = append(all, map[string]any{"deleteDependencyGroup": id})
				}
			}
		}
	}
	return all
}
