package read

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/agnivade/levenshtein"

	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// coded returns the ids of the records of a table that have some codes, and of classes all below them. Ids are what
// statements are planned by: the database knows how many rows a class has, and not how many a subquery gives. Errors:
// errs.BadUserInput with the nearest codes, if nothing has one of them.
func (r *Reader) coded(ctx context.Context, table string, codes []any) (ids []ident.ID, err error) {
	if len(codes) == 0 {
		return nil, nil
	}
	query := func(b *sql.Builder) {
		b.WriteString("SELECT id, code FROM ").Ident(table).WriteString(" WHERE code IN (").Args(codes...).WriteString(")")
	}
	if table == ciclass.Table {
		query = func(b *sql.Builder) {
			b.WriteString("WITH RECURSIVE subtree(id, code) AS (SELECT id, code FROM ci_class WHERE code IN (").Args(codes...).
				WriteString(") UNION SELECT child.id, child.code FROM ci_class child JOIN subtree ON child.parent_id = subtree.id) SELECT id, code FROM subtree")
		}
	}
	found := map[string]bool{}
	err = r.each(ctx, query, func(id ident.ID, code string) { ids, found[code] = append(ids, id), true })
	if err != nil {
		return nil, err
	}
	for _, code := range codes {
		if code := code.(string); !found[code] {
			return nil, r.unknownCode(ctx, table, code)
		}
	}
	slices.Sort(ids) // so that the same question is the same statement
	return ids, nil
}

// each reads rows of an id and a text.
func (r *Reader) each(ctx context.Context, query func(*sql.Builder), take func(ident.ID, string)) error {
	p := sql.P(query)
	p.SetDialect(r.store.Dialect())
	text, args := p.Query()
	rows, err := r.store.Show.QueryContext(ctx, text, args...)
	if err != nil {
		return store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id ident.ID
		var word string
		if err := rows.Scan((*int64)(&id), &word); err != nil {
			return store.Translate(err)
		}
		take(id, word)
	}
	return store.Translate(rows.Err())
}

// tables are what codes are of, in the words of clients.
var tables = map[string]string{ciclass.Table: "class", "service_tier": "tier", "relationship_type": "relationship type"}

const nearCodes = 3

// unknownCode returns the error that says which codes a code may have been meant to be.
func (r *Reader) unknownCode(ctx context.Context, table, code string) error {
	var all []string
	if err := r.each(ctx, func(b *sql.Builder) { b.WriteString("SELECT id, code FROM ").Ident(table) }, func(_ ident.ID, code string) { all = append(all, code) }); err != nil {
		return err
	}
	distance := func(known string) int {
		return levenshtein.ComputeDistance(strings.ToLower(code), strings.ToLower(known))
	}
	slices.SortFunc(all, func(a, b string) int {
		if d := distance(a) - distance(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	hint := ""
	if len(all) > 0 {
		hint = fmt.Sprintf(": the nearest are %s", strings.Join(all[:min(len(all), nearCodes)], ", "))
	}
	return errs.New(errs.BadUserInput, "no %s has the code %.100q%s", tables[table], code, hint)
}
