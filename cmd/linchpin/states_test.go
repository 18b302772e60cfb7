package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// event is one event of a subscription.
type event struct{ id, data string }

// unmarked returns the event with its revision in the place of the token.
func (e event) unmarked() event {
	e.data = strings.Replace(e.data, fmt.Sprintf(`,"revisionToken":%q`, e.id), "", 1)
	e.id, _, _ = strings.Cut(e.id, "-")
	return e
}

// follow asks a subscription by an event stream, with headers as "Name: value". next waits for one event, at most a
// minute.
func (p *process) follow(t *testing.T, query string, headers ...string) (next func() event) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := newRequest(ctx, http.MethodPost, p.url+"/graphql", operation(t, query), append(headers, "Accept: text/event-stream")...)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	return func() (one event) {
		t.Helper()
		late := time.AfterFunc(time.Minute, cancel)
		defer late.Stop()
		for lines.Scan() {
			switch field, value, _ := strings.Cut(lines.Text(), ": "); field {
			case "id":
				one.id = value
			case "data":
				one.data = value
			case "":
				if one.data != "" {
					return one.unmarked()
				}
			}
		}
		t.Fatalf("nothing is told: %v\n%s", lines.Err(), p.said())
		return one
	}
}

// TestStatesFromBeforeARestartAreToldToBeTooOld checks that a client that resumes from before a restart does not take
// silence for health: the states that services had are in memory alone.
func TestStatesFromBeforeARestartAreToldToBeTooOld(t *testing.T) {
	eachDatabase(t, func(t *testing.T, address string) {
		p := serve(t, "--database", address)
		do := func(mutation string) (revision int64) {
			t.Helper()
			a, err := post(t.Context(), http.DefaultClient, p.url, "mutation { "+mutation+" { userErrors { message } } }", nil)
			if err != nil || len(a.Errors) > 0 || strings.Contains(string(a.Data), "message") {
				t.Fatalf("%s: %v %+v", mutation, err, a)
			}
			return a.Extensions.Revision
		}
		do(`createService(input: {name: "shop", kind: APPLICATION_SERVICE})`) // svc_1, which is ci_1
		do(`createCI(input: {class: "server", name: "host"})`)
		before := do(`relateCIs(input: {type: "depends_on", source: "ci_1", target: "ci_2"})`)
		down := do(`openIncident(input: {title: "down", cis: [{id: "ci_2", role: ROOT}]})`)
		const query = "subscription { serviceStateChanged(%s) { revision resync changes { service { name } from to } } }"
		told := func(revision int64, from, to string) event {
			return event{fmt.Sprint(revision), fmt.Sprintf(`{"data":{"serviceStateChanged":{"revision":%d,"resync":null,"changes":[{"service":{"name":"shop"},"from":%q,"to":%q}]}},"extensions":{"revision":%d}}`,
				revision, from, to, revision)}
		}
		lost := func(revision int64, reason string) event {
			return event{fmt.Sprint(revision), fmt.Sprintf(`{"data":{"serviceStateChanged":{"revision":%d,"resync":%q,"changes":[]}},"extensions":{"revision":%d}}`, revision, reason, revision)}
		}
		since := fmt.Sprintf(query, fmt.Sprintf("after: %d", before))
		if got := p.follow(t, since)(); got != told(down, "OPERATIONAL", "DOWN") {
			t.Errorf("while the server runs: %+v", got)
		}
		if code, err := p.stop(); code != 0 || err != nil {
			t.Fatal(code, err)
		}

		p = serve(t, "--database", address)
		streams := map[string]func() event{}
		for name, resumed := range map[string]func() event{
			"after":            p.follow(t, since),
			"after, of one":    p.follow(t, fmt.Sprintf(query, fmt.Sprintf(`after: %d, ids: ["svc_1"]`, before))),
			"after, of none":   p.follow(t, fmt.Sprintf(query, fmt.Sprintf(`after: %d, ids: ["ci_2"]`, before))),
			"the last event":   p.follow(t, fmt.Sprintf(query, "ids: null"), fmt.Sprintf("Last-Event-ID: %d", before)),
			"another database": p.follow(t, fmt.Sprintf(query, fmt.Sprintf("after: %d", down+100))),
		} {
			want := lost(down, "TOO_OLD")
			if name == "another database" {
				want = lost(down, "UNKNOWN_REVISION")
			}
			if got := resumed(); got != want { // nothing is written meanwhile
				t.Errorf("%s: %+v, not %+v", name, got, want)
			}
			if name != "after, of none" {
				streams[name] = resumed
			}
		}
		streams["what it has seen"] = p.follow(t, fmt.Sprintf(query, fmt.Sprintf("after: %d", down)))
		var now struct {
			Service struct{ OperationalState string }
		}
		p.ask(t, &now, `{ service(id: "svc_1") { operationalState } }`, nil)
		if now.Service.OperationalState != "DOWN" {
			t.Errorf("read anew, it is %s", now.Service.OperationalState)
		}
		up := do(`cancelIncident(input: {id: "inc_1", reason: "no"})`)
		for name, next := range streams {
			if got := next(); got != told(up, "DOWN", "OPERATIONAL") {
				t.Errorf("%s, afterwards: %+v", name, got)
			}
		}
	})
}
