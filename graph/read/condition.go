package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// The types of the contract that choose among values.
type (
	// CodeFilter compares a code.
	CodeFilter = where.Choice[string]
	// IDFilter compares a reference.
	IDFilter = where.Choice[ident.ID]
)

// seen makes conditions of filters by records that the actor may see, and by what is the actor's. To a filter, a hidden
// record is not there.
type seen struct {
	sight.Sight
	mine
	// find returns the ids of the records of a table that have some codes, and of classes all below them. A code that
	// nothing has is an error.
	find func(table string, codes []any) ([]ident.ID, error)
	// graph returns the graph whose states filters compare, and notes that one does.
	graph  func() *topology.Snapshot
	hidden func() (map[ident.ID]bool, error)
	needs  func(ids []ident.ID) ([]ident.ID, error) // some CIs and those that could harm them

	openChanges func(narrowed *where.Conditions, most int) ([]*ent.Change, error)
	conflicts   func([]*ent.Change) (map[ident.ID]bool, error) // which have one
	risks       func([]*ent.Change) (map[ident.ID]risk.Assessment, error)

	revision *int64 // of the graph whose states are compared; nil: none are
}

func (r *Reader) seen(ctx context.Context) (*seen, error) {
	sight, err := sight.Of(ctx, r.store.Show)
	s := &seen{Sight: sight, mine: r.mine(ctx)}
	s.find = func(table string, codes []any) ([]ident.ID, error) { return r.coded(ctx, table, codes) }
	graph := r.snapshot() // one for all conditions of a list
	s.graph = func() *topology.Snapshot {
		revision := graph.Revision()
		s.revision = &revision
		return graph
	}
	r.weigh(ctx, s, graph)
	s.needs = func(ids []ident.ID) ([]ident.ID, error) { return r.harming(ctx, graph, ids) }
	return s, store.Translate(err)
}

// linkedCI adds the condition that a record names a CI that the actor may see.
func (s *seen) linkedCI(c *where.Conditions, table, record string, f *IDFilter) {
	all, ok := where.Choose(c, f)
	if !ok {
		return
	}
	for i, id := range all.Values {
		all.Values[i] = asCI(id.(ident.ID))
	}
	linked := func(narrow func(link *sql.SelectTable, named *sql.Selector)) where.Condition {
		return func(sel *sql.Selector) *sql.Predicate {
			link := sql.Dialect(sel.Dialect()).Table(table)
			named := sql.Dialect(sel.Dialect()).Select(link.C(record)).From(link)
			narrow(link, named)
			s.Naming(named, "ci_id")
			return sql.In(sel.C("id"), named)
		}
	}
	has := linked(func(link *sql.SelectTable, named *sql.Selector) { named.Where(sql.In(link.C("ci_id"), all.Values...)) })
	c.Add(all.Or(has, where.Not(linked(func(*sql.SelectTable, *sql.Selector) {}))))
}

// fewOf returns the condition that a column is one of these ids. Of few ids the database may know how many rows they
// have, which it does not of one argument.
func fewOf(column string, ids []ident.ID) *sql.Predicate {
	const few = 16
	if len(ids) > few {
		return page.OneOf(column, ids)
	}
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	return sql.In(column, values...)
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

// codeOf adds the condition that a column refers to a record of a table by its code: of classes, also to one below it.
func (s *seen) codeOf(c *where.Conditions, column, table string, f *CodeFilter) {
	all, ok := where.Choose(c, f)
	if !ok || c.Err() != nil {
		return
	}
	ids, err := s.find(table, all.Values)
	if err != nil {
		c.Fail(err)
		return
	}
	has := func(sel *sql.Selector) *sql.Predicate { return fewOf(sel.C(column), ids) }
	c.Add(all.Or(has, func(sel *sql.Selector) *sql.Predicate { return sql.IsNull(sel.C(column)) }))
}

// subtree writes the statement for the ids of classes and all classes below them.
func subtree(b *sql.Builder, codes []any) {
	b.WriteString("WITH RECURSIVE subtree(id) AS (SELECT id FROM ci_class WHERE code IN (").Args(codes...).
		WriteString(") UNION SELECT child.id FROM ci_class child JOIN subtree ON child.parent_id = subtree.id) SELECT id FROM subtree")
}
