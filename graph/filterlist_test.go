package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// filteredList is a list of the contract that a filter narrows.
type filteredList struct {
	parent   string // the type that has the list
	field    *ast.FieldDefinition
	argument *ast.ArgumentDefinition // the filter
	inner    string                  // the list, where it lies one field below what takes the filter
	node     string                  // what to ask of a node
}

func (l filteredList) String() string {
	return strings.TrimSuffix(l.parent+"."+l.field.Name+"."+l.inner, ".")
}

// filteredLists returns all of them, those whose filter is an argument of the object above them included.
func filteredLists(s *ast.Schema) (all []filteredList) {
	for _, d := range s.Types {
		for _, f := range d.Fields {
			for _, a := range f.Arguments {
				if !isFilter(a.Type) {
					continue
				}
				result := s.Types[f.Type.Name()]
				if node, ok := nodeOf(s, result); ok {
					all = append(all, filteredList{d.Name, f, a, "", node})
					continue
				}
				for _, inner := range result.Fields {
					if node, ok := nodeOf(s, s.Types[inner.Type.Name()]); ok {
						all = append(all, filteredList{d.Name, f, a, inner.Name, node})
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b filteredList) int { return strings.Compare(a.String(), b.String()) })
	return all
}

func isFilter(t *ast.Type) bool { return strings.HasSuffix(t.Name(), "Filter") }

// nodeOf returns the field that identifies the nodes of a connection.
func nodeOf(s *ast.Schema, connection *ast.Definition) (string, bool) {
	nodes := connection.Fields.ForName("nodes")
	if nodes == nil {
		return "", false
	}
	node := s.Types[nodes.Type.Name()]
	switch {
	case node.Fields.ForName("id") != nil:
		return "id", true
	case node.Fields.ForName("ci") != nil:
		return "ci { id }", true
	}
	text := leaves(s, node)
	for _, f := range node.Fields {
		if s.Types[f.Type.Name()].Fields.ForName("id") != nil && len(f.Arguments) == 0 {
			text += " " + f.Name + " { id }"
		}
	}
	return text, true
}

// ask writes the list with a filter, "" for none, and what to show of it.
func (l filteredList) ask(alias, filter, page, show string) string {
	args := needed[l.parent+"."+l.field.Name]
	if l.field.Arguments.ForName("facts") != nil {
		args += " facts: NONE" // incidents have taken most of the estate down
	}
	if filter != "" {
		args += fmt.Sprintf(" %s: %s", l.argument.Name, filter)
	}
	if l.inner == "" {
		args += " " + page
	} else if show = l.inner + " { " + show + " }"; page != "" {
		show = strings.Replace(show, " {", "("+page+") {", 1)
	}
	if args = strings.TrimSpace(args); args != "" {
		args = "(" + args + ")"
	}
	return fmt.Sprintf("%s: %s%s { %s }\n", alias, l.field.Name, args, show)
}

// needed are the arguments that lists require; HUB stands for an id.
var needed = map[string]string{
	"Query.impact":         `failed: [{id: "HUB"}]`,
	"Query.whatIf":         `overlay: {failed: [{id: "HUB"}]}`,
	"Query.changeCalendar": `from: "2027-01-09T00:00:00Z", to: "2027-01-12T00:00:00Z"`,
}

// samples returns values of a filter's field as GraphQL writes them: at least one for each operator.
func (e *estate) samples(s *ast.Schema, f *ast.FieldDefinition) (all []string) {
	wrap := func(t *ast.Type, text string) string {
		if t.Elem != nil {
			return "[" + text + "]"
		}
		return text
	}
	scalars := func(t *ast.Type, name string) []string {
		if d := s.Types[t.Name()]; d.Kind == ast.Enum {
			var values []string
			for _, v := range d.EnumValues {
				values = append(values, wrap(t, v.Name))
			}
			return values
		}
		id, ok := map[string]ident.ID{
			"ci": e.cis[1], "ids": e.cis[1], "relatedTo": e.cis[3], "service": e.aside.As(ident.Service), "affectedService": e.cis[3].As(ident.Service), "assignee": e.person,
			"caller": e.person, "requester": e.person, "ownerPerson": e.person, "parent": e.incidents[0], "causedByChange": e.changes[0], "template": e.template,
		}[name]
		if !ok {
			id = e.team
		}
		texts, ok := map[string][]string{
			"class": {"server", "business_service"}, "tier": {"tier-1"}, "type": {"depends_on"}, "labels": {"1"},
			"number": {"INC0000002", "CHG0000002"}, "source": {"test", "elsewhere"}, "requestedBy": {"test"},
		}[name]
		if !ok {
			texts = []string{"twin 1"}
		}
		texts = slices.Clone(texts)
		for i, text := range texts {
			texts[i] = wrap(t, fmt.Sprintf("%q", text))
		}
		return map[string][]string{
			"String": texts, "ID": {wrap(t, fmt.Sprintf("%q", id))}, "Boolean": {"true", "false"},
			"Int": {wrap(t, "2")}, "Float": {wrap(t, "2")}, "JSONValue": {wrap(t, "1")}, "DateTime": {fmt.Sprintf("%q", dawn.Add(map[bool]time.Duration{true: 90 * time.Minute, false: time.Second}[name == "plannedEnd"]).Format(time.RFC3339))},
		}[t.Name()]
	}
	d := s.Types[f.Type.Name()]
	if d.Kind != ast.InputObject {
		return scalars(f.Type, f.Name)
	}
	var required string
	for _, operator := range d.Fields {
		switch {
		case operator.Type.Name() == "ID" && operator.Type.NonNull:
			required += fmt.Sprintf("%s: %s, ", operator.Name, scalars(operator.Type, f.Name)[0])
		case operator.Type.NonNull && operator.DefaultValue == nil:
			required += fmt.Sprintf("%s: %q, ", operator.Name, "row") // labels and attributes have a name
		}
	}
	for _, operator := range d.Fields {
		if operator.Type.NonNull && operator.DefaultValue == nil {
			all = append(all, wrap(f.Type, "{"+required+"}"))
			continue
		}
		if operator.Name == "eq" {
			all = append(all, wrap(f.Type, fmt.Sprintf("{%seq: null}", required)))
		}
		if inner := s.Types[operator.Type.Name()]; inner.Kind == ast.InputObject { // the type of a relationship
			for _, value := range e.samples(s, operator) {
				all = append(all, wrap(f.Type, fmt.Sprintf("{%s%s: %s}", required, operator.Name, value)))
			}
			continue
		}
		for _, value := range scalars(operator.Type, f.Name) {
			all = append(all, wrap(f.Type, fmt.Sprintf("{%s%s: %s}", required, operator.Name, value)))
		}
	}
	return all
}

// asViewer returns the server for an actor that may only read, so that statements are restricted to what it may see.
func (e *estate) asViewer() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Linchpin-Roles", "VIEWER")
		e.ServeHTTP(w, r)
	})
}

