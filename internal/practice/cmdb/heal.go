package cmdb

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/membership"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// heal turns the references that waited for what has arrived into what they would have been. One that cannot become
// it (its type forbids the pair, the id is of another kind) stays dangling: a list of it is a person's work to do.
func heal(ctx context.Context, tx *store.Tx, ref *Reference, arrived []NewIdentity) error {
	if len(arrived) == 0 {
		return nil
	}
	targets := map[domain.ExternalKey]ident.ID{}
	keys := make([]domain.ExternalKey, len(arrived))
	for i, a := range arrived {
		keys[i], targets[a.Key] = a.Key, a.Record
	}
	waiting, err := danglingTo(ctx, tx, keys)
	if err != nil || len(waiting) == 0 {
		return err
	}
	var edges []*ent.DanglingReference
	var rows []NewRelationship
	for _, d := range waiting {
		target := targets[domain.ExternalKey{Source: d.Source, ExternalID: d.ExternalID}]
		if d.Kind == domain.DanglingRelationship {
			row := NewRelationship{
				Type: d.Detail, Source: d.RecordID, Target: target, Strength: d.Strength, ReportedBy: d.Source, Evidence: d.Evidence,
			}
			if d.IsReverse {
				row.Source, row.Target = row.Target, row.Source
			}
			edges, rows = append(edges, d), append(rows, row)
			continue
		}
		healed, err := healOne(ctx, tx, d, target)
		if err != nil {
			return err
		}
		if healed {
			if err := tx.DanglingReference.DeleteOne(d).Exec(ctx); err != nil {
				return err
			}
		}
	}
	return healEdges(ctx, tx, ref, edges, rows)
}

func healEdges(ctx context.Context, tx *store.Tx, ref *Reference, edges []*ent.DanglingReference, rows []NewRelationship) error {
	if len(edges) == 0 {
		return nil
	}
	plan, err := ref.planRelationships(ctx, tx, rows)
	if err != nil {
		return err
	}
	var fit []*ent.Relationship
	for i, d := range edges {
		switch {
		case plan.isStored[i]: // somebody has related them meanwhile
		case plan.wrong[i].IsFaulty():
			continue
		default:
			fit = append(fit, plan.drafts[i])
		}
		if err := tx.DanglingReference.DeleteOne(d).Exec(ctx); err != nil {
			return err
		}
	}
	_, err = saveRelationships(ctx, tx, fit)
	return err
}

func healOne(ctx context.Context, tx *store.Tx, d *ent.DanglingReference, target ident.ID) (healed bool, err error) {
	switch d.Kind {
	case domain.DanglingOwner:
		return healOwner(ctx, tx, d, target)
	case domain.DanglingSupport:
		return healSupport(ctx, tx, d, target)
	case domain.DanglingParent:
		return healParent(ctx, tx, d, target)
	case domain.DanglingMember:
		return healMember(ctx, tx, d, target)
	case domain.DanglingRelationship:
	}
	return false, nil
}

func healOwner(ctx context.Context, tx *store.Tx, d *ent.DanglingReference, target ident.ID) (bool, error) {
	if target.Kind() != ident.Team && target.Kind() != ident.Person {
		return false, nil
	}
	cis, err := lockCIs(ctx, tx, map[ident.ID]bool{d.RecordID: true})
	if err != nil || cis[d.RecordID] == nil {
		return false, err
	}
	have, err := ownersOf(ctx, tx, map[ident.ID]bool{d.RecordID: true})
	if err != nil {
		return false, err
	}
	arrived := NewOwner{Of: target, Role: d.Detail}
	if arrived.Role == "" {
		arrived.Role = "owner"
	}
	for _, o := range have[d.RecordID] {
		if (NewOwner{partyOf(o), o.Role}) == arrived {
			return true, nil
		}
	}
	if err := store.Insert(ctx, tx, []*ent.Owner{ownerOf(d.RecordID, arrived, len(have[d.RecordID]) == 0)}); err != nil {
		return false, err
	}
	return true, touch(ctx, tx, cis[d.RecordID])
}

func healSupport(ctx context.Context, tx *store.Tx, d *ent.DanglingReference, target ident.ID) (bool, error) {
	if target.Kind() != ident.Team {
		return false, nil
	}
	cis, err := lockCIs(ctx, tx, map[ident.ID]bool{d.RecordID: true})
	record := cis[d.RecordID]
	if err != nil || record == nil || record.ServiceKind == nil {
		return false, err
	}
	if record.SupportTeamID != nil {
		return true, nil // somebody has said who supports it meanwhile
	}
	return true, tx.CI.UpdateOne(record).SetSupportTeamID(target).AddVersion(1).SetUpdatedAt(tx.Now).Exec(ctx)
}

func healParent(ctx context.Context, tx *store.Tx, d *ent.DanglingReference, target ident.ID) (bool, error) {
	if target.Kind() != ident.Team {
		return false, nil
	}
	if err := CheckTeamParent(ctx, tx, d.RecordID, target); err != nil {
		if _, ok := errs.All(err); ok {
			return false, nil // a cycle: it stays dangling
		}
		return false, err
	}
	child, err := tx.Team.Get(ctx, d.RecordID)
	if err != nil {
		return false, err
	}
	if child.ParentID != nil {
		return true, nil
	}
	return true, tx.Team.UpdateOne(child).SetParentID(target).AddVersion(1).SetUpdatedAt(tx.Now).Exec(ctx)
}

// healMember heals a team's reference to a person and a person's reference to a team.
func healMember(ctx context.Context, tx *store.Tx, d *ent.DanglingReference, target ident.ID) (bool, error) {
	of, member := d.RecordID, target
	if of.Kind() == ident.Person {
		of, member = target, d.RecordID
	}
	if of.Kind() != ident.Team || member.Kind() != ident.Person {
		return false, nil
	}
	there, err := tx.Membership.Query().Where(membership.TeamID(of), membership.PersonID(member)).Exist(ctx)
	if err != nil || there {
		return there, err
	}
	return true, tx.Membership.Create().SetTeamID(of).SetPersonID(member).Exec(ctx)
}
