package cmdb

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const manual = "manual"

// RelateCIs relates two CIs.
func (p *Practice) RelateCIs(ctx context.Context, in RelateCIs) (*ent.Relationship, error) {
	return auth.Write(ctx, p.store, "relationship.create", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.Relationship, error) {
		if err := MayRelate(ctx, tx, in); err != nil {
			return nil, err
		}
		return RelateByPerson(ctx, tx, NewRelationship{Type: in.Type, Source: in.Source, Target: in.Target, Strength: in.Strength, Attributes: in.Attributes})
	}))
}

// RelateByPerson relates two CIs as the verb does.
func RelateByPerson(ctx context.Context, tx *store.Tx, row NewRelationship) (*ent.Relationship, error) {
	ref, err := LoadReference(ctx, tx)
	if err != nil {
		return nil, err
	}
	plan, err := ref.planRelationships(ctx, tx, []NewRelationship{row})
	if err != nil {
		return nil, err
	}
	if err := plan.wrong[0].Err(); err != nil {
		return nil, err
	}
	if err := ref.warnOfEnvironment(ctx, tx, plan.drafts[0], plan.ends); err != nil {
		return nil, err
	}
	saved, err := saveRelationships(ctx, tx, plan.drafts)
	if err != nil {
		return nil, err
	}
	return saved[0], nil
}

// RelateTx relates CIs inside a transaction, a few statements for all of them. They come back in the order of the
// rows. Paths of failures begin with the row's number.
func RelateTx(ctx context.Context, tx *store.Tx, ref *Reference, rows []NewRelationship) ([]*ent.Relationship, error) {
	plan, err := ref.planRelationships(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	if err := form.Rows(plan.wrong); err != nil {
		return nil, err
	}
	return saveRelationships(ctx, tx, plan.drafts)
}

// relationshipPlan is rows of which each is a draft, or wrong.
type relationshipPlan struct {
	drafts   []*ent.Relationship
	wrong    []form.Form
	isStored []bool // it exists already, which is wrong too
	ends     map[ident.ID]*ent.CI
}

// planRelationships checks rows against their types, against what is stored and against one another.
func (r *Reference) planRelationships(ctx context.Context, tx *store.Tx, rows []NewRelationship) (*relationshipPlan, error) {
	p := &relationshipPlan{make([]*ent.Relationship, len(rows)), make([]form.Form, len(rows)), make([]bool, len(rows)), nil}
	types := map[ident.ID]*ent.RelationshipType{}
	for i, row := range rows {
		if t := r.byCode[row.Type]; t != nil {
			types[t.ID] = t
		}
		p.drafts[i] = r.draftRelationship(row, &p.wrong[i])
	}
	if err := r.lockTypes(ctx, tx, slices.Collect(maps.Values(types))); err != nil {
		return nil, err
	}
	free, bounded := map[ident.ID]bool{}, map[ident.ID]bool{}
	for _, d := range p.drafts {
		if d == nil {
			continue
		}
		ids := free
		if r.types[d.TypeID].Cardinality != domain.ManyToMany {
			ids = bounded
		}
		ids[d.SourceID], ids[d.TargetID] = true, true
	}
	// Relationships of these CIs are counted, so that others must not add one meanwhile.
	cis, err := lockCIs(ctx, tx, bounded)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(free, func(id ident.ID, _ bool) bool { return bounded[id] })
	more, err := loadEnds(ctx, tx, free)
	if err != nil {
		return nil, err
	}
	maps.Copy(cis, more)
	p.ends = cis
	for i, d := range p.drafts {
		if d != nil {
			r.checkEnds(d, cis, &p.wrong[i])
		}
	}
	if err := p.checkUnique(ctx, tx, r); err != nil {
		return nil, err
	}
	return p, r.checkCardinality(ctx, tx, p, len(bounded) > 0)
}

// draftRelationship returns the relationship that a row describes. If the type or an id is wrong, it returns nil.
func (r *Reference) draftRelationship(row NewRelationship, f *form.Form) *ent.Relationship {
	d := &ent.Relationship{ID: row.Restores, Strength: row.Strength, ReportedBy: row.ReportedBy}
	if d.ReportedBy == "" {
		d.ReportedBy = manual
	}
	d.ReportedBy = f.Text("reportedBy", d.ReportedBy, 1, sourceLength)
	d.Evidence = f.Text("evidence", row.Evidence, 0, valid.LongestDescription)
	d.Attributes = checkAttributes(f, row.Attributes)
	maps.DeleteFunc(d.Attributes, func(_ string, v any) bool { return v == nil })
	f.Fault(attribute.Size(d.Attributes), "attributes")
	if row.Strength != nil {
		form.OneOf(f, "strength", *row.Strength)
	}
	t, unknownType := r.Type(row.Type)
	f.Fault(unknownType, "type")
	source, noSource := CIID(row.Source)
	f.Fault(noSource, "source")
	target, noTarget := CIID(row.Target)
	f.Fault(noTarget, "target")
	if unknownType != nil || noSource != nil || noTarget != nil {
		return nil
	}
	d.TypeID, d.SourceID, d.TargetID = t.ID, source, target
	return d
}

// checkEnds checks the CIs at the ends against the type.
func (r *Reference) checkEnds(d *ent.Relationship, cis map[ident.ID]*ent.CI, f *form.Form) {
	t, source, target := r.types[d.TypeID], cis[d.SourceID], cis[d.TargetID]
	if source == nil {
		f.Fault(form.Missing(d.SourceID, "source"))
	}
	if target == nil {
		f.Fault(form.Missing(d.TargetID, "target"))
	}
	if source == nil || target == nil {
		return
	}
	if d.ID != 0 { // it stood before, when it may have been allowed
		return
	}
	if d.SourceID == d.TargetID {
		f.Fault(errs.New(errs.Invalid, "%s cannot be related to itself: choose another target", d.TargetID), "target")
	}
	f.Fault(CheckPair(t, r.classes[source.ClassID], r.classes[target.ClassID]), "type")
}

// checkUnique finds rows that repeat a stored relationship or an earlier row.
func (p *relationshipPlan) checkUnique(ctx context.Context, tx *store.Tx, r *Reference) error {
	var all []Between
	for _, d := range p.drafts {
		if d != nil {
			all = append(all, between(d))
		}
	}
	stored, err := FindRelationships(ctx, tx, all)
	if err != nil {
		return err
	}
	seen := map[Between]bool{}
	for i, d := range p.drafts {
		if d == nil {
			continue
		}
		e := between(d)
		if old := stored[e]; old != nil {
			p.isStored[i] = true
			p.wrong[i].Fault(errs.New(errs.AlreadyExists, "%s: %s %s %s already", old.ID, d.SourceID, r.types[d.TypeID].Code, d.TargetID))
		} else if seen[e] {
			p.wrong[i].Fault(errs.New(errs.AlreadyExists, "%s %s %s is named twice", d.SourceID, r.types[d.TypeID].Code, d.TargetID))
		}
		seen[e] = true
	}
	return nil
}

func saveRelationships(ctx context.Context, tx *store.Tx, drafts []*ent.Relationship) ([]*ent.Relationship, error) {
	for _, d := range drafts {
		d.Version, d.CreatedAt, d.UpdatedAt = 1, tx.Now, tx.Now
	}
	return drafts, taken(store.Insert(ctx, tx, drafts), "another write has just made the same relationship")
}
