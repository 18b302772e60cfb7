package server

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

const eventStream = "text/event-stream"

const lastEvent = "Last-Event-ID"

// streamLimit is the number of subscriptions that one caller may follow at once by event streams: as many as over
// sockets.
const streamLimit = socketLimit * operationLimit

var keepAlive = []byte(":\n\n") // a comment

// stream answers with server-sent events, one connection an operation, as the protocol of graphql-sse says in its
// distinct connections mode. Each event of a subscription has its revision token as its id; a client that comes back
// with the header Last-Event-ID goes on after it. A refused operation has one answer too.
func (a answer) stream(o *operation, refused *graphql.Response, cancel func()) {
	draining, done, admitted := stream(a.r.Context())
	if !admitted {
		a.w.Header().Set("Retry-After", "1")
		a.refuse(http.StatusServiceUnavailable, errs.Unavailable, "the server is stopping: ask again")
		return
	}
	defer done()
	if refused == nil && o.kind() == ast.Subscription {
		actor, _ := auth.From(a.r.Context())
		if full := a.share.enter(actor.Key()); full != "" {
			a.refuse(http.StatusTooManyRequests, errs.RateLimited, full)
			return
		}
		defer a.share.leave(actor.Key())
	}
	s := eventWriter{a.w, http.NewResponseController(a.w), a.pace.write}
	_ = s.control.SetReadDeadline(time.Time{}) // that of the request, which would end the stream
	a.w.Header().Set("Content-Type", eventStream+utf8JSON)
	a.w.Header().Set("Vary", varies)
	a.w.Header().Set("Cache-Control", "no-store")
	a.w.Header().Set("X-Accel-Buffering", "no") // for proxies that would wait for more
	if refused != nil {
		_ = s.send(event("next", encode(failure{refused.Errors}), nil), event("complete", nil, nil))
		return
	}
	if s.send(keepAlive) != nil {
		return
	}
	if o.kind() == ast.Subscription {
		defer safe.AfterFunc(draining, a.log, "the draining of an event stream", cancel)()
	}
	gone := make(chan error, 1)
	if actor, ok := auth.From(a.r.Context()); ok && o.kind() == ast.Subscription {
		watching, stop := context.WithCancel(a.r.Context())
		defer stop()
		safe.Go(a.log, "the watch of an event stream", func() { gone <- a.config.stays(watching, a.config.watch, actor, a.r.Header) })
	}
	answers := make(chan []byte)
	safe.Go(a.log, "an event stream", func() { o.eachEvent(answers) })
	alive := time.NewTicker(a.pace.alive)
	defer alive.Stop()
	for {
		select {
		case text, ok := <-answers:
			if !ok {
				if o.kind() != ast.Subscription || draining.Err() == nil { // else the client comes back
					_ = s.send(event("complete", nil, nil))
				}
				return
			}
			if s.send(text) != nil {
				return
			}
			alive.Reset(a.pace.alive)
		case why := <-gone:
			if why == nil {
				continue
			}
			cancel()
			list := gqlerror.List{guard.Refuse(errs.Unauthenticated, nil, "%s", why.Error())}
			_ = s.send(event("next", encode(failure{list}), nil), event("complete", nil, nil))
			return
		case <-alive.C:
			if s.send(keepAlive) != nil {
				return
			}
		}
	}
}

// eachEvent sends every answer of an operation to the channel as an event, and closes it after the last.
func (o *operation) eachEvent(answers chan<- []byte) {
	defer close(answers)
	for {
		response, token := o.next()
		if response == nil {
			return
		}
		select {
		case answers <- event("next", encode(response), token):
		case <-o.ctx.Done():
			return
		}
	}
}

// resumption returns the revision token in the id of the last event that a client has.
func resumption(id string) (*domain.RevisionToken, string) {
	if id == "" {
		return nil, ""
	}
	token, err := domain.ParseRevisionToken(id)
	if err != nil {
		return nil, lastEvent + " must be the id of an event of this server: a revision token"
	}
	return &token, ""
}

// event returns one server-sent event. data must have no line breaks.
func event(name string, data []byte, id *domain.RevisionToken) []byte {
	var b bytes.Buffer
	b.WriteString("event: " + name + "\n")
	if id != nil {
		b.WriteString("id: " + id.String() + "\n")
	}
	b.WriteString("data: ")
	b.Write(data)
	b.WriteString("\n\n")
	return b.Bytes()
}

// eventWriter sends events at once. Each must be taken within a time.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
}

func (s eventWriter) send(texts ...[]byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.limit)) // if there is a connection
	for _, text := range texts {
		if _, err := s.w.Write(text); err != nil {
			return err
		}
	}
	return s.control.Flush()
}
