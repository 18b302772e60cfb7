package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	root "github.com/linchpin-cmdb/linchpin/graph"
	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// exchange is one request over real HTTP and what came back.
type exchange struct {
	status int
	header http.Header
	body   string
}

func (e exchange) codes(t testing.TB) (codes []string) {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(e.body), &a); err != nil {
		t.Fatalf("%d, no JSON: %s", e.status, e.body)
	}
	for _, one := range a.Errors {
		codes = append(codes, one.Extensions.Code)
		for _, at := range one.Locations {
			if at.Line < 1 || at.Column < 1 {
				t.Errorf("an error is at no place of a document: %+v in %.300s", at, e.body)
			}
		}
	}
	return codes
}

func send(t testing.TB, method, address, body string, headers ...string) exchange {
	t.Helper()
	r, err := newRequest(t.Context(), method, address, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return exchanged(t, r)
}

// newRequest makes a request with headers as "Name: value"; what is posted is JSON where they say nothing else.
func newRequest(ctx context.Context, method, address, body string, headers ...string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	return r, nil
}

func exchanged(t testing.TB, r *http.Request) exchange {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return exchange{response.StatusCode, response.Header, string(text)}
}

func operation(t *testing.T, query string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func get(query string) string { return "/graphql?query=" + url.QueryEscape(query) }

const createCI = `mutation { createCI(input: {class: "server", name: "srv-new"}) { ci { id } userErrors { code } } }`

func TestTheServerAnswersAndRefusesAsHTTPSays(t *testing.T) {
	p := serve(t)
	deep := strings.Repeat(" relationships { nodes { target {", 6) + " name " + strings.Repeat(" } } }", 6)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               string // of the only error; "" for none; "*" for any
		holds              string
	}{
		"a query by POST":                {method: "POST", path: "/graphql", body: operation(t, "{ viewer { name } }"), status: 200, holds: `{"data":{"viewer":{"name":"dev"}},"extensions":{"revision":1,"revisionToken":"1-`},
		"a query by GET":                 {method: "GET", path: get("{ viewer { name } }"), status: 200, holds: `{"data":{"viewer":{"name":"dev"}},"extensions":{"revision":1,"revisionToken":"1-`},
		"a name is taken":                {method: "POST", path: "/graphql", body: operation(t, "{ viewer { name } }"), headers: []string{"Linchpin-Actor: Åsa Øst"}, status: 200, holds: `"Åsa Øst"`},
		"a mutation by GET":              {method: "GET", path: get(createCI), status: 405, code: "BAD_USER_INPUT", holds: "POST"},
		"a method that is none":          {method: "PUT", path: "/graphql", body: operation(t, "{ revision }"), status: 405, code: "BAD_USER_INPUT"},
		"a form":                         {method: "POST", path: "/graphql", body: "query=" + url.QueryEscape(createCI), headers: []string{"Content-Type: application/x-www-form-urlencoded"}, status: 415, code: "BAD_USER_INPUT", holds: "application/json"},
		"text that is JSON":              {method: "POST", path: "/graphql", body: operation(t, createCI), headers: []string{"Content-Type: text/plain"}, status: 415, code: "BAD_USER_INPUT"},
		"no JSON":                        {method: "POST", path: "/graphql", body: `{"query"`, status: 400, code: "BAD_USER_INPUT"},
		"no operation":                   {method: "POST", path: "/graphql", body: `{}`, status: 400, code: "BAD_USER_INPUT", holds: "query"},
		"a field that is none":           {method: "POST", path: "/graphql", body: operation(t, "{ servers { name } }"), status: 200, code: "GRAPHQL_VALIDATION_FAILED", holds: "Did you mean"},
		"broken GraphQL":                 {method: "POST", path: "/graphql", body: operation(t, "{ cis { "), status: 200, code: "GRAPHQL_PARSE_FAILED"},
		"too deep":                       {method: "POST", path: "/graphql", body: operation(t, "{ cis { nodes { "+deep+" } } }"), status: 200, code: "QUERY_TOO_DEEP"},
		"too deep by a fragment":         {method: "POST", path: "/graphql", body: operation(t, "{ cis { nodes { ...d } } } fragment d on CI { "+deep+" }"), status: 200, code: "QUERY_TOO_DEEP"},
		"too many tokens":                {method: "POST", path: "/graphql", body: operation(t, "{"+strings.Repeat(" revision", 6000)+" }"), status: 200, code: "QUERY_TOO_LARGE", holds: "5000 tokens"},
		"a body of more than 1 MiB":      {method: "POST", path: "/graphql", body: operation(t, "{ revision } #"+strings.Repeat("x", 1<<20)), status: 413, code: "QUERY_TOO_LARGE", holds: "larger than"},
		"a document of more than 64 KiB": {method: "POST", path: "/graphql", body: operation(t, "{ revision } #"+strings.Repeat("x", 64<<10)), status: 200, code: "QUERY_TOO_LARGE", holds: "65536"},
		"a text of more than 384 KiB":    {method: "POST", path: "/graphql", body: operation(t, "{ revision } #"+strings.Repeat("x", 1<<20-100)), status: 400, code: "QUERY_TOO_LARGE", holds: "393216"},
		"a document of a little less":    {method: "POST", path: "/graphql", body: operation(t, "{ revision } #"+strings.Repeat("x", 64<<10-20)), status: 200, holds: `"revision"`},
		"broken GraphQL, asked anew":     {method: "POST", path: "/graphql", body: operation(t, "{ cis { "), headers: []string{"Accept: application/graphql-response+json"}, status: 400, code: "GRAPHQL_PARSE_FAILED"},
		"a page is wanted":               {method: "POST", path: "/graphql", body: operation(t, "{ revision }"), headers: []string{"Accept: text/html"}, status: 406, code: "BAD_USER_INPUT"},
		"a page of another site":         {method: "POST", path: "/graphql", body: operation(t, createCI), headers: []string{"Sec-Fetch-Site: cross-site"}, status: 403, code: "FORBIDDEN"},
		"another host's name":            {method: "POST", path: "/graphql", body: operation(t, createCI), headers: []string{"Host: attacker.example"}, status: 421, holds: "localhost"},
		"another host's name on a page":  {method: "GET", path: "/", headers: []string{"Host: attacker.example:80"}, status: 421},
		"a name that looks local":        {method: "GET", path: "/schema.graphql", headers: []string{"Host: localhost.attacker.example"}, status: 421},
		"the name localhost":             {method: "GET", path: "/healthz", headers: []string{"Host: localhost:8080"}, status: 200, holds: "ok"},
		"the other loopback":             {method: "GET", path: "/healthz", headers: []string{"Host: [::1]:8080"}, status: 200},
		"health":                         {method: "GET", path: "/healthz", status: 200, holds: "ok\n"},
		"readiness":                      {method: "GET", path: "/readyz", status: 200, holds: "ready\n"},
		"health is read only":            {method: "POST", path: "/healthz", status: 405},
		"no page":                        {method: "GET", path: "/nowhere", status: 404},
		"the contract":                   {method: "GET", path: "/schema.graphql", status: 200, holds: "type Query {"},
		"a key that is empty":            {method: "POST", path: "/graphql", body: operation(t, createCI), headers: []string{"Idempotency-Key: "}, status: 200, code: "BAD_USER_INPUT", holds: "1 to 255"},
		"a key that is quoted nothing":   {method: "POST", path: "/graphql", body: operation(t, createCI), headers: []string{`Idempotency-Key: ""`}, status: 200, code: "BAD_USER_INPUT", holds: "1 to 255"},
		"an extension that is no key":    {method: "POST", path: "/graphql", body: strings.Replace(operation(t, createCI), "{", `{"extensions":{"idempotencyKey":""},`, 1), status: 200, code: "BAD_USER_INPUT", holds: "1 to 255"},
		"a token that is empty":          {method: "POST", path: "/graphql", body: operation(t, "{ revision }"), headers: []string{"Linchpin-At-Least-Revision: "}, status: 200, code: "BAD_USER_INPUT", holds: "extensions.revisionToken"},
		"a token of tomorrow, anew":      {method: "POST", path: "/graphql", body: operation(t, "{ revision }"), headers: []string{"Linchpin-At-Least-Revision: 99", "Accept: application/graphql-response+json"}, status: 400, code: "BAD_USER_INPUT", holds: "future"},
	} {
		t.Run(name, func(t *testing.T) {
			e := send(t, c.method, p.url+c.path, c.body, c.headers...)
			if e.status != c.status || !strings.Contains(e.body, c.holds) {
				t.Errorf("%d %.300s\nwant %d and %q", e.status, e.body, c.status, c.holds)
			}
			if c.code != "" {
				if codes := e.codes(t); len(codes) != 1 || c.code != "*" && codes[0] != c.code {
					t.Errorf("codes %v, want %s: %.300s", codes, c.code, e.body)
				}
			} else if strings.Contains(e.body, `"errors"`) {
				t.Errorf("errors: %.300s", e.body)
			}
			if c.code != "" && strings.Contains(e.body, `"data"`) {
				t.Errorf("what did not run has data: %.300s", e.body)
			}
			if e.header.Get("X-Request-Id") == "" || e.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers: %v", e.header)
			}
		})
	}
	var after struct{ CIs struct{ TotalCount int } }
	p.ask(t, &after, "{ cis { totalCount } }", nil)
	if after.CIs.TotalCount != 0 {
		t.Errorf("%d CIs were written by requests that were refused", after.CIs.TotalCount)
	}
}

