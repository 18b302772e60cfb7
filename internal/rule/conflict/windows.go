package conflict

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
)

// WithWindows finds the conflicts of a change with windows. A blackout holds for the CIs that the change touches and
// for all that it could harm. The maintenance windows of a CI hold if the change touches the CI, or takes down CIs that
// it suffers from: the change must lie within them. A CI without maintenance windows may be changed at any time.
// Nothing happens to the CIs that the change itself depends on, so their windows do not count.
func (f *Finder) WithWindows(ctx context.Context, c *Change, windows []Window) ([]Conflict, error) {
	r, err := f.reach(ctx, c)
	if err != nil {
		return nil, err
	}
	worst, planned := hitsOf(c, r.worst), hitsOf(c, r.planned)
	var found []Conflict
	var maintenance []Window
	for _, w := range windows {
		switch w.Kind {
		case domain.Maintenance:
			maintenance = append(maintenance, w)
		case domain.Blackout:
			if len(w.Occurrences) == 0 {
				continue
			}
			hit := slices.DeleteFunc(slices.Clone(worst), func(h impact.Hit) bool { return !w.Holds(h.CI) })
			if len(hit) > 0 {
				found = append(found, against(r.worst, hit, Conflict{Kind: domain.InsideBlackout, Other: w.ID, Span: c.Planned.Common(w.Occurrences[0])}))
			}
		}
	}
	found = append(found, outside(c, r.planned, planned, maintenance)...)
	slices.SortFunc(found, order)
	return found, nil
}

// hitsOf returns the CIs that a change touches, and the others that are affected in an answer.
func hitsOf(c *Change, a *impact.Answer) (hits []impact.Hit) {
	seen := make(map[ident.ID]bool, len(c.Scope))
	for _, ci := range c.Scope {
		seen[ci.ID] = true
		hits = append(hits, impact.Hit{CI: ci.ID, State: a.State(ci.ID)})
	}
	for _, h := range a.Affected(impact.Filter{}) {
		if !seen[h.CI] {
			hits = append(hits, h)
		}
	}
	return hits
}

// outside groups the CIs by the maintenance windows they have, and reports the groups whose windows do not cover the
// change.
func outside(c *Change, a *impact.Answer, hits []impact.Hit, windows []Window) (found []Conflict) {
	type alike struct {
		windows []Window
		hits    []impact.Hit
	}
	groups := map[string]*alike{}
	for _, h := range hits {
		var own []Window
		key := ""
		for _, w := range windows {
			if w.Holds(h.CI) {
				own = append(own, w)
				key += fmt.Sprint(w.ID, " ")
			}
		}
		if key == "" {
			continue
		}
		if groups[key] == nil {
			groups[key] = &alike{windows: own}
		}
		groups[key].hits = append(groups[key].hits, h)
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		g := groups[key]
		var open []recurrence.Span
		for _, w := range g.windows {
			open = append(open, w.Occurrences...)
		}
		slices.SortFunc(open, func(a, b recurrence.Span) int { return a.From.Compare(b.From) })
		if gap, ok := c.Planned.Uncovered(open); ok {
			first := slices.MinFunc(g.windows, func(a, b Window) int { return int(a.ID - b.ID) })
			found = append(found, against(a, g.hits, Conflict{Kind: domain.OutsideMaintenance, Other: first.ID, Span: gap}))
		}
	}
	return found
}

// against sets the CI that a window protects from a change.
func against(a *impact.Answer, hits []impact.Hit, c Conflict) Conflict {
	c.Count = len(hits)
	c.show(a, slices.MinFunc(hits, func(a, b impact.Hit) int {
		if nearer(a, b) {
			return -1
		}
		return 1
	}))
	return c
}
