package conflict

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// WithChanges finds the conflicts of a change with others at the same time. Others may hold the change itself, and
// changes at other times. The reach of another change is worked out only if it lies in the cone of the change, and only
// within it: nothing else can harm the CIs that the change touches, nor break a group that it strains; see
// impact.Outage. A conflict is one on the graph as it is, or on the graph as the operations of the two are going to
// leave it: planned operations can take redundancy away, and give none until they are applied.
func (f *Finder) WithChanges(ctx context.Context, c *Change, others []Change) ([]Conflict, error) {
	var found []Conflict
	var mine *meeting
	replans := len(c.Operations) > 0
	for i := range others {
		other := &others[i]
		if other.ID == c.ID || !c.Planned.Overlaps(other.Planned) {
			continue
		}
		if mine == nil {
			var err error
			if mine, err = f.meeting(ctx, c); err != nil {
				return nil, err
			}
			defer mine.outage.Release()
		}
		met, err := mine.with(ctx, other, mine.joint)
		if err != nil {
			return nil, err
		}
		found, replans = append(found, met...), replans || len(other.Operations) > 0
	}
	if mine != nil && replans {
		more, err := mine.asPlanned(ctx, others)
		if err != nil {
			return nil, err
		}
		found = merge(found, more)
	}
	slices.SortFunc(found, order)
	return found, nil
}

// merge adds the conflicts whose kind was not found yet with the same other change.
func merge(found, more []Conflict) []Conflict {
	type way struct {
		kind  domain.ConflictKind
		other ident.ID
	}
	known := make(map[way]bool, len(found))
	for _, c := range found {
		known[way{c.Kind, c.Other}] = true
	}
	for _, c := range more {
		if !known[way{c.Kind, c.Other}] {
			found = append(found, c)
		}
	}
	return found
}

// meeting is a change that is held against others.
type meeting struct {
	*Finder
	*reach
	of         *Change
	harm, join impact.Cone              // the cones of the CIs it touches, and of the members its redundancy rests on
	outage     *impact.Outage           // the estate while its CIs are down
	beneath    map[topology.Vertex]bool // all that could suffer from the CIs it touches or replans; nil until it is needed
}

func (f *Finder) meeting(ctx context.Context, c *Change) (*meeting, error) {
	r, err := f.reach(ctx, c)
	if err != nil {
		return nil, err
	}
	m := &meeting{Finder: f, reach: r, of: c}
	if m.harm, err = impact.ConeOf(ctx, f.graph, r.touched); err != nil {
		return nil, err
	}
	if m.outage, err = impact.OutageOf(ctx, f.graph, r.down); err != nil {
		return nil, err
	}
	members := slices.Clone(f.replanned)
	for _, g := range m.outage.Strained() {
		for _, member := range f.graph.Counter(g).Members {
			if member.From != 0 && !m.outage.IsDown(member.From) {
				members = append(members, member.From)
			}
		}
	}
	if m.join, err = impact.ConeOf(ctx, f.graph, members); err != nil {
		m.outage.Release()
	}
	return m, err
}

// with returns the conflicts of the change with another at the same time; joint finds joint failures.
func (m *meeting) with(ctx context.Context, other *Change, joint func(context.Context, *Change, places) (Conflict, error)) (found []Conflict, err error) {
	add := func(kind domain.ConflictKind, c Conflict) {
		if c.Count > 0 {
			c.Kind, c.Other, c.Span = kind, other.ID, m.of.Planned.Common(other.Planned)
			found = append(found, c)
		}
	}
	if m.of.Assignee != 0 && m.of.Assignee == other.Assignee {
		add(domain.AssigneeDoubleBooked, Conflict{Count: 1})
	}
	add(domain.SameCI, m.of.shares(other))
	add(domain.Downstream, m.of.harms(m.worst, other))
	theirs := m.locate(other)
	if slices.ContainsFunc(theirs.touched, m.harm.Has) {
		up, err := m.suffers(ctx, other, theirs)
		if err != nil {
			return nil, err
		}
		add(domain.Upstream, up)
	}
	together, err := joint(ctx, other, theirs)
	if err != nil {
		return nil, err
	}
	add(domain.JointFailure, together)
	return found, nil
}

