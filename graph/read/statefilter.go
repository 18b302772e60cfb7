package read

import (
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// The states of CIs are in the graph and in no column: a filter by them names the CIs that fare so. Those that are not
// OPERATIONAL are few, so that the others are all in service but them.

// inService returns the condition that a CI is in service, as the graph understands it.
func inService(s *sql.Selector) *sql.Predicate {
	return sql.In(s.C(ci.FieldLifecycle), domain.Live, domain.Deprecated)
}

// faring returns the CIs in service of each state but OPERATIONAL.
func faring(graph *topology.Snapshot) map[impact.State][]ident.ID {
	return graph.Memo(faringKey{}, func() any {
		all := map[impact.State][]ident.ID{}
		for _, h := range impact.Estate(graph).Affected(impact.Filter{AtLeast: impact.AtRisk}) {
			if graph.InService(h.Vertex) {
				all[h.State] = append(all[h.State], h.CI)
			}
		}
		return all
	}).(map[impact.State][]ident.ID)
}

type faringKey struct{}

// isOneOf returns the condition that a CI is one of these.
func isOneOf(ids []ident.ID) where.Condition {
	return func(s *sql.Selector) *sql.Predicate { return page.OneOf(s.C(ci.FieldID), ids) }
}

// inState adds the condition that a CI is in one of some states.
func (s *seen) inState(c *where.Conditions, f *CodeFilter) {
	all, ok := where.Choose(c, f)
	if !ok {
		return
	}
	states := faring(s.graph())
	var named, worse []ident.ID
	isWell := false
	for state, ids := range states {
		worse = append(worse, ids...)
		for _, value := range all.Values {
			if value == state.String() {
				named = append(named, ids...)
			}
		}
	}
	for _, value := range all.Values {
		isWell = isWell || value == impact.Operational.String()
	}
	var options []where.Condition
	if len(named) > 0 {
		options = append(options, isOneOf(named))
	}
	switch {
	case isWell && len(worse) > 0:
		options = append(options, where.All(inService, where.Not(func(s *sql.Selector) *sql.Predicate { return page.Among(s.C(ci.FieldID), worse) })))
	case isWell:
		options = append(options, inService)
	}
	has := where.Any(options...)
	if isWell {
		c.AddUsual(all.Or(has, where.Not(inService)))
		return
	}
	c.Add(all.Or(has, where.Not(inService)))
}

// inMaintenance adds the condition that a change is, or is not, being carried out on a CI.
func (s *seen) inMaintenance(c *where.Conditions, want *bool) {
	if want == nil {
		return
	}
	maintained := impact.Maintained(s.graph())
	if *want {
		c.Add(isOneOf(maintained))
	} else if len(maintained) > 0 {
		c.AddUsual(where.Not(func(s *sql.Selector) *sql.Predicate { return page.Among(s.C(ci.FieldID), maintained) }))
	}
}

// byState returns the order by the states of now: first what has none, then the better before the worse.
func (s *seen) byState() page.Term[*ent.CI] {
	graph := s.graph()
	states := faring(graph)
	rank := func(e *ent.CI) int {
		if e.Lifecycle != domain.Live && e.Lifecycle != domain.Deprecated {
			return -1
		}
		for state, ids := range states {
			if slices.Contains(ids, e.ID) {
				return int(state)
			}
		}
		return int(impact.Operational)
	}
	return page.By(ci.FieldLifecycle, rank).Over(" by state", func(b *sql.Builder, column func(string) string) {
		stateCase(b, column, states, "-1", func(s impact.State) string { return strconv.Itoa(int(s)) })
	})
}

// stateCase writes an expression that tells the state of a row of ci.
func stateCase(b *sql.Builder, column func(string) string, states map[impact.State][]ident.ID, none string, text func(impact.State) string) {
	b.WriteString("CASE WHEN ").Ident(column(ci.FieldLifecycle)).WriteString(" NOT IN ('LIVE', 'DEPRECATED') THEN " + none)
	for _, state := range []impact.State{impact.Down, impact.Degraded, impact.AtRisk} {
		if ids := states[state]; len(ids) > 0 {
			b.WriteString(" WHEN ").Join(page.Among(column(ci.FieldID), ids)).WriteString(" THEN " + text(state))
		}
	}
	b.WriteString(" ELSE " + text(impact.Operational) + " END")
}
