package graph_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestEveryNodeIsReachableByItsID(t *testing.T) {
	schema := contract()
	onEstates(t, 2, func(t *testing.T, e *estate) {
		examples := map[string]string{
			"CI": e.hub.String(), "Service": e.cis[1].As(ident.Service).String(), "ServiceTier": e.tier.String(), "CIClass": e.class.String(),
			"RelationshipType": e.dependsOn.String(), "Team": e.team.String(), "Person": e.person.String(), "Incident": e.incidents[0].String(), "Change": e.changes[0].String(),
			"Relationship": "rel_1", "DependencyGroup": "grp_1", "ImportRun": "run_1", "DanglingReference": "dng_1", "Approval": "apr_1", "TimelineEntry": "tml_1", "ChangeWindow": "win_1", "Account": "acc_1", "RoleBinding": "rbd_1", "ApiToken": "tok_1",
		}
		made, _ := ask(t, e, `mutation { createServiceLevelTarget(input: {name: "soon", metric: RESOLVE, duration: "PT1H", calendar: "cal_1"}) { serviceLevelTarget { id calendar { id } } } }`, nil, "")
		target := made.(object)["data"].(object)["createServiceLevelTarget"].(object)["serviceLevelTarget"].(object)
		examples["ServiceLevelTarget"], examples["Calendar"] = nodeID(target), nodeID(target["calendar"].(object))
		made, _ = ask(t, e, `mutation { createApprovalPolicy(input: {name: "board"}) { approvalPolicy { id } } }`, nil, "")
		examples["ApprovalPolicy"] = nodeID(made.(object)["data"].(object)["createApprovalPolicy"].(object)["approvalPolicy"].(object))
		made, _ = ask(t, e, `mutation { createChangeTemplate(input: {name: "routine", plan: "as ever"}) { changeTemplate { id } } }`, nil, "")
		examples["ChangeTemplate"] = nodeID(made.(object)["data"].(object)["createChangeTemplate"].(object)["changeTemplate"].(object))
		got, _ := ask(t, e, fmt.Sprintf(`{ ci(id: %q) { history(first: 1) { nodes { id } } versions(first: 1) { nodes { id } } } }`, e.hub), nil, "")
		hub := got.(object)["data"].(object)["ci"].(object)
		examples["Entry"] = nodeID(hub["history"].(object)["nodes"].([]any)[0].(object))
		examples["RecordVersion"] = nodeID(hub["versions"].(object)["nodes"].([]any)[0].(object))
		for _, d := range schema.GetPossibleTypes(schema.Types["Node"]) {
			id := examples[d.Name]
			if id == "" {
				t.Errorf("%s has no example", d.Name)
				continue
			}
			got, _ := ask(t, e, `query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id, $id]) { id } }`, object{"id": id}, "")
			want := fmt.Sprintf("map[data:map[node:map[__typename:%s id:%s] nodes:[map[id:%s] map[id:%s]]]]", d.Name, id, id, id)
			if fmt.Sprint(got) != want {
				t.Errorf("%s gives %v", id, got)
			}
		}
		// A kind without a page of its own, a CI that is no service, and an id that does not exist.
		got, _ = ask(t, e, fmt.Sprintf(`{ nodes(ids: ["own_1", "svc_1", "ci_zzz", "xid_1", %q, "mbr_1"]) { id } }`, e.hub), nil, "")
		if want := fmt.Sprintf("map[data:map[nodes:[<nil> <nil> <nil> <nil> map[id:%s] <nil>]]]", e.hub); fmt.Sprint(got) != want {
			t.Errorf("got %v", got)
		}
		many := slices.Repeat([]string{`"ci_1"`}, 101)
		got, _ = ask(t, e, `{ nodes(ids: [`+strings.Join(many, " ")+`]) { id } }`, nil, "")
		if code := firstCode(got); code != "BAD_USER_INPUT" {
			t.Errorf("101 ids give %q", code)
		}
	})
}

func TestQuestionsAboutIdsOfOtherRecordsAreRefused(t *testing.T) {
	onEstates(t, 2, func(t *testing.T, e *estate) {
		service := e.cis[1].As(ident.Service).String()
		for query, want := range map[string]string{
			`{ impact(failed: [{id: "team_1"}]) { revision } }`:                                                              "NOT_FOUND",
			`{ impact(failed: [{id: "ci_zzz"}]) { revision } }`:                                                              "NOT_FOUND",
			`{ impact(failed: [{id: "svc_zzz"}]) { revision } }`:                                                             "NOT_FOUND",
			`{ impact(failed: [{id: "ci_1"}], excluded: ["inc_1"]) { revision } }`:                                           "NOT_FOUND",
			`{ impact(failed: []) { revision } }`:                                                                            "BAD_USER_INPUT",
			`{ impact(failed: [{id: "ci_1"}], maxDepth: 0) { revision } }`:                                                   "BAD_USER_INPUT",
			`{ impact(failed: [{id: "x"}]) { revision } }`:                                                                   "BAD_USER_INPUT",
			`{ impact(failed: [{id: "ci_1"}]) { affected(states: [OPERATIONAL]) { totalCount } } }`:                          "BAD_USER_INPUT",
			`{ impact(failed: [{id: "ci_1"}]) { on(id: "team_1") { state } } }`:                                              "",
			`{ impact(failed: [{id: "` + service + `"}]) { on(id: "` + service + `") { ci { id } } } }`:                      "",
			`{ path(from: "team_1", to: "ci_1") { cis { id } } }`:                                                            "NOT_FOUND",
			`{ path(from: "ci_1", to: "ci_zzz") { cis { id } } }`:                                                            "NOT_FOUND",
			`{ path(from: "ci_1", to: "` + service + `") { cis { id } } }`:                                                   "",
			`{ ci(id: "` + service + `") { id impact { revision } dependencies { revision } } }`:                             "",
			`{ ci(id: "team_1") { id } incident(id: "ci_1") { id } change(id: "team_1") { id } service(id: "ci_1") { id } }`: "",
		} {
			got, _ := ask(t, e, query, nil, "")
			if code := firstCode(got); code != want {
				t.Errorf("%s gives %q, not %q: %v", query, code, want, got)
			}
		}
	})
}