func (c *Change) touches(ci ident.ID) bool {
	return slices.ContainsFunc(c.Scope, func(own CI) bool { return own.ID == ci })
}

// shares returns the CIs that both changes touch as a conflict.
func (c *Change) shares(other *Change) (found Conflict) {
	for _, ci := range other.Scope {
		if c.touches(ci.ID) {
			if found.Count++; found.CI == 0 || ci.ID < found.CI {
				found.CI, found.OtherCI = ci.ID, ci.ID
			}
		}
	}
	return found
}

// harms returns, nearest first, the CIs in the scope of another change that suffer in an answer and that the change
// does not touch.
func (c *Change) harms(a *impact.Answer, other *Change) (found Conflict) {
	var nearest impact.Hit
	for _, ci := range other.Scope {
		if a.State(ci.ID).IsWell() || c.touches(ci.ID) {
			continue
		}
		h, _ := a.Hit(ci.ID)
		if found.Count++; nearest.CI == 0 || nearer(h, nearest) {
			nearest = h
		}
	}
	if found.Count > 0 {
		found.show(a, nearest)
	}
	return found
}

// suffers returns the CIs that the change touches and the other could harm.
func (m *meeting) suffers(ctx context.Context, other *Change, theirs places) (found Conflict, err error) {
	at := make([]topology.Vertex, 0, len(m.touched))
	for _, v := range m.touched {
		if !slices.Contains(theirs.touched, v) {
			at = append(at, v)
		}
	}
	worst, err := m.harm.Within(ctx, m.graph, theirs.touched, at)
	if err != nil || worst == nil {
		return found, err
	}
	found = other.harms(worst, m.of)
	found.CI, found.OtherCI = found.OtherCI, found.CI
	return found, nil
}

func nearer(h, other impact.Hit) bool {
	return h.Distance < other.Distance || h.Distance == other.Distance && h.CI < other.CI
}

// show sets the state and the path by which a hit suffers from a CI that the change touches.
func (c *Conflict) show(a *impact.Answer, h impact.Hit) {
	c.Path, c.State = a.Path(h.CI), h.State
	c.CI, c.OtherCI = h.CI, h.CI
	if len(c.Path) > 0 {
		c.CI = c.Path[0].From
	}
}

// joint returns the services that two changes take DOWN together, and neither alone.
func (m *meeting) joint(ctx context.Context, other *Change, theirs places) (c Conflict, err error) {
	if !slices.ContainsFunc(theirs.down, m.join.Has) {
		return c, nil
	}
	fall, err := m.fall(ctx, other.ID, theirs.down)
	if err != nil {
		return c, err
	}
	broken := m.outage.BreaksWith(fall)
	if len(broken) == 0 {
		return c, nil
	}
	more, err := m.outage.With(theirs.down)
	if err != nil {
		return c, err
	}
	for _, v := range more {
		if m.graph.IsService(v) && !fall.Has(v) {
			c.Services = append(c.Services, m.graph.ID(v))
		}
	}
	if len(c.Services) == 0 {
		return c, nil
	}
	slices.Sort(c.Services)
	alone, err := m.join.Within(ctx, m.graph, theirs.down, theirs.down)
	if err != nil {
		return c, err
	}
	c.Count, c.State, c.Group = len(c.Services), impact.Down, m.graph.GroupID(broken[0])
	c.CI, c.Path = m.wayTo(broken[0], m.planned, func(v topology.Vertex) bool { return !fall.Has(v) })
	c.OtherCI, c.OtherPath = m.wayTo(broken[0], alone, func(v topology.Vertex) bool { return !m.outage.IsDown(v) })
	return c, nil
}

// wayTo returns how a change reaches a group that it breaks together with another: from a CI that it takes down to the
// CI that depends on the group, by a member that the other change spares.
func (f *Finder) wayTo(g topology.GroupIndex, a *impact.Answer, spared func(topology.Vertex) bool) (from ident.ID, path []impact.Step) {
	member, ok := a.DownMember(g, spared)
	if !ok {
		return 0, nil // not reached: the group holds under either
	}
	path = a.Path(member)
	v, _ := f.graph.Index(member)
	if hop, ok := impact.Hop(f.graph, v, g); ok {
		path = append(path, hop)
	}
	return path[0].From, path
}
