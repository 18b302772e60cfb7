package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// subprotocol is the protocol on a WebSocket, as PROTOCOL.md of graphql-ws describes it.
const subprotocol = "graphql-transport-ws"

// sockets is the transport over WebSockets. It admits operations as HTTP does.
type sockets struct {
	config   Config
	gate     gate
	observer observer
	seats    seats
	all      *share // of all callers together
}

var _ graphql.Transport = sockets{}

// Supports reports whether a request asks to open a WebSocket.
func (sockets) Supports(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do serves one socket until it closes.
func (t sockets) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" && !t.config.Front.shares(r) {
		http.Error(w, "sockets of pages of other sites are refused", http.StatusForbidden)
		return
	}
	if !t.config.Front.admits(r) {
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
	if full := t.all.enter("all"); full != "" {
		t.observer.refused(errs.Overloaded)
		w.Header().Set("Retry-After", retryAfter())
		http.Error(w, full, http.StatusServiceUnavailable)
		return
	}
	defer t.all.leave("all")
	s := &socket{exec: exec, config: t.config, gate: t.gate, observer: t.observer, header: r.Header.Clone(), seats: t.seats, pings: rate.NewLimiter(pingRate, pingRate), running: map[string]*running{}}
	s.seat = s.seats.of(r.Context(), r.RemoteAddr)
	if full := s.seat.take(); full != "" {
		t.observer.refused(errs.RateLimited)
		http.Error(w, full, http.StatusTooManyRequests)
		return
	}
	defer func() { s.seat.leave() }() // it may have changed
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
	conn.SetReadLimit(int64(min(pingLimit, t.config.Limits.Body)))
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s.conn = conn
	s.serve(ctx, cancel, draining)
}
