package cmdb

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const labelLength = 100

// CreateRelationshipType makes a new type of relationship, usable at once.
func (p *Practice) CreateRelationshipType(ctx context.Context, in CreateRelationshipType) (*ent.RelationshipType, error) {
	return auth.Write(ctx, p.store, "relationship_type.create", func(ctx context.Context, tx *store.Tx) (*ent.RelationshipType, error) {
		ref, err := LoadReference(ctx, tx)
		if err != nil {
			return nil, err
		}
		t := &ent.RelationshipType{
			Code: in.Code, ForwardLabel: in.ForwardLabel, ReverseLabel: in.ReverseLabel, Description: form.Or(in.Description, ""),
			ImpactDirection: in.ImpactDirection, Strength: form.Or(in.Strength, domain.Hard), IsContainment: form.Or(in.IsContainment, false),
			Cardinality: form.Or(in.Cardinality, domain.ManyToMany),
		}
		var f form.Form
		f.Fault(valid.Code("code", t.Code))
		checkType(t, &f)
		form.OneOf(&f, "cardinality", t.Cardinality)
		if ref.byCode[t.Code] != nil {
			f.Fault(errs.New(errs.AlreadyExists, "there is a relationship type %s already", t.Code), "code")
		}
		t.AllowedPairs = ref.pairs(&f, in.AllowedPairs)
		if err := f.Err(); err != nil {
			return nil, err
		}
		saved, err := newType(tx, t).Save(ctx)
		return saved, taken(err, "another write has just made the relationship type %s", t.Code)
	})
}

func newType(tx *store.Tx, t *ent.RelationshipType) *ent.RelationshipTypeCreate {
	b := tx.RelationshipType.Create().SetCode(t.Code).SetForwardLabel(t.ForwardLabel).SetReverseLabel(t.ReverseLabel).
		SetDescription(t.Description).SetImpactDirection(t.ImpactDirection).SetStrength(t.Strength).
		SetIsContainment(t.IsContainment).SetCardinality(t.Cardinality).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
	if len(t.AllowedPairs) > 0 {
		b.SetAllowedPairs(t.AllowedPairs)
	}
	return b
}

func checkType(t *ent.RelationshipType, f *form.Form) {
	t.ForwardLabel = f.Text("forwardLabel", t.ForwardLabel, 1, labelLength)
	t.ReverseLabel = f.Text("reverseLabel", t.ReverseLabel, 1, labelLength)
	t.Description = f.Text("description", t.Description, 0, valid.LongestDescription)
	form.OneOf(f, "impactDirection", t.ImpactDirection)
	form.OneOf(f, "strength", t.Strength)
}

// UpdateRelationshipType changes a type of relationship; impact follows at once. Pairs of classes bind new
// relationships; those that stand stay. Dependency groups whose members would no longer be HARD dependencies of their
// CI stand in the way.
func (p *Practice) UpdateRelationshipType(ctx context.Context, in UpdateRelationshipType) (*ent.RelationshipType, error) {
	return auth.Write(ctx, p.store, "relationship_type.update", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.RelationshipType, error) {
		q := tx.RelationshipType.Query().Where(relationshiptype.Code(in.Code))
		if tx.IsPostgres() {
			q = q.ForUpdate()
		}
		old, err := q.First(ctx)
		if ent.IsNotFound(err) {
			return nil, errs.New(errs.NotFound, "there is no relationship type %q", in.Code).At("code")
		}
		if err != nil {
			return nil, err
		}
		if err := valid.Stale(in.ExpectedVersion, old.Version); err != nil {
			return nil, err
		}
		next := *old
		var f form.Form
		next.ForwardLabel = form.Or(form.Given(&f, "forwardLabel", in.ForwardLabel), old.ForwardLabel)
		next.ReverseLabel = form.Or(form.Given(&f, "reverseLabel", in.ReverseLabel), old.ReverseLabel)
		next.Description = form.Or(form.Cleared(in.Description), old.Description)
		next.ImpactDirection = form.Or(form.Given(&f, "impactDirection", in.ImpactDirection), old.ImpactDirection)
		next.Strength = form.Or(form.Given(&f, "strength", in.Strength), old.Strength)
		checkType(&next, &f)
		if in.AllowedPairs.IsSet() {
			ref, err := LoadReference(ctx, tx)
			if err != nil {
				return nil, err
			}
			next.AllowedPairs = ref.pairs(&f, in.AllowedPairs.Value())
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		if next.ImpactDirection != old.ImpactDirection || next.Strength != old.Strength {
			if err := checkGroupsOfType(ctx, tx, old, &next); err != nil {
				return nil, err
			}
		}
		return saveType(ctx, tx, old, &next)
	}))
}

// checkGroupsOfType refuses what would make members of stored groups invalid. It reads all groups, in pages.
func checkGroupsOfType(ctx context.Context, tx *store.Tx, old, next *ent.RelationshipType) error {
	ref := &Reference{types: map[ident.ID]*ent.RelationshipType{next.ID: next}}
	for last := ident.ID(0); ; {
		page, err := tx.DependencyGroup.Query().Where(dependencygroup.IDGT(last)).Order(ent.Asc(dependencygroup.FieldID)).Limit(idChunk).All(ctx)
		if err != nil || len(page) == 0 {
			return err
		}
		last = page[len(page)-1].ID
		members := map[ident.ID]bool{}
		for _, g := range page {
			for _, m := range g.Members {
				members[m.Relationship] = true
			}
		}
		rels := map[ident.ID]*ent.Relationship{}
		for chunk := range chunks(members) {
			all, err := tx.Relationship.Query().Where(relationship.TypeID(old.ID), relationship.IDIn(chunk...)).All(ctx)
			if err != nil {
				return err
			}
			for _, rel := range all {
				rels[rel.ID] = rel
			}
		}
		for _, g := range page {
			if err := ref.spoils(g, rels, old, next); err != nil {
				return err
			}
		}
	}
}

// spoils says why a group stands in the way of a change to the type of some of its members.
func (r *Reference) spoils(g *ent.DependencyGroup, rels map[ident.ID]*ent.Relationship, old, next *ent.RelationshipType) error {
	i := slices.IndexFunc(g.Members, func(m domain.GroupMember) bool {
		rel := rels[m.Relationship]
		return rel != nil && (!r.arrives(rel, g.CiID) || r.strength(rel) != domain.Hard)
	})
	if i < 0 {
		return nil
	}
	field := "strength"
	if next.ImpactDirection != old.ImpactDirection && !r.arrives(rels[g.Members[i].Relationship], g.CiID) {
		field = "impactDirection"
	}
	return errs.New(errs.InUse, "%s counts in the dependency group %q (%s) of %s, whose members are HARD dependencies of it: take it out first",
		g.Members[i].Relationship, g.Name, g.ID, g.CiID).At(field)
}

func saveType(ctx context.Context, tx *store.Tx, old, next *ent.RelationshipType) (*ent.RelationshipType, error) {
	u := tx.RelationshipType.UpdateOne(old)
	store.Set(old.ForwardLabel, next.ForwardLabel, u.SetForwardLabel)
	store.Set(old.ReverseLabel, next.ReverseLabel, u.SetReverseLabel)
	store.Set(old.Description, next.Description, u.SetDescription)
	store.Set(old.ImpactDirection, next.ImpactDirection, u.SetImpactDirection)
	store.Set(old.Strength, next.Strength, u.SetStrength)
	if !slices.Equal(old.AllowedPairs, next.AllowedPairs) {
		u.SetAllowedPairs(next.AllowedPairs)
	}
	if store.IsIdle(u.Mutation()) {
		return old, nil
	}
	return u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
}
