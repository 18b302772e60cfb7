package graph_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// pagedList is a list of the contract as the paging tests ask for it; LIST stands for the list's arguments and page.
type pagedList struct {
	query  string
	node   string // what to ask of a node, "id" at least
	fields string // orderBy fields, as FIELD=field of the node
}

const ciFields = "NAME=name CREATED_AT=createdAt UPDATED_AT=updatedAt"

// lists are all lists of the contract that page by keys or places: those of Query that need no argument, by the
// contract, and those written here. HUB, INCIDENT, CHANGE and TEAM stand for ids.
var lists = withRootLists(map[string]pagedList{
	"services":             {"{ services LIST }", "id name createdAt: ci { x: createdAt } updatedAt: ci { x: updatedAt }", ciFields},
	"kpis":                 {`{ kpis(period: DAY, from: "2027-01-08T00:00:00Z", to: "2027-01-15T00:00:00Z") LIST }`, "id: start", ""},
	"journal":              {"{ journal(afterRevision: REVISION) LIST }", "id", ""},
	"CI.incidents":         {`{ ci(id: "HUB") { incidents LIST } }`, "id createdAt updatedAt priority", "CREATED_AT=createdAt UPDATED_AT=updatedAt PRIORITY=priority"},
	"CI.changes":           {`{ ci(id: "HUB") { changes LIST } }`, "id createdAt updatedAt", "CREATED_AT=createdAt UPDATED_AT=updatedAt"},
	"CI.relationships":     {`{ ci(id: "HUB") { relationships LIST } }`, "id", ""},
	"outgoing":             {`{ ci(id: "HUB") { relationships(direction: OUTGOING) LIST } }`, "id", ""},
	"incoming":             {`{ ci(id: "HUB") { relationships(direction: INCOMING) LIST } }`, "id", ""},
	"CI.history":           {`{ ci(id: "HUB") { history LIST } }`, "id", ""},
	"CI.versions":          {`{ ci(id: "HUB") { versions LIST } }`, "id", ""},
	"CI.needs":             {`{ ci(id: "HUB") { dependencies { needs LIST } } }`, "ci { id }", ""},
	"Team.owns":            {`{ node(id: "TEAM") { ... on Team { owns LIST } } }`, "id", ""},
	"Incident.children":    {`{ incident(id: "INCIDENT") { children LIST } }`, "id", ""},
	"open children":        {`{ incident(id: "INCIDENT") { children(filter: {isOpen: true}) LIST } }`, "id", ""},
	"Incident.timeline":    {`{ incident(id: "INCIDENT") { timeline LIST } }`, "id", ""},
	"Incident.history":     {`{ incident(id: "INCIDENT") { history LIST } }`, "id", ""},
	"affectedServices":     {`{ incident(id: "INCIDENT") { affectedServices LIST } }`, "ci { id }", ""},
	"Change.timeline":      {`{ change(id: "CHANGE") { timeline LIST } }`, "id", ""},
	"Change.conflicts":     {`{ change(id: "CHANGE") { conflicts(kinds: [SAME_CI]) LIST } }`, "ci: otherChange { id }", ""},
	"changeCalendar":       {`{ changeCalendar(from: "2027-01-10T22:30:00Z", to: "2027-01-11T00:00:00Z") LIST }`, "ci: change { id }", ""},
	"causedIncidents":      {`{ change(id: "CHANGE") { causedIncidents LIST } }`, "id", ""},
	"impact.affected":      {`{ impact(facts: NONE, failed: [{id: "HUB"}]) { affected LIST } }`, "ci { id }", ""},
	"impact.services":      {`{ impact(facts: NONE, failed: [{id: "HUB"}]) { services LIST } }`, "ci { id }", ""},
	"Change.impact":        {`{ change(id: "CHANGE") { impact(facts: NONE) { affected LIST } } }`, "ci { id }", ""},
	"ImportRun.rows":       {`{ importRun(id: "run_1") { rows LIST } }`, "id: key", ""},
	"ImportRun.created":    {`{ importRun(id: "run_1") { rows(outcome: CREATE) LIST } }`, "id: key", ""},
	"Relationship.history": {`{ node(id: "rel_1") { ... on Relationship { history LIST } } }`, "id", ""},
})

