package topology

import (
	"maps"
	"slices"
	"sync/atomic"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// With returns the snapshot as it would be if the facts of b were written and its records removed: a view for what-if
// questions, itself a Snapshot and a base for further views. It shares all that b does not touch, so that it costs what
// Graph.Apply costs: what the batch touches, including the arcs of CIs that come and go, or everything if a type gets
// another flow or strength. The graph does not change, and the view keeps the revision of s whatever b says. Failures:
// errs.Invalid if a fact is impossible, or a number lies far above Unused.
func (s *Snapshot) With(b Batch) (*Snapshot, error) {
	b, err := b.normalise()
	if err != nil {
		return nil, err
	}
	if err := s.reaches(b); err != nil {
		return nil, err
	}
	view, _ := s.view(b, false)
	return view, nil
}

// After returns the snapshot as it will be once a revision has written b, as With does, whatever its numbers. It also
// returns the CIs whose needs may be others than in s, in no order: those to which relationships or groups have come,
// from which some have gone, or of which a need has come into service, gone out of it or been retired.
func (s *Snapshot) After(b Batch) (*Snapshot, []Vertex, error) {
	b, err := b.normalise()
	if err != nil {
		return nil, nil, err
	}
	view, renewed := s.view(b, false)
	return view, renewed, nil
}

// view writes b over s, row by row or, if b is vast, all rows anew, and returns the CIs whose needs may be others.
func (s *Snapshot) view(b Batch, isVast bool) (*Snapshot, []Vertex) {
	w := writer{
		tables: s.tables, edit: viewEdits.Add(1), perType: map[uint16]int{},
		branch: &branch{out: map[Vertex]bool{}, in: map[Vertex]bool{}, vast: isVast},
	}
	isAnew := w.apply(b)
	view := &Snapshot{tables: w.tables, revision: s.revision, superseded: s.superseded, descent: &descent{}}
	if !isAnew {
		view.descent = s.descent.next(w.touched())
		return view, slices.Collect(maps.Keys(w.renewed))
	}
	all := make([]Vertex, view.Vertices())
	for v := range all {
		all[v] = Vertex(v)
	}
	return view, all
}

// viewEdits numbers the edits of views, apart from those of graphs, so that no view takes the chunk of
// another edit for its own.
var viewEdits atomic.Uint64

func init() { viewEdits.Store(1 << 63) }

// Unused returns an id above all that the snapshot knows of its kind; the ids that follow it are unused too. It is
// meant for CIs, relationships and groups that only a view knows.
func (s *Snapshot) Unused(k ident.Kind) ident.ID {
	n := 1
	switch k { //nolint:exhaustive // the other kinds have no dense arrays
	case ident.CI:
		n = max(n, s.Vertices())
	case ident.Relationship:
		n = max(n, s.relationships.len())
	case ident.DependencyGroup:
		n = max(n, s.groups.len())
	}
	return ident.New(k, int64(n))
}

// viewSlack is how far above Unused a view may number: one id must not ask for all memory.
const viewSlack = 1 << 16

// reaches refuses numbers far above those of the snapshot.
func (s *Snapshot) reaches(b Batch) error {
	var c checker
	limits := map[ident.Kind]int64{}
	for _, k := range []ident.Kind{ident.CI, ident.Relationship, ident.DependencyGroup} {
		limits[k] = s.Unused(k).Number() + viewSlack
	}
	check := func(ids ...ident.ID) {
		for _, id := range ids {
			if limit, ok := limits[id.Kind()]; ok && id.Number() >= limit {
				c.complain("%v is far above what exists; new records of a view are numbered from %v on", id, s.Unused(id.Kind()))
			}
		}
	}
	for _, f := range b.CIs {
		check(f.ID)
	}
	for _, f := range b.Relationships {
		check(f.ID, f.Source, f.Target)
	}
	for _, f := range b.Groups {
		check(f.ID, f.Dependent)
		for _, m := range f.Members {
			check(m.Relationship)
		}
	}
	check(b.Removed...)
	return c.err
}

// branch holds the rows that a view has made its own. The view shares all others with the graph, whose writer may
// append to them beyond the length that the view sees: the view appends to a copy.
type branch struct {
	out, in map[Vertex]bool
	vast    bool // the view changes so much that compiling everything anew costs less, and reads faster
}

func (b *branch) isVast() bool { return b != nil && b.vast }

func (b *branch) ownOut(v Vertex) {
	if b != nil {
		b.out[v] = true
	}
}

func (b *branch) ownIn(v Vertex) {
	if b != nil {
		b.in[v] = true
	}
}

// outRow returns a row to change.
func (w *writer) outRow(v Vertex) row {
	r := w.out.written(v)
	if w.branch != nil && !w.branch.out[v] {
		return r.clipped()
	}
	return r
}

func (w *writer) inRow(v Vertex) row {
	r := w.in.written(v)
	if w.branch != nil && !w.branch.in[v] {
		return r.clipped()
	}
	return r
}

// extensible returns a list to append to.
func (w *writer) extensible(list []uint32) []uint32 {
	if w.branch != nil {
		return slices.Clip(list)
	}
	return list
}
