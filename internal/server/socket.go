package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/time/rate"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

const (
	operationLimit = 20 // of a kind, running at once on one socket
	idLimit        = 256
	pingLimit      = 8 << 10 // bytes of a ping's payload, and of any message before it is known who calls
	pingRate       = 10      // a second; those of a peer that sends more are read later
)

// The close codes of the protocol.
const (
	closeInvalid      websocket.StatusCode = 4400
	closeUnauthorized websocket.StatusCode = 4401
	closeForbidden    websocket.StatusCode = 4403
	closeSubprotocol  websocket.StatusCode = 4406
	closeInitTimeout  websocket.StatusCode = 4408
	closeDuplicate    websocket.StatusCode = 4409
	closeManyInits    websocket.StatusCode = 4429
)

// socket is one connection. Its reader admits operations one after the other; each then runs by itself.
type socket struct {
	conn     *websocket.Conn
	exec     graphql.GraphExecutor
	config   Config
	gate     gate
	observer observer
	header   http.Header // of the upgrade, and who calls as connection_init says
	seats    seats
	seat     seat // that it has taken

	caller context.Context // once the connection is acknowledged
	ended  sync.WaitGroup  // the operations
	pings  *rate.Limiter

	mu      sync.Mutex // held while writing, so that nothing follows the end of an operation
	running map[string]*running
}

// running is an operation that runs.
type running struct {
	kind   ast.Operation
	cancel context.CancelFunc
}

// message is a message of either side.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// violation ends a connection with a close code.
type violation struct {
	code   websocket.StatusCode
	reason string
}

func (v violation) Error() string { return v.reason }

// serve reads messages until the connection ends, the client breaks the protocol, or the server drains.
func (s *socket) serve(ctx context.Context, cancel func(), draining context.Context) {
	initialised := safe.Timer(s.config.Log, "a socket that does not begin", s.config.pace.init, func() { _ = s.conn.Close(closeInitTimeout, "Connection initialisation timeout") })
	defer initialised.Stop()
	safe.Go(s.config.Log, "a socket's pings", func() { s.keepAlive(ctx) })
	stop := safe.AfterFunc(draining, s.config.Log, "the draining of a socket", s.drain)
	defer stop()
	var err error
	for err == nil {
		var text []byte
		var kind websocket.MessageType
		if kind, text, err = s.conn.Read(ctx); err != nil {
			break
		}
		if kind != websocket.MessageText {
			err = violation{closeInvalid, "Invalid message: it must be text"}
			break
		}
		err = s.receive(ctx, text, initialised)
	}
	if broken := (violation{}); errors.As(err, &broken) {
		_ = s.conn.Close(broken.code, broken.reason)
	}
	cancel()
	s.ended.Wait()
}

// keepAlive cuts a connection whose peer has gone silent.
func (s *socket) keepAlive(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.config.pace.ping):
		}
		waiting, cancel := context.WithTimeout(ctx, s.config.pace.pong)
		err := s.conn.Ping(waiting)
		cancel()
		if err != nil {
			_ = s.conn.CloseNow()
			return
		}
	}
}

// drain ends the subscriptions without a word, lets the rest finish, and closes the connection. A client that is told
// that its subscription is complete does not ask for it again; one whose connection goes away does.
func (s *socket) drain() {
	s.mu.Lock()
	for id, r := range s.running {
		if r.kind == ast.Subscription {
			r.cancel()
			delete(s.running, id)
		}
	}
	s.mu.Unlock()
	s.ended.Wait()
	_ = s.conn.Close(websocket.StatusGoingAway, "The server is stopping")
}

// receive handles one message.
func (s *socket) receive(ctx context.Context, text []byte, initialised *time.Timer) error {
	m, err := s.parse(text)
	if err != nil {
		return err
	}
	switch m.Type {
	case "connection_init":
		if s.caller != nil {
			return violation{closeManyInits, "Too many initialisation requests"}
		}
		initialised.Stop()
		return s.initialise(ctx, m)
	case "ping", "pong":
		if len(m.Payload) > pingLimit {
			return violation{closeInvalid, fmt.Sprintf("Invalid message: the payload of a %s has at most %d bytes", m.Type, pingLimit)}
		}
		if err := s.pings.Wait(ctx); err != nil || m.Type == "pong" {
			return err
		}
		return s.send(ctx, message{Type: "pong", Payload: m.Payload})
	case "subscribe":
		return s.subscribe(ctx, m)
	case "complete":
		if s.caller == nil {
			return violation{closeUnauthorized, "Unauthorized"}
		}
		if m.ID == "" {
			return violation{closeInvalid, "Invalid message: complete needs an id"}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if r := s.running[m.ID]; r != nil {
			r.cancel()
			delete(s.running, m.ID)
		}
		return nil
	}
	return violation{closeInvalid, "Invalid message: its type is none that a client sends"}
}

// parse returns the message in a text.
func (s *socket) parse(text []byte) (m message, err error) {
	defer s.gate.guard.Turn(len(text))()
	if code, problem := s.gate.guard.CheckJSON(text); problem != "" {
		return m, violation{closeInvalid, string(code) + ": " + problem}
	}
	if err := json.Unmarshal(text, &m); err != nil || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return m, violation{closeInvalid, "Invalid message: it must be a JSON object with a type"}
	}
	return m, nil
}

