package impact

import (
	"cmp"
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Overlay is what is supposed beside or against what is: the sets that come with a what-if question (docs/impact.md,
// "What a question may suppose").
type Overlay struct {
	// Failed, Excluded and Maintenance are as in Question. Excluded may also name relationships: they carry nothing.
	Failed      []Failure
	Excluded    []ident.ID
	Maintenance []ident.ID
	// OnFacts is as in Question. A failure that the overlay names outweighs what an incident excludes.
	OnFacts bool
	// CIs, Relationships and Groups are added, or replace what has their id. topology.Snapshot.Unused gives ids
	// for what does not exist yet.
	CIs           []topology.CI
	Relationships []topology.Relationship
	Groups        []topology.Group
	// Removed names CIs, which are retired, relationships and groups. It outweighs the three above.
	Removed []ident.ID
}

// On returns the view of a snapshot with the changes of the overlay, and the question that the rest of it asks. The
// view is a snapshot like any other, and answers the same questions. It costs what topology.Snapshot.With costs,
// whatever the size of the estate. It fails with errs.NotFound if anything that is excluded or removed is unknown.
func (o Overlay) On(s *topology.Snapshot) (*topology.Snapshot, Question, error) {
	b := topology.Batch{CIs: slices.Clone(o.CIs), Relationships: o.Relationships, Groups: o.Groups}
	q := Question{Failed: o.Failed, Maintenance: o.Maintenance}
	for _, x := range o.Excluded {
		if x.Kind() != ident.Relationship {
			q.Excluded = append(q.Excluded, x)
		} else if err := o.remove(&b, s, "excluded", x); err != nil {
			return nil, q, err
		}
	}
	for _, x := range o.Removed {
		if err := o.remove(&b, s, "removed", x); err != nil {
			return nil, q, err
		}
	}
	view := s
	if len(b.CIs)+len(b.Relationships)+len(b.Groups)+len(b.Removed) > 0 {
		var err error
		if view, err = s.With(b); err != nil {
			return nil, q, err
		}
	}
	q.OnFacts = o.OnFacts
	return view, q, nil
}

func (o Overlay) remove(b *topology.Batch, s *topology.Snapshot, field string, x ident.ID) error {
	known := false
	switch x.Kind() { //nolint:exhaustive // the other kinds are not in the graph
	case ident.CI, ident.Service:
		var v topology.Vertex
		v, known = s.Index(x)
		gone := s.CI(v)
		for _, f := range o.CIs { // the last one holds
			if f.ID.As(ident.CI) == x.As(ident.CI) {
				gone, known = f, true
			}
		}
		gone.IsRetired = true
		if known {
			b.CIs = append(b.CIs, gone)
		}
	case ident.Relationship:
		_, known = s.Relationship(x)
		known = known || slices.ContainsFunc(o.Relationships, func(f topology.Relationship) bool { return f.ID == x })
		b.Removed = append(b.Removed, x)
	case ident.DependencyGroup:
		_, known = s.Group(x)
		known = known || slices.ContainsFunc(o.Groups, func(f topology.Group) bool { return f.ID == x })
		b.Removed = append(b.Removed, x)
	}
	if !known {
		return errs.New(errs.NotFound, "there is no CI, relationship or group %v at revision %d", name(x), s.Revision()).At(field)
	}
	return nil
}

// WhatIf answers an overlay: see OfView. Errors are those of Of and of Overlay.On.
func WhatIf(ctx context.Context, s *topology.Snapshot, o Overlay) (*Answer, error) {
	view, q, err := o.On(s)
	if err != nil {
		return nil, err
	}
	return OfView(ctx, s, view, q)
}

// Shift is a CI that fares differently in two answers.
type Shift struct {
	CI            ident.ID
	Before, After State
}

// Shifts lists the CIs that fare differently in two answers, on one snapshot or on views of it: services first,
// then what is worst after, then what was worst before, then by id. O(n log n) in the hits of both.
func Shifts(before, after *Answer) []Shift {
	before, after = before.entire(), after.entire()
	var shifts []Shift
	for i, h := range after.hits {
		ci := after.snapshot.ID(h.vertex)
		if was := before.TrueState(ci); after.isNear(int32(i)) && was != h.state {
			shifts = append(shifts, Shift{CI: ci, Before: was, After: h.state})
		}
	}
	for i, h := range before.hits {
		ci := before.snapshot.ID(h.vertex)
		if before.isNear(int32(i)) && after.TrueState(ci) == Operational {
			shifts = append(shifts, Shift{CI: ci, Before: h.state})
		}
	}
	isService := func(s Shift) bool {
		v, ok := after.snapshot.Index(s.CI)
		return ok && after.snapshot.IsService(v)
	}
	slices.SortFunc(shifts, func(a, b Shift) int {
		return cmp.Or(compareFlags(isService(b), isService(a)), cmp.Compare(b.After, a.After), cmp.Compare(b.Before, a.Before), cmp.Compare(a.CI, b.CI))
	})
	return shifts
}
