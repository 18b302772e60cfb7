package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"math"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// jsonDocuments yields the values of a JSON file, token by token, so that limits hold while it is read.
func jsonDocuments(file string, content []byte, limits Limits) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		r := &jsonReader{file: file, content: content, limits: limits, dec: json.NewDecoder(bytes.NewReader(content)), line: 1}
		r.dec.UseNumber()
		for {
			token, err := r.dec.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, r.broken(err))
				return
			}
			d := &Document{Origin: importer.Origin{File: file, Line: r.here()}}
			r.doc, r.nodes = d, 0
			root, p := r.value(token, 1)
			if p != nil {
				yield(nil, p)
				return
			}
			d.Root = root
			if !yield(d, nil) {
				return
			}
		}
	}
}

type jsonReader struct {
	file    string
	content []byte
	limits  Limits
	dec     *json.Decoder
	doc     *Document
	nodes   int
	line    int   // the line of byte at
	at      int64 // as far as lines have been counted
}

// here returns the line of the token read last.
func (r *jsonReader) here() int {
	to := r.dec.InputOffset()
	r.line += bytes.Count(r.content[r.at:to], []byte{'\n'})
	r.at = to
	return r.line
}

func (r *jsonReader) value(token json.Token, depth int) (*Node, *importer.Notice) {
	n := &Node{doc: r.doc, Line: r.here()}
	if r.nodes++; r.nodes > r.limits.Nodes {
		return nil, tooManyNodes(r.file, n.Line, r.limits)
	}
	switch t := token.(type) {
	case nil:
		n.Kind = Null
	case bool:
		n.Kind, n.text, n.value = Bool, strconv.FormatBool(t), t
	case string:
		n.Kind, n.text, n.value = Text, t, t
	case json.Number:
		n.Kind, n.text = Number, t.String()
		n.value = numberValue(t.String())
	case json.Delim:
		if depth > r.limits.Depth {
			return nil, tooDeep(r.file, n.Line, r.limits)
		}
		if t == '[' {
			n.Kind = List
			return n, r.list(n, depth)
		}
		n.Kind = Map
		return n, r.object(n, depth)
	}
	return n, nil
}

func (r *jsonReader) list(n *Node, depth int) *importer.Notice {
	for {
		token, err := r.dec.Token()
		if err != nil {
			return r.broken(err)
		}
		if token == json.Delim(']') {
			return nil
		}
		item, p := r.value(token, depth+1)
		if p != nil {
			return p
		}
		n.items = append(n.items, item)
	}
}

func (r *jsonReader) object(n *Node, depth int) *importer.Notice {
	seen := map[string]int{}
	for {
		token, err := r.dec.Token()
		if err != nil {
			return r.broken(err)
		}
		if token == json.Delim('}') {
			return nil
		}
		key, p := r.value(token, depth+1)
		if p != nil {
			return p
		}
		if first, ok := seen[key.text]; ok {
			return duplicateKey(r.file, key, first)
		}
		seen[key.text] = key.Line
		if token, err = r.dec.Token(); err != nil {
			return r.broken(err)
		}
		item, p := r.value(token, depth+1)
		if p != nil {
			return p
		}
		n.keys, n.items = append(n.keys, key), append(n.items, item)
	}
}

func (r *jsonReader) broken(err error) *importer.Notice {
	if line, text, ok := templateLine(r.content, 1); ok {
		return unexpanded(r.file, line, text)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return rejected(r.file, lineAt(r.content, len(r.content)), "broken JSON: the file ends in the middle of a value")
	}
	// The offset of a SyntaxError counts from the token, not from the file: the text after the last good token is
	// broken.
	at := int(r.dec.InputOffset())
	at += len(r.content[at:]) - len(bytes.TrimLeft(r.content[at:], " \t\r\n,:"))
	return rejected(r.file, lineAt(r.content, at), "broken JSON: %v", err)
}

// numberValue returns a number as JSON can carry it, or else its text.
func numberValue(s string) any {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		return f
	}
	return s
}

func tooManyNodes(file string, line int, limits Limits) *importer.Notice {
	return rejected(file, line, "the document holds more than %s keys and values, which is the limit", number(limits.Nodes))
}

func tooDeep(file string, line int, limits Limits) *importer.Notice {
	return rejected(file, line, "lists and maps are nested too deep; the limit is %d levels", limits.Depth)
}

func duplicateKey(file string, key *Node, first int) *importer.Notice {
	return rejected(file, key.Line, "the key %s stands twice in one map, first on line %d; a key must be unique", Quote(key.text), first)
}