// initialise acknowledges the connection of a caller.
func (s *socket) initialise(ctx context.Context, m message) (err error) {
	if s.header, err = introduced(s.header, m.Payload, s.config.callerHeaders()); err != nil {
		return err
	}
	actor, ok, err := s.config.caller(ctx, s.header) // whoever sent the upgrade, the payload may say more
	switch {
	case err == nil:
	case errs.CodeOf(err) == errs.BadUserInput:
		return violation{closeForbidden, "Forbidden: " + err.Error()}
	case errs.CodeOf(err) == errs.RateLimited:
		return violation{websocket.StatusTryAgainLater, "Try again later: " + err.Error()}
	default:
		s.config.Log.Error("who calls could not be found out", "error", err)
		return violation{websocket.StatusTryAgainLater, "Try again later: who calls could not be found out"}
	}
	if !ok {
		return violation{closeForbidden, "Forbidden"}
	}
	s.caller = auth.With(ctx, actor)
	safe.Go(s.config.Log, "the watch of a socket", func() { s.watch(ctx, actor) })
	if own := s.seats.of(s.caller, ""); own != s.seat {
		if full := own.take(); full != "" {
			s.observer.refused(errs.RateLimited)
			return violation{websocket.StatusTryAgainLater, "Try again later: " + full}
		}
		s.seat.leave()
		s.seat = own
	}
	s.conn.SetReadLimit(int64(s.config.Limits.Body))
	return s.send(ctx, message{Type: "connection_ack"})
}

// watch ends the connection of a caller who is known no longer. Clients of graphql-ws come again after 4403, and not
// after 4401.
func (s *socket) watch(ctx context.Context, caller auth.Actor) {
	switch why := s.config.stays(ctx, s.config.watch, caller, s.header); {
	case errors.Is(why, errRevoked):
		_ = s.conn.Close(closeUnauthorized, "Unauthorized: "+errRevoked.Error())
	case errors.Is(why, errExpired):
		_ = s.conn.Close(closeForbidden, "Forbidden: "+errExpired.Error())
	}
}

// subscribe admits an operation and starts it.
func (s *socket) subscribe(ctx context.Context, m message) error {
	if s.caller == nil {
		return violation{closeUnauthorized, "Unauthorized"}
	}
	if m.ID == "" || len(m.ID) > idLimit {
		return violation{closeInvalid, "Invalid message: subscribe needs an id of at most 256 bytes"}
	}
	s.mu.Lock()
	_, ok := s.running[m.ID]
	s.mu.Unlock()
	if ok {
		return violation{closeDuplicate, "Subscriber for " + strings.ToValidUTF8(m.ID[:min(len(m.ID), 64)], "") + " already exists"}
	}
	params, problem := parameters(m.Payload)
	if problem != "" {
		return violation{closeInvalid, "Invalid message: " + problem}
	}
	params.Headers = s.header
	running := &running{}
	var bounded context.Context
	bounded, running.cancel = context.WithCancel(s.caller)
	o, refused := s.gate.admit(bounded, s.exec, params, nil)
	if refused == nil {
		running.kind = o.kind()
		if refused = s.start(m.ID, running); refused != nil {
			s.observer.refused(errs.RateLimited)
		}
	}
	if refused != nil {
		running.cancel()
		return s.send(ctx, message{m.ID, "error", encode(refused.Errors)})
	}
	safe.Go(s.config.Log, "an operation of a socket", func() {
		defer s.ended.Done()
		defer running.cancel()
		s.run(ctx, m.ID, running, o)
	})
	return nil
}

// start notes that an operation runs, unless too many of its kind do.
func (s *socket) start(id string, started *running) *graphql.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.running {
		if r.kind == started.kind {
			n++
		}
	}
	if n >= operationLimit {
		return &graphql.Response{Errors: gqlerror.List{guard.Refuse(errs.RateLimited, nil, "this socket runs %d operations of the kind %s already, the most at once: complete one, or open another socket", operationLimit, started.kind)}}
	}
	s.running[id] = started
	s.ended.Add(1)
	return nil
}

// run sends the answers of an operation, and its end.
func (s *socket) run(ctx context.Context, id string, r *running, o *operation) {
	if full := o.sit(); full != nil {
		_ = s.finish(ctx, id, r, message{id, "error", encode(full.Errors)})
		return
	}
	defer o.stand()
	for {
		response, _ := o.next()
		if response == nil {
			_ = s.finish(ctx, id, r, message{ID: id, Type: "complete"})
			return
		}
		if response.Data == nil { // it could not begin
			_ = s.finish(ctx, id, r, message{id, "error", encode(response.Errors)})
			return
		}
		if s.continues(ctx, id, r, message{id, "next", encode(response)}) != nil {
			return
		}
	}
}

var errOver = errors.New("the client has completed the operation")

// continues sends a message of an operation that runs.
func (s *socket) continues(ctx context.Context, id string, r *running, m message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] != r {
		return errOver
	}
	return s.write(ctx, m)
}

// finish sends the last message of an operation. Its id is free before the client hears of it.
func (s *socket) finish(ctx context.Context, id string, r *running, m message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] != r {
		return errOver
	}
	delete(s.running, id)
	return s.write(ctx, m)
}

// send sends a message that belongs to no running operation.
func (s *socket) send(ctx context.Context, m message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, m)
}

// write sends a message. A peer that does not take it in time is cut off.
func (s *socket) write(ctx context.Context, m message) error {
	bounded, cancel := context.WithTimeout(ctx, s.config.pace.write)
	defer cancel()
	return s.conn.Write(bounded, websocket.MessageText, encode(m))
}