// withRootLists adds the lists of records of Query that are not written yet and that need no argument. A field of an
// order, such as CREATED_AT, is the field createdAt of a node.
func withRootLists(written map[string]pagedList) map[string]pagedList {
	schema := contract()
	for _, field := range schema.Query.Fields {
		record, isList := strings.CutSuffix(field.Type.Name(), "Connection")
		node, isType := schema.Types[record]
		if _, isWritten := written[field.Name]; isWritten || !isList || !isType || node.Fields.ForName("id") == nil ||
			slices.ContainsFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil }) {
			continue
		}
		list := pagedList{query: "{ " + field.Name + " LIST }", node: "id"}
		if order := field.Arguments.ForName("orderBy"); order != nil {
			by := schema.Types[order.Type.Name()].Fields.ForName("field")
			for _, value := range schema.Types[by.Type.Name()].EnumValues {
				list.node += " " + camel(value.Name)
				list.fields += value.Name + "=" + camel(value.Name) + " "
			}
		}
		written[field.Name] = list
	}
	return written
}

// camel returns the name of a field for that of an enum's value: createdAt for CREATED_AT.
func camel(value string) string {
	words := strings.Split(strings.ToLower(value), "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

// orders returns all orders of a list that differ: each field each way, and two fields.
func (l pagedList) orders() []string {
	all := []string{""}
	fields := strings.Fields(l.fields)
	for i, f := range fields {
		name, _, _ := strings.Cut(f, "=")
		other, _, _ := strings.Cut(fields[(i+1)%len(fields)], "=")
		all = append(all, fmt.Sprintf("{field: %s}", name), fmt.Sprintf("{field: %s, direction: DESC}", name),
			fmt.Sprintf("{field: %s, direction: DESC}, {field: %s}", name, other))
	}
	return all
}

// onePage is a page as the tests compare it.
type onePage struct {
	Edges []struct {
		Cursor string
		Node   map[string]any
	}
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
	TotalCount int
}

func (p onePage) ids() []string {
	all := make([]string, len(p.Edges))
	for i, e := range p.Edges {
		all[i] = nodeID(e.Node)
	}
	return all
}

func nodeID(node map[string]any) string {
	if inner, ok := node["ci"].(map[string]any); ok {
		node = inner
	}
	return node["id"].(string)
}

// page asks for one page; failed is the code of the first error.
func (e *estate) page(t testing.TB, l pagedList, order, args string) (p onePage, failed string) {
	t.Helper()
	if order != "" {
		args = "orderBy: [" + order + "], " + args
	}
	list := fmt.Sprintf("(%s) { edges { cursor node { %s } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }", args, l.node)
	query := strings.NewReplacer(") LIST", ", "+list[1:], "LIST", list, "HUB", e.hub.String(), "INCIDENT", e.incidents[0].String(),
		"CHANGE", e.changes[0].String(), "TEAM", e.team.String(), "REVISION", fmt.Sprint(e.revision)).Replace(l.query)
	got, _ := ask(t, e, query, nil, "")
	if code := firstCode(got); code != "" {
		return p, code
	}
	at := got.(map[string]any)["data"].(map[string]any)
	for at["edges"] == nil {
		for _, inner := range at {
			at = inner.(map[string]any)
		}
	}
	text, err := json.Marshal(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p, ""
}

// mustPage asks for a page and fails on errors.
func (e *estate) mustPage(t testing.TB, l pagedList, order, args string) onePage {
	t.Helper()
	p, failed := e.page(t, l, order, args)
	if failed != "" {
		t.Fatalf("%s [%s] (%s): %s", l.query, order, args, failed)
	}
	return p
}

// firstCode returns the code of an answer's first error, or "".
func firstCode(answer any) string {
	all, _ := answer.(map[string]any)["errors"].([]any)
	if len(all) == 0 {
		return ""
	}
	extensions, _ := all[0].(map[string]any)["extensions"].(map[string]any)
	code, _ := extensions["code"].(string)
	return cmp.Or(code, "no code")
}

func TestEveryListPagesWithoutLossInEveryOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("-short, which the race detector runs with, leaves it out: pages are the same under the race detector")
	}
	onEstates(t, 7, func(t *testing.T, e *estate) {
		for name, l := range lists {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, order := range l.orders() {
					e.walk(t, l, order)
				}
			})
		}
	})
}

