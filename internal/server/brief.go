package server

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The size of an error in an answer is bounded: messages and paths hold names and values of the request.
const (
	messageLimit = 400
	stepLimit    = 64
)

// few returns the first errors of a list, shortened.
func few(list gqlerror.List, limit int) gqlerror.List {
	list = list[:min(len(list), limit)]
	for i, e := range list {
		list[i] = shortened(e)
	}
	return list
}

// shortened returns an error with a message and a path that a person can read.
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

// truncated returns the beginning of a text, in whole characters.
func truncated(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
