// Package schema holds the GraphQL contract: hand-written SDL, one file per concept. It is the product's public
// face; tables may change under it, it may not break.
package schema

import (
	"bytes"
	"embed"
	"io/fs"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

//go:embed *.graphql
var files embed.FS

// SDL returns the contract as one document, each type in one piece: relay-compiler reads no extension of a type that
// comes later.
func SDL() ([]byte, error) {
	contract, err := load()
	if err != nil {
		return nil, err
	}
	return document(contract), nil
}

func load() (*ast.Schema, error) {
	names, err := fs.Glob(files, "*.graphql")
	if err != nil {
		return nil, err
	}
	sources := make([]*ast.Source, len(names))
	for i, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sources[i] = &ast.Source{Name: name, Input: string(text)}
	}
	return gqlparser.LoadSchema(sources...)
}

func document(contract *ast.Schema) []byte {
	var text bytes.Buffer
	formatter.NewFormatter(&text, formatter.WithIndent("  ")).FormatSchema(contract)
	return text.Bytes()
}
