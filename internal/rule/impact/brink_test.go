package impact_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// TestEachBrink checks the examples of docs/impact.md, "The brink". brink names the CIs on it.
func TestEachBrink(t *testing.T) {
	for _, c := range []struct{ rule, estate, fails, follows, brink string }{
		{"a service on its last node", "svc needs cluster, cluster needs any of n1 n2", "n1 DOWN", "cluster AT_RISK, svc AT_RISK", "cluster svc"},
		{"of five members one lost", "svc needs cluster, cluster needs any of a b c d e", "a DOWN", "cluster AT_RISK", ""},
		{"of five members four lost", "svc needs cluster, cluster needs any of a b c d e", "a DOWN, b DOWN, c DOWN, d DOWN", "cluster AT_RISK, svc AT_RISK", "cluster svc"},
		{"a member that is weak", "svc needs cluster, cluster needs any of n1 n2", "n1 DEGRADED", "cluster AT_RISK", ""},
		{"weight that it never could bear", "app needs weight 3 of a*3 b c", "b DOWN, c DOWN", "app AT_RISK", ""},
		{"weight that it could bear", "app needs weight 4 of a*3 b c", "b DOWN", "app AT_RISK", "app"},
		{"two relationships to one CI count together", "app needs any of a b b", "a DOWN", "app AT_RISK", "app"},
		{"two on the brink that stand in for each other", "svc needs any of c1 c2, c1 needs any of a b, c2 needs any of d e", "a DOWN, d DOWN", "c1 AT_RISK, c2 AT_RISK", "c1 c2"},
		{"one on the brink that nothing stands in for any more", "svc needs any of c1 x, c1 needs any of a b", "a DOWN, x DOWN", "c1 AT_RISK, svc AT_RISK", "c1 svc"},
		{"a member on the brink that its group never could spare", "svc needs all of c1 x, c1 needs any of a b", "a DOWN", "c1 AT_RISK, svc AT_RISK", "c1 svc"},
		{"it does not pass SOFT dependencies", "svc needs cluster softly, cluster needs any of n1 n2", "n1 DOWN", "cluster AT_RISK", "cluster"},
		{"one that is excluded is not on it", "svc needs app, app needs cluster, cluster needs any of n1 n2", "n1 DOWN, app excluded", "cluster AT_RISK", "cluster"},
		{"one that is DEGRADED passes it on", "svc needs app, app needs any of n1 n2, app needs log softly", "n1 DOWN, log DOWN", "app DEGRADED, svc DEGRADED", "app svc"},
		{"one that is DOWN does not", "svc needs any of app x, app needs any of n1 n2, app needs db", "n1 DOWN, db DOWN", "app DOWN, svc AT_RISK", "svc"},
		{"a cycle does not support itself", "a needs b, b needs a, a needs x softly", "x DOWN", "a DEGRADED, b DEGRADED", ""},
		{"a retired member is no lost redundancy", "svc needs app, app needs any of a b c, c retired, x needs y", "y DOWN", "x DOWN", ""},
		{"two relationships to one on the brink count together", "svc needs 3 of c1 c1 x y, c1 needs any of a b", "a DOWN", "c1 AT_RISK, svc AT_RISK", "c1 svc"},
		{"what is AT_RISK by itself comes to it", "svc needs app softly, app needs any of a b c, a needs old, old retired", "b DOWN", "app AT_RISK", "app"},
		{"of many members all but one lost", "app needs any of a b c d e f g h i j", "a DOWN, b DOWN, c DOWN, d DOWN, e DOWN, f DOWN, g DOWN, h DOWN, i DOWN", "app AT_RISK", "app"},
		{"of many members two relationships to one that is left", "app needs any of a b c d e f g h i i", "a DOWN, b DOWN, c DOWN, d DOWN, e DOWN, f DOWN, g DOWN, h DOWN", "app AT_RISK", "app"},
		{"a retired member makes the next loss the last", "svc needs app, app needs any of a b c, c retired", "a DOWN", "app AT_RISK, svc AT_RISK", "app svc"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			k, s := draw(t, c.estate)
			a := answer(t, s, k.question(c.fails))
			if got := k.told(a); got != c.follows {
				t.Errorf("%s; %s: got %q, want %q", c.estate, c.fails, got, c.follows)
			}
			brink := ""
			for _, name := range slices.Sorted(maps.Keys(k.names)) {
				if h, ok := a.Hit(k.names[name]); ok && h.OnBrink {
					brink += " " + name
				}
			}
			if brink != "" {
				brink = brink[1:]
			}
			if brink != c.brink {
				t.Errorf("%s; %s: on the brink are %q, want %q", c.estate, c.fails, brink, c.brink)
			}
		})
	}
}

