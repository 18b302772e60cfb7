package main

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestMetricsAreDocumented checks that every metric of ours is explained to operators.
func TestMetricsAreDocumented(t *testing.T) {
	p := serve(t, "--admin-listen", "127.0.0.1:0")
	send(t, "POST", p.url+"/graphql", `{"query":"{ revision }"}`)
	send(t, "POST", p.url+"/graphql", `{"query":"{ nothing }"}`)
	explained, err := os.ReadFile("../../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^# TYPE (linchpin_\S+)`).FindAllStringSubmatch(send(t, "GET", p.operators(t)+"/metrics", "").body, -1)
	if len(found) < 12 {
		t.Errorf("%d metrics", len(found))
	}
	for _, f := range found {
		if !strings.Contains(string(explained), "`"+f[1]+"`") && !strings.Contains(string(explained), "`"+f[1]+"{") {
			t.Errorf("docs/production.md does not explain %s", f[1])
		}
	}
}

// metric returns a measurement as operators see it. If there is none, it returns a number below 0.
func (p *process) metric(t *testing.T, name string) float64 {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(send(t, "GET", p.operators(t)+"/metrics", "").body)
	if found == nil {
		return -1
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// becomes waits until a measurement has a value.
func (p *process) becomes(t *testing.T, name string, want float64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); p.metric(t, name) != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s is %g, not %g", name, p.metric(t, name), want)
		}
	}
}

func TestMetricsTellWhoListensWhatWasRefusedAndWhatTheGraphTakes(t *testing.T) {
	p := serve(t, "--admin-listen", "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var conns []*websocket.Conn
	for range 2 {
		conn, _, err := websocket.Dial(ctx, strings.Replace(p.url, "http", "ws", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // the socket is closed
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.CloseNow() }()
		for _, text := range []string{
			`{"type":"connection_init"}`, `{"type":"subscribe","id":"1","payload":{"query":"subscription { journal { revision } }"}}`,
			`{"type":"subscribe","id":"2","payload":{"query":"subscription { serviceStateChanged { revision } }"}}`,
		} {
			if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		conns = append(conns, conn)
	}
	p.becomes(t, "linchpin_sockets", 2)
	p.becomes(t, "linchpin_subscriptions", 4)
	_ = conns[0].Close(websocket.StatusNormalClosure, "")
	p.becomes(t, "linchpin_sockets", 1)
	p.becomes(t, "linchpin_subscriptions", 2)

	send(t, "POST", p.url+"/graphql", strings.Repeat("x", 2<<20))
	send(t, "POST", p.url+"/graphql", `{"query":"{ nothing }"}`)
	for code, want := range map[string]float64{"QUERY_TOO_LARGE": 1, "GRAPHQL_VALIDATION_FAILED": 1} {
		p.becomes(t, `linchpin_refusals_total{code="`+code+`"}`, want)
	}

	empty := p.metric(t, "linchpin_topology_bytes")
	send(t, "POST", p.url+"/graphql", `{"query":"mutation { createCI(input: {class: \"server\", name: \"one\"}) { ci { id } } }"}`)
	if full := p.metric(t, "linchpin_topology_bytes"); empty < 0 || full <= empty {
		t.Errorf("the graph took %g bytes, with a CI %g", empty, full)
	}
	for _, name := range []string{"linchpin_feed_lag_revisions", "linchpin_topology_past_bytes", "linchpin_topology_compactions_total", "linchpin_topology_rebuilds_total"} {
		if got := p.metric(t, name); got != 0 {
			t.Errorf("%s is %g", name, got)
		}
	}

	was := int(p.metric(t, "linchpin_topology_revision"))
	send(t, "POST", p.url+"/graphql", `{"query":"mutation { createCI(input: {class: \"server\", name: \"two\"}) { ci { id } } }"}`)
	send(t, "POST", p.url+"/graphql", `{"query":"{ path(from: \"ci_1\", to: \"ci_1\", asOf: {revision: `+strconv.Itoa(was)+`}) { cis { name } } }"}`)
	if kept := p.metric(t, "linchpin_topology_past_bytes"); kept <= 0 {
		t.Errorf("a graph of the past takes %g bytes", kept)
	}
}
