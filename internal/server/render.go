package server

import (
	"bytes"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
)

// render returns an answer as JSON. Its data was rendered by the executor and is copied as it is: encoding/json would
// read all of it again. An operation that did not run has no data, as the specification says of request errors.
func render(r *graphql.Response) ([]byte, error) {
	if r == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	b.Grow(len(r.Data) + 512)
	separator := ""
	member := func(name string, text []byte) {
		b.WriteString(separator + `"` + name + `":`)
		b.Write(text)
		separator = ","
	}
	b.WriteByte('{')
	if len(r.Errors) > 0 {
		text, err := json.Marshal(r.Errors)
		if err != nil {
			return nil, err
		}
		member("errors", text)
	}
	if r.Data != nil {
		member("data", r.Data)
	}
	if len(r.Extensions) > 0 {
		text, err := json.Marshal(r.Extensions)
		if err != nil {
			return nil, err
		}
		member("extensions", text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
