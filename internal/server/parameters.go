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

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// unreadable is why a request cannot be read, and with which status to say so.
type unreadable struct {
	status  int
	code    errs.Code
	message string
}

// read takes the parameters from a request, or says why it cannot. It never repeats what the client sent.
func read(r *http.Request, g *guard.Guard) (*graphql.RawParams, *unreadable) {
	bad := func(status int, message string) (*graphql.RawParams, *unreadable) {
		return nil, &unreadable{status, errs.BadUserInput, message}
	}
	if r.Method == http.MethodGet {
		params, problem := readQuery(r)
		if problem != "" {
			return bad(http.StatusBadRequest, problem)
		}
		return params, nil
	}
	media, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(options["charset"])
	if err != nil || media != plainJSON || charset != "" && charset != "utf-8" && charset != "utf8" {
		return bad(http.StatusUnsupportedMediaType, "the body must be "+plainJSON+" in UTF-8")
	}
	if r.Header.Get("Content-Encoding") != "" {
		return bad(http.StatusUnsupportedMediaType, "the body must not be compressed")
	}
	body, err := io.ReadAll(r.Body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &unreadable{http.StatusRequestEntityTooLarge, errs.TooLarge, "the body is larger than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes"}
	}
	if err != nil {
		return bad(http.StatusBadRequest, "the body could not be read")
	}
	if code, message := g.CheckJSON(body); message != "" {
		return nil, &unreadable{http.StatusBadRequest, code, message}
	}
	params, problem := parameters(body)
	if problem != "" {
		return bad(http.StatusBadRequest, problem)
	}
	return params, nil
}

// parameters reads the parameters of an operation from a JSON object; else it says what is wrong with them.
func parameters(text []byte) (*graphql.RawParams, string) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return nil, "the parameters must be one JSON object"
	}
	p := &graphql.RawParams{}
	var id string
	for _, field := range []struct {
		name string
		into any
		want string
	}{
		{"query", &p.Query, "a string"},
		{"operationName", &p.OperationName, "a string"},
		{documentID, &id, "a string"},
		{"variables", &p.Variables, "an object"},
		{"extensions", &p.Extensions, "an object"},
	} {
		if text, given := fields[field.name]; given {
			if err := decodeNumbers(string(text), field.into); err != nil {
				return nil, field.name + " must be " + field.want
			}
		}
	}
	return complete(p, id)
}

func readQuery(r *http.Request) (*graphql.RawParams, string) {
	query := r.URL.Query()
	p := &graphql.RawParams{Query: query.Get("query"), OperationName: query.Get("operationName")}
	for name, into := range map[string]*map[string]any{"variables": &p.Variables, "extensions": &p.Extensions} {
		if text := query.Get(name); text != "" {
			if err := decodeNumbers(text, into); err != nil {
				return nil, name + " must be a JSON object"
			}
		}
	}
	return complete(p, query.Get(documentID))
}

// complete puts the id of a document where every transport has it, and wants a document to be named somehow.
func complete(p *graphql.RawParams, id string) (*graphql.RawParams, string) {
	if id != "" {
		if p.Extensions == nil {
			p.Extensions = map[string]any{}
		}
		p.Extensions[documentID] = id
	}
	if strings.TrimSpace(p.Query) == "" && p.Extensions[documentID] == nil && p.Extensions["persistedQuery"] == nil {
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
