// Package table reads CSV files and Excel workbooks by a mapping, which says what each column means: a row of the table
// becomes a CI. It takes what the mapping names and nothing else, guesses no encoding and no type, and names the cell
// of each mistake. Numbers stay text, so that leading zeros and long serial numbers are kept.
package table

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// The limits of a table.
const (
	mostColumns = 1_000
	longestCell = 64 << 10 // bytes
	longestRow  = 1 << 20  // bytes, so that a quote that is never closed does not read the file into memory
)

// cell is what stands in one place of a table.
type cell struct {
	text string
	// wrong says why the cell cannot be read. It counts if the mapping names the column.
	wrong string
	line  int // of the cell, which in CSV may be another than its row's
	// Only workbooks say these of a cell.
	isNumber, isDate, isMerged bool
}

// row is a line of a table.
type row struct {
	line  int
	cells []cell
	wrong string // why the row as a whole cannot be read
}

func (r row) isEmpty() bool {
	return r.wrong == "" && !slices.ContainsFunc(r.cells, func(c cell) bool { return c.text != "" || c.wrong != "" && !c.isMerged })
}

// reader reads a table row by row.
type reader interface {
	// next returns the next row that holds anything, the header first, and io.EOF after the last. The cells are valid
	// until the next call. Any error ends the file; if it is a *importer.Notice, other files can be read all the same.
	next() (row, error)
	close() error
}

// rejected returns the notice that a file, or what follows of it, is left out.
func rejected(file string, line int, format string, args ...any) *importer.Notice {
	return &importer.Notice{Origin: importer.Origin{File: file, Line: line}, Kind: importer.Rejected, Reason: fmt.Sprintf(format, args...)}
}

// binding is a mapping on its way through one file.
type binding struct {
	*Mapping
	file   string
	places map[string]int // of the columns that the mapping names
}

// bind reads the header, and finds the columns that the mapping names. If one is missing or stands there twice, the
// file is refused.
func (m *Mapping) bind(file string, r reader) (*binding, []*importer.Notice, error) {
	head, names, err := header(file, r)
	if err != nil {
		return nil, nil, err
	}
	b := &binding{Mapping: m, file: file, places: map[string]int{}}
	what := "file"
	if m.query != "" {
		what = "query"
	}
	var wrong []string
	for _, used := range m.columns {
		switch first := slices.Index(names, used.name); {
		case first < 0 && used.isOptional:
		case first < 0:
			wrong = append(wrong, fmt.Sprintf("the %s has no column %q, which %s:%d names%s", what, used.name, m.file, used.line, nearestOf(used.name, names)))
		case slices.Contains(names[first+1:], used.name):
			wrong = append(wrong, fmt.Sprintf("the %s has two columns %q, of which %s:%d names one: give them different names", what, used.name, m.file, used.line))
		case head.cells[first].wrong != "":
			wrong = append(wrong, head.cells[first].wrong)
		default:
			b.places[used.name] = first
		}
	}
	if wrong != nil {
		return nil, nil, rejected(file, head.line, "%s", strings.Join(wrong, "; "))
	}
	var other []string
	for i, name := range names {
		if _, ok := b.places[name]; !ok && name != "" {
			other = append(other, fmt.Sprintf("%q", name))
		} else if name == "" {
			other = append(other, columnName(i))
		}
	}
	if other == nil {
		return b, nil, nil
	}
	note := rejected(file, head.line, "columns that the mapping does not name, and that were not read: %s", enumerate(other, 40))
	note.Kind = importer.Warning
	return b, []*importer.Notice{note}, nil
}

// header reads the header, and returns the names of its columns with white space made even.
func header(file string, r reader) (row, []string, error) {
	head, err := r.next()
	if errors.Is(err, io.EOF) {
		return head, nil, rejected(file, 0, "the file is empty: a line with the names of the columns is expected")
	}
	if err != nil {
		return head, nil, err
	}
	if head.wrong != "" {
		return head, nil, rejected(file, head.line, "%s", head.wrong)
	}
	if n := len(head.cells); n > mostColumns {
		return head, nil, rejected(file, head.line, "the table has %d columns: at most %d", n, mostColumns)
	}
	names := make([]string, len(head.cells))
	for i, c := range head.cells {
		names[i] = even(c.text)
	}
	head.cells = slices.Clone(head.cells)
	return head, names, nil
}

// even returns a text with each run of white space, line breaks too, as one space.
func even(s string) string { return strings.Join(strings.Fields(s), " ") }

// columnName returns the letters by which spreadsheets call a column: A for 0, AA for 26.
func columnName(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}
