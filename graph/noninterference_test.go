package graph_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

var (
	drawnOperations = flag.Int("drawn", 1000, "how many operations are drawn for two worlds on each database")
	drawnSeed       = flag.Uint64("drawn-seed", 1, "from what they are drawn")
)

// world is one of two estates that differ in nothing but what is hidden: names, texts, classes, tiers, environments,
// labels, attributes, keys and owners' roles of restricted CIs, types and notes of their relationships, names of their
// groups, what changes plan for them.
type world struct {
	guarded
	s     *store.Store
	now   time.Time
	begun int64 // the revision after which states are known
}

// due is how many changes of a world are about to start.
const due = 6

// secret is a word of what is hidden that no question holds.
const secret = "nightingale"

// newWorld makes the first or the second of the two worlds.
func newWorld(t *testing.T, s *store.Store, first bool) *world {
	w := &world{s: s, now: sightedAt}
	if err := cmdb.Seed(store.At(t.Context(), sightedAt), s); err != nil {
		t.Fatal(err)
	}
	server, feed := following(t, s, wide())
	w.begun = feed.Revision()
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		settle(t, feed)
		server.ServeHTTP(rw, r.WithContext(store.At(r.Context(), w.now)))
	})
	w.guarded = guarded{t: t, handler: handler, ids: map[string]string{}}
	either := func(a, b string) string {
		if first {
			return a
		}
		return b
	}
	for _, name := range []string{"keepers", "others"} {
		w.do(name, "createTeam", fmt.Sprintf(`name: %q`, name))
	}
	for _, name := range []string{"ada", "eve", "otto", "chris"} {
		w.do(name, "createPerson", fmt.Sprintf(`name: %q`, name))
	}
	w.do("", "addTeamMember", `team: "@keepers@", person: "@ada@"`)
	w.do("", "addTeamMember", `team: "@others@", person: "@eve@"`)
	hidden := func(key string) string {
		return fmt.Sprintf(`description: %q, environment: %s, criticality: %s, labels: [{name: "%s", value: "canary"}, {name: "zone", value: %q}], owners: [{team: "@keepers@", role: %q}]`,
			either("the canary of the crimson ledger, wide awake: nightingale", "azure nightingale vault"), either("PRODUCTION", "STAGING"), either("HIGH", "LOW"), either("crimson", "azure"),
			either("crimson", "azure"), either("nightingale", "nightingale-keeper")) +
			fmt.Sprintf(`, externalIdentity: {source: %q, externalId: %q}`, either("canary-a", "canary-b"), either("crimson-", "azure-")+key)
	}
	for _, c := range []string{"rack rack", "room room", "server1 server", "server2 server", "server3 server", "db2 database", "cache middleware"} {
		name, class, _ := strings.Cut(c, " ")
		w.do(name, "createCI", fmt.Sprintf(`class: %q, name: %q, description: "a plain text of the estate", labels: [{name: "zone", value: "north"}], owners: [{team: "@others@"}], externalIdentity: {source: "plain", externalId: "plain-%s"}`, class, name, name))
	}
	w.do("db", "createCI", fmt.Sprintf(`class: %q, name: %q, attributes: {engine: %q, version: "canary"}, `, either("database", "managed_database"), either("canary-ledger", "canary-vault-nightingale"), either("crimson", "nightingale"))+hidden("db"))
	w.do("net", "createCI", fmt.Sprintf(`class: %q, name: %q, `, either("load_balancer", "firewall"), either("crimson-net", "azure-net"))+hidden("net"))
	w.do("lone", "createCI", fmt.Sprintf(`class: %q, name: %q, `, either("server", "rack"), either("north nightingale", "nightingale"))+hidden("lone"))
	w.do("svc", "createService", fmt.Sprintf(`kind: %s, name: %q, tier: %q, supportTeam: %q, `, either("APPLICATION_SERVICE", "BUSINESS_SERVICE"), either("canary-ledger-service", "vault"), either("tier-1", "tier-3"), either("@keepers@", "@others@"))+hidden("svc"))
	w.do("svc2", "createService", fmt.Sprintf(`kind: %s, name: %q, tier: %q, `, either("TECHNICAL_SERVICE", "APPLICATION_SERVICE"), either("ledger", "vault-service"), either("tier-4", "tier-1"))+hidden("svc2"))
	for _, c := range []string{"shop tier-1", "portal tier-2", "mail tier-3"} {
		name, tier, _ := strings.Cut(c, " ")
		w.do(name, "createService", fmt.Sprintf(`kind: APPLICATION_SERVICE, name: %q, tier: %q, description: "a plain service"`, name, tier))
	}
	for _, l := range []string{
		"server1 contained_in rack", "server2 contained_in rack", "server3 contained_in room", "rack contained_in room", "db2 runs_on server2", "shop depends_on db2", "mail depends_on server3",
		"portal depends_on cache", "cache runs_on server3",
		"db ? server1", "server1 ? net", "server2 ? net", "shop ? db", "portal ? db", "svc ? portal", "db ? server2", "svc ? shop", "svc2 ? mail", "svc2 ? db", "mail ? svc2",
	} {
		f := strings.Fields(l)
		kind, more := f[1], ""
		if f[1] == "?" {
			kind = either("runs_on", "hosted_on")
			more = fmt.Sprintf(`, strength: HARD, attributes: {note: %q}`, either("nightingale crimson", "nightingale azure"))
		}
		w.do(l, "relateCIs", fmt.Sprintf(`type: %q, source: "@%s@", target: "@%s@"%s`, kind, f[0], f[2], more))
	}
	w.do("group", "createDependencyGroup", `ci: "@shop@", name: "replicas", mode: ANY, members: [{relationship: "@shop ? db@"}, {relationship: "@shop depends_on db2@"}]`)
	w.do("secret", "createDependencyGroup", fmt.Sprintf(`ci: "@db@", name: %q, mode: ANY, members: [{relationship: "@db ? server1@"}, {relationship: "@db ? server2@"}]`, either("crimson nightingale", "azure nightingale")))
	for _, name := range []string{"db", "net", "lone"} {
		w.do("", "updateCI", fmt.Sprintf(`id: "@%s@", visibility: OWNERS`, name))
	}
	for _, name := range []string{"svc", "svc2"} {
		w.do("", "updateService", fmt.Sprintf(`id: "@%s@", visibility: OWNERS`, name))
	}
	w.do("", "updateCI", fmt.Sprintf(`id: "@db@", %s`, either(`description: "canary text"`, `criticality: CRITICAL`)))
	w.do("gone", "relateCIs", fmt.Sprintf(`type: %q, source: "@rack@", target: "@db@"`, either("managed_by", "backed_up_by")))
	w.do("group2", "createDependencyGroup", `ci: "@mail@", name: "either", mode: ANY, members: [{relationship: "@mail ? svc2@"}]`)
	w.do("", "updateDependencyGroup", `id: "@group2@", members: [{relationship: "@mail ? svc2@"}, {relationship: "@mail depends_on server3@"}]`)
	w.do("incident", "openIncident", `title: "it is slow", cis: [{id: "@db@", role: ROOT}, {id: "@portal@", role: AFFECTED}, {id: "@net@", role: EXCLUDED}]`)
	w.do("seen", "openIncident", `title: "it is slower", cis: [{id: "@svc2@", role: AFFECTED}, {id: "@server3@", role: ROOT}], externalIdentity: {source: "plain", externalId: "event-1"}`)
	const night = `plannedStart: "2026-01-16T22:00:00Z", plannedEnd: "2026-01-17T02:00:00Z"`
	w.do("change", "draftChange", `type: NORMAL, title: "new disks", `+night+`, assignmentTeam: "@others@", scope: [{id: "@server1@", role: TAKEN_DOWN}, {id: "@shop@", role: CHANGED}]`)
	w.do("rival", "draftChange", `type: NORMAL, title: "more memory", `+night+`, scope: [{id: "@db2@", role: TAKEN_DOWN}, {id: "@net@", role: TAKEN_DOWN}]`)
	w.do("start", "draftChange", `type: NORMAL, title: "relabel", plannedStart: "2026-01-14T10:00:00Z", plannedEnd: "2026-01-14T12:00:00Z", scope: [{id: "@server3@", role: CHANGED}]`)
	w.do("", "planChangeOperations", fmt.Sprintf(`id: "@change@", operations: [{updateCI: {id: "@db@", labels: [{name: "canary", value: %q}]}}, {updateCI: {id: "@server1@", description: "newer"}}]`, either("crimson", "azure")))
	w.do("", "planChangeOperations", fmt.Sprintf(`id: "@rival@", operations: [{updateCI: {id: "@db@", labels: [{name: "canary", value: %q}]}}]`, either("ledger", "vault")))
	// Some are about to start, and cannot: since they were planned somebody changed another field in each world.
	for i := range due {
		name := fmt.Sprint("due", i)
		w.do(name, "draftChange", `type: EMERGENCY, title: "relabel at once", plannedStart: "2026-01-14T09:00:00Z", plannedEnd: "2026-06-14T09:00:00Z", scope: [{id: "@server3@", role: CHANGED}]`)
		w.do("", "planChangeOperations", fmt.Sprintf(`id: "@%s@", operations: [{updateCI: {id: "@lone@", labels: [{name: "%s", value: "canary"}]}}]`, name, either("crimson", "azure")))
		w.do("", "requestChangeApproval", fmt.Sprintf(`id: "@%s@", approvers: ["judge"]`, name))
		if a := w.ask(caller{"judge", "CHANGE_MANAGER"}, `mutation($id: ID!) { approveChange(input: {id: $id}) { change { id } userErrors { message } } }`, "id", w.ids[name]); at(a, "data.approveChange.change.id") == nil {
			t.Fatalf("%v", a)
		}
		w.do("", "scheduleChange", fmt.Sprintf(`id: "@%s@"`, name))
	}
	w.do("", "planChangeOperations", fmt.Sprintf(`id: "@start@", operations: [{updateCI: {id: "@lone@", labels: [{name: "%[1]s", value: "canary"}], description: "newer"}}, {updateCI: {id: "@server3@", description: "newest"}}]`, either("crimson", "azure")))
	w.do("", "updateCI", fmt.Sprintf(`id: "@lone@", labels: [{name: "%[1]s", value: "ledger"}]`, either("crimson", "azure")))
	w.do("window", "createChangeWindow", `name: "closing", kind: BLACKOUT, startsAt: "2026-01-16T20:00:00Z", duration: "PT10H", cis: ["@svc@", "@db2@"]`)
	w.do("probe1", "createChangeWindow", `name: "of databases", kind: BLACKOUT, startsAt: "2026-01-16T20:00:00Z", duration: "PT10H", classes: ["database"]`)
	w.do("probe2", "createChangeWindow", `name: "of a zone", kind: MAINTENANCE, startsAt: "2026-01-16T20:00:00Z", duration: "PT1H", recurrence: "FREQ=DAILY", labels: [{name: "zone", value: "azure"}]`)
	w.do("policy", "createApprovalPolicy", `name: "risky ones", changeTypes: [NORMAL], approvals: 1, role: CHANGE_MANAGER, riskAbove: 40`)
	w.do("template", "createChangeTemplate", `name: "restart", classes: ["server"], plan: "as ever", backoutPlan: "again"`)
	w.ids["ungone"] = w.ids["gone"]
	w.ask(root, `mutation($id: ID!) { unrelateCIs(input: {id: $id}) { userErrors { message } } }`, "id", w.ids["gone"])
	_, err := store.Write(store.At(t.Context(), w.now), s, store.By{Actor: "root", Verb: "import.apply"}, func(ctx context.Context, tx *store.Tx) (*ent.DanglingReference, error) {
		id, err := ident.Parse(w.ids["db"])
		if err != nil {
			return nil, err
		}
		return tx.DanglingReference.Create().SetRecordID(id).SetSource(either("canary-a", "canary-b")).SetExternalID("nightingale").SetKind(domain.DanglingRelationship).
			SetDetail("depends_on").SetCreatedAt(tx.Now).Save(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	importing(t, s, w.ids, w.now, either("crimson-nightingale", "azure-nightingale"), first)
	w.ids["run"] = ident.New(ident.ImportRun, 1).String()
	return w
}

// settle waits until the graph, and what is told of services, show the last write, however slow the machine is.
func settle(t *testing.T, feed *journal.Feed) {
	t.Helper()
	for feed.CatchUp(t.Context()) != nil && t.Context().Err() == nil {
	}
	before := domain.RevisionToken{Revision: feed.Revision() - 1}
	states, err := feed.States(t.Context(), &before)
	if err != nil {
		t.Fatal(err)
	}
	for range states {
		return
	}
}

// hiddenRecords returns the ids of what is told to nobody but its owners and those that see all.
func (w *world) hiddenRecords() map[string]bool {
	all := map[string]bool{}
	for name, id := range w.ids {
		_, number, _ := strings.Cut(id, "_")
		switch {
		case slices.Contains([]string{"db", "net", "lone", "svc", "svc2"}, name):
			all["ci_"+number], all["svc_"+number] = true, true
		case name == "secret", name == "gone", strings.Contains(name, "?"):
			all[id] = true
		}
	}
	return all
}

// drawerOf returns a drawer of operations about what is in the world.
func (w *world) drawerOf(seed uint64) *drawer {
	d := &drawer{
		Rand: rand.New(rand.NewPCG(seed, 7)), s: contract(), now: w.now, ids: map[ident.Kind][]string{}, rare: map[ident.Kind][]string{},
		words: []string{"north", "server", "plain", "shop", "a", "canary", "crimson", "azure", "ledger", "vault", "zone", "restart"},
		texts: map[string][]string{
			"class": {"server", "database", "managed_database", "load_balancer", "firewall", "hardware"}, "classes": {"server", "database", "managed_database", "firewall", "hardware"},
			"tier": {"tier-1", "tier-2", "tier-3", "tier-4"}, "tiers": {"tier-1", "tier-2", "tier-3", "tier-4"}, "type": {"depends_on", "runs_on", "hosted_on"}, "types": {"depends_on", "runs_on"},
			"number": {"INC0000001", "INC0000002", "CHG0000001", "CHG0000002", "CHG0000003"}, "code": {"server", "tier-1", "FIXED"}, "timeZone": {"UTC", "Europe/Berlin"},
			"recurrence": {"FREQ=DAILY", "FREQ=WEEKLY"}, "source": {"plain", "canary-a", "canary-b"}, "externalId": {"plain-rack", "event-1", "event-2", "crimson-db", "azure-db", "crimson-net"},
			"path": {"engine", "version", "os"}, "name": {"zone", "crimson", "azure", "shop", "rack", "canary-ledger"}, "query": {"plain", "a plain text", "rack", "service", "text of", "north", "estate"},
		},
		labels: []map[string]any{{"zone": "crimson"}, {"zone": "azure"}, {"zone": "north"}, {"crimson": "canary"}, {"azure": "canary"}},
	}
	hidden := w.hiddenRecords()
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range w.ids {
			if name != "" && !yield(name) {
				return
			}
		}
	}) {
		id, err := ident.Parse(w.ids[name])
		if err != nil {
			w.t.Fatal(err)
		}
		to := d.ids
		if hidden[id.String()] || name == "keepers" { // the editor is not to make anyone an owner
			to = d.rare
		}
		switch id.Kind() {
		case ident.CI:
			to[ident.CI] = append(to[ident.CI], id.String())
		case ident.Service:
			to[ident.Service] = append(to[ident.Service], id.String())
			to[ident.CI] = append(to[ident.CI], id.As(ident.CI).String())
		default:
			to[id.Kind()] = append(to[id.Kind()], id.String())
		}
	}
	return d
}

