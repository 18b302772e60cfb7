package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// chunk is the text of one YAML document, cut at the document markers, which YAML allows nowhere else at the beginning
// of a line. Each is parsed alone, so that a broken one costs no other.
type chunk struct {
	text  []byte
	line  int // of its first byte, from 1
	marks int // see Limits.Marks
	// directive is the line of a %TAG directive, or 0: many of them take quadratic time in go-yaml, and they are of no
	// use without custom tags.
	directive int
}

func chunks(content []byte) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		c, start, begun := chunk{line: 1}, 0, false
		cut := func(end, nextLine int) bool {
			c.text = content[start:end]
			more := !begun || yield(c)
			c, start, begun = chunk{line: nextLine}, end, false
			return more
		}
		line := 0
		for at := 0; at < len(content); {
			line++
			end := at + lineEnd(content[at:])
			text := bytes.TrimRight(content[at:end], "\r\n\u0085\u2028\u2029")
			switch {
			case marker(text, "---"):
				if begun && !cut(at, line) {
					return
				}
				// Text before the marker is dropped: it means nothing, and go-yaml refuses %YAML 1.2.
				c.line, start, begun = line, at, true
			case marker(text, "..."):
				if !cut(end, line+1) {
					return
				}
				at = end
				continue
			case bytes.HasPrefix(text, []byte("%TAG")):
				if c.directive == 0 {
					c.directive = line
				}
			case !begun && bytes.HasPrefix(text, []byte("%")): // %YAML, or one that YAML says to ignore
			default:
				t := bytes.TrimLeft(text, " \t")
				begun = begun || len(t) > 0 && t[0] != '#'
			}
			c.marks += marks(text) + 1
			at = end
		}
		cut(len(content), line)
	}
}

func marker(line []byte, mark string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(mark))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t')
}

// marks counts the bytes of a line that can begin a node.
func marks(line []byte) int {
	n := 0
	for i, b := range line {
		switch b {
		case ',', ':', '[', '{':
			n++
		case '-', '?':
			if i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t' {
				n++
			}
		}
	}
	return n
}

func yamlDocuments(file string, content []byte, limits Limits) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		for c := range chunks(content) {
			for d, err := range yamlChunk(file, c, limits) {
				if !yield(d, err) {
					return
				}
			}
		}
	}
}

// yamlChunk yields the one document of a chunk. It loops all the same, so that nothing is lost if the parser sees a
// marker that chunks did not.
func yamlChunk(file string, c chunk, limits Limits) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		if c.directive > 0 {
			yield(nil, rejected(file, c.directive, "%%TAG directives are not allowed"))
			return
		}
		if c.marks > limits.Marks {
			yield(nil, rejected(file, c.line, "the document holds %s places where a key or value may begin; the limit is %s", number(c.marks), number(limits.Marks)))
			return
		}
		lines := &lineReader{rest: c.text}
		decoder := yaml.NewDecoder(lines)
		for {
			tree, err := decode(decoder)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, brokenYAML(file, c, lines.read, err, limits))
				return
			}
			d := &Document{}
			b := &yamlBuilder{file: file, chunk: c, limits: limits, doc: d}
			root, p := b.node(tree.Content[0], 1)
			if p != nil {
				if !yield(nil, p) {
					return
				}
				continue
			}
			if root.Is(Null) && root.text == "" {
				continue // an empty document says nothing
			}
			d.Root, d.Origin = root, importer.Origin{File: file, Line: root.Line}
			if !yield(d, nil) {
				return
			}
		}
	}
}

// decode reads one document. The parser reports some defects of its own by a panic, which decode returns as an error.
func decode(decoder *yaml.Decoder) (tree *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: the parser gave up: %v", r)
		}
	}()
	tree = &yaml.Node{}
	if err := decoder.Decode(tree); err != nil {
		return nil, err
	}
	if tree.Kind != yaml.DocumentNode || len(tree.Content) != 1 {
		return nil, io.EOF
	}
	return tree, nil
}

