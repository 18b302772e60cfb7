package cmdb

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// end is one end of the relationships of a type.
type end struct {
	kind, ci ident.ID
	isSource bool
}

// checkCardinality counts, at the ends that are bounded, what is stored and what the rows before would add.
func (r *Reference) checkCardinality(ctx context.Context, tx *store.Tx, p *relationshipPlan, isBounded bool) error {
	if !isBounded {
		return nil
	}
	taken, sources, targets := map[end]ident.ID{}, map[ident.ID]bool{}, map[ident.ID]bool{}
	types := map[ident.ID]bool{}
	ends := func(d *ent.Relationship) (all []end) {
		switch r.types[d.TypeID].Cardinality {
		case domain.ManyToOne:
			all = []end{{d.TypeID, d.SourceID, true}}
		case domain.OneToMany:
			all = []end{{d.TypeID, d.TargetID, false}}
		case domain.OneToOne:
			all = []end{{d.TypeID, d.SourceID, true}, {d.TypeID, d.TargetID, false}}
		case domain.ManyToMany:
		}
		return all
	}
	for _, d := range p.drafts {
		if d == nil {
			continue
		}
		for _, e := range ends(d) {
			types[d.TypeID] = true
			if e.isSource {
				sources[e.ci] = true
			} else {
				targets[e.ci] = true
			}
		}
	}
	kinds := slices.Collect(maps.Keys(types))
	for chunk := range chunks(sources) {
		all, err := tx.Relationship.Query().Where(relationship.TypeIDIn(kinds...), relationship.SourceIDIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, rel := range all {
			taken[end{rel.TypeID, rel.SourceID, true}] = rel.TargetID
		}
	}
	for chunk := range chunks(targets) {
		all, err := tx.Relationship.Query().Where(relationship.TypeIDIn(kinds...), relationship.TargetIDIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, rel := range all {
			taken[end{rel.TypeID, rel.TargetID, false}] = rel.SourceID
		}
	}
	for i, d := range p.drafts {
		if d == nil || p.wrong[i].IsFaulty() {
			continue
		}
		t := r.types[d.TypeID]
		for _, e := range ends(d) {
			other, ok := taken[e]
			switch {
			case ok && e.isSource:
				p.wrong[i].Fault(errs.New(errs.AlreadyExists, "%s %s %s already, and has one target at most (%s)", e.ci, t.Code, other, t.Cardinality), "source")
			case ok:
				p.wrong[i].Fault(errs.New(errs.AlreadyExists, "%s %s %s already, which has one source at most (%s)", other, t.Code, e.ci, t.Cardinality), "target")
			}
		}
		if !p.wrong[i].IsFaulty() {
			for _, e := range ends(d) {
				taken[e] = d.TargetID
				if !e.isSource {
					taken[e] = d.SourceID
				}
			}
		}
	}
	return nil
}
