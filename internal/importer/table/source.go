package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// Source reads tables by a mapping.
type Source struct {
	mapping *Mapping
	// begin lists the tables, and returns what to do when they have been read. Tables of relationships come first.
	begin func(context.Context) ([]input, func() error, error)
}

// input is a table and the part of the mapping that is for it.
type input struct {
	name string
	of   *Mapping
	open func(context.Context) (reader, error)
}

// New returns a source of files, CSV or XLSX by what they hold. If the mapping has several parts, each is for the files
// that it names.
func New(m *Mapping, files []string) *Source {
	return &Source{m, func(context.Context) ([]input, func() error, error) {
		var related, records []input
		for _, of := range m.parts {
			if of.query != "" {
				return nil, nil, rejected(m.file, of.line, "a query reads a database: linchpin import sql --mapping %s", m.file)
			}
		}
		for _, file := range files {
			if _, err := os.Stat(file); err != nil {
				return nil, nil, notThere(file, err)
			}
			of := m.partFor(filepath.Base(file))
			next := input{file, of, func(context.Context) (reader, error) {
				if of == nil {
					return nil, rejected(file, 0, "no part of %s is for a file of this name: its parts say files: PATTERN", m.file)
				}
				return open(file, of.format)
			}}
			if of != nil && of.relation != nil {
				related = append(related, next)
			} else {
				records = append(records, next)
			}
		}
		return append(related, records...), func() error { return nil }, nil
	}}
}

// Name returns the source that the mapping names.
func (s *Source) Name() string { return s.mapping.Source }

// Rows yields the rows of all tables as they are read; of them it holds only relationships that have a table of their
// own. A row with a mistake in a column that the mapping names is left out with a notice. So is a table that cannot be
// read on, or lacks such a column.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		inputs, end, err := s.begin(ctx)
		if err != nil {
			yield(importer.Row{}, err)
			return
		}
		r := &relating{by: map[string][]importer.Relationship{}}
		for _, in := range inputs {
			for made, err := range in.rows(ctx, r) {
				if err == nil {
					r.add(&made)
				}
				if !yield(made, err) {
					_ = end()
					return
				}
				if notice := (*importer.Notice)(nil); err != nil && !errors.As(err, &notice) {
					_ = end()
					return
				}
			}
		}
		if err := end(); err != nil {
			yield(importer.Row{}, err)
			return
		}
		for _, n := range r.notices() {
			if !yield(importer.Row{Origin: n.Origin}, n) {
				return
			}
		}
	}
}

func (in input) rows(ctx context.Context, related *relating) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		r, err := in.open(ctx)
		if err != nil {
			yield(importer.Row{}, err)
			return
		}
		defer func() { _ = r.close() }()
		bound, notices, err := in.of.bind(in.name, r)
		for _, n := range notices {
			if !yield(importer.Row{}, n) {
				return
			}
		}
		if err != nil {
			yield(importer.Row{}, err)
			return
		}
		for n := 0; ; n++ {
			if n%1000 == 0 && ctx.Err() != nil {
				yield(importer.Row{}, ctx.Err())
				return
			}
			line, err := r.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(importer.Row{}, err)
				return
			}
			if bound.relation != nil {
				if wrong := related.row(bound, line); wrong != nil && !yield(importer.Row{}, wrong) {
					return
				}
				continue
			}
			if class, ok := bound.passesOver(line); ok {
				related.pass(in.name, class)
				continue
			}
			if !yield(bound.row(line)) {
				return
			}
		}
	}
}

// Query is the query of a part of a mapping.
type Query struct {
	Text string
	// Order names columns of the result, of which no two rows have the same: pages follow one another by them. If it is
	// nil, the result is read at once.
	Order []string
	Name  string // as origins call it
}

// Cell is what stands in a column of a query's result.
type Cell struct {
	Text             string
	IsNumber, IsDate bool
	Wrong            string // why it cannot be read; counts if the mapping names the column
}

// Result is the result of a query.
type Result interface {
	Columns() []string
	// Next returns the next row, and io.EOF after the last.
	Next() ([]Cell, error)
	Close() error
}

// NewOf returns a source of queries. Begin begins to read: it returns what runs a query, and what to call at the end.
func NewOf(m *Mapping, begin func(context.Context) (run func(context.Context, Query) (Result, error), end func() error, err error)) (*Source, error) {
	for _, of := range m.parts {
		if of.query == "" {
			return nil, rejected(m.file, of.line, "this part of the mapping has no query: write one, such as query: SELECT id, name FROM host")
		}
	}
	return &Source{m, func(ctx context.Context) ([]input, func() error, error) {
		run, end, err := begin(ctx)
		if err != nil {
			return nil, nil, err
		}
		var related, records []input
		for i, of := range m.parts {
			q := Query{of.query, of.order, m.file}
			if len(m.parts) > 1 {
				q.Name = fmt.Sprintf("%s, query %d", m.file, i+1)
			}
			next := input{q.Name, of, func(ctx context.Context) (reader, error) {
				result, err := run(ctx, q)
				if err != nil {
					return nil, err
				}
				return &resultReader{result: result}, nil
			}}
			if of.relation != nil {
				related = append(related, next)
			} else {
				records = append(records, next)
			}
		}
		return append(related, records...), end, nil
	}}, nil
}

// resultReader reads the result of a query as a table: its header is the names of the columns, and lines are numbers of
// rows.
type resultReader struct {
	result Result
	line   int
}

func (r *resultReader) next() (row, error) {
	if r.line == 0 {
		r.line = 1
		head := row{line: 0}
		for _, name := range r.result.Columns() {
			head.cells = append(head.cells, cell{text: name})
		}
		return head, nil
	}
	cells, err := r.result.Next()
	if err != nil {
		return row{}, err
	}
	made := row{line: r.line, cells: make([]cell, len(cells))}
	for i, c := range cells {
		made.cells[i] = cell{text: c.Text, wrong: c.Wrong, line: r.line, isNumber: c.IsNumber, isDate: c.IsDate}
		if len(c.Text) > longestCell {
			made.cells[i] = cell{line: r.line, wrong: fmt.Sprintf("the value is longer than %d KiB", longestCell>>10)}
		}
	}
	r.line++
	return made, nil
}

func (r *resultReader) close() error { return r.result.Close() }
