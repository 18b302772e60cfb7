package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// replicated starts a primary with a hot standby, and returns them with the addresses of one database on each.
func replicated(t *testing.T) (primary, standby *pgtest.Cluster, at, near string) {
	t.Helper()
	primary = pgtest.Start(t, pgtest.Durable)
	standby = primary.Standby(t)
	at = primary.Database(t, "", nil)
	near = standby.Same(t, at)
	return primary, standby, at, near
}

// either returns the address of whichever of two hosts takes writes.
func either(t *testing.T, a, b string) string {
	t.Helper()
	first, err := url.Parse(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := url.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	q := first.Query()
	q.Set("host", q.Get("host")+","+second.Query().Get("host"))
	q.Set("port", q.Get("port")+","+second.Query().Get("port"))
	q.Set("target_session_attrs", "read-write")
	first.RawQuery = q.Encode()
	return first.String()
}

// create makes a server of the estate, which has to succeed.
func (p *process) create(t *testing.T, name string) answer {
	t.Helper()
	a, err := post(t.Context(), http.DefaultClient, p.url, `mutation($name: String!) { createCI(input: {class: "server", name: $name}) { ci { id } userErrors { code } } }`, map[string]any{"name": name})
	if err != nil || len(a.Errors) > 0 {
		t.Fatalf("%v %+v\n%s", err, a.Errors, p.said())
	}
	return a
}

// has reports whether a list has a CI.
func (p *process) has(t *testing.T, name string) bool {
	t.Helper()
	var data struct{ Cis struct{ TotalCount int } }
	p.ask(t, &data, fmt.Sprintf(`{ cis(filter: {name: {eq: %q}}) { totalCount } }`, name), nil)
	return data.Cis.TotalCount == 1
}

// TestAnswersComeFromAStandbyThatKeepsUp lets a server read from a standby, which falls behind, dies and comes back.
// Writers find all they wrote meanwhile, and a write of another server is found soon.
func TestAnswersComeFromAStandbyThatKeepsUp(t *testing.T) {
	_, standby, at, near := replicated(t)
	other := serve(t, "--database", at)
	other.create(t, "first")
	p := serve(t, "--database", at, "--read-database", near, "--admin-listen", "127.0.0.1:0")
	const reads = "linchpin_reads_from_standby"
	finds := func(when, name string) {
		t.Helper()
		if !p.has(t, name) {
			t.Errorf("%s: %s was written, and is not found", when, name)
		}
	}
	p.becomes(t, reads, 1)
	for i := range 30 {
		name := fmt.Sprint("steady-", i)
		p.create(t, name)
		finds("steady", name)
	}
	if p.metric(t, reads) != 1 || p.metric(t, `go_sql_open_connections{db_name="standby"}`) < 1 {
		t.Error("answers do not come from the standby")
	}

	standby.Exec(t, "SELECT pg_wal_replay_pause()")
	p.create(t, "own while it stands still")
	finds("behind", "own while it stands still")
	other.create(t, "another's while it stands still")
	eventually(t, p, "it reads what the standby has not", func() bool { return p.has(t, "another's while it stands still") })
	if p.metric(t, reads) != 0 {
		t.Error("a standby that stands still is read from")
	}
	standby.Exec(t, "SELECT pg_wal_replay_resume()")
	p.becomes(t, reads, 1)

	stopped := make(chan error, 1)
	go func() { stopped <- standby.Kill() }()
	for i := 0; ; i++ {
		finds("while it dies", "first")
		p.create(t, fmt.Sprint("dying-", i))
		finds("while it dies", fmt.Sprint("dying-", i))
		select {
		case err := <-stopped:
			if err != nil {
				t.Fatal(err)
			}
			finds("dead", fmt.Sprint("dying-", i))
		default:
			continue
		}
		break
	}
	p.becomes(t, reads, 0)
	if err := standby.Restart(); err != nil {
		t.Fatal(err)
	}
	p.becomes(t, reads, 1)
	p.create(t, "after")
	finds("back", "after")
	if strings.Contains(p.said(), "built anew") {
		t.Error(p.said())
	}
}

// TestAPromotedStandbyTellsThatItLostWrites promotes a standby that streams asynchronously and lacks the last writes,
// under a server that reads from it and its subscriber. Then a server starts on it. Both refuse the tokens of lost
// writes, know those of others, and write on.
func TestAPromotedStandbyTellsThatItLostWrites(t *testing.T) {
	primary, standby, at, near := replicated(t)
	p := serve(t, "--database", either(t, at, near), "--read-database", near, "--admin-listen", "127.0.0.1:0")
	kept := p.create(t, "kept")
	p.becomes(t, "linchpin_reads_from_standby", 1)
	next := p.follow(t, fmt.Sprintf("subscription { journal(afterToken: %q) { resync } }", kept.Extensions.RevisionToken))
	standby.Exec(t, "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
	eventually(t, p, "the standby streams no more", func() bool { return !primary.Streams(t) })
	lost := p.create(t, "lost")
	if !p.has(t, "lost") || !strings.Contains(next().data, `"resync":null`) {
		t.Error("a write that the standby lacks is not shown")
	}
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	standby.Exec(t, "SELECT pg_promote()")
	eventually(t, p, "writes go on", func() bool {
		a, err := post(t.Context(), http.DefaultClient, p.url, `mutation { createCI(input: {class: "server", name: "instead"}) { ci { id } } }`, nil)
		return err == nil && len(a.Errors) == 0
	})
	if event := next().data; !strings.Contains(event, `"resync":"HISTORY_CHANGED"`) {
		t.Errorf("a subscriber hears %s", event)
	}
	for what, p := range map[string]*process{"the server that was there": p, "a server that starts": serve(t, "--database", near, "--admin-listen", "127.0.0.1:0")} {
		code := func(query string, headers ...string) string {
			a, err := post(t.Context(), http.DefaultClient, p.url, query, nil, headers...)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Errors) > 0 {
				return a.Errors[0].Extensions.Code
			}
			return ""
		}
		for token, want := range map[string]string{lost.Extensions.RevisionToken: "HISTORY_CHANGED", kept.Extensions.RevisionToken: ""} {
			if got := code("{ viewer { name } }", "Linchpin-At-Least-Revision: "+token); got != want {
				t.Errorf("%s answers %q, not %q, to %s", what, got, want, token)
			}
			if got := code(fmt.Sprintf("{ journal(afterToken: %q) { nodes { id } } }", token)); got != want {
				t.Errorf("%s tells %q, not %q, after %s", what, got, want, token)
			}
		}
		if p.has(t, "lost") || !p.has(t, "kept") || !p.has(t, "instead") {
			t.Errorf("%s shows another estate than the new primary's", what)
		}
	}
	linchpin(t, "verify", "--database", near)
	if age := p.metric(t, "linchpin_feed_lag_seconds"); age > time.Minute.Seconds() {
		t.Errorf("the graph is %v old", age)
	}
}
