package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// subprotocol is what is spoken on a WebSocket, as PROTOCOL.md of graphql-ws describes it.
const subprotocol = "graphql-transport-ws"

const socketLimit = 50 // open at once for one actor

// sockets is the transport over WebSockets. All operations are admitted as those over HTTP are.
type sockets struct {
	config   Config
	gate     gate
	observer observer
	share    *share
}

var _ graphql.Transport = sockets{}

// Supports requests to open a WebSocket.
func (sockets) Supports(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do serves one socket until it closes.
func (t sockets) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		http.Error(w, "sockets of pages of other sites are refused", http.StatusForbidden)
		return
	}
	draining, done, admitted := stream(r.Context())
	if !admitted {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the server is stopping: connect again", http.StatusServiceUnavailable)
		return
	}
	defer done()
	actor, _ := auth.From(r.Context())
	if !t.share.enter(actor.Name) {
		t.observer.refused(errs.RateLimited)
		http.Error(w, fmt.Sprintf("too many sockets are open: at most %d for one caller", socketLimit), http.StatusTooManyRequests)
		return
	}
	defer t.share.leave(actor.Name)
	t.observer.sockets.Inc()
	defer t.observer.sockets.Dec()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}}) // of the same origin
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	if conn.Subprotocol() != subprotocol {
		_ = conn.Close(closeSubprotocol, "Subprotocol not acceptable")
		return
	}
	conn.SetReadLimit(int64(t.config.Limits.Body))
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &socket{conn: conn, exec: exec, config: t.config, gate: t.gate, observer: t.observer, header: r.Header.Clone(), running: map[string]*running{}}
	s.serve(ctx, cancel, draining)
}