func TestAProofOfTheBrinkLeadsToWhatWasLost(t *testing.T) {
	k, s := draw(t, "svc needs app, app needs all of cluster x, cluster needs any of n1 n2, n1 needs host")
	a := answer(t, s, k.question("host DOWN"))
	p, _ := a.Proof(k.names["svc"])
	var told []string
	for _, e := range p.Explanations {
		told = append(told, k.name(e.CI)+" "+e.State.String()+" "+e.Ground.String())
	}
	want := []string{"svc AT_RISK HARD", "app AT_RISK GROUP", "cluster AT_RISK GROUP", "n1 DOWN HARD", "host DOWN FAILED"}
	if !slices.Equal(told, want) {
		t.Errorf("got %v, want %v", told, want)
	}
	if path := a.Path(k.names["svc"]); len(path) != 4 || path[0].From != k.names["host"] {
		t.Errorf("got %+v", path)
	}
}

func TestAQuestionWithoutTheBrinkTellsWhatLostAMember(t *testing.T) {
	k, s := draw(t, "svc needs cluster, cluster needs any of n1 n2, app needs n1")
	q := k.question("n1 DOWN")
	q.WithoutBrink = true
	if got := k.told(answer(t, s, q)); got != "app DOWN, cluster AT_RISK" {
		t.Errorf("got %s", got)
	}
}

// strained draws an estate in layers, whose groups lose members of all kinds, and what is known of it.
func strained(t *rapid.T) (*topologytest.Model, impact.Question) {
	const n = 8
	m := topologytest.NewModel()
	ci := func(i int) ident.ID { return ident.New(ident.CI, int64(i)) }
	b := topology.Batch{Types: []topology.Type{{ID: ident.New(ident.RelationshipType, 1), Flow: topology.TargetToSource, Strength: topology.Hard}}}
	for i := 1; i <= n; i++ {
		stage := rapid.IntRange(0, 14).Draw(t, "stage")
		b.CIs = append(b.CIs, topology.CI{ID: ci(i), Class: ident.New(ident.CIClass, 1), IsPlanned: stage == 1, IsRetired: stage == 2})
		group := topology.Group{
			ID: ident.New(ident.DependencyGroup, int64(i)), Dependent: ci(i),
			Mode:      rapid.SampledFrom([]topology.Mode{topology.Any, topology.Any, topology.Any, topology.AtLeast, topology.Weighted, topology.Percent, topology.All}).Draw(t, "mode"),
			Threshold: rapid.IntRange(1, 2).Draw(t, "threshold"),
		}
		if group.Mode == topology.Percent {
			group.Threshold *= 25
		}
		for range rapid.IntRange(1, 4).Draw(t, "needs") {
			r := topology.Relationship{
				ID: ident.New(ident.Relationship, int64(len(b.Relationships)+1)), Type: b.Types[0].ID, Source: ci(i),
				Target: ci(1 + (i+rapid.IntRange(0, 3).Draw(t, "below"))%n), // so that there are cycles
			}
			switch rapid.IntRange(0, 9).Draw(t, "as") {
			case 0:
				r.Strength = topology.Soft
			case 1, 2:
			default:
				group.Members = append(group.Members, topology.Member{Relationship: r.ID, Weight: rapid.IntRange(1, 3).Draw(t, "weight")})
			}
			b.Relationships = append(b.Relationships, r)
		}
		if len(group.Members) > 0 {
			b.Groups = append(b.Groups, group)
		}
	}
	m.Apply(b)
	q := drawQuestion(t, m)
	var members []ident.ID
	for _, a := range m.Arcs() {
		if len(a.Groups) > 0 {
			members = append(members, a.From)
		}
	}
	if len(members) > 0 { // the first to fail is one that a group can lose
		q.Failed = slices.Insert(q.Failed, 0, impact.Failure{CI: rapid.SampledFrom(members).Draw(t, "lost"), State: impact.Down})
	}
	q.Failed = q.Failed[:min(len(q.Failed), 3)]
	return m, q
}

// TestTheBrinkIsItsTwoClauses checks on strained estates that the engine tells which CIs are on the brink, and why, as
// the clauses do.
func TestTheBrinkIsItsTwoClauses(t *testing.T) {
	came := 0
	rapid.Check(t, func(t *rapid.T) {
		m, q := strained(t)
		n, a := judge(m, q), answer(t, load(t, m, 1), q)
		distances := n.distances()
		for ci := range m.CIs {
			h, ok := a.Hit(ci)
			if a.TrueState(ci) != n.states[ci] || ok != n.tells(ci) || ok && h.OnBrink != n.brink[ci] {
				t.Fatalf("%v is %v (%+v), want %v, on the brink: %v, was %v; question %+v", ci, a.TrueState(ci), h, n.states[ci], n.brink[ci], n.before[ci], q)
			}
			if !ok {
				continue
			}
			if h.Distance != distances[ci] {
				t.Fatalf("got %+v, want distance %d", h, distances[ci])
			}
			if n.brink[ci] {
				came++
			}
			checkPath(t, n, m, h, a.Path(ci))
			checkProof(t, n, m, q, a, ci)
		}
	})
	if !testing.Short() && came == 0 {
		t.Error("nothing came to the brink: that shows nothing")
	}
}