// answer asks and returns the whole answer as text, with its errors in an order that does not hang on the machine.
func (w *world) answer(by caller, text string) string {
	a := w.ask(by, text)
	if all, ok := a["errors"].([]any); ok {
		slices.SortFunc(all, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	raw, err := json.Marshal(a)
	if err != nil {
		w.t.Fatal(err)
	}
	return unmarked(string(raw))
}

var cursorIn = regexp.MustCompile(`"(?:cursor|startCursor|endCursor)[^:]*":"([^"]+)"`)

// TestHiddenRecordsMakeNoDifference asks two worlds the same: nobody may tell by any answer, refusals, orders, scores
// and counts included, in which of the two they are.
func TestHiddenRecordsMakeNoDifference(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		other := storetest.SQLite
		if s.Dialect() == "postgres" {
			other = storetest.Postgres
		}
		worlds := [2]*world{newWorld(t, s, true), newWorld(t, other(t), false)}
		if !reflect.DeepEqual(worlds[0].ids, worlds[1].ids) {
			t.Fatalf("the worlds have other records: %v and %v", worlds[0].ids, worlds[1].ids)
		}
		d := worlds[0].drawerOf(*drawnSeed)
		hidden := worlds[0].hiddenRecords()
		strangers := []caller{{"eve", "VIEWER"}, {"otto", "OPERATOR"}, {"chris", "CHANGE_MANAGER"}, {"eve", "OPERATOR,CHANGE_MANAGER"}}
		editor := caller{"edith", "CATALOG_EDITOR"}
		asked, answered, forbidden, written, apart, stale, faults := map[string]int{}, map[string]int{}, map[string]bool{}, 0, 0, 0, 0
		revision := func() (heads [2]int64) {
			for i, w := range worlds {
				head, err := w.s.Revision(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				heads[i] = head
			}
			return heads
		}
		for n := range *drawnOperations {
			root, by := d.s.Query, strangers[d.IntN(len(strangers))]
			switch {
			case d.IntN(4) == 0:
				root = d.s.Mutation
			case d.IntN(10) == 0: // somebody who sees all writes about what everyone sees: what it is told is not compared
				root, by = d.s.Mutation, editor
			}
			starts := root == d.s.Mutation && by.roles != editor.roles && d.IntN(6) == 0 // which few of all mutations do
			rare, words, texts := d.rare, d.words, d.texts
			if by == editor {
				d.rare, d.words, d.texts = nil, d.words[:4], map[string][]string{"class": {"server"}, "tier": {"tier-1"}, "type": {"depends_on"}}
			}
			name, text := d.operation(root)
			for root == d.s.Mutation && by != editor && forbidden[name+by.roles] && d.IntN(10) > 0 {
				name, text = d.operation(root)
			}
			if root == d.s.Query && d.IntN(8) == 0 {
				name, text = worlds[0].probe(d)
			}
			if starts {
				by, name = strangers[2+d.IntN(2)], "startChange"
				text = fmt.Sprintf(`mutation { startChange(input: {id: %q}) { change { state } userErrors { code message field } } }`, worlds[0].ids[fmt.Sprint("due", d.IntN(due))])
				if d.IntN(3) == 0 { // an event by a key that a hidden CI may have
					by, name = strangers[1+2*d.IntN(2)], "openIncident"
					text = fmt.Sprintf(`mutation { openIncident(input: {title: "it was seen", cis: [{id: %q, role: ROOT}], externalIdentity: {source: "canary-a", externalId: %q}}) { incident { number } userErrors { code message field } } }`,
						worlds[0].ids["server3"], d.texts["externalId"][d.IntN(len(d.texts["externalId"]))])
				}
			}
			d.rare, d.words, d.texts = rare, words, texts
			var answers [2]string
			for i, w := range worlds {
				w.now = w.now.Add(time.Minute)
				answers[i] = w.answer(by, text)
			}
			d.now = worlds[0].now
			if by == editor {
				if heads := revision(); heads[0] != heads[1] {
					t.Fatalf("%s of the editor wrote in one world only:\n%s\n%s\n%s", name, text, answers[0], answers[1])
				}
				continue
			}
			asked[name]++
			isRefused := strings.Contains(answers[0], `"errors":[`) || strings.Contains(answers[0], `"code":`) && root == d.s.Mutation
			forbidden[name+by.roles] = strings.Contains(answers[0], `"FORBIDDEN"`)
			if !isRefused {
				if answered[name]++; root == d.s.Mutation {
					written++
				}
			}
			complain := func(what string) {
				t.Errorf("operation %d: %s\nby %v: %s", n, what, by, text)
				faults++
			}
			if name == "startChange" && strings.Contains(answers[0], `"STALE"`) && !strings.Contains(text, "expectedVersion") {
				stale++
			}
			switch {
			case answers[0] != answers[1]:
				complain("the answers differ" + firstDifference(answers[0], answers[1]))
			case strings.Contains(answers[0], `"INTERNAL"`):
				complain("a fault")
			default:
				if told := secretIn(answers[0], text, hidden); told != "" {
					complain("it tells " + told)
				}
			}
			if faults >= 10 {
				t.Fatal("and so on")
			}
			if root == d.s.Mutation {
				if heads := revision(); heads[0] != heads[1] {
					t.Fatalf("%s wrote in one world only:\n%s\n%s\n%s", name, text, answers[0], answers[1])
				}
			} else if d.IntN(5) == 0 && worlds[0].answer(editor, text) != worlds[1].answer(editor, text) {
				apart++
			}
			for _, c := range cursorIn.FindAllStringSubmatch(answers[0], 3) {
				if d.cursors = append(d.cursors, c[1]); len(d.cursors) > 200 {
					d.cursors = d.cursors[100:]
				}
			}
		}
		for _, root := range []*ast.Definition{d.s.Query, d.s.Mutation} {
			var never []string
			for _, f := range root.Fields {
				if asked[f.Name] > 0 && answered[f.Name] == 0 {
					never = append(never, fmt.Sprint(f.Name, " ", asked[f.Name]))
				}
			}
			t.Logf("%s: never answered: %v", root.Name, never)
		}
		t.Logf("%d mutations wrote, %d starts were refused for what was written meanwhile; who sees all is told %d differences", written, stale, apart)
		if stale < min(20, *drawnOperations/500) || apart*200 < *drawnOperations || written*100 < *drawnOperations {
			t.Errorf("too little is asked: %d mutations wrote, %d starts were refused for what was written meanwhile, and who sees all is told %d differences", written, stale, apart)
		}
		for _, by := range strangers[:3] {
			for _, f := range d.s.Subscription.Fields {
				after := int64(0)
				if f.Name == "serviceStateChanged" {
					after = worlds[0].begun
				}
				subscription, invalid := "", gqlerror.List{{}}
				for len(invalid) > 0 { // two fields may have been drawn alike, with other arguments
					d.depth, d.budget = 4, most
					subscription = fmt.Sprintf("subscription { %s(after: %d) { revision %s } }", f.Name, after, d.aliased(d.s.Types[f.Type.Name()], 4))
					_, invalid = gqlparser.LoadQueryWithRules(d.s, subscription, rules.NewDefaultRules())
				}
				first, second := worlds[0].hears(by, subscription), worlds[1].hears(by, subscription)
				if len(first) == 0 || !slices.Equal(first, second) {
					t.Errorf("%v hears of %s\n%v\n%v", by, subscription, first, second)
				}
				if told := secretIn(fmt.Sprint(first), subscription, hidden); told != "" {
					t.Errorf("%v hears %s of %s\n%v", by, told, subscription, first)
				}
			}
		}
	})
}

// probe draws a question of those by which leaks are told, which are few of all that can be asked: calendars of a
// hidden CI, single points by tiers, what an incident's impact is taken for, the risk of changes, other ends of
// relationships, the journal, searches.
func (w *world) probe(d *drawer) (name, text string) {
	hidden := d.rare[ident.CI][d.IntN(len(d.rare[ident.CI]))]
	any := append(slices.Clone(d.ids[ident.CI]), hidden)[d.IntN(len(d.ids[ident.CI])+1)]
	tier := d.texts["tier"][d.IntN(len(d.texts["tier"]))]
	word := d.words[d.IntN(len(d.words))]
	probes := []struct{ name, text string }{
		{"changeCalendar", fmt.Sprintf(`{ changeCalendar(from: "2026-01-16T00:00:00Z", to: "2026-01-18T00:00:00Z", filter: {ci: %q}, first: 50) { totalCount nodes { startsAt window { name } change { number } } } }`, hidden)},
		{"singlePointsOfFailure", fmt.Sprintf(`{ singlePointsOfFailure(tiers: [%q], first: 50) { totalCount nodes { ci { name } cisDownCount } } }`, tier)},
		{"incidents", `{ incidents(first: 50) { nodes { number priority suggestedImpactLevel suggestedImpactReason } } }`},
		{"changes", `{ changes(first: 10) { nodes { number conflictCount risk { score factors { kind points sentence ciCount } } } } }`},
		{"cis", fmt.Sprintf(`{ cis(first: 50, filter: {relatedTo: {ci: %q, type: {eq: %q}}}) { totalCount nodes { name } } }`, any, d.texts["type"][d.IntN(len(d.texts["type"]))])},
		{"incidents", fmt.Sprintf(`{ incidents(first: 50, filter: {ci: {eq: %[1]q}}) { totalCount } changes(filter: {ci: {eq: %[1]q}}) { totalCount } }`, hidden)},
		{"incidents", fmt.Sprintf(`{ incidents(first: 50, filter: {affectedService: {eq: %q}}) { totalCount } }`, strings.Replace(hidden, "ci_", "svc_", 1))},
		{"journal", fmt.Sprintf(`{ journal(afterRevision: %d, first: 50) { nodes { recordId verb before after record { id } } } }`, d.IntN(120))},
		{"searchRecords", fmt.Sprintf(`{ searchRecords(query: %q, first: 50) { edges { score node { ... on CI { name } ... on Service { name } } } } }`, word)},
		{"ciByExternalId", fmt.Sprintf(`{ ciByExternalId(source: "canary-a", externalId: %q) { id } }`, d.texts["externalId"][d.IntN(len(d.texts["externalId"]))])},
	}
	one := probes[d.IntN(len(probes))]
	return one.name, one.text
}

// hears returns what a subscription tells from the beginning on, up to a last incident, change and CI.
func (w *world) hears(by caller, subscription string) (all []string) {
	server := httptest.NewServer(w.handler)
	defer server.Close()
	w.now = w.now.Add(time.Minute)
	end := fmt.Sprint("the end ", w.now.Unix())
	w.do("end", "draftChange", fmt.Sprintf(`type: NORMAL, title: %q`, end))
	w.do("end", "createService", fmt.Sprintf(`kind: APPLICATION_SERVICE, name: %q`, end))
	w.do("end", "openIncident", fmt.Sprintf(`title: "the end", cis: [{id: %q, role: ROOT}]`, w.ids["end"]))
	head, err := w.s.Revision(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, hangUp := context.WithCancel(w.t.Context())
	defer hangUp() // before the server closes
	for events := subscribe(ctx, w.t, server.URL, subscription, by); ; {
		one := next(w.t, events)
		if all = append(all, unmarked(one.data)); one.revision >= head-2 { // the change is the first of the three
			return all
		}
	}
}