func TestTheBodyLimitHoldsWithoutALength(t *testing.T) {
	p := serve(t)
	body := io.MultiReader(strings.NewReader(`{"query":"{ revision } #`), io.LimitReader(endless('x'), 4<<20), strings.NewReader(`"}`))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", io.NopCloser(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%s", response.Status)
	}
}

type endless byte

func (e endless) Read(b []byte) (int, error) {
	copy(b, bytes.Repeat([]byte{byte(e)}, len(b)))
	return len(b), nil
}

// TestAnActorsNameHoldsNothingThatCannotBeSeen writes its requests by hand, since Go's client refuses to send such
// names.
func TestAnActorsNameHoldsNothingThatCannotBeSeen(t *testing.T) {
	p := serve(t)
	for name, actor := range map[string]string{
		"no text":           "caf\xe9",
		"a text reversed":   "nimda\u202eadmin",
		"a zero-width mark": "dev\u200bops",
		"a second line":     "x\u2028y",
		"a C1 control":      "a\u0085b",
		"endless":           strings.Repeat("x", 101),
		"a control":         "a\x01b",
	} {
		t.Run(name, func(t *testing.T) {
			c2, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c2.Close()
			_, err = io.WriteString(c2, "GET "+get("{viewer{name}}")+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nLinchpin-Actor: "+actor+"\r\n\r\n")
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(c2), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != http.StatusBadRequest || strings.Contains(string(text), `"name":`) {
				t.Errorf("%s %s", response.Status, text)
			}
		})
	}
}

func TestGraphiQLComesWithItsHeaders(t *testing.T) {
	p := serve(t)
	e := send(t, "GET", p.url+"/", "", "Accept: text/html")
	if e.status != 200 || !strings.Contains(e.body, "<title>Linchpin") {
		t.Fatalf("%d %.200s", e.status, e.body)
	}
	policy := e.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%q lacks %q", policy, part)
		}
	}
	if strings.Contains(strings.Join(strings.Split(policy, "style-src")[:1], ""), "unsafe") || e.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", e.header)
	}
}

