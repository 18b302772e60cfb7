package server_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// book is a log that several write into.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the log.
func (b *book) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

// unreadable are requests whose variables hold a canary, or a number beyond all numbers, and what the answer has.
var unreadable = map[string]struct{ body, want string }{
	"an id":           {`{"query": "mutation($i: RetireCIInput!) { retireCI(input: $i) { userErrors { code field } } }", "variables": {"i": {"id": "canary"}}}`, `"code":"INVALID","field":["id"]`},
	"an id in a list": {`{"query": "mutation($i: CreateCIInput!) { createCI(input: $i) { userErrors { code field } } }", "variables": {"i": {"class": "server", "name": "canary", "owners": [{"team": "team_1"}, {"team": "canary"}]}}}`, `"field":["owners","1","team"]`},
	"an alias":        {`{"query": "mutation($i: RetireCIInput!) { gone: retireCI(input: $i) { userErrors { code field } } }", "variables": {"i": {"id": "canary"}}}`, `"gone":{"userErrors":[{"code":"INVALID","field":["id"]}]}`},
	"one of two":      {`{"query": "mutation($i: ID!) { a: createTeam(input: {name: \"canary\"}) { userErrors { code } } b: retireCI(input: {id: $i}) { userErrors { code } } }", "variables": {"i": "canary"}}`, `"a":{"userErrors":[]},"b":{"userErrors":[{"code":"INVALID"}]}`},
	"a moment":        {`{"query": "mutation($i: DraftChangeInput!) { draftChange(input: $i) { userErrors { code field } } }", "variables": {"i": {"type": "NORMAL", "title": "canary", "plannedStart": "canary"}}}`, `"field":["plannedStart"]`},
	"a length":        {`{"query": "mutation($i: CreateChangeWindowInput!) { createChangeWindow(input: $i) { userErrors { code field } } }", "variables": {"i": {"name": "canary", "kind": "BLACKOUT", "startsAt": "2027-01-10", "duration": "canary"}}}`, `"field":["duration"]`},
	"a number":        {`{"query": "mutation($i: UpdateCIInput!) { updateCI(input: $i) { userErrors { code field } } }", "variables": {"i": {"id": "ci_1", "name": "canary", "expectedVersion": 99999999999}}}`, `"field":["expectedVersion"]`},
	"beyond float64":  {`{"query": "mutation($i: CreateCIInput!) { createCI(input: $i) { userErrors { code field } } }", "variables": {"i": {"class": "server", "name": "canary", "attributes": {"canary": 1e999}}}}`, `"field":["attributes"]`},
	"a filter":        {`{"query": "query($v: JSONValue) { cis(filter: {attributes: [{path: \"canary\", eq: $v}]}) { totalCount } }", "variables": {"v": 1e999}}`, `"BAD_USER_INPUT"`},
	"a share":         {`{"query": "mutation($a: Float) { createService(input: {kind: BUSINESS_SERVICE, name: \"canary\", availabilityTarget: $a}) { userErrors { code } } }", "variables": {"a": 1e999}}`, `"GRAPHQL_VALIDATION_FAILED"`},
	"a pattern": {`{"query": "mutation($s: JSON) { createCIClass(input: {code: \"canary\", label: \"canary\", parent: \"server\", attributeSchema: $s}) { userErrors { code field } } }", "variables": {"s": {"type": "object", "properties": {"x": {"type": "string", "pattern": "` +
		strings.Repeat("canary", 10_000) + `"}}}}}`, `"field":["attributeSchema","properties","x","pattern"]`},
	"an enumeration":       {`{"query": "mutation($i: CreateCIInput!) { createCI(input: $i) { userErrors { code } } }", "variables": {"i": {"class": "server", "name": "canary", "lifecycle": "CANARY"}}}`, `"GRAPHQL_VALIDATION_FAILED"`},
	"a query's id":         {`{"query": "query($i: ID!) { ci(id: $i) { name } }", "variables": {"i": "canary"}}`, `"BAD_USER_INPUT"`},
	"what fails a check":   {`{"query": "mutation($n: String!) { createTeam(input: {name: $n, email: $n}) { userErrors { code field } } }", "variables": {"n": "canary"}}`, `"field":["email"]`},
	"what is there":        {`{"query": "mutation($n: String!) { a: createTeam(input: {name: $n}) { userErrors { code } } b: createTeam(input: {name: $n}) { userErrors { code } } }", "variables": {"n": "the canary"}}`, `"ALREADY_EXISTS"`},
	"a whole number":       {`{"query": "query($n: Int) { cis(first: $n) { pageInfo { hasNextPage } } }", "variables": {"n": 2.0}}`, `"data":{"cis"`},
	"a whole number below": {`{"query": "mutation($i: CreateApprovalPolicyInput!) { createApprovalPolicy(input: $i) { approvalPolicy { approvals } userErrors { code } } }", "variables": {"i": {"name": "canary", "approvals": 2e0}}}`, `"approvals":2`},
	"half a character":     {`{"query": "mutation { createTeam(input: {name: \"canary \\ud83d\"}) { userErrors { code } } }"}`, `"BAD_USER_INPUT"`},
	"a whole character":    {`{"query": "mutation { createTeam(input: {name: \"canary \\ud83d\\ude00\"}) { team { name } } }"}`, `"name":"canary 😀"`},
	"half, in a variable":  {`{"query": "mutation($n: String!) { createTeam(input: {name: $n}) { userErrors { code } } }", "variables": {"n": "canary \ud83d"}}`, `"BAD_USER_INPUT"`},
}

func TestAnInputThatCannotBeReadIsToldAtItsPathAndNoValueIsLogged(t *testing.T) {
	for name, address := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { t.Helper(); return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": storetest.PostgresAddress,
	} {
		t.Run(name, func(t *testing.T) {
			var log book
			a, err := app.Open(t.Context(), address(t), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close() }()
			handler, _, err := a.Handler(app.Serving{IsDev: true})
			if err != nil {
				t.Fatal(err)
			}
			s := httptest.NewServer(handler)
			defer s.Close()
			h := house{&world{App: a, host: strings.TrimPrefix(s.URL, "http://")}, t}
			for name, c := range unreadable {
				got := h.do(http.MethodPost, "/graphql", "application/json", c.body)
				if !strings.Contains(got.Text, c.want) || strings.Contains(got.Text, "INTERNAL") {
					t.Errorf("%s: %.500s, want %s", name, got.Text, c.want)
				}
			}
			for _, name := range []string{strings.Repeat("canary", 20), "canary\u202e", "\u200b", "a\u0080", "cli:root", "linchpin"} {
				if got := h.do(http.MethodPost, "/graphql", "application/json", `{"query": "{ viewer { name } }"}`, "Linchpin-Actor: "+name); got.StatusCode != http.StatusBadRequest {
					t.Errorf("an actor called %q: %s", name, got.Text)
				}
			}
			if got := h.do(http.MethodPost, "/graphql", "application/json", `{"query": "{ viewer { name } }"}`, "Linchpin-Actor: Zoe\u0308"); !strings.Contains(got.Text, `"Zoë"`) {
				t.Errorf("a name that is composed: %s", got.Text)
			}
			if text := log.text.String(); strings.Contains(strings.ToLower(text), "canary") || !strings.Contains(text, "msg=operation") {
				t.Errorf("the log tells a value, or nothing: %s", text)
			}
		})
	}
}
