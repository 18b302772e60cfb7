package document

import (
	"fmt"
	"iter"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// Kind is the shape of a Node.
type Kind int

// The kinds. Missing is the kind of a nil Node.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	Text
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"nothing", "null", "a true or false", "a number", "text", "a list", "a map"}[k]
}

// Node is one value of a document. Every method works on nil, which stands for a missing value. A value of an
// unexpected shape reads as missing and adds one notice to the document; it never causes a panic.
type Node struct {
	Kind Kind
	Line int // from 1

	doc   *Document
	text  string // a scalar as written
	value any    // a scalar as JSON has it: nil, bool, int64, float64 or string
	items []*Node
	keys  []*Node // parallel to items, for a map
}

// At returns the value under a path of keys. If there is none, it returns nil.
func (n *Node) At(path ...string) *Node {
	for i, key := range path {
		if n.Is(Missing, Null) {
			return nil
		}
		if n.Kind != Map {
			n.expected(Map, path[:i])
			return nil
		}
		n = n.field(key)
	}
	return n
}

// field returns the value under a key of a map, or nil.
func (n *Node) field(key string) *Node {
	for i, k := range n.keys {
		if k.text == key {
			return n.items[i]
		}
	}
	return nil
}

// Key is a key of a map, as it was written: null and numbers are text too.
type Key struct {
	Text string
	Line int
}

// Keys returns the keys of a map, in the order in which they were written. If the node is no map, it returns nil.
func (n *Node) Keys() []Key {
	if !n.Is(Map) {
		return nil
	}
	all := make([]Key, len(n.keys))
	for i, k := range n.keys {
		all[i] = Key{k.text, k.Line}
	}
	return all
}

// Is reports whether the node is of one of the kinds.
func (n *Node) Is(kinds ...Kind) bool {
	have := Missing
	if n != nil {
		have = n.Kind
	}
	for _, k := range kinds {
		if k == have {
			return true
		}
	}
	return false
}

// Text returns the scalar at path as it was written ("1.10" stays "1.10"). If it is missing or null, it returns "".
func (n *Node) Text(path ...string) string {
	n = n.At(path...)
	switch {
	case n.Is(Missing, Null):
		return ""
	case n.Is(List, Map):
		n.expected(Text, path)
		return ""
	}
	return n.text
}

// List returns the items of the list at path.
func (n *Node) List(path ...string) []*Node {
	n = n.At(path...)
	switch {
	case n.Is(Missing, Null):
		return nil
	case !n.Is(List):
		n.expected(List, path)
		return nil
	}
	return n.items
}

// Texts returns the scalars of the list at path. Null items are left out.
func (n *Node) Texts(path ...string) []*Node {
	var texts []*Node
	for _, item := range n.List(path...) {
		switch {
		case item.Is(List, Map):
			item.expected(Text, path)
		case !item.Is(Null):
			texts = append(texts, item)
		}
	}
	return texts
}

// Map yields the keys and values of the map at path, in the order in which they were written.
func (n *Node) Map(path ...string) iter.Seq2[string, *Node] {
	n = n.At(path...)
	return func(yield func(string, *Node) bool) {
		switch {
		case n.Is(Missing, Null):
			return
		case !n.Is(Map):
			n.expected(Map, path)
			return
		}
		for i, k := range n.keys {
			if !yield(k.text, n.items[i]) {
				return
			}
		}
	}
}

// TextMap returns the map at path with scalars as values. If it is missing, TextMap returns nil.
func (n *Node) TextMap(path ...string) map[string]string {
	var m map[string]string
	for k, v := range n.Map(path...) {
		if v.Is(List, Map) {
			v.expected(Text, append(append([]string(nil), path...), k))
			continue
		}
		if m == nil {
			m = map[string]string{}
		}
		m[k] = v.text
		if v.Is(Null) {
			m[k] = ""
		}
	}
	return m
}

// Int returns the whole number at path. If it is missing, Int returns false; if it is no whole number, Int adds a
// notice too.
func (n *Node) Int(path ...string) (int64, bool) {
	n = n.At(path...)
	if n.Is(Missing, Null) {
		return 0, false
	}
	if i, ok := n.value.(int64); ok {
		return i, true
	}
	n.Note("%s is %s; a whole number of at most 64 bits is expected", name(path), n.show())
	return 0, false
}

// Value returns the node as encoding/json would decode it, with int64 for whole numbers that fit and text for numbers
// that JSON cannot express (infinities, numbers past float64).
func (n *Node) Value() any {
	switch {
	case n.Is(Missing):
		return nil
	case n.Is(List):
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.Value()
		}
		return list
	case n.Is(Map):
		m := make(map[string]any, len(n.items))
		for i, k := range n.keys {
			m[k.text] = n.items[i].Value()
		}
		return m
	}
	return n.value
}

// Note adds a Warning about this value to the document's notices.
func (n *Node) Note(format string, args ...any) {
	if n == nil || n.doc == nil {
		return
	}
	p := importer.Notice{Origin: n.doc.At(n.Line), Kind: importer.Warning, Reason: fmt.Sprintf(format, args...)}
	for _, had := range n.doc.notices {
		if had == p {
			return
		}
	}
	const most = 100 // the first hundred are enough for a document of a million mistakes
	if len(n.doc.notices) < most {
		n.doc.notices = append(n.doc.notices, p)
	}
}

func (n *Node) expected(k Kind, path []string) {
	n.Note("%s is %s; %s is expected, so it was left out", name(path), n.Kind, k)
}

func (n *Node) show() string {
	if n.Is(Bool, Number, Text) {
		return Quote(n.text)
	}
	return n.Kind.String()
}

func name(path []string) string {
	if len(path) == 0 {
		return "the value"
	}
	return strings.Join(path, ".")
}
