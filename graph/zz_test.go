package graph_test
import "testing"
func TestZZ(t *testing.T) {
	onEstates(t, 3, func(t *testing.T, e *estate) {
		_, st := ask(t, e, `{ ci(id: "`+e.hub.String()+`") { relationships(first: 4) { nodes { id } pageInfo { endCursor } totalCount } } }`, nil, "")
		for _, s := range st { t.Log(s.SQL, s.Args) }
		l := lists["CI.relationships"]
		p := e.mustPage(t, l, "", "first: 1")
		got, st := ask(t, e, `{ ci(id: "`+e.hub.String()+`") { relationships(first: 4, after: "`+*p.PageInfo.EndCursor+`") { nodes { id } pageInfo { endCursor } totalCount } } }`, nil, "")
		for _, s := range st { t.Log(s.SQL, s.Args) }
		t.Log(got)
	})
}