// walk reads a list page by page, in both directions, and compares it with the list at once.
func (e *estate) walk(t *testing.T, l pagedList, order string) {
	t.Helper()
	whole := e.mustPage(t, l, order, "first: 100")
	ids, n := whole.ids(), len(whole.Edges)
	if len(ids) < 3 && l.query != lists["Relationship.history"].query || whole.TotalCount != n || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
		t.Fatalf("%s: %d records, %d in all: %v", order, len(ids), whole.TotalCount, ids)
	}
	l.checkOrder(t, order, whole)
	sizes := []int{3}
	if order == "" {
		sizes = []int{1, 2, 3, 4, 5, 6, 7}
	}
	for _, size := range sizes {
		for at, after := 0, ""; ; at += size {
			p := e.mustPage(t, l, order, fmt.Sprintf("first: %d%s", size, after))
			p.check(t, fmt.Sprintf("%s first: %d from %d", order, size, at), whole, at, min(n, at+size))
			if !p.PageInfo.HasNextPage {
				break
			}
			after = fmt.Sprintf(", after: %q", *p.PageInfo.EndCursor)
		}
		for at, before := n, ""; ; at -= size {
			p := e.mustPage(t, l, order, fmt.Sprintf("last: %d%s", size, before))
			p.check(t, fmt.Sprintf("%s last: %d to %d", order, size, at), whole, max(0, at-size), at)
			if !p.PageInfo.HasPreviousPage {
				break
			}
			before = fmt.Sprintf(", before: %q", *p.PageInfo.StartCursor)
		}
	}
	if order != "" {
		return
	}
	for from := -1; from < n; from += 3 {
		for to := from + 1; to <= n; to += 3 {
			between := ""
			if from >= 0 {
				between += fmt.Sprintf(", after: %q", whole.Edges[from].Cursor)
			}
			if to < n {
				between += fmt.Sprintf(", before: %q", whole.Edges[to].Cursor)
			}
			for _, size := range []int{0, 2} {
				p := e.mustPage(t, l, order, fmt.Sprintf("first: %d%s", size, between))
				p.check(t, fmt.Sprintf("%s first: %d in %d..%d", order, size, from, to), whole, from+1, min(to, from+1+size))
				p = e.mustPage(t, l, order, fmt.Sprintf("last: %d%s", size, between))
				p.check(t, fmt.Sprintf("%s last: %d in %d..%d", order, size, from, to), whole, max(from+1, to-size), to)
			}
		}
	}
}

// check compares a page with the part [from, to) of the whole list.
func (p onePage) check(t *testing.T, what string, whole onePage, from, to int) {
	t.Helper()
	n := len(whole.Edges)
	if diff := gocmp.Diff(whole.Edges[from:to], p.Edges); diff != "" {
		t.Fatalf("%s: (- wanted, + got)\n%s", what, diff)
	}
	if p.TotalCount != n {
		t.Errorf("%s: totalCount is %d of %d", what, p.TotalCount, n)
	}
	if p.PageInfo.HasNextPage != (to < n) || p.PageInfo.HasPreviousPage != (from > 0) {
		t.Fatalf("%s: [%d, %d) of %d says hasNextPage %v, hasPreviousPage %v", what, from, to, n, p.PageInfo.HasNextPage, p.PageInfo.HasPreviousPage)
	}
	if from == to {
		if p.PageInfo.StartCursor != nil || p.PageInfo.EndCursor != nil {
			t.Errorf("%s: an empty page has cursors", what)
		}
		return
	}
	if *p.PageInfo.StartCursor != whole.Edges[from].Cursor || *p.PageInfo.EndCursor != whole.Edges[to-1].Cursor {
		t.Errorf("%s: the cursors are not those of the ends", what)
	}
}

