package document

import (
	"bytes"
	"regexp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

var (
	// placeholder matches ${{ … }} and {{ … }} of Backstage and Jinja, and {{ … }} of Helm.
	placeholder = regexp.MustCompile(`(?s)\$?\{\{.*?\}\}`)
	// templating matches the mark of a template in a text that no YAML parser understands: also {% … %} and an unclosed
	// action.
	templating = regexp.MustCompile(`\$?\{\{|\{%`)
)

// Unexpanded returns a notice for the first template placeholder in any of the nodes, keys included. If there is none,
// it returns nil. Sources pass the values that identify a thing, not free text, in which braces are allowed.
func (d *Document) Unexpanded(nodes ...*Node) *importer.Notice {
	for _, n := range nodes {
		if found := n.placeholder(); found != nil {
			return unexpanded(d.Origin.File, found.Line, found.text)
		}
	}
	return nil
}

func (n *Node) placeholder() *Node {
	if n == nil {
		return nil
	}
	if n.Is(Text) && placeholder.MatchString(n.text) {
		return n
	}
	for i, item := range n.items {
		if n.Is(Map) {
			if found := n.keys[i].placeholder(); found != nil {
				return found
			}
		}
		if found := item.placeholder(); found != nil {
			return found
		}
	}
	return nil
}

// unexpanded names the placeholder alone: the text around it may be a password.
func unexpanded(file string, line int, text string) *importer.Notice {
	if found := placeholder.FindString(text); found != "" {
		text = found
	} else if at := templating.FindStringIndex(text); at != nil {
		text = text[at[0]:]
	}
	return rejected(file, line, "an unexpanded template: %s; expand it and import the result, or leave this file out", Quote(text))
}

// templateLine finds the line that makes a text a template. The text starts on line first and could not be read.
func templateLine(text []byte, first int) (line int, content string, found bool) {
	at := templating.FindIndex(text)
	if at == nil {
		return 0, "", false
	}
	line = lineAt(text, at[0])
	for i := 1; i < line; i++ {
		text = text[lineEnd(text):]
	}
	return first + line - 1, string(bytes.TrimSpace(text[:lineEnd(text)])), true
}
