package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// TestPurgedRevisionsAreTooOld purges the journal under a server. Once older revisions are neither in the tables nor in
// the server's memory, they are refused, and later ones are answered as before.
func TestPurgedRevisionsAreTooOld(t *testing.T) {
	databases := map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": func() string { return pgtest.Database(t, "empty", nil) },
	}
	for name, empty := range databases {
		t.Run(name, func(t *testing.T) {
			address, folder := empty(), t.TempDir()
			key, export := filepath.Join(folder, "root.key"), filepath.Join(folder, "first.ndjson")
			if err := os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			p := serve(t, "--database", address)
			do := func(query string) answer {
				t.Helper()
				a, err := post(t.Context(), http.DefaultClient, p.url, query, nil)
				if err != nil || len(a.Errors) > 0 {
					t.Fatalf("%v %+v\n%s", err, a.Errors, p.said())
				}
				return a
			}
			early := do(`mutation { createCI(input: {class: "server", name: "a"}) { ci { id } userErrors { code } } }`)
			var page struct {
				Journal struct {
					PageInfo struct{ EndCursor string }
					Nodes    []struct{ Revision int64 }
				}
			}
			p.ask(t, &page, `{ journal(last: 1) { pageInfo { endCursor } nodes { revision } } }`, nil)
			cursor := page.Journal.PageInfo.EndCursor
			do(`mutation { updateCI(input: {id: "ci_1", description: "changed"}) { userErrors { code } } }`)
			floor := do(`mutation { createCI(input: {class: "server", name: "b"}) { ci { id } userErrors { code } } }`).Extensions
			for _, stage := range []struct{ fromTables, fromMemory string }{{"", ""}, {"TOO_OLD", ""}, {"TOO_OLD", "TOO_OLD"}} {
				asked := func(code, query string, headers ...string) {
					t.Helper()
					a, err := post(t.Context(), http.DefaultClient, p.url, query, nil, headers...)
					if err != nil {
						t.Fatal(err)
					}
					got := ""
					if len(a.Errors) > 0 {
						got = a.Errors[0].Extensions.Code
					}
					if got != code {
						t.Errorf("%s %s: %q, not %q: %+v", query, headers, got, code, a)
					}
				}
				token := early.Extensions.RevisionToken
				asked(stage.fromTables, fmt.Sprintf(`{ impact(failed: [{id: "ci_1"}], asOf: {revision: %d}) { revision } }`, early.Extensions.Revision))
				asked(stage.fromMemory, "{ viewer { name } }", "Linchpin-At-Least-Revision: "+token)
				asked(stage.fromTables, fmt.Sprintf("{ journal(afterToken: %q) { nodes { id } } }", token))
				asked(stage.fromTables, fmt.Sprintf("{ journal(afterRevision: %d) { nodes { id } } }", early.Extensions.Revision))
				asked(stage.fromTables, fmt.Sprintf("{ journal(after: %q) { nodes { id } } }", cursor))
				event := p.follow(t, fmt.Sprintf("subscription { journal(afterToken: %q) { resync } }", token))().data
				if strings.Contains(event, `"resync":"TOO_OLD"`) != (stage.fromMemory != "") {
					t.Errorf("a subscription tells %s", event)
				}
				switch {
				case stage.fromTables == "":
					linchpin(t, "journal", "export", export, "--before", fmt.Sprint(floor.Revision), "--database", address)
					linchpin(t, "journal", "purge", "--before", fmt.Sprint(floor.Revision), "--export", export, "--database", address, "--key-file", key)
				case stage.fromMemory == "":
					p.kill()
					p = serve(t, "--database", address)
				}
			}
			do(fmt.Sprintf(`{ impact(failed: [{id: "ci_1"}], asOf: {revision: %d}) { revision } }`, floor.Revision))
			do(fmt.Sprintf("{ journal(afterToken: %q) { nodes { id } } }", floor.RevisionToken))
			do(fmt.Sprintf("{ journal(afterRevision: %d) { nodes { id } } }", floor.Revision-1))
			var data struct {
				Ci struct {
					History, Versions struct{ TotalCount int }
				}
			}
			p.ask(t, &data, `{ ci(id: "ci_1") { history { totalCount } versions { totalCount } } }`, nil)
			if data.Ci.History.TotalCount != 1 || data.Ci.Versions.TotalCount != 1 {
				t.Errorf("of what was written to a CI %+v is told", data.Ci)
			}
			if p.ask(t, &page, `{ journal(first: 1) { nodes { revision } } }`, nil); page.Journal.Nodes[0].Revision != floor.Revision {
				t.Errorf("the journal begins with %+v, not with revision %d", page.Journal.Nodes, floor.Revision)
			}
			linchpin(t, "journal", "verify", "--database", address, "--key-file", key)
			linchpin(t, "verify", "--database", address)
		})
	}
}
