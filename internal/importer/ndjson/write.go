package ndjson

import (
	"encoding/json"
	"io"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// Writer writes lines that a Source reads.
type Writer struct {
	lines *json.Encoder
	rows  int
}

// NewWriter begins a run.
func NewWriter(w io.Writer, run Run) (*Writer, error) {
	of := &Writer{lines: json.NewEncoder(w)}
	of.lines.SetEscapeHTML(false)
	return of, of.lines.Encode(struct {
		Run Run `json:"run"`
	}{run})
}

// Row writes a record.
func (w *Writer) Row(r importer.Row) error {
	w.rows++
	return w.lines.Encode(r)
}

// End says that the lines are whole.
func (w *Writer) End() error {
	return w.lines.Encode(struct {
		End end `json:"end"`
	}{end{w.rows}})
}