// lineReader returns at most one line a call and counts them. The parser reads no further than it must, so the count
// tells where it gave up; its own line numbers tell where the broken map or list began.
type lineReader struct {
	rest []byte
	read int
	end  bool
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if !r.end {
			r.end = true
			r.read++ // looking past the last line counts like looking at the next
		}
		return 0, io.EOF
	}
	n := min(len(p), len(r.rest))
	if i := bytes.IndexByte(r.rest[:n], '\n'); i >= 0 {
		n = i + 1
	}
	copy(p, r.rest[:n])
	if n > 0 && (r.rest[n-1] == '\n' || n == len(r.rest)) {
		r.read++
	}
	r.rest = r.rest[n:]
	return n, nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func brokenYAML(file string, c chunk, read int, err error, limits Limits) *importer.Notice {
	line, reason := 1, err.Error()
	if m := yamlError.FindStringSubmatch(reason); m != nil {
		reason = m[2]
		stated, _ := strconv.Atoi(m[1])
		line = max(stated, 1)
		if strings.HasPrefix(reason, "did not find") {
			// The parser's lines are counted from 0 and may be those where the map begins. It has read one line past
			// the defect.
			line = max(stated+1, read-1)
		} else if m[1] == "" && strings.HasPrefix(reason, "unknown anchor") {
			line = read - 1
		}
	}
	line = c.line + max(line, 1) - 1
	switch {
	case strings.HasPrefix(reason, "exceeded max depth"):
		return tooDeep(file, line, limits)
	case strings.HasPrefix(reason, "unknown anchor"):
		return rejected(file, line, "aliases are not allowed: write the value out")
	}
	if at, text, ok := templateLine(c.text, c.line); ok {
		return unexpanded(file, at, text)
	}
	return rejected(file, line, "broken YAML: %s", reason)
}

// yamlBuilder turns a parsed tree into Nodes and refuses what is not allowed.
type yamlBuilder struct {
	file   string
	chunk  chunk
	limits Limits
	doc    *Document
	nodes  int
}

func (b *yamlBuilder) reject(y *yaml.Node, format string, args ...any) *importer.Notice {
	return rejected(b.file, b.line(y), format, args...)
}

func (b *yamlBuilder) line(y *yaml.Node) int { return b.chunk.line + max(y.Line, 1) - 1 }

func (b *yamlBuilder) node(y *yaml.Node, depth int) (*Node, *importer.Notice) {
	n := &Node{doc: b.doc, Line: b.line(y)}
	if b.nodes++; b.nodes > b.limits.Nodes {
		return nil, tooManyNodes(b.file, n.Line, b.limits)
	}
	if y.Anchor != "" || y.Kind == yaml.AliasNode { // an anchor always comes before its aliases
		return nil, b.reject(y, "aliases are not allowed, nor the anchors they point to: remove &%s", y.Anchor)
	}
	if (y.Kind == yaml.MappingNode || y.Kind == yaml.SequenceNode) && depth > b.limits.Depth {
		return nil, tooDeep(b.file, n.Line, b.limits)
	}
	tag := y.ShortTag()
	switch {
	case y.Kind == yaml.MappingNode && tag == "!!map":
		n.Kind = Map
		return n, b.fields(n, y, depth)
	case y.Kind == yaml.SequenceNode && tag == "!!seq":
		n.Kind = List
		for _, item := range y.Content {
			child, p := b.node(item, depth+1)
			if p != nil {
				return nil, p
			}
			n.items = append(n.items, child)
		}
		return n, nil
	case y.Kind == yaml.ScalarNode:
		return n, b.scalar(n, y, tag)
	}
	return nil, b.reject(y, "the tag %s is not allowed", Quote(y.Tag))
}

func (b *yamlBuilder) fields(n *Node, y *yaml.Node, depth int) *importer.Notice {
	seen := make(map[string]int, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, p := b.node(y.Content[i], depth+1)
		if p != nil {
			return p
		}
		if key.Is(List, Map) || key.Is(Null) && key.text == "" {
			if line, text, ok := templateLine(b.chunk.text, b.chunk.line); ok {
				return unexpanded(b.file, line, text)
			}
			return b.reject(y.Content[i], "a key is %s; text is expected", key.Kind)
		}
		if first, ok := seen[key.text]; ok {
			return duplicateKey(b.file, key, first)
		}
		seen[key.text] = key.Line
		item, p := b.node(y.Content[i+1], depth+1)
		if p != nil {
			return p
		}
		n.keys, n.items = append(n.keys, key), append(n.items, item)
	}
	return nil
}

func (b *yamlBuilder) scalar(n *Node, y *yaml.Node, tag string) *importer.Notice {
	n.Kind, n.text, n.value = Text, y.Value, y.Value
	switch tag {
	case "!!str", "!!timestamp":
		return nil
	case "!!merge":
		return b.reject(y, "aliases are not allowed, nor the merge key << that needs them")
	case "!!null":
		n.Kind, n.value = Null, nil
		return nil
	case "!!bool", "!!int", "!!float":
	default:
		return b.reject(y, "the tag %s is not allowed", Quote(y.Tag))
	}
	var v any
	if err := y.Decode(&v); err != nil {
		return b.reject(y, "%s does not fit its tag %s", Quote(y.Value), tag)
	}
	switch v := v.(type) {
	case bool:
		n.Kind, n.value = Bool, v
	case int:
		n.Kind, n.value = Number, int64(v)
	case int64:
		n.Kind, n.value = Number, v
	case uint64:
		n.Kind, n.value = Number, float64(v)
	case float64:
		n.Kind = Number
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			n.value = v
		}
	}
	return nil
}
