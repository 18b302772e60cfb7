package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// overSocket makes the attack as an operation of a socket. It gives the codes of the errors, or how the socket was
// closed.
func (a attack) overSocket(t *testing.T, address string) (codes []string, bytes int, closed websocket.CloseError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(address, "http:", "ws:", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // a socket has none
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(64 << 20)
	body, err := a.body()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":` + body + `}`} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil && websocket.CloseStatus(err) == -1 && len(text) < 1<<20 {
			t.Fatal(err) // a message that is too large may be cut off while it is written
		}
	}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			if !errors.As(err, &closed) {
				t.Fatalf("the socket broke: %v", err)
			}
			return codes, bytes, closed
		}
		bytes += len(text)
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		switch m.Type {
		case "next":
			codes = append(codes, exchange{body: string(m.Payload)}.codes(t)...)
		case "error":
			return append(codes, exchange{body: `{"errors":` + string(m.Payload) + `}`}.codes(t)...), bytes, closed
		case "complete":
			return codes, bytes, closed
		}
	}
}

// TestNoOperationOfASocketHurtsTheServer shows that bytes that are no message close the socket, as its protocol says,
// and that all else is refused as it is over HTTP.
func TestNoOperationOfASocketHurtsTheServer(t *testing.T) {
	p := serve(t)
	replayed := 0
	for _, a := range attacks(t) {
		if a.method != http.MethodPost || len(a.headers) > 0 {
			continue // what is wrong with it belongs to HTTP alone
		}
		replayed++
		t.Run(a.name, func(t *testing.T) {
			codes, bytes, closed := a.overSocket(t, p.url)
			switch {
			case closed.Code == websocket.StatusMessageTooBig && a.status == http.StatusRequestEntityTooLarge:
			case closed.Code == 4400 && (a.status == http.StatusBadRequest || strings.Contains(closed.Reason, a.code)):
			case closed.Code != 0:
				t.Errorf("closed with %d %s", closed.Code, closed.Reason)
			case a.code == "NONE" && len(codes) == 0:
			case len(codes) == 0 || codes[0] != a.code:
				t.Errorf("codes %v, want %s", codes, a.code)
			}
			if bytes > answerLimit || len(codes) > 10 {
				t.Errorf("%d bytes and %d errors", bytes, len(codes))
			}
		})
	}
	if replayed < 370 {
		t.Errorf("%d attacks only", replayed)
	}
	var after struct{ CIs struct{ TotalCount int } }
	p.ask(t, &after, "{ cis { totalCount } }", nil)
	if after.CIs.TotalCount != 0 {
		t.Errorf("%d CIs were written by attacks", after.CIs.TotalCount)
	}
}
