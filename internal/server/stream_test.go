package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// events is an answer as server-sent events.
type events struct {
	*http.Response
	t     *testing.T
	lines *bufio.Scanner
}

// follow sends one operation by POST and asks for events.
func (w *world) follow(ctx context.Context, t *testing.T, query string, headers ...string) *events {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.host+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	return sent(t, r, headers...)
}

func sent(t *testing.T, r *http.Request, headers ...string) *events {
	t.Helper()
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 64<<20)
	return &events{response, t, lines}
}

// next reads one event; more is false at the end of the answer.
func (e *events) next() (name, id, data string, more bool) {
	for e.lines.Scan() {
		field, value, _ := strings.Cut(e.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if name != "" && e.lines.Text() == "" {
				data = strings.Replace(data, fmt.Sprintf(`,"revisionToken":%q`, id), "", 1)
				id, _, _ = strings.Cut(id, "-") // the revision of the token
				return name, id, data, true
			}
		}
	}
	return "", "", "", false
}

// all returns the rest of the answer.
func (e *events) all() string {
	e.t.Helper()
	text, err := io.ReadAll(e.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return string(text)
}

func TestAnEventStreamTellsRevisionsAndResumesAfterThem(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		first := w.write(t, "first")
		w.write(t, "second")
		const query = "subscription { j: journal(after: %d) { entries { operation } } }"
		e := w.follow(t.Context(), t, fmt.Sprintf(query, first-1))
		if e.StatusCode != http.StatusOK || e.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
			t.Fatal(e.Status, e.Header)
		}
		for want := first; want < first+2; want++ {
			name, id, data, _ := e.next()
			if name != "next" || id != fmt.Sprint(want) || data != fmt.Sprintf(`{"data":{"j":{"entries":[{"operation":"CREATED"}]}},"extensions":{"revision":%d}}`, want) {
				t.Errorf("%s %s %s", name, id, data)
			}
		}
		third := w.write(t, "third")
		if _, id, _, _ := e.next(); id != fmt.Sprint(third) {
			t.Errorf("live: %s", id)
		}
		e = w.follow(t.Context(), t, fmt.Sprintf(query, 0), "Last-Event-ID: "+fmt.Sprint(third-1))
		if _, id, _, _ := e.next(); id != fmt.Sprint(third) {
			t.Errorf("resumed at %s, not after %d", id, third-1)
		}
		for _, bad := range []string{"x", "-1", "99999999999999999999", "1-", "1-x"} {
			if e := w.follow(t.Context(), t, "subscription { journal { revision } }", "Last-Event-ID: "+bad); e.StatusCode != http.StatusBadRequest {
				t.Errorf("Last-Event-ID: %s: %s", bad, e.Status)
			}
		}
	})
}

func TestEventsAreSentOnlyToClientsThatPreferThem(t *testing.T) {
	w := sqliteWorld(t, nil)
	const stream, single, neither = "text/event-stream; charset=utf-8", "application/json; charset=utf-8", ""
	for accept, want := range map[string]string{
		"text/event-stream":                             stream,
		"text/event-stream, application/json;q=0.9":     stream,
		"text/*, application/json;q=0.5":                stream,
		"text/event-stream;q=0.5, application/json":     single,
		"application/json, text/event-stream":           single,
		"*/*, text/event-stream":                        single,
		"text/event-stream;q=0, application/json;q=0.1": single,
		"text/event-stream;q=0":                         neither,
		// what urql sends with everything
		"application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed": "application/graphql-response+json; charset=utf-8",
	} {
		e := w.follow(t.Context(), t, "{ __typename }", "Accept: "+accept)
		if e.StatusCode == http.StatusNotAcceptable != (want == neither) || want != neither && e.Header.Get("Content-Type") != want {
			t.Errorf("%s: %s %s", accept, e.Status, e.Header.Get("Content-Type"))
		}
		if body := e.all(); want == stream && body != ":\n\nevent: next\ndata: {\"data\":{\"__typename\":\"Query\"}}\n\nevent: complete\ndata: \n\n" {
			t.Errorf("%s: %q", accept, body)
		}
	}
	const journal = "subscription { journal(after: 0) { revision } }"
	if e := w.follow(t.Context(), t, journal, "Accept: application/json, text/event-stream"); e.Header.Get("Content-Type") != stream {
		t.Errorf("a subscription, where a stream is accepted: %s", e.Header.Get("Content-Type"))
	}
	if e := w.follow(t.Context(), t, journal, "Accept: application/json"); e.StatusCode != http.StatusNotAcceptable {
		t.Errorf("a subscription, where no stream is accepted: %s", e.Status)
	}
	if e := w.follow(t.Context(), t, "subscription { servers }"); !strings.Contains(e.all(), "event: next\ndata: {\"errors\":[{\"message\":\"Cannot query field") {
		t.Error("a refused operation was answered by an event")
	}
	for operation, status := range map[string]int{
		journal: http.StatusOK, `mutation { createTeam(input: {name: "x"}) { team { id } } }`: http.StatusMethodNotAllowed,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.host+"/graphql?query="+url.QueryEscape(operation), nil)
		if err != nil {
			t.Fatal(err)
		}
		if e := sent(t, r, "Accept: text/event-stream"); e.StatusCode != status {
			t.Errorf("GET %s: %s", operation, e.Status)
		}
	}
}

