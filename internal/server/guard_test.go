package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// asked returns the code of the first error of a server without sign-in.
func asked(t *testing.T, isDev bool, query string) string {
	t.Helper()
	handler := server.New(server.Config{Schema: exec.NewExecutableSchema(exec.Config{}), IsDev: isDev})
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var got struct {
		Errors []struct {
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Errors) == 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return got.Errors[0].Extensions.Code
}

func TestWithoutSignInNothingIsAnswered(t *testing.T) {
	for _, query := range []string{"{ revision }", `mutation { createTeam(input: {name: "x"}) { userErrors { message } } }`, "{ __typename }"} {
		if code := asked(t, false, query); code != "UNAUTHENTICATED" {
			t.Errorf("%s: %s", query, code)
		}
	}
}

func TestADeepQueryIsRefusedThroughFragmentsToo(t *testing.T) {
	deep := strings.Repeat("parent { ", 16) + "id" + strings.Repeat(" }", 16)
	for _, query := range []string{
		`{ ciClass(code: "server") { ` + deep + ` } }`,
		`{ ciClass(code: "server") { ...f } } fragment f on CIClass { ` + deep + ` }`,
		`{ ciClass(code: "server") { ... on CIClass { ... on Node { ... on CIClass { ` + deep + ` } } } } }`,
	} {
		if code := asked(t, true, query); code != "QUERY_TOO_DEEP" {
			t.Errorf("%.60s: %s", query, code)
		}
	}
}
