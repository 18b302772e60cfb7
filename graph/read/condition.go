package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// The types of the contract that choose among values.
type (
	// CodeFilter compares a code.
	CodeFilter = where.Choice[string]
	// IDFilter compares a reference.
	IDFilter = where.Choice[ident.ID]
)

// seen makes conditions of filters of records by the CIs that they name, of those that the actor may see, and by what
// is the actor's.
type seen struct {
	sight.Sight
	mine
}

func (r *Reader) seen(ctx context.Context) (seen, error) {
	s, err := sight.Of(ctx, r.store.Read)
	return seen{s, r.mine(ctx)}, store.Translate(err)
}

// linkedCI adds the condition that a record names a CI.
func (s seen) linkedCI(c *where.Conditions, table, record string, f *IDFilter) {
	if f == nil {
		return
	}
	list, ok := where.Values(c, f.Eq, f.In)
	if !ok {
		return
	}
	for i, id := range list {
		list[i] = asCI(id.(ident.ID))
	}
	c.Add(func(sel *sql.Selector) *sql.Predicate {
		link := sql.Dialect(sel.Dialect()).Table(table)
		named := sql.Dialect(sel.Dialect()).Select(link.C(record)).From(link).Where(sql.In(link.C("ci_id"), list...))
		s.Naming(named, "ci_id")
		return sql.In(sel.C("id"), named)
	})
}

// equals returns the condition that a column has a value.
func equals(column string, value any) where.Condition {
	return func(s *sql.Selector) *sql.Predicate { return sql.EQ(s.C(column), value) }
}

// open adds the condition that a state is, or is not, among those that are open.
func open(c *where.Conditions, column string, want *bool, states []any) {
	if want == nil {
		return
	}
	c.Add(func(s *sql.Selector) *sql.Predicate {
		if *want {
			return sql.In(s.C(column), states...)
		}
		return sql.NotIn(s.C(column), states...)
	})
}

// codeOf adds the condition that a column refers to a record of a table by its code.
func codeOf(c *where.Conditions, column, table string, f *CodeFilter) {
	if f == nil {
		return
	}
	if list, ok := where.Values(c, f.Eq, f.In); ok {
		c.Add(where.InTable(column, table, "id", "code", list...))
	}
}

// subtree writes the statement for the ids of classes and all classes below them.
func subtree(b *sql.Builder, codes []any) {
	b.WriteString("WITH RECURSIVE subtree(id) AS (SELECT id FROM ci_class WHERE code IN (").Args(codes...).
		WriteString(") UNION SELECT child.id FROM ci_class child JOIN subtree ON child.parent_id = subtree.id) SELECT id FROM subtree")
}

// inClass adds the condition that a CI is of a class or one below it.
func inClass(c *where.Conditions, f *CodeFilter) {
	if f == nil {
		return
	}
	list, ok := where.Values(c, f.Eq, f.In)
	if !ok {
		return
	}
	c.Add(func(s *sql.Selector) *sql.Predicate {
		if len(list) == 0 {
			return sql.False()
		}
		return sql.P(func(b *sql.Builder) {
			b.Ident(s.C(ci.FieldClassID)).WriteString(" IN (")
			subtree(b, list)
			b.WriteString(")")
		})
	})
}
