// Package document reads YAML and JSON files that strangers wrote, one document at a time with the line it begins on.
// It refuses harmful content (aliases, duplicate keys, depth, size, binary content) by a Notice that names file and
// line, and never loses one document because of another.
package document

import (
	"bytes"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// Document is one YAML document or JSON value.
type Document struct {
	Origin  importer.Origin
	Root    *Node
	notices []importer.Notice
}

// TakeNotices returns the oddities found since the last call while reading the document's values, such as a list where
// a map is expected. Each is a Warning without an external id.
func (d *Document) TakeNotices() []importer.Notice {
	n := d.notices
	d.notices = nil
	return n
}

// At returns the origin of a line of the document's file.
func (d *Document) At(line int) importer.Origin {
	return importer.Origin{File: d.Origin.File, Line: line}
}

// Parse yields the documents of one file's content. Errors are *importer.Notice of kind Rejected, and the documents
// after the broken one follow, except in JSON, where nothing can be found after a broken value. A file whose name ends
// in .json is read as JSON, any other as YAML.
func Parse(file string, content []byte, limits Limits) iter.Seq2[*Document, error] {
	limits = limits.orDefault()
	return func(yield func(*Document, error) bool) {
		if int64(len(content)) > limits.FileBytes {
			yield(nil, tooLarge(file, int64(len(content)), limits))
			return
		}
		content = bytes.TrimPrefix(content, []byte("\ufeff"))
		if p := binary(file, content); p != nil {
			yield(nil, p)
			return
		}
		documents := yamlDocuments
		if strings.EqualFold(filepath.Ext(file), ".json") {
			documents = jsonDocuments
		}
		n := 0
		for d, err := range documents(file, content, limits) {
			if n++; n > limits.Documents {
				line := 1
				if d != nil {
					line = d.Origin.Line
				}
				yield(nil, rejected(file, line, "the file holds more than %s documents, which is the limit", number(limits.Documents)))
				return
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// binary returns the notice for content that is not UTF-8 text.
func binary(file string, content []byte) *importer.Notice {
	if i := bytes.IndexByte(content, 0); i >= 0 {
		return rejected(file, lineAt(content, i), "a NUL byte: this is a binary file or UTF-16; UTF-8 text is expected")
	}
	if utf8.Valid(content) {
		return nil
	}
	for i := 0; i < len(content); {
		r, size := utf8.DecodeRune(content[i:])
		if r == utf8.RuneError && size == 1 {
			return rejected(file, lineAt(content, i), "the byte 0x%02X is no UTF-8 text: this is a binary file or another encoding; UTF-8 is expected", content[i])
		}
		i += size
	}
	return nil
}

func tooLarge(file string, size int64, limits Limits) *importer.Notice {
	return rejected(file, 1, "the file is %s and nothing of it was read; the limit is %s", bytesText(size), bytesText(limits.FileBytes))
}

func rejected(file string, line int, format string, args ...any) *importer.Notice {
	return &importer.Notice{Origin: importer.Origin{File: file, Line: max(line, 1)}, Kind: importer.Rejected, Reason: fmt.Sprintf(format, args...)}
}

// lineAt returns the number, from 1, of the line that holds byte i.
func lineAt(content []byte, i int) int {
	line := 1
	for at := 0; ; line++ {
		next := at + lineEnd(content[at:])
		if i < next || next >= len(content) {
			return line
		}
		at = next
	}
}

// lineEnd returns the length of the first line with its break. It knows the line breaks of go-yaml, so that line
// numbers and the places of "---" are the same.
func lineEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\n':
			return i + 1
		case '\r':
			if i+1 < len(b) && b[i+1] == '\n' {
				return i + 2
			}
			return i + 1
		case 0xC2: // U+0085 next line
			if i+1 < len(b) && b[i+1] == 0x85 {
				return i + 2
			}
		case 0xE2: // U+2028 line separator, U+2029 paragraph separator
			if i+2 < len(b) && b[i+1] == 0x80 && (b[i+2] == 0xA8 || b[i+2] == 0xA9) {
				return i + 3
			}
		}
	}
	return len(b)
}

// Quote returns text from a document fit for a message: one line, no control characters, cut at 60 characters.
func Quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	default:
		return number(int(n)) + " bytes"
	}
}
