package main

import (
	"fmt"
	"strings"
	"testing"
)

// serveWith starts a server whose environment says more.
func serveWith(t *testing.T, environment []string, args ...string) *process {
	t.Helper()
	p, err := launch(t.TempDir(), append(homeless(t), environment...), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// TestALimitOfTheEnvironmentHolds checks that each operation is answered under the limits that a server has by itself,
// and refused under one that the environment states.
func TestALimitOfTheEnvironmentHolds(t *testing.T) {
	operations := map[string]struct{ body, code string }{
		"DEPTH=3":      {`{"query":"{ cis { nodes { class { code } } } }"}`, "QUERY_TOO_DEEP"},
		"ALIASES=2":    {`{"query":"{ a: revision b: revision c: revision }"}`, "QUERY_TOO_LARGE"},
		"DIRECTIVES=1": {`{"query":"{ revision @skip(if: false) @include(if: true) }"}`, "QUERY_TOO_LARGE"},
		"TOKENS=14":    {`{"query":"{ revision ... { revision } ... { revision } ... { revision } }"}`, "QUERY_TOO_LARGE"},
		"DOCUMENT=80":  {`{"query":"{ revision } #` + strings.Repeat("x", 80) + `"}`, "QUERY_TOO_LARGE"},
		"SELECTIONS=5": {`{"query":"{ ...f ...g } fragment f on Query { ...g revision } fragment g on Query { revision }"}`, "QUERY_TOO_LARGE"},
		"NESTING=2":    {`{"query":"{ cis(filter: {not: {not: {not: {name: {eq: \"x\"}}}}}) { totalCount } }"}`, "QUERY_TOO_DEEP"},
		"VALUES=20":    {`{"query":"query($ids: [ID!]!) { nodes(ids: $ids) { id } }","variables":{"ids":[` + strings.Repeat(`"ci_1",`, 20) + `"ci_1"]}}`, "QUERY_TOO_LARGE"},
		"COST=50":      {`{"query":"{ cis(first: 60) { nodes { id } } }"}`, "COMPLEXITY_LIMIT_EXCEEDED"},
		"BODY=200":     {`{"query":"{ revision }","extensions":{"x":"` + strings.Repeat("x", 200) + `"}}`, "QUERY_TOO_LARGE"},
	}
	ask := func(t *testing.T, p *process, body string) []string {
		t.Helper()
		return send(t, "POST", p.url+"/graphql", body).codes(t)
	}
	usual := serve(t, "--admin-listen", "127.0.0.1:0")
	for setting, o := range operations {
		t.Run(setting, func(t *testing.T) {
			if codes := ask(t, usual, o.body); len(codes) > 0 {
				t.Errorf("without a setting: %v", codes)
			}
			p := serveWith(t, []string{"LINCHPIN_LIMIT_" + setting})
			if codes := ask(t, p, o.body); len(codes) != 1 || codes[0] != o.code {
				t.Errorf("%v, not %s", codes, o.code)
			}
			if codes := ask(t, p, `{"query":"{ revision }"}`); len(codes) > 0 {
				t.Errorf("what is within the limit: %v", codes)
			}
		})
	}
	t.Run("ERRORS=1", func(t *testing.T) {
		p := serveWith(t, []string{"LINCHPIN_LIMIT_ERRORS=1"})
		const wrong = `{"query":"{ a b c }"}`
		if some, one := ask(t, usual, wrong), ask(t, p, wrong); len(some) != 3 || len(one) != 1 {
			t.Errorf("%v and %v", some, one)
		}
	})
	t.Run("QUERY_TIME=1ns", func(t *testing.T) {
		p := serveWith(t, []string{"LINCHPIN_LIMIT_QUERY_TIME=1ns"})
		if codes := ask(t, p, `{"query":"{ cis { totalCount } }"}`); len(codes) != 1 || codes[0] != "TIMEOUT" {
			t.Errorf("%v", codes)
		}
	})
	t.Run("MUTATION_TIME=1ns", func(t *testing.T) {
		p := serveWith(t, []string{"LINCHPIN_LIMIT_MUTATION_TIME=1ns"})
		if codes := ask(t, p, `{"query":"mutation { createTeam(input: {name: \"x\"}) { team { id } } }"}`); len(codes) != 1 || codes[0] != "TIMEOUT" {
			t.Errorf("%v", codes)
		}
	})
	t.Run("DOCUMENTS=6000", func(t *testing.T) {
		p := serveWith(t, []string{"LINCHPIN_LIMIT_DOCUMENTS=6000"}, "--admin-listen", "127.0.0.1:0")
		for n := range 10 {
			for _, on := range []*process{usual, p} {
				if codes := ask(t, on, fmt.Sprintf(`{"query":"{ r%d: revision }"}`, n)); len(codes) > 0 {
					t.Fatal(codes)
				}
			}
		}
		many, few := usual.metric(t, "linchpin_documents_bytes"), p.metric(t, "linchpin_documents_bytes")
		if few <= 0 || few > 6000 || many < 5*few/2 {
			t.Errorf("%g bytes of documents are kept, and %g without a setting", few, many)
		}
	})
	t.Run("a flag goes before", func(t *testing.T) {
		p := serveWith(t, []string{"LINCHPIN_LIMIT_COST=1"}, "--limit-cost", "100")
		if codes := ask(t, p, operations["COST=50"].body); len(codes) > 0 {
			t.Errorf("%v", codes)
		}
	})
}
