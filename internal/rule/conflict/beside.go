package conflict

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Beside finds the conflicts of a change with others at the same time and with windows that hold on the graph as it is
// beside what has failed, of a finder that takes that into account. Some of them hold without it, too: AddBeside leaves
// these out.
func (f *Finder) Beside(ctx context.Context, c *Change, others []Change, windows []Window) ([]Conflict, error) {
	found, err := f.WithWindows(ctx, c, windows)
	if err != nil {
		return nil, err
	}
	mine, err := f.reach(ctx, c)
	if err != nil {
		return nil, err
	}
	m := &meeting{Finder: f, reach: mine, of: c}
	for i := range others {
		other := &others[i]
		if other.ID == c.ID || !c.Planned.Overlaps(other.Planned) {
			continue
		}
		more, err := m.beside(ctx, other)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// beside returns what the change and another do to each other beside what has failed.
func (m *meeting) beside(ctx context.Context, other *Change) (found []Conflict, err error) {
	theirs, err := m.Finder.reach(ctx, other)
	if err != nil {
		return nil, err
	}
	up := other.harms(theirs.worst, m.of)
	up.CI, up.OtherCI = up.OtherCI, up.CI
	together, err := m.fallTogether(ctx, theirs)
	if err != nil {
		return nil, err
	}
	for kind, one := range map[domain.ConflictKind]Conflict{
		domain.Downstream: m.of.harms(m.worst, other), domain.Upstream: up, domain.JointFailure: together,
	} {
		if one.Count > 0 {
			one.Kind, one.Other, one.Span = kind, other.ID, m.of.Planned.Common(other.Planned)
			found = append(found, one)
		}
	}
	return found, nil
}

// fallTogether returns the services that go DOWN by what both changes take down, and by what neither alone does.
func (m *meeting) fallTogether(ctx context.Context, theirs *reach) (c Conflict, err error) {
	both, err := m.ask(ctx, m.graph, slices.Concat(m.down, theirs.down))
	if err != nil {
		return c, err
	}
	var fresh []topology.Vertex
	for _, h := range both.Affected(impact.Filter{AtLeast: impact.Down, WithoutRoots: true}) {
		if h.Without == impact.Down || m.planned.TrueState(h.CI) == impact.Down || theirs.planned.TrueState(h.CI) == impact.Down {
			continue
		}
		if fresh = append(fresh, h.Vertex); m.graph.IsService(h.Vertex) {
			c.Services = append(c.Services, h.CI)
		}
	}
	if len(c.Services) == 0 {
		return c, nil
	}
	slices.Sort(c.Services)
	c.Count, c.State = len(c.Services), impact.Down
	return c, m.trace(ctx, &c, theirs.places, fresh, nil, nil)
}

// AddBeside adds the conflicts that hold beside what has failed alone: whose kind was not found yet with the same other
// side.
func AddBeside(found, beside []Conflict) []Conflict {
	for i := range beside {
		beside[i].IsOnFacts = true
	}
	return merge(found, beside)
}
