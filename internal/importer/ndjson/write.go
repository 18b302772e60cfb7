package ndjson

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// Writer writes lines that a Source reads.
type Writer struct {
	w    io.Writer
	rows int
}

// NewWriter begins a run.
func NewWriter(w io.Writer, run Run) (*Writer, error) {
	of := &Writer{w: w}
	return of, of.line(line{Run: &run})
}

// Row writes a record.
func (w *Writer) Row(r importer.Row) error {
	w.rows++
	return w.line(lineOf(r))
}

// End says that the lines are whole.
func (w *Writer) End() error { return w.line(line{End: &end{w.rows}}) }

// told writes a record with the place that it comes from, and what is noted about it.
func (w *Writer) told(r importer.Row) error {
	w.rows++
	l := lineOf(r)
	l.Origin = &r.Origin
	if r.Deleted == "" {
		l.Notices = r.Notices
	}
	return w.line(l)
}

func lineOf(r importer.Row) line {
	l := line{CI: r.CI, Team: r.Team, Person: r.Person}
	if r.Deleted != "" {
		l.Delete = &r.Deleted
	}
	return l
}

// line writes a line, unless it is one that nobody would read.
func (w *Writer) line(l line) error {
	if err := l.check(); err != nil {
		return fmt.Errorf("%s: the row cannot be sent: %w", l.at(), err)
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return err
	}
	if text.Len() > LongestLine {
		return fmt.Errorf("%s: the row has %d bytes as JSON, and at most %d may be sent", l.at(), text.Len(), LongestLine)
	}
	_, err := w.w.Write(text.Bytes())
	return err
}

// at returns where a line comes from.
func (l line) at() (at importer.Origin) {
	switch {
	case l.Origin != nil:
		at = *l.Origin
	case l.Notice != nil:
		at = l.Notice.Origin
	}
	return at
}

// Write writes what a source has as a stream, which New reads as the same rows and notices from the same places. It
// calls progress after each row.
func Write(ctx context.Context, to io.Writer, run Run, from importer.Source, progress func(rows int)) error {
	w, err := NewWriter(to, run)
	if err != nil {
		return err
	}
	for row, err := range from.Rows(ctx) {
		var notice *importer.Notice
		switch {
		case errors.As(err, &notice):
			err = w.line(line{Notice: notice})
		case err == nil:
			err = w.told(row)
		}
		if err != nil {
			return err
		}
		progress(w.rows)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.End()
}
