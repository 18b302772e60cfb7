package read

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Overlay is what is supposed beside what is.
type Overlay struct {
	Failed             []*Failure
	Excluded           []ident.ID
	Maintenance        []ident.ID
	AddedRelationships []*OverlayRelationship
	Removed            []ident.ID
}

// OverlayRelationship is a relationship that would be added.
type OverlayRelationship struct {
	Type     string
	Source   ident.ID
	Target   ident.ID
	Strength *domain.Strength
}

// WhatIf asks what breaks if an overlay held.
func (r *Reader) WhatIf(ctx context.Context, o Overlay, filter *ImpactFilter, facts Facts, asOf *AsOf) (*Impact, error) {
	r, err := r.asOf(ctx, asOf)
	if err != nil {
		return nil, err
	}
	graph, err := r.snapshotWith(ctx, o.names()...)
	if err != nil {
		return nil, err
	}
	view, question, err := r.suppose(ctx, graph, &o, facts)
	if err != nil {
		return nil, err
	}
	answer, err := impact.OfView(ctx, graph, view, question)
	if err != nil {
		return nil, err
	}
	b := newBatch[*Impact](r, nil)
	keep, err := chosen(ctx, b, filter)
	if err != nil {
		return nil, err
	}
	hidden, err := r.hidden(ctx)
	if err != nil {
		return nil, err
	}
	about := "what if " + o.String() + fmt.Sprint(facts.hold()) + asOf.String() + filter.String()
	b.Rows = append(b.Rows, &Impact{about: about, work: func() (*impact.Answer, error) { return answer, nil }, keep: keep, hidden: hidden, in: b})
	return b.Rows[0], nil
}

// String tells overlays apart: cursors are good for one. A nil overlay supposes nothing.
func (o *Overlay) String() string {
	if o == nil {
		return ""
	}
	text, _ := json.Marshal(o) //nolint:errchkjson // nothing in it can fail
	return string(text)
}

// names returns the records that the overlay is about.
func (o *Overlay) names() []ident.ID {
	if o == nil {
		return nil
	}
	all := slices.Concat(o.Excluded, o.Maintenance, o.Removed)
	for _, f := range o.Failed {
		all = append(all, f.ID)
	}
	for _, l := range o.AddedRelationships {
		all = append(all, l.Source, l.Target)
	}
	return all
}

// suppose returns the view of a graph under an overlay, and the question that the rest of the overlay asks.
func (r *Reader) suppose(ctx context.Context, graph *topology.Snapshot, o *Overlay, facts Facts) (*topology.Snapshot, impact.Question, error) {
	none := impact.Question{OnFacts: facts.hold()}
	if o == nil {
		return graph, none, nil
	}
	for name, n := range map[string]int{
		"failed": len(o.Failed), "excluded": len(o.Excluded), "maintenance": len(o.Maintenance),
		"addedRelationships": len(o.AddedRelationships), "removed": len(o.Removed),
	} {
		if n > maxFailures {
			return nil, none, errs.New(errs.BadUserInput, "overlay.%s has %d entries: at most %d", name, n, maxFailures)
		}
	}
	supposed := impact.Overlay{OnFacts: facts.hold(), Removed: o.Removed}
	for _, f := range o.Failed {
		state, ok := impact.ParseState(f.State)
		if !ok {
			return nil, none, errs.New(errs.BadUserInput, "a CI cannot fail as %q, only as DOWN or DEGRADED", f.State)
		}
		supposed.Failed = append(supposed.Failed, impact.Failure{CI: asCI(f.ID), State: state})
	}
	for _, id := range o.Excluded {
		supposed.Excluded = append(supposed.Excluded, asCI(id))
	}
	for _, id := range o.Maintenance {
		supposed.Maintenance = append(supposed.Maintenance, asCI(id))
	}
	named := [][]ident.ID{ids(o.Failed), o.Excluded, o.Maintenance, o.Removed}
	for _, l := range o.AddedRelationships {
		named = append(named, []ident.ID{l.Source, l.Target})
	}
	if err := r.mayName(ctx, named...); err != nil {
		return nil, none, err
	}
	var err error
	if supposed.Relationships, err = r.supposed(ctx, graph, o.AddedRelationships); err != nil {
		return nil, none, err
	}
	return supposed.On(graph)
}

// supposed turns relationships that would be added into facts, under ids that nothing has yet.
func (r *Reader) supposed(ctx context.Context, graph *topology.Snapshot, added []*OverlayRelationship) ([]topology.Relationship, error) {
	if len(added) == 0 {
		return nil, nil
	}
	types, err := r.store.Show.RelationshipType.Query().Select(relationshiptype.FieldCode).All(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	byCode := make(map[string]ident.ID, len(types))
	for _, t := range types {
		byCode[t.Code] = t.ID
	}
	next := graph.Unused(ident.Relationship)
	facts := make([]topology.Relationship, len(added))
	for i, l := range added {
		at := "overlay.addedRelationships." + strconv.Itoa(i)
		f := topology.Relationship{ID: ident.New(ident.Relationship, next.Number()+int64(i)), Type: byCode[l.Type], Source: asCI(l.Source), Target: asCI(l.Target)}
		if f.Type == 0 {
			return nil, errs.New(errs.BadUserInput, "%s: there is no relationship type %q", at, l.Type)
		}
		for _, end := range []ident.ID{f.Source, f.Target} {
			if _, ok := graph.Index(end); !ok {
				return nil, errs.New(errs.NotFound, "%s: there is no CI %v", at, end)
			}
		}
		if l.Strength != nil {
			if f.Strength, err = strength(*l.Strength); err != nil {
				return nil, err
			}
		}
		facts[i] = f
	}
	return facts, nil
}

func strength(s domain.Strength) (topology.Strength, error) {
	parsed, ok := topology.ParseStrength(string(s))
	if !ok {
		return parsed, errs.New(errs.BadUserInput, "the strength %q is unknown: it is HARD or SOFT", s)
	}
	return parsed, nil
}
