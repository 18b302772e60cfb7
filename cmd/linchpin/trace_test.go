package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// receiver is a collector that keeps what it gets.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []*traces.ResourceSpans
	keys []string
}

func collect(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		sent := &collector.ExportTraceServiceRequest{}
		if err == nil {
			err = proto.Unmarshal(body, sent)
		}
		if err != nil || request.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", request.URL, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, sent.GetResourceSpans()...)
		r.keys = append(r.keys, request.Header.Get("X-Key"))
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

// spans returns all spans by their ids.
func (r *receiver) spans() map[string]*traces.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]*traces.Span{}
	for _, resource := range r.got {
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				all[string(s.GetSpanId())] = s
			}
		}
	}
	return all
}

// way names a span and those above it that are known.
func way(s *traces.Span, all map[string]*traces.Span) string {
	name := s.GetName()
	if parent := all[string(s.GetParentSpanId())]; parent != nil {
		return way(parent, all) + " > " + name
	}
	return name
}

// TestTracesGoDownToStatementsAndTellNoSecret checks that traces go from the request down to the statements, on with
// the trace of the client, and that the last are sent when the server stops.
func TestTracesGoDownToStatementsAndTellNoSecret(t *testing.T) {
	const canary = "canary-5b1c07"
	for name, address := range map[string]func() string{
		"sqlite": func() string { return "sqlite:" + t.TempDir() + "/linchpin.db" },
		"postgres": func() string {
			return strings.Replace(storetest.PostgresAddress(t), "postgres@/", "postgres:"+canary+"@/", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := collect(t)
			p, err := launch(t.TempDir(), append(homeless(t), "OTEL_EXPORTER_OTLP_ENDPOINT="+r.URL, "OTEL_SERVICE_NAME=cmdb-test",
				"OTEL_EXPORTER_OTLP_HEADERS=x-key="+canary+",bad "+canary), "--database", address())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.kill)
			const trace = "0af7651916cd43dd8448eb211c80319c"
			create := `{"query":"mutation M($i: CreateCIInput!) { createCI(input: $i) { ci { id } userErrors { code } } }","variables":{"i":{"class":"server","name":"` + canary + `","attributes":{"` + canary + `":"x"}}}}`
			send(t, "POST", p.url+"/graphql", create, "traceparent: 00-"+trace+"-b7ad6b7169203331-01", "Idempotency-Key: "+canary, "Authorization: Bearer "+canary)
			send(t, "POST", p.url+"/graphql", strings.Replace(create, `"attributes":{"`+canary+`":"x"}`, `"description":"`+canary+`"`, 1), "traceparent: 00-"+trace+"-b7ad6b7169203331-01", "Idempotency-Key: 2"+canary)
			send(t, "POST", p.url+"/graphql", `{"query":"query Q($f: CIFilter) { cis(filter: $f) { nodes { name class { code } } } }","variables":{"f":{"attributes":[{"path":"`+canary+`","eq":"`+canary+`"}]}}}`, "traceparent: 00-"+trace+"-b7ad6b7169203331-01")
			send(t, "POST", p.url+"/graphql", `{"query":"{ cis(filter: {name: {contains: \"`+canary+`\"}}) { nodes { name class { code } } } }"}`, "traceparent: 00-"+trace+"-b7ad6b7169203331-01")
			send(t, "POST", p.url+"/graphql", `{"query":"{ search(text: \"`+canary+`\") { totalCount } }"}`)
			send(t, "POST", p.url+"/graphql", `{"query":"{ `+strings.ReplaceAll(canary, "-", "_")+` }"}`, "traceparent: 00-"+trace+"-b7ad6b7169203331-01")
			send(t, "GET", p.url+"/healthz", "")
			if code, err := p.stop(); err != nil || code != 0 {
				t.Fatal(code, err, p.said())
			}
			all := r.spans()
			ways := map[string]int{}
			for _, s := range all {
				at := way(s, all)
				if text := s.String(); strings.Contains(text, "canary") {
					t.Errorf("a span tells: %s", text)
				}
				if fmt.Sprintf("%x", s.GetTraceId()) == trace {
					ways[at]++
				}
			}
			for _, at := range []string{
				"POST /graphql", "POST /graphql > mutation createCI", "POST /graphql > mutation createCI > store.Write", "POST /graphql > mutation createCI > store.Write > INSERT",
				"POST /graphql > mutation createCI > store.Write > COMMIT", "POST /graphql > query cis > SELECT", "POST /graphql > refused",
			} {
				if ways[at] == 0 {
					t.Errorf("no span %s in %v", at, ways)
				}
			}
			if len(r.got) == 0 || !strings.Contains(r.got[0].GetResource().String(), "cmdb-test") || r.keys[0] != canary {
				t.Errorf("the collector got %d parts, the first of %v, with the key %q", len(r.got), r.got, r.keys)
			}
			if said := p.said(); strings.Contains(said, canary) {
				t.Errorf("the log tells: %s", said)
			} else if !strings.Contains(said, `"trace":"`+trace+`"`) {
				t.Errorf("no trace in the log: %s", said)
			}
		})
	}
}

func TestNothingIsTracedUnlessAskedFor(t *testing.T) {
	r := collect(t)
	for _, environment := range [][]string{nil, {"OTEL_EXPORTER_OTLP_ENDPOINT=" + r.URL, "OTEL_SDK_DISABLED=true"}, {"OTEL_EXPORTER_OTLP_ENDPOINT=" + r.URL, "OTEL_TRACES_SAMPLER=always_off"}} {
		p, err := launch(t.TempDir(), append(homeless(t), environment...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		send(t, "POST", p.url+"/graphql", operation(t, "{ revision }"))
		if code, err := p.stop(); err != nil || code != 0 || len(r.spans()) > 0 {
			t.Errorf("%v: %d %v, %d spans", environment, code, err, len(r.spans()))
		}
	}
}
