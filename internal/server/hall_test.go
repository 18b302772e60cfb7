package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/server"
	"github.com/linchpin-cmdb/linchpin/internal/server/admission"
)

// TestAFullServerRefusesAtOnce holds the only seat for reads, and asks over each transport.
func TestAFullServerRefusesAtOnce(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	w := sqliteWorld(t, func(c *server.Config) {
		c.Seats = &admission.Rules{Least: 1, First: 1, Most: 1, Goal: time.Hour, Patience: time.Hour}
		c.IsReady = func(context.Context) error { return nil }
		c.Begin = func(ctx context.Context) context.Context {
			if graphql.GetOperationContext(ctx).Operation.Name == "Hold" {
				close(held)
				<-release
			}
			return ctx
		}
	})
	ask := func(caller, query string, headers ...string) httpAnswer {
		t.Helper()
		body, err := json.Marshal(map[string]string{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.host+"/graphql", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Linchpin-Actor", caller)
		return told(t, r, headers...)
	}
	const query, mutation = "{ viewer { name } }", `mutation { createTeam(input: {name: "%s"}) { userErrors { message } } }`
	first := make(chan string, 1)
	go func() {
		first <- ask("ada", "query Hold { viewer { name } }").text
	}()
	<-held

	for _, media := range []string{"application/json", "application/graphql-response+json", "text/event-stream"} {
		got := ask("bob", query, "Accept: "+media)
		if got.status != http.StatusServiceUnavailable || !strings.Contains(got.text, `"code":"OVERLOADED"`) || strings.Contains(got.text, `"data"`) || got.after < "1" || got.after > "3" {
			t.Errorf("%s: %+v", media, got)
		}
	}
	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.host+"/graphql?query="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := told(t, get); got.status != http.StatusServiceUnavailable {
		t.Errorf("GET: %+v", got)
	}
	c := w.connect(t)
	c.ask("1", query)
	if m := c.expect("error"); !strings.Contains(string(m.Payload), "OVERLOADED") {
		t.Errorf("a socket: %s", m.Payload)
	}
	c.ask("2", fmt.Sprintf(mutation, "by a socket")) // writes have seats of their own
	if m := c.expect("next"); !strings.Contains(string(m.Payload), `"userErrors":[]`) {
		t.Errorf("a write by a socket: %s", m.Payload)
	}
	c.expect("complete")
	if got := ask("bob", fmt.Sprintf(mutation, "by HTTP")); got.status != http.StatusOK || !strings.Contains(got.text, `"userErrors":[]`) {
		t.Errorf("a write: %+v", got)
	}
	if e := w.follow(t.Context(), t, "subscription { journal(after: 0) { revision } }"); e.StatusCode != http.StatusOK {
		t.Errorf("a subscription: %s", e.Status)
	} else if name, _, _, _ := e.next(); name != "next" {
		t.Errorf("a subscription tells %q", name)
	}
	if got := ask("bob", "{ nothing }"); !strings.Contains(got.text, "GRAPHQL_VALIDATION_FAILED") {
		t.Errorf("what could not run anyway: %+v", got)
	}
	for _, path := range []string{"/readyz", "/healthz", "/schema.graphql"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.host+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := told(t, r); got.status != http.StatusOK {
			t.Errorf("%s: %+v", path, got)
		}
	}

	close(release)
	if text := <-first; !strings.Contains(text, `"name":"ada"`) {
		t.Errorf("the one that had the seat: %s", text)
	}
	if got := ask("bob", query); got.status != http.StatusOK {
		t.Errorf("afterwards: %+v", got)
	}
	c.ask("3", query)
	c.expect("next")
}

// httpAnswer is what a server said.
type httpAnswer struct {
	status      int
	after, text string
}

// told sends a request with headers as "Name: value" and reads the answer.
func told(t *testing.T, r *http.Request, headers ...string) httpAnswer {
	t.Helper()
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return httpAnswer{}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return httpAnswer{response.StatusCode, response.Header.Get("Retry-After"), string(text)}
}
