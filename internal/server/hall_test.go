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
	ask := func(caller, query string, headers ...string) (*http.Response, string) {
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
		_, text := ask("ada", "query Hold { viewer { name } }")
		first <- text
	}()
	<-held

	for _, media := range []string{"application/json", "application/graphql-response+json", "text/event-stream"} {
		response, text := ask("bob", query, "Accept: "+media)
		if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, `"code":"OVERLOADED"`) || strings.Contains(text, `"data"`) {
			t.Errorf("%s: %s %s", media, response.Status, text)
		}
		if after := response.Header.Get("Retry-After"); after < "1" || after > "3" {
			t.Errorf("%s: Retry-After: %q", media, after)
		}
	}
	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.host+"/graphql?query="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, text := told(t, get); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("GET: %s %s", response.Status, text)
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
	if response, text := ask("bob", fmt.Sprintf(mutation, "by HTTP")); response.StatusCode != http.StatusOK || !strings.Contains(text, `"userErrors":[]`) {
		t.Errorf("a write: %s %s", response.Status, text)
	}
	if e := w.follow(t.Context(), t, "subscription { journal(after: 0) { revision } }"); e.StatusCode != http.StatusOK {
		t.Errorf("a subscription: %s", e.Status)
	} else if name, _, _, _ := e.next(); name != "next" {
		t.Errorf("a subscription tells %q", name)
	}
	if _, text := ask("bob", "{ nothing }"); !strings.Contains(text, "GRAPHQL_VALIDATION_FAILED") {
		t.Errorf("what could not run anyway: %s", text)
	}
	for _, path := range []string{"/readyz", "/healthz", "/schema.graphql"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.host+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, text := told(t, r); response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s", path, response.Status, text)
		}
	}

	close(release)
	if text := <-first; !strings.Contains(text, `"name":"ada"`) {
		t.Errorf("the one that had the seat: %s", text)
	}
	if response, text := ask("bob", query); response.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %s %s", response.Status, text)
	}
	c.ask("3", query)
	c.expect("next")
}

// told sends a request with headers as "Name: value" and reads the answer.
func told(t *testing.T, r *http.Request, headers ...string) (*http.Response, string) {
	t.Helper()
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return &http.Response{}, ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response, string(text)
}
