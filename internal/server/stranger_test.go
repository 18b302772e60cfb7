package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// untouched is a body that notes whether anybody reads it.
type untouched struct{ isRead bool }

func (b *untouched) Read([]byte) (int, error) {
	b.isRead = true
	return 0, errors.New("nothing comes")
}

func (b *untouched) Close() error { return nil }

func Test13NoByteOfAStrangersBodyIsRead(t *testing.T) {
	for _, accept := range []string{"application/json", "application/graphql-response+json", "text/event-stream", "*/*"} {
		for _, isDev := range []bool{false, true} {
			body := &untouched{}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", body)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", accept)
			w := httptest.NewRecorder()
			server.New(server.Config{Schema: exec.NewExecutableSchema(exec.Config{}), IsDev: isDev}).ServeHTTP(w, r)
			isRefused := w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "Bearer" && strings.Contains(w.Body.String(), `"UNAUTHENTICATED"`)
			if isRefused == isDev || body.isRead != isDev {
				t.Errorf("%s, dev mode %t: %d %v %s, the body is read: %t", accept, isDev, w.Code, w.Header(), w.Body, body.isRead)
			}
		}
	}
}

func TestAStrangerThatSendsABodySlowlyIsAnsweredAtOnce(t *testing.T) {
	w := behindADoor(t)
	for _, length := range []string{"Content-Length: 1000", "Content-Length: 900000", "Transfer-Encoding: chunked"} {
		conn := hold(t, w.host, fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%s\r\n\r\n", w.host, length))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", length, err)
		}
		if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusUnauthorized || !strings.Contains(string(text), `"UNAUTHENTICATED"`) {
			t.Errorf("%s: %s %s %v", length, response.Status, text, err)
		}
		_ = response.Body.Close()
	}
}

func TestAStrangersQueryIsNotReadEither(t *testing.T) {
	w := httptest.NewRecorder()
	server.New(server.Config{Schema: exec.NewExecutableSchema(exec.Config{})}).
		ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/graphql?query="+url.QueryEscape("{ cis { ")+"&variables=x", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
