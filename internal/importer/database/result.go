package database

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/linchpin-cmdb/linchpin/internal/importer/table"
)

// result is the result of a query, read at once or page by page.
type result struct {
	in     *reading
	ctx    context.Context
	cancel context.CancelFunc // of the statement that is being read
	query  table.Query

	statement *sql.Stmt
	rows      *sql.Rows
	columns   []string
	types     []*sql.ColumnType
	order     []int // the places of the columns that pages follow one another by
	values    []any
	last      []any // what stood there in the row before
	read      int   // rows of this page
}

// page begins to read, after the row whose values of the order are given.
func (r *result) page(after []any) (err error) {
	r.stop()
	ctx := r.ctx
	if r.in.timeout > 0 {
		ctx, r.cancel = context.WithTimeout(r.ctx, r.in.timeout)
	}
	text := r.query.Text
	if r.query.Order != nil {
		if after == nil {
			if err := r.whole(ctx); err != nil {
				return err
			}
		}
		text = r.paged(after)
	}
	// A statement that is prepared is one statement.
	if r.statement, err = r.in.tx.PrepareContext(ctx, text); err != nil {
		return err
	}
	if r.rows, err = r.statement.QueryContext(ctx, after...); err != nil { //nolint:rowserrcheck // Next checks it
		return err
	}
	if r.columns != nil {
		return nil
	}
	if r.columns, err = r.rows.Columns(); err != nil {
		return err
	}
	if r.types, err = r.rows.ColumnTypes(); err != nil {
		return err
	}
	for _, name := range r.query.Order {
		at := slices.Index(r.columns, name)
		if at < 0 {
			return fmt.Errorf("order names %q, and the query has the columns %s", name, strings.Join(r.columns, ", "))
		}
		r.order = append(r.order, at)
	}
	r.values = make([]any, len(r.columns))
	return nil
}

// whole returns an error if a row has NULL in the order: no page would have it.
func (r *result) whole(ctx context.Context) error {
	for _, name := range r.query.Order {
		var n int
		err := r.in.tx.QueryRowContext(ctx, fmt.Sprintf("SELECT 1 FROM (%s\n) AS page WHERE %s IS NULL LIMIT 1", r.query.Text, quoted(name))).Scan(&n)
		switch {
		case err == nil:
			return fmt.Errorf("order names %q, which is NULL in a row: name columns that never are", name)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
	}
	return nil
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// paged returns the statement of a page.
func (r *result) paged(after []any) string {
	names, places := make([]string, len(r.query.Order)), make([]string, len(r.query.Order))
	for i, name := range r.query.Order {
		names[i], places[i] = quoted(name), fmt.Sprintf("$%d", i+1)
	}
	where, by := "", strings.Join(names, ", ")
	if after != nil {
		where = fmt.Sprintf(" WHERE (%s) > (%s)", by, strings.Join(places, ", "))
	}
	return fmt.Sprintf("SELECT * FROM (%s\n) AS page%s ORDER BY %s LIMIT %d", r.query.Text, where, by, pageRows)
}

// Columns returns the names of the columns.
func (r *result) Columns() []string { return r.columns }

// Next returns the next row.
func (r *result) Next() ([]table.Cell, error) {
	for !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return nil, r.wrong(err)
		}
		if r.query.Order == nil || r.read < pageRows {
			return nil, io.EOF
		}
		if err := r.page(r.last); err != nil {
			return nil, r.wrong(err)
		}
		r.read = 0
	}
	r.read++
	pointers := make([]any, len(r.values))
	for i := range r.values {
		r.values[i], pointers[i] = nil, &r.values[i]
	}
	if err := r.rows.Scan(pointers...); err != nil {
		return nil, r.wrong(err)
	}
	if err := r.follow(); err != nil {
		return nil, r.wrong(err)
	}
	cells := make([]table.Cell, len(r.values))
	for i, v := range r.values {
		cells[i] = cellOf(v, r.types[i].DatabaseTypeName())
	}
	return cells, nil
}

// follow notes where the row stands in the order, which has to tell rows apart: rows between pages would be lost.
func (r *result) follow() error {
	if r.order == nil {
		return nil
	}
	at := make([]any, len(r.order))
	for i, place := range r.order {
		switch v := r.values[place].(type) {
		case []byte:
			at[i] = string(v)
		case int64, string, bool:
			at[i] = v
		case time.Time:
			if at[i] = v; !r.in.isPostgres {
				return fmt.Errorf("order names %q, which is a time: name columns of texts or whole numbers", r.columns[place])
			}
		default:
			return fmt.Errorf("order names %q, which is no text or whole number", r.columns[place])
		}
	}
	if r.last != nil && reflect.DeepEqual(r.last, at) {
		return fmt.Errorf("order names %s, and two rows have the same there (%v): name columns of which no two rows have the same", strings.Join(r.query.Order, ", "), at)
	}
	r.last = at
	return nil
}

func (r *result) wrong(err error) error {
	return fmt.Errorf("%s: %w", r.query.Name, r.in.told(err))
}

// stop ends the statement that is being read.
func (r *result) stop() {
	if r.rows != nil {
		_ = r.rows.Close()
	}
	if r.statement != nil {
		_ = r.statement.Close()
	}
	if r.cancel != nil {
		r.cancel()
	}
	r.rows, r.statement, r.cancel = nil, nil, nil
}

// Close ends the reading of the result.
func (r *result) Close() error {
	r.stop()
	return nil
}

// cellOf returns a value as a cell. NULL is an empty one.
func cellOf(v any, kind string) table.Cell {
	switch v := v.(type) {
	case nil:
		return table.Cell{}
	case int64:
		return table.Cell{Text: strconv.FormatInt(v, 10), IsNumber: true}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return table.Cell{Wrong: fmt.Sprintf("the value is %v, which is no number", v)}
		}
		return table.Cell{Text: strconv.FormatFloat(v, 'f', -1, 64), IsNumber: true}
	case bool:
		return table.Cell{Text: strconv.FormatBool(v)}
	case time.Time:
		if kind == "DATE" {
			return table.Cell{Text: v.Format(time.DateOnly), IsDate: true}
		}
		return table.Cell{Text: v.UTC().Format("2006-01-02T15:04:05Z"), IsDate: true}
	case string:
		return textCell(v, kind)
	case []byte:
		if kind == "UUID" && len(v) == 16 {
			text := hex.EncodeToString(v)
			return table.Cell{Text: strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")}
		}
		if kind == "BYTEA" || kind == "BLOB" {
			return table.Cell{Wrong: "the value is binary"}
		}
		return textCell(string(v), kind)
	}
	return table.Cell{Wrong: fmt.Sprintf("the value is a %T, which no field takes", v)}
}

func textCell(s, kind string) table.Cell {
	if !utf8.ValidString(s) {
		return table.Cell{Wrong: "the value is no text"}
	}
	return table.Cell{Text: s, IsNumber: kind == "NUMERIC"}
}
