package conflict

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// WithChanges finds the conflicts of a change with others at the same time. Others may hold the change itself, and changes at
// other times. What the others could harm is worked out only for those in the cone of the change: nothing else can harm
// what it touches, nor break a group that it strains; see impact.BreakTogether.
func (f *Finder) WithChanges(ctx context.Context, c *Change, others []Change) ([]Conflict, error) {
	var found []Conflict
	var harm, join impact.Cone
	for i := range others {
		other := &others[i]
		if other.ID == c.ID || !c.Planned.Overlaps(other.Planned) {
			continue
		}
		base := Conflict{Other: other.ID, Span: c.Planned.Common(other.Planned)}
		add := func(kind domain.ConflictKind, more Conflict) {
			if more.Count > 0 {
				more.Kind, more.Other, more.Span = kind, base.Other, base.Span
				found = append(found, more)
			}
		}
		if c.Assignee != 0 && c.Assignee == other.Assignee {
			add(domain.AssigneeDoubleBooked, Conflict{Count: 1})
		}
		mine, err := f.reach(ctx, c)
		if err != nil {
			return nil, err
		}
		if harm == nil {
			if harm, join, err = f.cones(ctx, c, mine); err != nil {
				return nil, err
			}
		}
		add(domain.SameCI, mine.shares(other))
		add(domain.Downstream, mine.harms(other.Scope))
		couldHarm, _ := f.meets(other, harm)
		_, couldJoin := f.meets(other, join)
		if !couldHarm && !couldJoin {
			continue
		}
		theirs, err := f.reach(ctx, other)
		if err != nil {
			return nil, err
		}
		up := theirs.harms(c.Scope)
		up.CI, up.OtherCI = up.OtherCI, up.CI
		add(domain.Upstream, up)
		joint, err := f.joint(ctx, mine, theirs)
		if err != nil {
			return nil, err
		}
		add(domain.JointFailure, joint)
	}
	slices.SortFunc(found, order)
	return found, nil
}

// shares is the CIs that a change touches as well as another.
func (r *reach) shares(other *Change) (c Conflict) {
	for _, ci := range other.Scope {
		if _, shared := r.touched[ci.ID]; shared {
			if c.Count++; c.CI == 0 || ci.ID < c.CI {
				c.CI, c.OtherCI = ci.ID, ci.ID
			}
		}
	}
	return c
}

// harms is the CIs in a scope that a change could harm and does not touch, the nearest first.
func (r *reach) harms(scope []CI) (c Conflict) {
	var nearest impact.Hit
	for _, ci := range scope {
		if _, isTouched := r.touched[ci.ID]; isTouched {
			continue
		}
		h, isHit := r.worst.Hit(ci.ID)
		if !isHit || h.State.IsWell() {
			continue
		}
		if c.Count++; nearest.CI == 0 || nearer(h, nearest) {
			nearest = h
		}
	}
	if c.Count > 0 {
		c.show(r.worst, nearest)
	}
	return c
}

func nearer(h, other impact.Hit) bool {
	return h.Distance < other.Distance || h.Distance == other.Distance && h.CI < other.CI
}

// show says how a hit suffers from what a change touches.
func (c *Conflict) show(a *impact.Answer, h impact.Hit) {
	c.Path, c.State = a.Path(h.CI), h.State
	c.CI, c.OtherCI = h.CI, h.CI
	if len(c.Path) > 0 {
		c.CI = c.Path[0].From
	}
}

// joint is the services that two changes take DOWN together, and neither alone.
func (f *Finder) joint(ctx context.Context, mine, theirs *reach) (c Conflict, err error) {
	broken := impact.BreakTogether(mine.planned, theirs.planned)
	if len(broken) == 0 {
		return c, nil
	}
	both, err := ask(ctx, f.graph, impact.Question{Failed: slices.Concat(mine.down, theirs.down)})
	if err != nil {
		return c, err
	}
	for _, h := range both.Affected(impact.Filter{AtLeast: impact.Down, Keep: func(c topology.CI) bool { return c.IsService }}) {
		if mine.planned.State(h.CI) != impact.Down && theirs.planned.State(h.CI) != impact.Down {
			c.Services = append(c.Services, h.CI)
		}
	}
	if len(c.Services) == 0 {
		return Conflict{}, nil
	}
	slices.Sort(c.Services)
	c.Count, c.State, c.Group = len(c.Services), impact.Down, f.graph.GroupID(broken[0])
	c.CI, c.Path = f.wayTo(mine.planned, theirs.planned, broken[0])
	c.OtherCI, c.OtherPath = f.wayTo(theirs.planned, mine.planned, broken[0])
	return c, nil
}

// wayTo is how a change reaches a group that it breaks together with another: from what it takes down to the CI that depends on it.
func (f *Finder) wayTo(a, other *impact.Answer, g topology.GroupIndex) (from ident.ID, path []impact.Step) {
	member, found := a.DownMember(g, other)
	if !found {
		return 0, nil // not reached: the group holds under either
	}
	path = a.Path(member)
	v, _ := f.graph.Index(member)
	if hop, is := impact.Hop(f.graph, v, g); is {
		path = append(path, hop)
	}
	return path[0].From, path
}
