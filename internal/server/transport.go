package server

import (
	"encoding/json"
	"errors"
	"io"
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
// request, so that what is wrong with one is said in the same form as everything else.
type transport struct{}

var _ graphql.Transport = transport{}

const (
	plainJSON   = "application/json"
	graphqlJSON = "application/graphql-response+json"
	utf8JSON    = "; charset=utf-8"
)

// Supports every request.
func (transport) Supports(*http.Request) bool { return true }

// Do answers one request.
func (transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	a := answer{w: w, r: r, exec: exec, media: plainJSON}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		a.refuse(http.StatusMethodNotAllowed, errs.BadUserInput, "GraphQL is asked by POST, queries also by GET")
		return
	}
	media, accepted := negotiate(r.Header.Values("Accept"))
	if !accepted {
		a.refuse(http.StatusNotAcceptable, errs.BadUserInput, "the answer comes as "+graphqlJSON+" or "+plainJSON+": accept one of them")
		return
	}
	a.media = media
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
	w     http.ResponseWriter
	r     *http.Request
	exec  graphql.GraphExecutor
	media string
}

// refuse answers a request that is no GraphQL request: an error and no data.
func (a answer) refuse(status int, code errs.Code, message string) {
	a.fail(status, gqlerror.List{{Message: message, Extensions: map[string]any{"code": code}}})
}

// fail answers a request whose operation did not run.
func (a answer) fail(status int, list gqlerror.List) {
	a.write(status, struct {
		Errors gqlerror.List `json:"errors"`
	}{capped(list)})
}

func (a answer) write(status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(a.w, "internal error", http.StatusInternalServerError)
		return
	}
	a.w.Header().Set("Content-Type", a.media+utf8JSON)
	a.w.Header().Set("Vary", "Accept")
	a.w.Header().Set("Cache-Control", "no-store")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(text) // a client that has gone
}

func (a answer) run(params *graphql.RawParams) {
	ctx := graphql.StartOperationTrace(a.r.Context())
	op, problems := a.exec.CreateOperationContext(ctx, params)
	if problems != nil {
		// Clients that accept the old media type alone take other statuses for a broken server.
		status := http.StatusOK
		if a.media == graphqlJSON {
			status = http.StatusBadRequest
		}
		response := a.exec.DispatchError(graphql.WithOperationContext(ctx, op), problems)
		a.fail(status, response.Errors)
		return
	}
	if a.r.Method == http.MethodGet && op.Operation.Operation != ast.Query {
		a.w.Header().Set("Allow", "POST")
		a.refuse(http.StatusMethodNotAllowed, errs.BadUserInput, "only queries are asked by GET: send this operation by POST")
		return
	}
	respond, ctx := a.exec.DispatchOperation(ctx, op)
	response := respond(ctx)
	response.Errors = capped(response.Errors)
	a.write(http.StatusOK, response)
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
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, http.StatusBadRequest, "the body must be one JSON object"
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
				return nil, http.StatusBadRequest, field.name + " must be " + field.want
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
	return complete(p)
}

func complete(p *graphql.RawParams) (*graphql.RawParams, int, string) {
	if strings.TrimSpace(p.Query) == "" {
		return nil, http.StatusBadRequest, "query is missing: the document to run"
	}
	return p, 0, ""
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

// negotiate chooses the media type of the answer. Who accepts anything, or does not say, gets the one that every
// client knows; between equals the newer one is better.
func negotiate(accept []string) (media string, accepted bool) {
	if len(accept) == 0 {
		return plainJSON, true
	}
	best := 0.0
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		name, options, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		if charset := strings.ToLower(options["charset"]); charset != "" && charset != "utf-8" && charset != "utf8" {
			continue
		}
		quality := 1.0
		if text, given := options["q"]; given {
			if quality, err = strconv.ParseFloat(text, 64); err != nil || quality < 0 || quality > 1 {
				continue
			}
		}
		if name == "*/*" || name == "application/*" {
			name = plainJSON
		}
		if name != plainJSON && name != graphqlJSON || quality == 0 {
			continue
		}
		if quality > best || quality == best && name == graphqlJSON {
			media, best = name, quality
		}
	}
	return media, best > 0
}
