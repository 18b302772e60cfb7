package server

import (
	"bytes"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
)

// render is an answer as JSON. Its data was rendered when it was answered and is copied as it is: encoding/json would read
// all of it again.
func render(r *graphql.Response) ([]byte, error) {
	if r == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	b.Grow(len(r.Data) + 512)
	member := func(name string, value any) error {
		text, err := json.Marshal(value)
		b.WriteString(name)
		b.Write(text)
		return err
	}
	b.WriteByte('{')
	if len(r.Errors) > 0 {
		if err := member(`"errors":`, r.Errors); err != nil {
			return nil, err
		}
		b.WriteByte(',')
	}
	b.WriteString(`"data":`)
	if r.Data == nil {
		b.WriteString("null")
	}
	b.Write(r.Data)
	if len(r.Extensions) > 0 {
		if err := member(`,"extensions":`, r.Extensions); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
