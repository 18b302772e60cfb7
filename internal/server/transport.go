package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// transport is GraphQL over HTTP as its specification says, by POST and, for queries, by GET: it answers every
// request, so that what is wrong with one is said in the same form as everything else. Subscriptions, and whatever else
// a client prefers that way, it answers with server-sent events.
type transport struct {
	log  *slog.Logger
	pace pace
}

var _ graphql.Transport = transport{}

const (
	plainJSON   = "application/json"
	graphqlJSON = "application/graphql-response+json"
	utf8JSON    = "; charset=utf-8"
)

// Supports every request.
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
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		a.refuse(http.StatusForbidden, errs.Forbidden, "requests from pages of other sites are refused")
		return
	}
	params, status, problem := read(r)
	if problem != "" {
		a.refuse(status, codeOf(status), problem)
		return
	}
	params.Headers = r.Header
	a.run(params)
}

// codeOf is the code of a request that could not be read.
func codeOf(status int) errs.Code {
	if status == http.StatusRequestEntityTooLarge {
		return errs.TooLarge
	}
	return errs.BadUserInput
}

// answer writes the answer to one request.
type answer struct {
	transport
	offer
	w    http.ResponseWriter
	r    *http.Request
	exec graphql.GraphExecutor
}

// refuse answers a request that is no GraphQL request: an error and no data.
func (a answer) refuse(status int, code errs.Code, message string) {
	a.fail(status, gqlerror.List{{Message: message, Extensions: map[string]any{"code": code}}})
}

// fail answers a request whose operation did not run.
func (a answer) fail(status int, list gqlerror.List) {
	text, err := json.Marshal(failure{capped(list)})
	a.write(status, text, err)
}

// failure is the answer to what did not run: it has no data.
type failure struct {
	Errors gqlerror.List `json:"errors"`
}

func (a answer) write(status int, text []byte, err error) {
	if err != nil {
		http.Error(a.w, "internal error", http.StatusInternalServerError)
		return
	}
	a.w.Header().Set("Content-Type", cmp.Or(a.media, plainJSON)+utf8JSON)
	a.w.Header().Set("Vary", "Accept")
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
	o, refused := admit(ctx, a.exec, params, resume)
	isSubscription := refused == nil && o.kind() == ast.Subscription
	switch {
	case refused == nil && o.kind() == ast.Mutation && a.r.Method == http.MethodGet:
		a.w.Header().Set("Allow", "POST")
		a.refuse(http.StatusMethodNotAllowed, errs.BadUserInput, "only queries are asked by GET: send this operation by POST")
	case isSubscription && !a.streams:
		a.refuse(http.StatusNotAcceptable, errs.BadUserInput, "a subscription is answered as "+eventStream+", or over a WebSocket of "+subprotocol)
	case isSubscription || a.prefersStream:
		a.stream(o, refused, cancel)
	case refused != nil:
		// Clients that accept the old media type alone take other statuses for a broken server.
		status := http.StatusOK
		if a.media == graphqlJSON {
			status = http.StatusBadRequest
		}
		a.fail(status, refused.Errors)
	default:
		response, _ := o.next()
		text, err := render(response)
		a.write(http.StatusOK, text, err)
	}
}

// errorLimit bounds the errors of one answer.
const errorLimit = 10

func capped(list gqlerror.List) gqlerror.List {
	if len(list) > errorLimit {
		return list[:errorLimit:errorLimit]
	}
	return list
}

// read takes the parameters from a request; else it says with which status to refuse it, and why. It never repeats
// what the client sent.
func read(r *http.Request) (params *graphql.RawParams, status int, problem string) {
	if r.Method == http.MethodGet {
		return readQuery(r)
	}
	media, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(options["charset"])
	if err != nil || media != plainJSON || charset != "" && charset != "utf-8" && charset != "utf8" {
		return nil, http.StatusUnsupportedMediaType, "the body must be " + plainJSON + " in UTF-8"
	}
	body, err := io.ReadAll(r.Body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, http.StatusRequestEntityTooLarge, "the body is larger than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes"
	}
	if err != nil {
		return nil, http.StatusBadRequest, "the body could not be read"
	}
	if params, problem = parameters(body); problem != "" {
		return nil, http.StatusBadRequest, problem
	}
	return params, 0, ""
}

// parameters reads the parameters of an operation from a JSON object; else it says what is wrong with them.
func parameters(text []byte) (*graphql.RawParams, string) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return nil, "the parameters must be one JSON object"
	}
	p := &graphql.RawParams{}
	for _, field := range []struct {
		name string
		into any
		want string
	}{
		{"query", &p.Query, "a string"},
		{"operationName", &p.OperationName, "a string"},
		{"variables", &p.Variables, "an object"},
		{"extensions", &p.Extensions, "an object"},
	} {
		if text, given := fields[field.name]; given {
			if err := decodeNumbers(string(text), field.into); err != nil {
				return nil, field.name + " must be " + field.want
			}
		}
	}
	return complete(p)
}

func readQuery(r *http.Request) (*graphql.RawParams, int, string) {
	query := r.URL.Query()
	p := &graphql.RawParams{Query: query.Get("query"), OperationName: query.Get("operationName")}
	for name, into := range map[string]*map[string]any{"variables": &p.Variables, "extensions": &p.Extensions} {
		if text := query.Get(name); text != "" {
			if err := decodeNumbers(text, into); err != nil {
				return nil, http.StatusBadRequest, name + " must be a JSON object"
			}
		}
	}
	if p, problem := complete(p); problem != "" {
		return p, http.StatusBadRequest, problem
	}
	return p, 0, ""
}

func complete(p *graphql.RawParams) (*graphql.RawParams, string) {
	if strings.TrimSpace(p.Query) == "" {
		return nil, "query is missing: the document to run"
	}
	return p, ""
}

// decodeNumbers reads one JSON value and keeps its numbers as they are written.
func decodeNumbers(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}
