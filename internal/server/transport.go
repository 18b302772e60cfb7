package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// transport is GraphQL over HTTP as its specification says, by POST and, for queries, by GET. It answers every request,
// so that errors have the same form everywhere. It answers subscriptions, and all operations of clients that prefer it,
// with server-sent events.
type transport struct {
	log      *slog.Logger
	pace     pace
	gate     gate
	observer observer
	share    *share // of event streams
	config   Config
}

var _ graphql.Transport = transport{}

const (
	plainJSON   = "application/json"
	graphqlJSON = "application/graphql-response+json"
	utf8JSON    = "; charset=utf-8"
	// varies are the headers that the answer to a request depends on: what is accepted, who calls, what is asked for
	// beside.
	varies = "Accept, Authorization, Cookie, Origin, " + actorHeader + ", " + rolesHeader + ", " + costHeader + ", " + viewAsHeader + ", " + leastHeader + ", " + staleHeader
)

// Supports returns true: the transport answers every request.
func (transport) Supports(*http.Request) bool { return true }

// Do answers one request.
func (t transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	a := answer{transport: t, w: w, r: r, exec: exec, offer: offer{media: plainJSON}}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		a.refuse(http.StatusMethodNotAllowed, errs.BadUserInput, "GraphQL is asked by POST, queries also by GET")
		return
	}
	accepted := negotiate(r.Header.Values("Accept"))
	if accepted == (offer{}) {
		a.refuse(http.StatusNotAcceptable, errs.BadUserInput, "the answer comes as "+graphqlJSON+", "+plainJSON+" or "+eventStream+": accept one of them")
		return
	}
	a.offer = accepted
	if _, ok := auth.From(r.Context()); !ok { // no byte of a stranger's body is read
		w.Header().Set("WWW-Authenticate", "Bearer")
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close") // else the server would wait for the body to skip it
		}
		a.refuse(http.StatusUnauthorized, errs.Unauthenticated, "nobody is signed in")
		return
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" && !t.config.Front.shares(r) {
		a.refuse(http.StatusForbidden, errs.Forbidden, "requests from pages of other sites are refused")
		return
	}
	params, problem := read(r, t.gate.guard)
	if problem != nil {
		a.refuse(problem.status, problem.code, problem.message)
		return
	}
	params.Headers = r.Header
	a.run(params)
}

// answer writes the answer to one request.
type answer struct {
	transport
	offer
	w    http.ResponseWriter
	r    *http.Request
	exec graphql.GraphExecutor
}

// refuse answers a request that is not a GraphQL request: an error and no data.
func (a answer) refuse(status int, code errs.Code, message string) {
	a.observer.refused(code)
	a.fail(status, gqlerror.List{{Message: message, Extensions: map[string]any{"code": code}}})
}

// fail answers a request whose operation did not run.
func (a answer) fail(status int, list gqlerror.List) {
	text, err := json.Marshal(failure{list})
	a.write(status, text, err)
}

// failure is the answer to an operation that did not run: it has no data.
type failure struct {
	Errors gqlerror.List `json:"errors"`
}

func (a answer) write(status int, text []byte, err error) {
	if err != nil {
		http.Error(a.w, "internal error", http.StatusInternalServerError)
		return
	}
	a.w.Header().Set("Content-Type", cmp.Or(a.media, plainJSON)+utf8JSON)
	a.w.Header().Set("Vary", varies)
	a.w.Header().Set("Cache-Control", "no-store")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(text) // a client that has gone
}

func (a answer) run(params *graphql.RawParams) {
	resume, problem := resumption(a.r.Header.Get(lastEvent))
	if problem != "" {
		a.refuse(http.StatusBadRequest, errs.BadUserInput, problem)
		return
	}
	ctx, cancel := context.WithCancel(a.r.Context())
	defer cancel()
	o, refused := a.gate.admit(ctx, a.exec, params, resume)
	isSubscription := refused == nil && o.kind() == ast.Subscription
	if refused == nil && (o.kind() == ast.Query || a.r.Method == http.MethodPost) {
		if full := o.sit(); full != nil {
			a.w.Header().Set("Retry-After", retryAfter())
			a.fail(http.StatusServiceUnavailable, full.Errors)
			return
		}
		defer o.stand()
	}
	switch {
	case refused == nil && o.kind() == ast.Mutation && a.r.Method == http.MethodGet:
		a.w.Header().Set("Allow", "POST")
		a.refuse(http.StatusMethodNotAllowed, errs.BadUserInput, "only queries are asked by GET: send this operation by POST")
	case isSubscription && !a.streams:
		a.refuse(http.StatusNotAcceptable, errs.BadUserInput, "a subscription is answered as "+eventStream+", or over a WebSocket of "+subprotocol)
	case isSubscription || a.prefersStream:
		a.stream(o, refused, cancel)
	case refused != nil:
		a.fail(a.status(refused), refused.Errors)
	default:
		response, _ := o.next()
		a.suggest(response)
		text, err := render(response)
		if err == nil && o.isTrusted && a.r.Method == http.MethodGet && response != nil && len(response.Errors) == 0 {
			a.writeCached(text, response.Data)
			return
		}
		a.write(a.status(response), text, err)
	}
}

// status returns the status of an answer. If nothing ran, it says who is to blame, except to clients that accept only
// the old media type: they take other statuses for a broken server.
func (a answer) status(r *graphql.Response) int {
	if a.media != graphqlJSON || r == nil || r.Data != nil || len(r.Errors) == 0 {
		return http.StatusOK
	}
	switch r.Errors[0].Extensions["code"] {
	case errs.Unavailable, errs.Timeout:
		return http.StatusServiceUnavailable
	case errs.Internal, errs.OutcomeUnknown:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// suggest tells the client of an answer that was not possible just now when to ask again.
func (a answer) suggest(r *graphql.Response) {
	if r != nil && slices.ContainsFunc(r.Errors, func(e *gqlerror.Error) bool { return e.Extensions["code"] == errs.Unavailable }) {
		a.w.Header().Set("Retry-After", "1")
	}
}

// writeCached writes the answer to a trusted document that was asked for by GET: the browser may keep it, and asks each
// time whether its data are still the same.
func (a answer) writeCached(text, data []byte) {
	sum := sha256.Sum256(data)
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	header := a.w.Header()
	header.Set("Content-Type", a.media+utf8JSON)
	header.Set("Vary", varies)
	header.Set("Cache-Control", "private, no-cache")
	header.Set("ETag", tag)
	if slices.Contains(strings.Split(strings.ReplaceAll(a.r.Header.Get("If-None-Match"), " ", ""), ","), tag) {
		a.w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = a.w.Write(text) // a client that has gone
}
