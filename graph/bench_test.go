package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// besideSQL are operations whose cost is known, each beside one statement written by hand that builds the same JSON.
var besideSQL = []struct{ name, operation, statement string }{
	{
		"tiny", `{ ci(id: "HUB") { name } }`,
		`SELECT json_build_object('data', json_build_object('ci', (SELECT json_build_object('name', name) FROM ci WHERE id = HUB)))`,
	},
	{
		"list", `{ cis(first: 50, filter: {environment: {eq: PRODUCTION}, lifecycle: {eq: LIVE}}, orderBy: [{field: CREATED_AT}]) { nodes { name environment owner { name } class { code }
			relationships(first: 10, direction: OUTGOING) { nodes { type { code } target { name } } } } } }`,
		`SELECT json_build_object('data', json_build_object('cis', json_build_object('nodes', (SELECT json_agg(json_build_object('name', c.name, 'environment', c.environment,
			'owner', (SELECT json_build_object('name', t.name) FROM owner o JOIN team t ON t.id = o.team_id WHERE o.ci_id = c.id AND o.is_primary),
			'class', (SELECT json_build_object('code', k.code) FROM ci_class k WHERE k.id = c.class_id),
			'relationships', json_build_object('nodes', (SELECT coalesce(json_agg(json_build_object('type', json_build_object('code', y.code), 'target', json_build_object('name', g.name)) ORDER BY l.id), '[]'::json)
				FROM (SELECT r.id, r.type_id, r.target_id FROM relationship r WHERE r.source_id = c.id ORDER BY r.id LIMIT 10) l
				JOIN relationship_type y ON y.id = l.type_id JOIN ci g ON g.id = l.target_id))) ORDER BY c.created_at, c.id)
			FROM (SELECT * FROM ci WHERE environment = 'PRODUCTION' AND lifecycle = 'LIVE' ORDER BY created_at, id LIMIT 50) c))))`,
	},
	{
		"tree", `{ ci(id: "FIRST") { name relationships(first: 5, direction: OUTGOING) { nodes { target { name relationships(first: 5, direction: OUTGOING) { nodes { target { name
			relationships(first: 5, direction: OUTGOING) { nodes { target { name class { code } } } } } } } } } } } }`,
		`SELECT json_build_object('data', json_build_object('ci', (SELECT json_build_object('name', c.name, 'relationships', json_build_object('nodes', (
			SELECT json_agg(json_build_object('target', json_build_object('name', c1.name, 'relationships', json_build_object('nodes', (
				SELECT json_agg(json_build_object('target', json_build_object('name', c2.name, 'relationships', json_build_object('nodes', (
					SELECT coalesce(json_agg(json_build_object('target', json_build_object('name', c3.name, 'class', json_build_object('code', k.code))) ORDER BY l3.id), '[]'::json)
					FROM (SELECT id, target_id FROM relationship WHERE source_id = c2.id ORDER BY id LIMIT 5) l3 JOIN ci c3 ON c3.id = l3.target_id JOIN ci_class k ON k.id = c3.class_id)))) ORDER BY l2.id)
				FROM (SELECT id, target_id FROM relationship WHERE source_id = c1.id ORDER BY id LIMIT 5) l2 JOIN ci c2 ON c2.id = l2.target_id)))) ORDER BY l1.id)
			FROM (SELECT id, target_id FROM relationship WHERE source_id = c.id ORDER BY id LIMIT 5) l1 JOIN ci c1 ON c1.id = l1.target_id)))
			FROM ci c WHERE c.id = FIRST)))`,
	},
}

// BenchmarkAgainstSQL asks each operation and its statement in turns, and reports the CPU time of both, the database's
// included, and how often one is the other.
func BenchmarkAgainstSQL(b *testing.B) {
	s := storetest.Postgres(b)
	e := crowded(b, s)
	owned(b, e)
	postmaster := postmasterOf(b, s)
	first := ident.New(ident.CI, 1+firstCrowd)
	for _, c := range besideSQL {
		b.Run(c.name, func(b *testing.B) {
			body, err := json.Marshal(map[string]string{"query": fillIn(c.operation, e.hub.String(), first.String())})
			if err != nil {
				b.Fatal(err)
			}
			statement := fillIn(c.statement, fmt.Sprint(int64(e.hub)), fmt.Sprint(int64(first)))
			ask := func() []byte {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				e.ServeHTTP(w, r)
				return w.Body.Bytes()
			}
			query := func() (text []byte) {
				if err := s.Writer().QueryRowContext(b.Context(), statement).Scan(&text); err != nil {
					b.Fatal(err)
				}
				return text
			}
			same(b, ask(), query())
			var ours, theirs time.Duration
			const turn = 50
			b.ReportAllocs()
			for b.Loop() {
				began := own(b) + spentBy(postmaster)
				for range turn {
					ask()
				}
				between := own(b) + spentBy(postmaster)
				for range turn {
					query()
				}
				ours, theirs = ours+between-began, theirs+own(b)+spentBy(postmaster)-between
			}
			n := float64(b.N * turn)
			b.ReportMetric(float64(ours.Microseconds())/n, "cpu-µs/operation")
			b.ReportMetric(float64(theirs.Microseconds())/n, "cpu-µs/statement")
			b.ReportMetric(float64(ours)/float64(theirs), "times")
		})
	}
}

// same fails if two answers differ: the faster of two different answers means nothing.
func same(b *testing.B, one, other []byte) {
	b.Helper()
	var left, right any
	if err := json.Unmarshal(one, &left); err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(other, &right); err != nil {
		b.Fatal(err)
	}
	if l, r := fmt.Sprint(left), fmt.Sprint(right); l != r || l == "map[data:map[ci:<nil>]]" {
		b.Fatalf("the answers differ:\n%.2000s\n%.2000s", l, r)
	}
}
