package read

import (
	"context"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// numbered adds the condition that a ticket has one of some numbers, which are its id in the words of people.
func numbered(c *where.Conditions, parse func(string) (ident.ID, bool), f *CodeFilter) {
	all, ok := where.Choose(c, f)
	if !ok {
		return
	}
	ids := []ident.ID{}
	for _, number := range all.Values {
		if id, ok := parse(number.(string)); ok {
			ids = append(ids, id)
		}
	}
	c.Add(isOneOf(ids))
}

// major adds the condition that an incident is, or is not, handled as a major one. Few are, which SQLite does not know.
func major(c *where.Conditions, want *bool) {
	if want == nil {
		return
	}
	is := equals(incident.FieldIsMajor, *want)
	c.Add(func(s *sql.Selector) *sql.Predicate {
		if s.Dialect() != dialect.SQLite || !*want {
			return is(s)
		}
		return sql.P(func(b *sql.Builder) { b.WriteString("unlikely(").Join(is(s)).WriteString(")") })
	})
}

// shownOf returns those of some CIs that the actor may see.
func (s *seen) shownOf(c *where.Conditions, f *IDFilter) (ids []ident.ID, none, ok bool) {
	all, ok := where.Choose(c, f)
	if !ok || c.Err() != nil {
		return nil, false, false
	}
	hidden, err := s.hidden()
	if err != nil {
		c.Fail(err)
		return nil, false, false
	}
	for _, value := range all.Values {
		if id := asCI(value.(ident.ID)); !hidden[id] {
			ids = append(ids, id)
		}
	}
	return ids, all.None, true
}

// affecting adds the condition that an incident takes part in the present state of one of some CIs.
func (s *seen) affecting(c *where.Conditions, f *IDFilter) {
	ids, none, ok := s.shownOf(c, f)
	if !ok {
		return
	}
	var records []ident.ID
	for _, id := range ids {
		records = append(records, impact.RecordsOf(s.graph(), id)...)
	}
	options := []where.Condition{isOneOf(records)}
	if none {
		var facts []ident.ID
		for _, r := range impact.FactsOf(s.graph()).Records {
			facts = append(facts, r.ID)
		}
		options = append(options, where.Not(isOneOf(facts)))
	}
	c.Add(where.Any(options...))
}

// aroundService adds the condition that one of some services, or a CI that could harm it, is in the scope of a change.
func (s *seen) aroundService(c *where.Conditions, f *IDFilter) {
	ids, none, ok := s.shownOf(c, f)
	if !ok {
		return
	}
	cis, err := s.needs(ids)
	if err != nil {
		c.Fail(err)
		return
	}
	scope := func(narrow func(l *sql.SelectTable, rows *sql.Selector)) where.Condition {
		return func(sel *sql.Selector) *sql.Predicate {
			link := sql.Dialect(sel.Dialect()).Table(changeci.Table)
			rows := sql.Dialect(sel.Dialect()).Select(link.C(changeci.FieldChangeID)).From(link)
			narrow(link, rows)
			return sql.In(sel.C(change.FieldID), rows)
		}
	}
	options := []where.Condition{scope(func(l *sql.SelectTable, rows *sql.Selector) { rows.Where(page.OneOf(l.C(changeci.FieldCiID), cis)) })}
	if none {
		options = append(options, where.Not(scope(func(*sql.SelectTable, *sql.Selector) {})))
	}
	c.Add(where.Any(options...))
}

// harming returns some CIs and all that could harm one of them.
func (r *Reader) harming(ctx context.Context, graph *topology.Snapshot, ids []ident.ID) ([]ident.ID, error) {
	known := slices.DeleteFunc(slices.Clone(ids), func(id ident.ID) bool { return !graph.Knows(id) })
	if len(known) == 0 {
		return ids, nil
	}
	needs, err := impact.Dependencies(ctx, graph, known, impact.Limits{})
	if err != nil {
		return nil, err
	}
	for _, n := range needs.CIs {
		ids = append(ids, n.CI)
	}
	return ids, nil
}

// Bounds of what is worked out for a filter, change by change.
const (
	mostContended = 300
	mostWeighed   = 100
)

// weighed adds the conditions on what is worked out of open changes, of those that the conditions before it leave.
func (s *seen) weighed(c *where.Conditions, level *where.Choice[domain.RiskLevel], conflicts *bool) {
	if conflicts != nil && c.Err() == nil {
		s.worked(c, "hasConflicts", mostContended, func(rows []*ent.Change) (map[ident.ID]bool, error) { return s.conflicts(rows) }, *conflicts)
	}
	all, ok := where.Choose(c, level)
	if ok && c.Err() == nil {
		s.worked(c, "riskLevel", mostWeighed, func(rows []*ent.Change) (map[ident.ID]bool, error) {
			risks, err := s.risks(rows)
			found := map[ident.ID]bool{}
			for id, r := range risks {
				found[id] = slices.Contains(all.Values, any(r.Level))
			}
			return found, err
		}, true)
	}
}

// worked adds the condition that something worked out of a change is so, or is not. Of more than most changes it works
// out nothing.
func (s *seen) worked(c *where.Conditions, field string, most int, work func([]*ent.Change) (map[ident.ID]bool, error), want bool) {
	rows, err := s.openChanges(c, most+1)
	if err != nil {
		c.Fail(err)
		return
	}
	if len(rows) > most {
		c.Fail(errs.New(errs.BadUserInput, "%s is worked out of at most %d open changes, and there are more: narrow them by other conditions beside it, such as plannedStart", field, most))
		return
	}
	found, err := work(rows)
	if err != nil {
		c.Fail(err)
		return
	}
	var ids []ident.ID
	for _, row := range rows {
		if found[row.ID] == want {
			ids = append(ids, row.ID)
		}
	}
	c.Add(isOneOf(ids))
}

// weigh gives s what it works out of changes.
func (r *Reader) weigh(ctx context.Context, s *seen, graph *topology.Snapshot) {
	s.openChanges = func(c *where.Conditions, most int) ([]*ent.Change, error) {
		q := r.store.Show.Change.Query().Where(change.StateIn(openStates()...)).Order(ent.Asc(change.FieldID)).Limit(most)
		q.Modify(c.Apply)
		return translated(q.All(ctx))
	}
	s.conflicts = func(rows []*ent.Change) (map[ident.ID]bool, error) {
		found, err := schedule.Conflicts(ctx, r.store.Show, graph, rows, r.store.Now(ctx))
		has := map[ident.ID]bool{}
		for id, all := range found {
			has[id] = len(all) > 0
		}
		return has, err
	}
	s.risks = func(rows []*ent.Change) (map[ident.ID]risk.Assessment, error) {
		if len(rows) == 0 {
			return nil, nil
		}
		return schedule.Risks(ctx, r.store.Show, graph, rows, r.store.Now(ctx))
	}
	s.hidden = func() (map[ident.ID]bool, error) { return r.hidden(ctx) }
}

func openStates() (all []domain.ChangeState) {
	for _, state := range openChangeStates {
		all = append(all, state.(domain.ChangeState))
	}
	return all
}