// checkOrder compares the order of the whole list with what was asked for.
func (l pagedList) checkOrder(t *testing.T, order string, whole onePage) {
	t.Helper()
	if order == "" {
		return
	}
	value := func(node map[string]any, step string) string {
		for _, f := range strings.Fields(l.fields) {
			name, field, _ := strings.Cut(f, "=")
			if strings.Contains(step, name) {
				return fmt.Sprint(node[field])
			}
		}
		panic(step)
	}
	sorted := slices.IsSortedFunc(whole.Edges, func(a, b struct {
		Cursor string
		Node   map[string]any
	},
	) int {
		sign := 1
		for step := range strings.SplitSeq(order, "}, {") {
			sign = 1
			if strings.Contains(step, "DESC") {
				sign = -1
			}
			if c := cmp.Compare(value(a.Node, step), value(b.Node, step)); c != 0 {
				return c * sign
			}
		}
		x, _ := ident.Parse(nodeID(a.Node))
		y, _ := ident.Parse(nodeID(b.Node))
		return sign * cmp.Compare(x, y)
	})
	if !sorted {
		t.Errorf("%s: not in order: %v", order, whole.Edges)
	}
}

func TestSearchPagesWithoutLoss(t *testing.T) {
	onEstates(t, 20, func(t *testing.T, e *estate) {
		find := func(args string) (ids []string, info map[string]any) {
			got, _ := ask(t, e, fmt.Sprintf(`{ search(query: "row", %s) { nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } } }`, args), nil, "")
			if code := firstCode(got); code != "" {
				t.Fatal(args, got)
			}
			found := got.(map[string]any)["data"].(map[string]any)["search"].(map[string]any)
			for _, n := range found["nodes"].([]any) {
				ids = append(ids, nodeID(n.(map[string]any)))
			}
			return ids, found["pageInfo"].(map[string]any)
		}
		whole, _ := find("first: 100")
		if len(whole) != 20 {
			t.Fatalf("found %v", whole)
		}
		for size := 1; size <= 7; size++ {
			var walked []string
			for after := ""; ; {
				ids, info := find(fmt.Sprintf("first: %d%s", size, after))
				if info["hasPreviousPage"] != (len(walked) > 0) {
					t.Errorf("hasPreviousPage is %v after %d", info["hasPreviousPage"], len(walked))
				}
				walked = append(walked, ids...)
				if info["hasNextPage"] == false {
					break
				}
				after = fmt.Sprintf(", after: %q", info["endCursor"])
			}
			if diff := gocmp.Diff(whole, walked); diff != "" {
				t.Errorf("by %d: %s", size, diff)
			}
		}
	})
}

func TestRowsInsertedBetweenPagesLoseNoneOfTheOthers(t *testing.T) {
	for _, backward := range []bool{false, true} {
		t.Run(fmt.Sprintf("backward=%v", backward), func(t *testing.T) {
			onEstates(t, 9, func(t *testing.T, e *estate) {
				type pass struct {
					l      pagedList
					order  string
					before []string
					cursor string
					seen   map[string]int
					done   bool
				}
				var passes []*pass
				for _, l := range lists {
					for _, order := range l.orders() {
						if whole := e.mustPage(t, l, order, "first: 100"); !whole.PageInfo.HasNextPage {
							passes = append(passes, &pass{l: l, order: order, before: whole.ids(), seen: map[string]int{}})
						}
					}
				}
				for round := 0; slices.ContainsFunc(passes, func(p *pass) bool { return !p.done }); round++ {
					for _, p := range passes {
						if p.done {
							continue
						}
						args, cursor := "first: 4", "after"
						if backward {
							args, cursor = "last: 4", "before"
						}
						if p.cursor != "" {
							args += fmt.Sprintf(", %s: %q", cursor, p.cursor)
						}
						page := e.mustPage(t, p.l, p.order, args)
						for _, id := range page.ids() {
							p.seen[id]++
						}
						if p.done = !page.PageInfo.HasNextPage; backward {
							p.done = !page.PageInfo.HasPreviousPage
						}
						if len(page.Edges) > 0 {
							p.cursor = *page.PageInfo.EndCursor
							if backward {
								p.cursor = *page.PageInfo.StartCursor
							}
						}
					}
					if round < 3 {
						e.grow(t, 9+round)
					}
				}
				for _, p := range passes {
					for _, id := range p.before {
						// A record that was written meanwhile has moved in an order by the time of the write.
						if hasMoved := id == e.hub.String() && strings.Contains(p.order, "UPDATED_AT"); p.seen[id] != 1 && !hasMoved {
							t.Errorf("%s [%s]: %s was read %d times", p.l.query, p.order, id, p.seen[id])
						}
					}
				}
			})
		})
	}
}