// TestAFilterMeansTheSameInEveryListCountedAndByPages asks each list with each field of its filter: the count is that
// of the nodes, a page is a part of the whole, `not` leaves the rest, and a list below a record keeps what the list of
// all records keeps.
func TestAFilterMeansTheSameInEveryListCountedAndByPages(t *testing.T) {
	if testing.Short() {
		t.Skip("-short, which the race detector runs with, leaves it out: filters mean the same under the race detector")
	}
	s := contract()
	onEstates(t, 7, func(t *testing.T, e *estate) {
		e.contrast(t)
		parents := map[string][]ident.ID{
			"CI": {e.hub, e.cis[1]}, "Service": {e.cis[1].As(ident.Service), e.cis[3].As(ident.Service)}, "Incident": e.incidents[:2], "Change": e.changes[:2],
		}
		for _, l := range filteredLists(s) {
			t.Run(l.String(), func(t *testing.T) {
				if l.parent != "Query" && parents[l.parent] == nil {
					t.Fatalf("no %s is there to ask: name two of them", l.parent)
				}
				filter := s.Types[l.argument.Type.Name()]
				if filter.Fields.ForName("eq") != nil { // the list has one condition and no filter of many
					e.filtered(t, s, l, parents[l.parent], l.argument.Name, e.samples(s, &ast.FieldDefinition{Name: l.argument.Name, Type: l.argument.Type}))
					return
				}
				for _, f := range filter.Fields {
					if f.Name == "and" || f.Name == "or" || f.Name == "not" {
						continue
					}
					samples := e.samples(s, f)
					for i, value := range samples {
						samples[i] = fmt.Sprintf("{%s: %s}", f.Name, value)
					}
					e.filtered(t, s, l, parents[l.parent], f.Name, samples)
				}
			})
		}
	})
}