func TestARetiredCIIsSeenWhereItIsNamedAndCountsForNothing(t *testing.T) {
	onEstates(t, 3, func(t *testing.T, e *estate) {
		e.write(t, 2, func(ctx context.Context, tx *store.Tx) error {
			return tx.CI.UpdateOneID(e.cis[1]).SetLifecycle("RETIRED").AddVersion(1).SetUpdatedAt(tx.Now).Exec(ctx)
		})
		gone := e.cis[1].String()
		for query, want := range map[string]string{
			`{ ci(id: "GONE") { lifecycle operationalState } }`:                                                            "map[ci:map[lifecycle:RETIRED operationalState:<nil>]]",
			`{ ci(id: "GONE") { impact { affected { totalCount } completeness { isPartial } } } }`:                         "map[ci:map[impact:map[affected:map[totalCount:0] completeness:map[isPartial:false]]]]",
			`{ ci(id: "GONE") { dependencies { needs { totalCount } } } }`:                                                 "map[ci:map[dependencies:map[needs:map[totalCount:0]]]]",
			`{ ci(id: "GONE") { relationships { totalCount } incidents { totalCount } } }`:                                 "map[ci:map[incidents:map[totalCount:1] relationships:map[totalCount:2]]]",
			`{ ci(id: "HUB") { relationships(direction: OUTGOING) { nodes { target { lifecycle } } } } }`:                  "map[ci:map[relationships:map[nodes:[map[target:map[lifecycle:LIVE]] map[target:map[lifecycle:RETIRED]] map[target:map[lifecycle:LIVE]]]]]]",
			`{ incidents(orderBy: [{field: CREATED_AT}], first: 2) { nodes { cis { ci { lifecycle } } } } }`:               "map[incidents:map[nodes:[map[cis:[map[ci:map[lifecycle:LIVE]]]] map[cis:[map[ci:map[lifecycle:LIVE]] map[ci:map[lifecycle:RETIRED]]]]]]]",
			`{ cis { totalCount } services { totalCount } search(query: "row hub") { nodes { id } } }`:                     "map[cis:map[totalCount:2] search:map[nodes:[map[id:ci_1]]] services:map[totalCount:0]]",
			`{ cis(filter: {not: {lifecycle: {eq: LIVE}}}) { nodes { id } } }`:                                             "map[cis:map[nodes:[map[id:GONE]]]]",
			`{ node(id: "TEAM") { ... on Team { owns { totalCount } } } }`:                                                 "map[node:map[owns:map[totalCount:2]]]",
			`{ impact(facts: NONE, failed: [{id: "HUB"}]) { affected { nodes { ci { id } } } on(id: "GONE") { state } } }`: "map[impact:map[affected:map[nodes:[map[ci:map[id:ci_3]]]] on:<nil>]]",
			`{ serviceByName(name: "twin 1") { id } service(id: "GONE") { ci { lifecycle } } }`:                            "map[service:map[ci:map[lifecycle:RETIRED]] serviceByName:<nil>]",
		} {
			place := strings.NewReplacer("GONE", gone, "HUB", e.hub.String(), "TEAM", e.team.String())
			got, _ := ask(t, e, place.Replace(query), nil, "")
			if data := got.(object)["data"]; firstCode(got) != "" || fmt.Sprint(data) != place.Replace(want) {
				t.Errorf("%s\n got %v\nwant %s", query, got, place.Replace(want))
			}
		}
	})
}

func TestWordsOfAllLanguagesAreFound(t *testing.T) {
	names := map[string]string{
		"Prüfstelle Ärger": "prüfstelle ärg", "Платёжный шлюз": "платёжный", "注文データベース": "注文データベース", "Größe ẞ": "größe", "naïve_cache": "naïve",
		"host-0007.example": "0007", "O'Brien": "brien",
	}
	onEstates(t, 1, func(t *testing.T, e *estate) {
		for name, query := range names {
			e.write(t, 0, func(ctx context.Context, tx *store.Tx) error {
				return tx.CI.Create().SetName(name).SetClassID(e.class).SetAttributes(object{}).SetLabels(map[string]string{}).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
			})
			got, _ := ask(t, e, `query($q: String!) { search(query: $q) { nodes { name } } }`, object{"q": query}, "")
			if want := fmt.Sprintf("map[data:map[search:map[nodes:[map[name:%s]]]]]", name); fmt.Sprint(got) != want {
				t.Errorf("%q gives %v", query, got)
			}
		}
	})
}

func TestUserErrorsHaveTheCodesOfTheContract(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/errs/errs.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var mendable []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Code" {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if errs.Code(code).Mendable() {
			mendable = append(mendable, code)
		}
		return true
	})
	var declared []string
	for _, v := range contract().Types["UserErrorCode"].EnumValues {
		declared = append(declared, v.Name)
	}
	slices.Sort(mendable)
	slices.Sort(declared)
	if len(mendable) == 0 || !slices.Equal(mendable, declared) {
		t.Errorf("what can be mended is %v, the contract says %v", mendable, declared)
	}
}
