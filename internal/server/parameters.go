package server

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
)

// unreadable is the reason why a request cannot be read, and the status of the answer.
type unreadable struct {
	status  int
	code    errs.Code
	message string
}

// bodies are buffers for the bodies of requests, to be used again: large bodies would otherwise be most of the garbage.
// No result of reading refers to its body.
var bodies = sync.Pool{New: func() any { return &bytes.Buffer{} }}

// read returns the parameters of a request, or the reason why it cannot. The reason never repeats what the client sent.
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
	tooLarge := &unreadable{http.StatusRequestEntityTooLarge, errs.TooLarge, "the body is larger than " + strconv.Itoa(g.Limits().Body) + " bytes"}
	if r.ContentLength > int64(g.Limits().Body) {
		return nil, tooLarge // before any of it is read
	}
	body := bodies.Get().(*bytes.Buffer) //nolint:forcetypeassert // it holds nothing else
	defer bodies.Put(body)
	body.Reset()
	switch _, err := body.ReadFrom(r.Body); {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &unreadable{http.StatusRequestTimeout, errs.Timeout, "the body took too long to come"}
	case err != nil:
		return bad(http.StatusBadRequest, "the body could not be read")
	}
	defer g.Turn(body.Len())()
	if code, message := g.CheckJSON(body.Bytes()); message != "" {
		return nil, &unreadable{http.StatusBadRequest, code, message}
	}
	params, problem := parameters(body.Bytes())
	if problem != "" {
		return bad(http.StatusBadRequest, problem)
	}
	return params, nil
}

// parameters returns the parameters of an operation in a JSON object, or what is wrong with them. It reads the text
// once from front to back: reading a megabyte four times would be the largest cost of a request.
func parameters(text []byte) (*graphql.RawParams, string) {
	const noObject = "the parameters must be one JSON object"
	p := &graphql.RawParams{}
	var id string
	fields := map[string]struct {
		into any
		want string
	}{
		"query":         {&p.Query, "a string"},
		"operationName": {&p.OperationName, "a string"},
		documentID:      {&id, "a string"},
		"variables":     {&p.Variables, "an object"},
		"extensions":    {&p.Extensions, "an object"},
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil, noObject
	}
	wrong := ""
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, noObject
		}
		name, _ := token.(string) // the names of an object's members are texts
		field, ok := fields[name]
		if !ok {
			field.into = &json.RawMessage{}
		}
		mistyped := (*json.UnmarshalTypeError)(nil)
		if err := d.Decode(field.into); errors.As(err, &mistyped) {
			wrong = cmp.Or(wrong, name+" must be "+field.want)
		} else if err != nil {
			return nil, noObject
		}
	}
	if _, err := d.Token(); err != nil { // the brace at the end
		return nil, noObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, noObject
	}
	if wrong != "" {
		return nil, wrong
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

// complete puts the id of a document among the extensions, where every transport has it. It returns an error text if no
// document is named at all.
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