// filtered asks a list with each of the filters, which compare one field, and compares the answers with each other.
func (e *estate) filtered(t *testing.T, s *ast.Schema, l filteredList, parents []ident.ID, field string, filters []string) {
	t.Helper()
	if len(filters) == 0 {
		t.Fatalf("%s: there is no value to compare with", field)
	}
	nests := s.Types[l.argument.Type.Name()].Fields.ForName("not") != nil
	var all string // the list of all records that takes the same filter
	for _, f := range s.Query.Fields {
		if a := f.Arguments.ForName(l.argument.Name); nests && l.parent != "Query" && a != nil && a.Type.Name() == l.argument.Type.Name() {
			all = f.Name
		}
	}
	nodes := "nodes { " + l.node + " }"
	list, root := l.ask("whole", "", "first: 100", nodes), ""
	for i, f := range filters {
		list += l.ask(fmt.Sprint("count", i), f, "", "totalCount") + l.ask(fmt.Sprint("list", i), f, "first: 100", nodes) +
			l.ask(fmt.Sprint("first", i), f, "first: 2", nodes) + l.ask(fmt.Sprint("last", i), f, "last: 2", nodes+" totalCount")
		if nests {
			list += l.ask(fmt.Sprint("not", i), "{not: "+f+"}", "first: 100", nodes+" totalCount")
			list += l.ask(fmt.Sprint("or", i), "{or: [{and: ["+f+"]}]}", "first: 100", nodes+" totalCount")
		}
		if all != "" {
			root += fmt.Sprintf("all%d: %s(filter: %s, first: 100) { %s }\n", i, all, f, nodes)
		}
	}
	query := "{ " + list + " }"
	if l.parent != "Query" {
		query = fmt.Sprintf("{ nodes(ids: [%q, %q]) { ... on %s { %s } } %s }", parents[0], parents[1], l.parent, list, root)
	}
	query = strings.ReplaceAll(query, "HUB", e.hub.String())
	got, _ := ask(t, e.asViewer(), query, nil, "viewer")
	data, _ := got.(object)["data"].(object)
	if code := firstCode(got); code != "" {
		t.Errorf("%s: %s: %v\n%s", field, code, got.(object)["errors"].([]any)[0], query)
		return
	}
	answers := []any{data}
	if l.parent != "Query" {
		answers = data["nodes"].([]any)
	}
	narrows := false
	for n, answer := range answers {
		whole := l.page(answer, "whole")
		for i, f := range filters {
			holds := l.page(answer, fmt.Sprint("list", i))
			check := func(what string, want, got any) {
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("%s of the record %d, filtered by %s (- wanted, + got)\n%s", what, n, f, diff)
				}
			}
			narrows = narrows || len(holds.nodes) > 0 && len(holds.nodes) < len(whole.nodes)
			check("the list", within(whole.nodes, holds.nodes, true), holds.nodes)
			check("the count", len(holds.nodes), l.page(answer, fmt.Sprint("count", i)).count)
			check("the first", holds.nodes[:min(2, len(holds.nodes))], l.page(answer, fmt.Sprint("first", i)).nodes)
			last := l.page(answer, fmt.Sprint("last", i))
			check("the last", holds.nodes[max(0, len(holds.nodes)-2):], last.nodes)
			check("the count of the last", len(holds.nodes), last.count)
			if nests {
				not, or := l.page(answer, fmt.Sprint("not", i)), l.page(answer, fmt.Sprint("or", i))
				check("not", listed{within(whole.nodes, holds.nodes, false), len(whole.nodes) - len(holds.nodes)}, not)
				check("or and and", listed{holds.nodes, len(holds.nodes)}, or)
			}
			if all != "" {
				check("what is in the list of all records", within(whole.nodes, filteredList{}.page(data, fmt.Sprint("all", i)).nodes, true), holds.nodes)
			}
		}
	}
	if !narrows && l.String()+"."+field != "Incident.children.parent" { // children have one parent
		t.Errorf("%s: each filter keeps all or nothing: %v", field, filters)
	}
}

// listed is a page: its nodes as text, and how many records the list has, where it was asked.
type listed struct {
	nodes []string
	count int
}

// Equal reports whether two pages are the same.
func (l listed) Equal(other listed) bool {
	return slices.Equal(l.nodes, other.nodes) && l.count == other.count
}

// page returns what an answer has under an alias of the list.
func (l filteredList) page(answer any, alias string) (p listed) {
	p.nodes = []string{}
	path := strings.TrimSuffix(alias+"."+l.inner, ".")
	nodes, _ := at(answer, path+".nodes").([]any)
	for _, node := range nodes {
		text, err := json.Marshal(node)
		if err != nil {
			panic(err)
		}
		p.nodes = append(p.nodes, string(text))
	}
	count, _ := at(answer, path+".totalCount").(float64)
	p.count = int(count)
	return p
}

// within returns the nodes of a list that are, or are not, among others.
func within(list, others []string, are bool) []string {
	return slices.DeleteFunc(slices.Clone(list), func(node string) bool { return slices.Contains(others, node) != are })
}
