package conflict

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// reach holds the answers of what a change could harm.
type reach struct {
	places
	worst   *impact.Answer // if everything in its scope failed: a change can go wrong
	planned *impact.Answer // while what it takes down is down
}

// places are the vertices that a change touches, and those it takes down, of the CIs that exist.
type places struct{ touched, down []topology.Vertex }

// Finder finds conflicts on one snapshot. It works out the reach of each change, and the CIs that fall with another, at
// most once.
type Finder struct {
	graph     *topology.Snapshot
	words     operation.Words
	reaches   map[ident.ID]*reach
	falls     map[ident.ID]*impact.Fall
	plans     map[ident.ID]*Finder
	replanned []topology.Vertex // the CIs that operations alter in this graph
	onFacts   bool              // what has failed holds beside what changes take down
}

// NewFinder returns a finder. The words are those of the operations that changes plan.
func NewFinder(graph *topology.Snapshot, words operation.Words) *Finder {
	return &Finder{graph: graph, words: words, reaches: map[ident.ID]*reach{}, falls: map[ident.ID]*impact.Fall{}, plans: map[ident.ID]*Finder{}}
}

// OnFacts returns a finder that takes into account what has failed: what open incidents say, and what changes take down
// that are being carried out.
func (f *Finder) OnFacts() *Finder {
	on := NewFinder(f.graph, f.words)
	on.onFacts = true
	return on
}

func (f *Finder) locate(c *Change) (p places) {
	for _, ci := range c.Scope {
		if v, ok := f.graph.Index(ci.ID); ok && f.graph.InService(v) {
			p.touched = append(p.touched, v)
			if ci.IsTakenDown {
				p.down = append(p.down, v)
			}
		}
	}
	return p
}

func (f *Finder) reach(ctx context.Context, c *Change) (*reach, error) {
	if r := f.reaches[c.ID]; r != nil {
		return r, nil
	}
	r, err := f.reachBeside(ctx, f.graph, c)
	if err == nil {
		f.reaches[c.ID] = r
	}
	return r, err
}

// reachBeside returns the reach of a change on the finder's graph: what is worse there than on a base without the
// change.
func (f *Finder) reachBeside(ctx context.Context, base *topology.Snapshot, c *Change) (*reach, error) {
	r := &reach{places: f.locate(c)}
	var err error
	if r.worst, err = f.ask(ctx, base, r.touched); err != nil {
		return nil, err
	}
	r.planned = r.worst
	if len(r.down) < len(r.touched) {
		if r.planned, err = f.ask(ctx, base, r.down); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// ask asks the engine for a complete answer: a partial one would hide conflicts.
func (f *Finder) ask(ctx context.Context, base *topology.Snapshot, down []topology.Vertex) (*impact.Answer, error) {
	q := impact.Question{Failed: make([]impact.Failure, len(down)), OnFacts: f.onFacts, WithoutBrink: true}
	for i, v := range down {
		q.Failed[i] = impact.Failure{CI: f.graph.ID(v), State: impact.Down}
	}
	a, err := impact.OfView(ctx, base, f.graph, q)
	if err == nil && a.Completeness.IsPartial {
		err = context.Cause(ctx)
	}
	return a, err
}

// fall returns the CIs that go DOWN with the CIs that a change takes down.
func (f *Finder) fall(ctx context.Context, id ident.ID, down []topology.Vertex) (*impact.Fall, error) {
	if found := f.falls[id]; found != nil {
		return found, nil
	}
	found, err := impact.FallOf(ctx, f.graph, down)
	if err == nil {
		f.falls[id] = found
	}
	return found, err
}

// Outlook is the harm that a change could do on one graph.
type Outlook struct {
	Worst   *impact.Answer // if all in its scope failed
	Planned *impact.Answer // while the CIs it takes down are down
}

// Outlooks returns the outlook of a change on the graph as it is and then, if its operations alter the graph, on the
// graph as they are going to leave it: there what the operations break is part of the harm.
func (f *Finder) Outlooks(ctx context.Context, c *Change) ([]Outlook, error) {
	now, err := f.reach(ctx, c)
	if err != nil {
		return nil, err
	}
	all := []Outlook{{now.worst, now.planned}}
	if on := f.leaving(c); on != f {
		then, err := on.reachBeside(ctx, f.graph, c)
		if err != nil {
			return nil, err
		}
		all = append(all, Outlook{then.worst, then.planned})
	}
	return all, nil
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
		if !c.touches(h.CI) {
			cis = append(cis, h.CI)
		}
	}
	return cis, nil
}
