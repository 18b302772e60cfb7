package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Row is a record that Insert writes.
type Row interface {
	ent.CI | ent.Relationship | ent.DependencyGroup | ent.Owner | ent.ExternalIdentity | ent.Team |
		ent.Incident | ent.IncidentCI | ent.Change | ent.ChangeCI | ent.TimelineEntry |
		ent.ServiceLevelTarget | ent.ServiceLevelMark | ent.ConflictFinding
}

// Insert writes new records: a few by one statement, many by COPY on PostgreSQL and by statements of many rows on
// SQLite. It sets the id of each, in their order, but for those that have one because they stood before, and notes each
// for the journal as if ent's builders had written it; only the speed differs. It writes every field as it stands in
// the struct, fills in no default, and leaves edges alone. At most 65,535 records fit into one transaction.
func Insert[R Row](ctx context.Context, tx *Tx, records []*R) error {
	if len(records) == 0 {
		return nil
	}
	if n := len(tx.record.entries) + len(records); n >= MostEntries {
		return tooMany(n)
	}
	s, err := shapeOf(reflect.TypeFor[R]())
	if err != nil {
		return err
	}
	all := make([]reflect.Value, len(records))
	isNumbered := false
	for i, r := range records {
		all[i] = reflect.ValueOf(r).Elem()
		isNumbered = isNumbered || all[i].Field(s.id).Int() != 0
		if err := s.check(all[i]); err != nil {
			return err
		}
	}
	if len(all) < copyFrom && !isNumbered {
		err = tx.insertFew(ctx, s, all)
	} else {
		err = tx.insertMany(ctx, s, all)
	}
	if err != nil {
		return err
	}
	tx.record.entries = slices.Grow(tx.record.entries, len(all))
	for _, r := range all {
		text, err := s.appendJSON(nil, r)
		if err != nil {
			return err
		}
		tx.record.note(&written{id: ident.ID(r.Field(s.id).Int()), subject: s.subjectOf(r), operation: domain.Created, text: text})
	}
	return nil
}

// insertFew writes records by one statement, which tells their ids.
func (tx *Tx) insertFew(ctx context.Context, s *shape, all []reflect.Value) (err error) {
	columns := make([]string, 0, len(s.names))
	rows := make([][]any, len(all))
	for i, r := range all {
		row := make([]any, len(s.names))
		if err := s.values(r, tx.IsPostgres(), row); err != nil {
			return err
		}
		for at, name := range s.names {
			if name == "id" {
				continue
			}
			rows[i] = append(rows[i], row[at])
			if i == 0 {
				columns = append(columns, name)
			}
		}
	}
	query, args := tx.insertText(s.table, columns, len(all))+` RETURNING "id"`, slices.Concat(rows...)
	defer tx.record.send(ctx, query, args).done(&err)
	told, err := tx.record.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = told.Close() }()
	n := 0
	for ; n < len(all) && told.Next(); n++ {
		if err := told.Scan(all[n].Field(s.id).Addr().Interface()); err != nil {
			return err
		}
	}
	if err := told.Err(); err != nil {
		return err
	}
	if n != len(all) {
		return fmt.Errorf("%s told %d ids of %d", s.table, n, len(all))
	}
	return nil
}

// insertMany writes records with ids that it takes, or that they have.
func (tx *Tx) insertMany(ctx context.Context, s *shape, all []reflect.Value) error {
	var fresh []reflect.Value
	for _, r := range all {
		if r.Field(s.id).Int() == 0 {
			fresh = append(fresh, r)
		}
	}
	if len(fresh) > 0 {
		ids, err := tx.nextIDs(ctx, s.table, len(fresh))
		if err != nil {
			return err
		}
		for i, r := range fresh {
			r.Field(s.id).SetInt(int64(ids[i]))
		}
	}
	return tx.insertRows(ctx, s.table, s.names, len(all), func(i int, row []any) error {
		return s.values(all[i], tx.IsPostgres(), row)
	})
}

