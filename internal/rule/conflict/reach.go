package conflict

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// reach is what a change could harm.
type reach struct {
	touched map[ident.ID]bool // its scope, and what of it is taken down
	worst   *impact.Answer    // if everything in its scope failed: a change can go wrong
	planned *impact.Answer    // while what it takes down is down
	down    []impact.Failure  // what it takes down
}

// Finder finds conflicts on one snapshot. It works out the reach of each change at most once.
type Finder struct {
	graph   *topology.Snapshot
	reaches map[ident.ID]*reach
}

// NewFinder makes a finder.
func NewFinder(graph *topology.Snapshot) *Finder {
	return &Finder{graph, map[ident.ID]*reach{}}
}

func (f *Finder) reach(ctx context.Context, c *Change) (*reach, error) {
	if r := f.reaches[c.ID]; r != nil {
		return r, nil
	}
	r := &reach{touched: make(map[ident.ID]bool, len(c.Scope))}
	var all, down impact.Question
	for _, ci := range c.Scope {
		r.touched[ci.ID] = ci.IsTakenDown
		if v, known := f.graph.Index(ci.ID); known && f.graph.IsPresent(v) {
			failure := impact.Failure{CI: ci.ID, State: impact.Down}
			all.Failed = append(all.Failed, failure)
			if ci.IsTakenDown {
				down.Failed = append(down.Failed, failure)
			}
		}
	}
	var err error
	if r.worst, err = ask(ctx, f.graph, all); err != nil {
		return nil, err
	}
	r.planned = r.worst
	if len(down.Failed) < len(all.Failed) {
		if r.planned, err = ask(ctx, f.graph, down); err != nil {
			return nil, err
		}
	}
	r.down = down.Failed
	f.reaches[c.ID] = r
	return r, nil
}

// ask asks the engine for a whole answer: half of one would hide conflicts.
func ask(ctx context.Context, s *topology.Snapshot, q impact.Question) (*impact.Answer, error) {
	a, err := impact.Of(ctx, s, q)
	if err == nil && a.Completeness.IsPartial {
		err = context.Cause(ctx)
	}
	return a, err
}

// Outlook is what a change could harm: if all in its scope failed, and while what it takes down is down.
func (f *Finder) Outlook(ctx context.Context, c *Change) (worst, planned *impact.Answer, err error) {
	r, err := f.reach(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	return r.worst, r.planned, nil
}

// Concerned lists the CIs whose windows matter to a change: those it touches and those it could harm.
func (f *Finder) Concerned(ctx context.Context, c *Change) ([]ident.ID, error) {
	r, err := f.reach(ctx, c)
	if err != nil {
		return nil, err
	}
	cis := make([]ident.ID, 0, len(c.Scope))
	for _, ci := range c.Scope {
		cis = append(cis, ci.ID)
	}
	for _, h := range r.worst.Affected(impact.Filter{}) {
		if _, isTouched := r.touched[h.CI]; !isTouched {
			cis = append(cis, h.CI)
		}
	}
	return cis, nil
}

// cones are all that could harm what a change touches, and all that could take down what its redundancy rests on.
func (f *Finder) cones(ctx context.Context, c *Change, r *reach) (harm, join impact.Cone, err error) {
	var touched, members []topology.Vertex
	for _, ci := range c.Scope {
		if v, known := f.graph.Index(ci.ID); known {
			touched = append(touched, v)
		}
	}
	for _, g := range r.planned.Strained() {
		for _, m := range f.graph.Counter(g).Members {
			if m.From != 0 {
				members = append(members, m.From)
			}
		}
	}
	if harm, err = impact.ConeOf(ctx, f.graph, touched); err != nil {
		return nil, nil, err
	}
	join, err = impact.ConeOf(ctx, f.graph, members)
	return harm, join, err
}

// meets reports whether a change touches something in a cone.
func (f *Finder) meets(c *Change, cone impact.Cone) (touches, takesDown bool) {
	for _, ci := range c.Scope {
		if v, known := f.graph.Index(ci.ID); known && cone.Has(v) {
			touches, takesDown = true, takesDown || ci.IsTakenDown
		}
	}
	return touches, takesDown
}
