package graph_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// TestAMutationWithAKeyIsAnsweredTheSameAgain sends each mutation of the journey three times with one key. The
// second time the first answer has been lost, as when a server dies after the commit: it is made anew from what the
// mutation decided. The third answer is the second, byte for byte. The journal shows one effect.
func TestAMutationWithAKeyIsAnsweredTheSameAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		handler := serverOver(t, s)
		sent := 0
		archive, err := txtar.ParseFile("testdata/journey.txtar")
		if err != nil {
			t.Fatal(err)
		}
		parts, answers := map[string][]byte{}, map[string]any{}
		for _, f := range archive.Files {
			parts[f.Name] = f.Data
		}
		for _, f := range archive.Files {
			name, ok := strings.CutSuffix(f.Name, ".graphql")
			if !ok {
				continue
			}
			variables := map[string]any{}
			if text := parts[name+".vars"]; text != nil {
				if err := json.Unmarshal(text, &variables); err != nil {
					t.Fatal(err)
				}
				variables = resolve(t, variables, answers).(map[string]any)
			}
			actor := strings.TrimSpace(string(parts[name+".actor"]))
			first := keyed(t, handler, string(f.Data), variables, actor, name)
			var answer any
			if err := json.Unmarshal(first, &answer); err != nil {
				t.Fatal(err)
			}
			answers[name] = answer
			if !strings.HasPrefix(string(f.Data), "mutation") {
				continue
			}
			sent++
			revision, err := s.Revision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Writer().ExecContext(t.Context(), "UPDATE x_once SET answer = NULL"); err != nil {
				t.Fatal(err)
			}
			second := keyed(t, handler, string(f.Data), variables, actor, name)
			if diff := cmp.Diff(string(first), string(second)); diff != "" {
				t.Errorf("%s is told otherwise the second time:\n%s", name, diff)
			}
			if third := keyed(t, handler, string(f.Data), variables, actor, name); !bytes.Equal(second, third) {
				t.Errorf("%s: %s\nand then %s", name, second, third)
			}
			if reader := string(keyed(t, handler, string(f.Data), variables, actor, name, "Linchpin-Roles: VIEWER")); !strings.Contains(reader, `"FORBIDDEN"`) || strings.Contains(reader, `"data":{`) {
				t.Errorf("%s is told to somebody who may no longer do it: %s", name, reader)
			}
			if now, err := s.Revision(t.Context()); err != nil || now != revision {
				t.Errorf("%s had an effect again: revision %d after %d, %v", name, now, revision, err)
			}
		}
		if sent < 10 {
			t.Errorf("only %d mutations", sent)
		}
	})
}

// TestAKeptAnswerIsForTheRightsThatItWasGivenTo checks that an answer is not repeated to a sender that has lost rights
// since: it names what the sender could see then.
func TestAKeptAnswerIsForTheRightsThatItWasGivenTo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		g.do("plain", "createCI", `class: "server", name: "canary-plain", owners: [{team: "@keepers@"}]`)
		const open = `mutation($ci: ID!) { openIncident(input: {title: "slow", cis: [{id: $ci, role: AFFECTED}]}) { incident { id title cis { ci { name } } } userErrors { message } } }`
		send := func(roles string) string {
			t.Helper()
			return string(keyed(t, g.handler, open, map[string]any{"ci": g.ids["plain"]}, eve.name, "k", "Linchpin-Roles: "+roles))
		}
		first := send(eve.roles)
		if !strings.Contains(first, "canary-plain") {
			t.Fatal(first)
		}
		var answer any
		if err := json.Unmarshal([]byte(first), &answer); err != nil {
			t.Fatal(err)
		}
		incident, _ := at(answer, "data.openIncident.incident.id").(string)
		g.ids["mine"] = incident
		g.do("", "updateIncident", `id: "@mine@", title: "slower"`)
		for _, roles := range []string{eve.roles, "CHANGE_MANAGER, OPERATOR, OPERATOR"} {
			if again := send(roles); again != first {
				t.Errorf("%s are the same rights: %s\nand then %s", roles, first, again)
			}
		}
		if refused := send("VIEWER"); !strings.Contains(refused, `"FORBIDDEN"`) || strings.Contains(refused, "canary") {
			t.Errorf("who may no longer open incidents is told %s", refused)
		}
		g.do("", "updateCI", `id: "@plain@", visibility: OWNERS`)
		if hidden := send(eve.roles); strings.Contains(hidden, "canary") || !strings.Contains(hidden, incident) {
			t.Errorf("who may no longer see the CI is told %s", hidden)
		}
		g.do("", "updateCI", `id: "@plain@", visibility: EVERYONE`)
		if again := send(eve.roles); again != first {
			t.Errorf("with the old rights: %s\nand then %s", first, again)
		}
		if found, _ := at(g.ask(root, `{ incidents(filter: {ci: {eq: "`+g.ids["plain"]+`"}}) { totalCount } }`), "data.incidents.totalCount").(float64); found != 1 {
			t.Errorf("%g incidents were opened", found)
		}
	})
}

// TestWarningsAreToldAgain checks that warnings belong to the first answer: an actor with other rights by then is not
// told of the records that they name.
func TestWarningsAreToldAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		g.do("db", "createCI", `class: "database", name: "db", owners: [{team: "@keepers@"}]`)
		const open = `mutation($ci: ID!) {
			first: openIncident(input: {title: "down", cis: [{id: $ci, role: ROOT}]}) { incident { number } warnings { code message field } userErrors { message } }
			second: openIncident(input: {title: "down", cis: [{id: $ci, role: ROOT}]}) { incident { number } warnings { code message field } userErrors { message } }
		}`
		send := func(roles string) string {
			t.Helper()
			return string(keyed(t, g.handler, open, map[string]any{"ci": g.ids["db"]}, eve.name, "k", "Linchpin-Roles: "+roles))
		}
		first := send(eve.roles)
		if strings.Count(first, `"SIMILAR_INCIDENT"`) != 1 || !strings.Contains(first, `"first":{"incident":{"number":"INC0000003"},"warnings":[]`) {
			t.Fatal(first)
		}
		if _, err := s.Writer().ExecContext(t.Context(), "UPDATE x_once SET answer = NULL"); err != nil {
			t.Fatal(err)
		}
		g.do("", "updateCI", `id: "@db@", visibility: OWNERS`)
		if hidden := send(eve.roles); strings.Contains(hidden, "SIMILAR_INCIDENT") || !strings.Contains(hidden, "INC0000004") {
			t.Errorf("who may no longer see the CI is told %s", hidden)
		}
		if _, err := s.Writer().ExecContext(t.Context(), "UPDATE x_once SET answer = NULL"); err != nil {
			t.Fatal(err)
		}
		g.do("", "updateCI", `id: "@db@", visibility: EVERYONE`)
		if again := send(eve.roles); again != first {
			t.Errorf("with the old rights: %s\nand then %s", first, again)
		}
	})
}

func keyed(t *testing.T, handler http.Handler, query string, variables map[string]any, actor, key string, headers ...string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Linchpin-Actor", actor)
	r.Header.Set("Idempotency-Key", key)
	for _, h := range headers {
		header, value, _ := strings.Cut(h, ": ")
		r.Header.Set(header, value)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Body.Bytes()
}
