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
			name, is := strings.CutSuffix(f.Name, ".graphql")
			if !is {
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
			if now, err := s.Revision(t.Context()); err != nil || now != revision {
				t.Errorf("%s had an effect again: revision %d after %d, %v", name, now, revision, err)
			}
		}
		if sent < 10 {
			t.Errorf("only %d mutations", sent)
		}
	})
}

func keyed(t *testing.T, handler http.Handler, query string, variables map[string]any, actor, key string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Linchpin-Actor", actor)
	r.Header.Set("Idempotency-Key", key)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Body.Bytes()
}