// TestAFailureMoreMakesNothingBetter checks that states only grow, and that a CI on the brink stays there or falls.
func TestAFailureMoreMakesNothingBetter(t *testing.T) {
	tipped := 0
	rapid.Check(t, func(t *rapid.T) {
		m, q := strained(t)
		s := load(t, m, 1)
		if len(q.Failed) == 0 {
			return
		}
		more := q
		q.Failed = q.Failed[1:]
		less, worse := answer(t, s, q), answer(t, s, more)
		for _, ci := range slices.Sorted(maps.Keys(m.CIs)) {
			if worse.TrueState(ci) < less.TrueState(ci) {
				t.Fatalf("%v was %v, and is %v with %v", ci, less.TrueState(ci), worse.TrueState(ci), more.Failed[0])
			}
			was, is := onBrink(less, ci), onBrink(worse, ci)
			if was && !is && worse.TrueState(ci) != impact.Down {
				t.Fatalf("%v left the brink with %v", ci, more.Failed[0])
			}
			if !was && is {
				tipped++
			}
		}
	})
	if !testing.Short() && tipped == 0 {
		t.Error("nothing came to the brink: that shows nothing")
	}
}

func onBrink(a *impact.Answer, ci ident.ID) bool {
	h, ok := a.Hit(ci)
	return ok && h.OnBrink
}

// TestSinglePointsKnowMoreThanTheBrink asks, of each CI that is up beside the facts, which others take it DOWN alone
// and would not if nothing had failed. A group that lost what it could bear always has one; a CI that has one and is
// not on the brink lives on a leg that its members share.
func TestSinglePointsKnowMoreThanTheBrink(t *testing.T) {
	both, more := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m, _ := strained(t)
		if len(m.CIs) == 0 {
			return
		}
		lost := rapid.SampledFrom(slices.Sorted(maps.Keys(m.CIs))).Draw(t, "lost")
		m.Incidents = map[ident.ID]topology.Incident{1: {ID: ident.New(ident.Incident, 1), Root: []ident.ID{lost}}}
		m.Changes = nil
		s := load(t, m, 1)
		n := naive{model: m}
		n.solve(impact.Question{OnFacts: true})
		knows := map[ident.ID]bool{}
		for _, ci := range slices.Sorted(maps.Keys(m.CIs)) {
			q := impact.Question{Failed: []impact.Failure{{CI: ci, State: impact.Down}}}
			healthy := answer(t, s, q)
			q.OnFacts = true
			for _, h := range answer(t, s, q).Affected(impact.Filter{AtLeast: impact.Down, WithoutRoots: true}) {
				if h.Without != impact.Down && healthy.TrueState(h.CI) != impact.Down && n.states[ci] != impact.Down {
					knows[h.CI] = true
				}
			}
		}
		for ci := range m.CIs {
			switch {
			case !m.InService(ci) || n.states[ci] == impact.Down:
			case n.strained(ci) && !knows[ci] && !n.hasLoneLeg(ci):
				t.Fatalf("a group of %v lost what it could bear, and nothing takes it DOWN alone", ci)
			case knows[ci] && n.brink[ci]:
				both++
			case knows[ci]:
				more++
			}
		}
	})
	t.Logf("of %d CIs that came to have a single point, %d are on the brink", both+more, both)
	if !testing.Short() && (both == 0 || more == 0) {
		t.Errorf("%d and %d: that shows nothing", both, more)
	}
}

// hasLoneLeg reports whether each member that a group of a CI cannot bear to lose now takes the CI DOWN in a healthy
// estate as well: by another need than the group.
func (n naive) hasLoneLeg(ci ident.ID) bool {
	for g, f := range n.model.Groups {
		if f.Dependent != ci {
			continue
		}
		need, total, up, _, _ := n.tally(g)
		for other, counts := range n.counts(g) {
			if n.states[other] == impact.Down || up < need || up-counts >= need || total-counts < need {
				continue
			}
			alone := naive{model: n.model}
			alone.solve(impact.Question{Failed: []impact.Failure{{CI: other, State: impact.Down}}})
			if alone.states[ci] != impact.Down {
				return false
			}
		}
	}
	return true
}