// nextIDs takes the next n ids of a table.
func (tx *Tx) nextIDs(ctx context.Context, table string, n int) (_ []ident.ID, err error) {
	query, args := "SELECT seq + 1 FROM sqlite_sequence WHERE name = ?", []any{table}
	if tx.IsPostgres() {
		query, args = "SELECT nextval(s) FROM (SELECT pg_get_serial_sequence($1, 'id')::regclass AS s OFFSET 0) AS of_table, generate_series(1, $2)", []any{strconv.Quote(table), n}
	}
	defer tx.record.send(ctx, query, args).done(&err)
	rows, err := tx.record.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	ids := make([]ident.ID, 0, n)
	for rows.Next() {
		var id ident.ID
		if err := rows.Scan((*int64)(&id)); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for !tx.IsPostgres() && len(ids) > 0 && len(ids) < n { // nobody else writes, and the rows move the number on
		ids = append(ids, ids[len(ids)-1]+1)
	}
	if len(ids) != n {
		return nil, fmt.Errorf("%s gave %d ids of %d", table, len(ids), n)
	}
	return ids, nil
}

const (
	copyFrom      = 50     // rows from which COPY is worth its round trips
	rowsAtOnce    = 500    // of one statement
	argumentLimit = 32_766 // of SQLite's; PostgreSQL takes twice as many
)

// Append writes rows into a table that is not journalled, such as x_claim: by COPY on PostgreSQL if they are many.
func (tx *Tx) Append(ctx context.Context, table string, columns []string, rows [][]any) error {
	return tx.insertRows(ctx, table, columns, len(rows), func(i int, row []any) error {
		copy(row, rows[i])
		return nil
	})
}

// insertRows writes n rows into columns of a table; fill sets the values of the i-th.
func (tx *Tx) insertRows(ctx context.Context, table string, columns []string, n int, fill func(i int, row []any) error) error {
	if tx.IsPostgres() && n >= copyFrom {
		return tx.copyRows(ctx, table, columns, n, fill)
	}
	return tx.insertInto(ctx, table, columns, n, fill)
}

func (tx *Tx) copyRows(ctx context.Context, table string, columns []string, n int, fill func(i int, row []any) error) (err error) {
	query := "COPY " + strconv.Quote(table) + " (" + quoted(columns) + ") FROM STDIN"
	defer tx.record.send(ctx, query, nil).done(&err)
	st, err := tx.record.tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	row := make([]any, len(columns))
	for i := range n {
		if err := fill(i, row); err != nil {
			return err
		}
		if _, err := st.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	_, err = st.ExecContext(ctx)
	return err
}

// insertInto writes rows by statements of many rows. All but the last have one text, which is prepared once.
func (tx *Tx) insertInto(ctx context.Context, table string, columns []string, n int, fill func(i int, row []any) error) error {
	for from := 0; from < n; {
		size := min(n-from, rowsAtOnce, argumentLimit/len(columns))
		to := from + (n-from)/size*size
		if err := tx.repeat(ctx, tx.insertText(table, columns, size), from, to, size*len(columns), len(columns), fill); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// repeat runs one statement for the rows from…to, arguments/perRow of them at once.
func (tx *Tx) repeat(ctx context.Context, text string, from, to, arguments, perRow int, fill func(i int, row []any) error) error {
	st, err := tx.record.tx.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	args := make([]any, arguments)
	for i := from; i < to; {
		for at := 0; at < arguments; at += perRow {
			if err := fill(i, args[at:at+perRow]); err != nil {
				return err
			}
			i++
		}
		sent := tx.record.send(ctx, text, args)
		_, err := st.ExecContext(ctx, args...)
		sent.done(&err)
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) insertText(table string, columns []string, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + strconv.Quote(table) + " (" + quoted(columns) + ") VALUES ")
	for r := range rows {
		if r > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for i := range columns {
			if i > 0 {
				b.WriteString(", ")
			}
			if tx.IsPostgres() {
				b.WriteString("$" + strconv.Itoa(r*len(columns)+i+1))
			} else {
				b.WriteByte('?')
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}

// quoted returns a list of columns in double quotes.
func quoted(columns []string) string { return `"` + strings.Join(columns, `", "`) + `"` }