func TestAnEventStreamOutlivesTheTimesOfARequest(t *testing.T) {
	t.Parallel()
	w := sqliteWorld(t, func(c *server.Config) {
		c.Hasten(forever, forever, forever, forever, 50*time.Millisecond)
	})
	e := w.follow(t.Context(), t, "subscription { journal { revision } }")
	comments := 0
	for comments < 20 && e.lines.Scan() {
		if e.lines.Text() == ":" {
			comments++
		}
	}
	if comments < 20 {
		t.Errorf("%d comments: %v", comments, e.lines.Err())
	}
}

func TestAServerThatStopsEndsItsStreamsSoThatClientsComeBack(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		e := w.follow(t.Context(), t, "subscription { journal { revision } }")
		c := w.connect(t)
		c.ask("1", "subscription { journal { revision } }")
		c.ask("2", "subscription { ciChanged { revision } }")
		c.ask("3", "{ revision }")
		c.expect("next")
		c.expect("complete")
		stopped := make(chan struct{})
		go func() { defer close(stopped); w.stop() }()
		if m, err := c.next(); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("the socket said %v, or closed with %v", m, err)
		}
		if rest := strings.ReplaceAll(e.all(), ":\n\n", ""); rest != "" {
			t.Errorf("the event stream ended with %q", rest)
		}
		select {
		case <-stopped:
		case <-time.After(time.Minute):
			t.Error("the server does not stop")
		}
	})
}

// begun is an answer of which only the status is of interest, once it begins.
type begun struct {
	header http.Header
	once   sync.Once
	status chan int
}

func (b *begun) Header() http.Header { return b.header }

func (b *begun) WriteHeader(status int) { b.once.Do(func() { b.status <- status }) }

func (b *begun) Write(text []byte) (int, error) { b.WriteHeader(http.StatusOK); return len(text), nil }

func (b *begun) Flush() {}

func TestACallerHasNoMoreEventStreamsThanItsShare(t *testing.T) {
	w := sqliteWorld(t, func(c *server.Config) { c.Hasten(forever, forever, forever, forever, forever) })
	handler := server.New(w.config)
	var all sync.WaitGroup
	defer all.Wait()
	everyone, cancel := context.WithCancel(t.Context())
	defer cancel()
	status := func(ctx context.Context, actor, operation string) int {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.host+"/graphql", strings.NewReader(`{"query":"`+operation+`"}`))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "Linchpin-Actor": {actor}}
		b := &begun{header: http.Header{}, status: make(chan int, 1)}
		all.Go(func() { handler.ServeHTTP(b, r) })
		return <-b.status
	}
	const journal = "subscription { journal { revision } }"
	one, leave := context.WithCancel(everyone)
	defer leave()
	for i := range 1000 {
		ctx := everyone
		if i == 500 {
			ctx = one
		}
		if got := status(ctx, "greedy", journal); got != http.StatusOK {
			t.Fatalf("the %d.: %d", i+1, got)
		}
	}
	if got := status(everyone, "greedy", journal); got != http.StatusTooManyRequests {
		t.Errorf("the 1001st: %d", got)
	}
	if got := status(everyone, "greedy", "{ revision }"); got != http.StatusOK {
		t.Errorf("a query of the same caller: %d", got)
	}
	if got := status(everyone, "modest", journal); got != http.StatusOK {
		t.Errorf("another caller: %d", got)
	}
	leave()
	for deadline := time.Now().Add(time.Minute); status(everyone, "greedy", journal) != http.StatusOK; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a client that left makes no room")
		}
	}
}
