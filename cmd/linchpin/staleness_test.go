package main

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

const aboutTheGraph = `{ impact(failed: [{id: "ci_1"}]) { revision } }`

// TestAServerWithoutItsDatabaseSaysThatItMayBeBehind takes the database away from a server that has the graph in
// memory.
func TestAServerWithoutItsDatabaseSaysThatItMayBeBehind(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Durable)
	p := serve(t, "--database", cluster.Database(t, "", nil))
	p.ask(t, new(any), `mutation { createCI(input: {class: "server", name: "srv"}) { ci { id } } }`, nil)
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
	const now, anyAge = "Linchpin-Max-Staleness: 0", "Linchpin-Max-Staleness: 86400"
	for _, headers := range [][]string{nil, {now}, {anyAge}} {
		if got := code(aboutTheGraph, headers...); got != "" {
			t.Errorf("%v: %s", headers, got)
		}
	}
	if got := code(aboutTheGraph, "Linchpin-Max-Staleness: 1.5"); got != "BAD_USER_INPUT" {
		t.Errorf("a limit that is no whole number: %q", got)
	}
	if err := cluster.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := code(aboutTheGraph, now); got != "UNAVAILABLE" {
		t.Errorf("no staleness allowed: %q", got)
	}
	eventually(t, p, "answers are refused without a header", func() bool { return code(aboutTheGraph) == "UNAVAILABLE" })
	for query, headers := range map[string][]string{aboutTheGraph: {anyAge}, "{ __typename }": nil} {
		if got := code(query, headers...); got != "" {
			t.Errorf("%s %v: %s", query, headers, got)
		}
	}
	if err := cluster.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, p, "it is current again", func() bool { return code(aboutTheGraph, now) == "" })
}

// TestAProcessThatWasStoppedAnswersFromTheHead stops a server while another writes; its clock goes on.
func TestAProcessThatWasStoppedAnswersFromTheHead(t *testing.T) {
	address := storetest.PostgresAddress(t)
	writer, frozen := serve(t, "--database", address), serve(t, "--database", address)
	for i := range 5 {
		if err := frozen.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		writer.ask(t, new(any), fmt.Sprintf(`mutation { createCI(input: {class: "server", name: "srv-%d"}) { ci { id } } }`, i), nil)
		time.Sleep(1200 * time.Millisecond) // what the answer may be old, and more
		if err := frozen.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if revision, _ := frozen.shown(t, "ci_1", "Linchpin-Max-Staleness: 1"); revision < int64(i+2) {
			t.Errorf("round %d: the answer is of revision %d", i, revision)
		}
	}
}
