package server

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// What an error may take in an answer: names and values of the request stand in messages and paths.
const (
	messageLimit = 400
	stepLimit    = 64
)

// few keeps the errors of an answer few and short.
func few(list gqlerror.List, limit int) gqlerror.List {
	list = list[:min(len(list), limit)]
	for i, e := range list {
		list[i] = shortened(e)
	}
	return list
}

// shortened is an error whose message and path are no longer than a person reads.
func shortened(e *gqlerror.Error) *gqlerror.Error {
	short := *e
	short.Message = truncated(e.Message, messageLimit)
	short.Path = nil
	for _, step := range e.Path {
		if name, ok := step.(ast.PathName); ok {
			step = ast.PathName(truncated(string(name), stepLimit))
		}
		short.Path = append(short.Path, step)
	}
	return &short
}

// truncated is the beginning of a text, in whole characters.
func truncated(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