// TestAPanicInAResolverIsAnAnswerAndNoEnd asks a server whose resolvers have nothing to work with, so that each
// question panics.
func TestAPanicInAResolverIsAnAnswerAndNoEnd(t *testing.T) {
	var log bytes.Buffer
	handler := server.New(server.Config{
		Schema: exec.NewExecutableSchema(exec.Config{Resolvers: root.New(nil, root.Practices{})}),
		Log:    slog.New(slog.NewJSONHandler(&log, nil)), IsDev: true,
		IsReady: nil, // and so does /readyz
	})
	s := httptest.NewServer(handler)
	defer s.Close()
	for _, query := range []string{"{ revision }", "{ a: revision cis { totalCount } services { totalCount } }", createCI} {
		e := send(t, "POST", s.URL+"/graphql", operation(t, query))
		codes := e.codes(t)
		if e.status != 200 || len(codes) == 0 || strings.Trim(strings.Join(codes, ""), "INTERAL") != "" {
			t.Errorf("%d %s", e.status, e.body)
		}
		id := e.header.Get("X-Request-Id")
		if !strings.Contains(e.body, "tell your operators the request "+id) || !strings.Contains(log.String(), id) {
			t.Errorf("the request %s is not in the answer %s, or not in the log", id, e.body)
		}
		if strings.Contains(e.body, "nil pointer") || strings.Contains(e.body, ".go") {
			t.Errorf("the answer tells what happened inside: %s", e.body)
		}
	}
	if e := send(t, "GET", s.URL+"/readyz", ""); e.status != 500 || strings.Contains(e.body, "nil") {
		t.Errorf("%d %s", e.status, e.body)
	}
	if e := send(t, "GET", s.URL+"/healthz", ""); e.status != 200 {
		t.Errorf("%d %s", e.status, e.body)
	}
	if !strings.Contains(log.String(), "nil pointer") {
		t.Error("the log does not tell what happened")
	}
}
