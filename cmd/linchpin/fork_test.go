package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// linchpin runs a command of its own, which has to succeed.
func linchpin(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "linchpin", args...)
	cmd.Env = homeless(t)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("linchpin %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}

// TestTokensAndCursorsOfALostHistoryAreRefused restores an older copy and writes on, so that numbers of lost
// revisions are those of other writes. Tokens and cursors of then are refused, and subscriptions are told to begin
// anew; tokens of what the copy has, and numbers alone, go on.
func TestTokensAndCursorsOfALostHistoryAreRefused(t *testing.T) {
	databases := map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": func() string { return pgtest.Database(t, "empty", nil) },
	}
	for name, empty := range databases {
		t.Run(name, func(t *testing.T) {
			address, folder := empty(), filepath.Join(t.TempDir(), "backup")
			p := serve(t, "--database", address)
			write := func(p *process, name string) answer {
				t.Helper()
				a, err := post(t.Context(), http.DefaultClient, p.url, `mutation($name: String!) { createCI(input: {class: "server", name: $name}) { ci { id } userErrors { code } } }`, map[string]any{"name": name})
				if err != nil || len(a.Errors) > 0 {
					t.Fatalf("%v %+v\n%s", err, a.Errors, p.said())
				}
				return a
			}
			cursor := func(p *process) string {
				t.Helper()
				var data struct {
					Journal struct{ PageInfo struct{ EndCursor string } }
				}
				p.ask(t, &data, `{ journal(last: 1) { pageInfo { endCursor } } }`, nil)
				return data.Journal.PageInfo.EndCursor
			}
			kept, keptCursor := write(p, "kept"), cursor(p)
			linchpin(t, "backup", folder, "--database", address)
			lost, lostCursor := write(p, "lost"), cursor(p)
			p.kill()
			address = empty()
			linchpin(t, "restore", folder, "--database", address)
			p = serve(t, "--database", address)
			for _, stage := range []string{"the number is nobody's", "the number is another write's"} {
				asked := func(want, query string, headers ...string) {
					t.Helper()
					a, err := post(t.Context(), http.DefaultClient, p.url, query, nil, headers...)
					if err != nil {
						t.Fatal(err)
					}
					got := ""
					if len(a.Errors) > 0 {
						got = a.Errors[0].Extensions.Code
					}
					if got != want {
						t.Errorf("%s: %s %s: %q, not %q: %+v", stage, query, headers, got, want, a)
					}
				}
				asked("HISTORY_CHANGED", "{ viewer { name } }", "Linchpin-At-Least-Revision: "+lost.Extensions.RevisionToken)
				asked("", "{ viewer { name } }", "Linchpin-At-Least-Revision: "+kept.Extensions.RevisionToken)
				asked("HISTORY_CHANGED", fmt.Sprintf("{ journal(afterToken: %q) { nodes { id } } }", lost.Extensions.RevisionToken))
				asked("", fmt.Sprintf("{ journal(afterToken: %q) { nodes { id } } }", kept.Extensions.RevisionToken))
				asked("HISTORY_CHANGED", fmt.Sprintf("{ journal(after: %q) { nodes { id } } }", lostCursor))
				asked("HISTORY_CHANGED", fmt.Sprintf("{ journal(last: 5, before: %q) { nodes { id } } }", lostCursor))
				asked("", fmt.Sprintf("{ journal(after: %q) { nodes { id } } }", keptCursor))
				for _, field := range []string{"journal", "ciChanged", "serviceStateChanged", "incidentChanged", "changeChanged"} {
					for _, from := range [][]string{{fmt.Sprintf("(afterToken: %q)", lost.Extensions.RevisionToken)}, {"", "Last-Event-ID: " + lost.Extensions.RevisionToken}} {
						event := p.follow(t, "subscription { "+field+from[0]+" { resync token } }", from[1:]...)().data
						if !strings.Contains(event, `"resync":"HISTORY_CHANGED"`) {
							t.Errorf("%s: %s%s tells %s", stage, field, from, event)
						}
					}
				}
				write(p, "another")
				asked("", "{ viewer { name } }", fmt.Sprint("Linchpin-At-Least-Revision: ", lost.Extensions.Revision)) // a number alone
			}
			event := p.follow(t, fmt.Sprintf("subscription { journal(afterToken: %q) { resync token } }", kept.Extensions.RevisionToken))().data
			var told struct {
				Data struct {
					Journal struct{ Resync, Token string }
				}
			}
			if err := json.Unmarshal([]byte(event), &told); err != nil || told.Data.Journal.Resync != "" || !strings.HasPrefix(told.Data.Journal.Token, fmt.Sprint(kept.Extensions.Revision+1, "-")) {
				t.Errorf("after what is kept: %s, %v", event, err)
			}
		})
	}
}
