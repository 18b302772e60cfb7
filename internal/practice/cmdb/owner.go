package cmdb

import (
	"context"
	"slices"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/owner"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ownersField is how locks spell the owners of a CI.
const ownersField = "owners"

// SetOwners replaces the owners of a CI. The first is the primary owner.
func (p *Practice) SetOwners(ctx context.Context, in SetOwners) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "ci.set_owners", func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		old, err := lockCI(ctx, tx, in.ID, in.ExpectedVersion)
		if err != nil {
			return nil, err
		}
		var f form.Form
		listed, err := checkOwners(ctx, tx, in.Owners, &f)
		if err != nil {
			return nil, err
		}
		if err := f.Err(); err != nil {
			return nil, err
		}
		have, err := ownersOf(ctx, tx, map[ident.ID]bool{old.ID: true})
		if err != nil {
			return nil, err
		}
		missing, changed, err := replaceOwners(ctx, tx, old.ID, have[old.ID], listed)
		if err != nil || !changed {
			return old, err
		}
		if err := store.Insert(ctx, tx, missing); err != nil {
			return nil, err
		}
		next := *old
		if next.Locks, err = locksAfter(ctx, tx, old, []string{ownersField}, nil); err != nil {
			return nil, err
		}
		return saveChange(ctx, tx, &change{old, &next, []string{ownersField}})
	})
}

// SetOwnersTx replaces the owners of CIs inside a transaction; owners that a person has locked stay. Paths of failures
// begin with the row's number.
func SetOwnersTx(ctx context.Context, tx *store.Tx, rows []OwnerSet) error {
	wrong := make([]form.Form, len(rows))
	cis, parties := map[ident.ID]bool{}, map[ident.ID]bool{}
	for i := range rows {
		id, err := CIID(rows[i].CI)
		wrong[i].Fault(err, "ci")
		if rows[i].CI = id; id != 0 {
			cis[id] = true
		}
		for _, o := range rows[i].Owners {
			parties[o.Of] = true
		}
	}
	known, err := Known(ctx, tx, parties)
	if err != nil {
		return err
	}
	found, err := lockCIs(ctx, tx, cis)
	if err != nil {
		return err
	}
	for i := range rows {
		if rows[i].CI != 0 && found[rows[i].CI] == nil {
			wrong[i].Fault(form.Missing(rows[i].CI, "ci"))
		}
		rows[i].Owners = checkListed(rows[i].Owners, known, "", &wrong[i])
	}
	if err := form.Rows(wrong); err != nil {
		return err
	}
	have, err := ownersOf(ctx, tx, cis)
	if err != nil {
		return err
	}
	var missing []*ent.Owner
	for _, row := range rows {
		old := found[row.CI]
		if slices.Contains(old.Locks, ownersField) {
			continue
		}
		more, changed, err := replaceOwners(ctx, tx, row.CI, have[row.CI], row.Owners)
		if err != nil {
			return err
		}
		missing = append(missing, more...)
		isNew := old.Version == 1 && old.CreatedAt.Equal(tx.Now) // made by this transaction: no second version
		if changed && !isNew {
			if err := touch(ctx, tx, old); err != nil {
				return err
			}
		}
	}
	return store.Insert(ctx, tx, missing)
}

// touch counts a write to what belongs to a CI as one of the CI.
func touch(ctx context.Context, tx *store.Tx, c *ent.CI) error {
	return tx.CI.UpdateOne(c).AddVersion(1).SetUpdatedAt(tx.Now).Exec(ctx)
}

// checkOwners checks owners as the API takes them.
func checkOwners(ctx context.Context, tx *store.Tx, given []Owner, f *form.Form) ([]NewOwner, error) {
	listed := make([]NewOwner, len(given))
	parties := map[ident.ID]bool{}
	for i, o := range given {
		at := strconv.Itoa(i)
		listed[i].Role = form.Or(o.Role, "")
		switch {
		case (o.Team == nil) == (o.Person == nil):
			f.Fault(errs.New(errs.Invalid, "an owner is a team or a person: name exactly one"), "owners", at)
		case o.Team != nil:
			listed[i].Of = *o.Team
			if err := form.Kind(*o.Team, ident.Team, "owners", at, "team"); err != nil {
				f.Fault(err)
				listed[i].Of = 0
			}
		default:
			listed[i].Of = *o.Person
			if err := form.Kind(*o.Person, ident.Person, "owners", at, "person"); err != nil {
				f.Fault(err)
				listed[i].Of = 0
			}
		}
		parties[listed[i].Of] = true
	}
	known, err := Known(ctx, tx, parties)
	if err != nil {
		return nil, err
	}
	return checkListed(listed, known, "owners", f), nil
}

// checkListed checks owners whose existence has been looked up. An id of 0 has been complained about already.
func checkListed(listed []NewOwner, known map[ident.ID]bool, field string, f *form.Form) []NewOwner {
	listed = slices.Clone(listed)
	var all form.Form
	if len(listed) > valid.MostOwners {
		all.Fault(errs.New(errs.Invalid, "%d owners: at most %d", len(listed), valid.MostOwners))
	}
	seen := map[NewOwner]bool{}
	for i := range listed {
		at := strconv.Itoa(i)
		o := &listed[i]
		var own form.Form
		if o.Role = own.Text("role", o.Role, 0, valid.LongestName); o.Role == "" {
			o.Role = "owner"
		}
		all.Fault(own.Err(), at)
		switch {
		case o.Of == 0:
		case !known[o.Of] && o.Of.Kind() == ident.Person:
			all.Fault(form.Missing(o.Of, at, "person"))
		case !known[o.Of]:
			all.Fault(form.Missing(o.Of, at, "team"))
		case seen[*o]:
			all.Fault(errs.New(errs.AlreadyExists, "%s is named twice as %s", o.Of, o.Role), at)
		}
		seen[*o] = true
	}
	if field == "" {
		f.Fault(all.Err())
	} else {
		f.Fault(all.Err(), field)
	}
	return listed
}

// ownersOf reads the owners of CIs.
func ownersOf(ctx context.Context, tx *store.Tx, cis map[ident.ID]bool) (map[ident.ID][]*ent.Owner, error) {
	have := map[ident.ID][]*ent.Owner{}
	for chunk := range chunks(cis) {
		all, err := tx.Owner.Query().Where(owner.CiIDIn(chunk...)).Order(ent.Asc(owner.FieldID)).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			have[o.CiID] = append(have[o.CiID], o)
		}
	}
	return have, nil
}

func partyOf(o *ent.Owner) ident.ID {
	if o.TeamID != nil {
		return *o.TeamID
	}
	if o.PersonID != nil {
		return *o.PersonID
	}
	return 0
}

// replaceOwners writes what differs of the owners there are, and gives those that are still missing.
func replaceOwners(ctx context.Context, tx *store.Tx, of ident.ID, have []*ent.Owner, want []NewOwner) (missing []*ent.Owner, changed bool, err error) {
	stored := map[NewOwner]*ent.Owner{}
	for _, o := range have {
		key := NewOwner{partyOf(o), o.Role}
		if !slices.Contains(want, key) || stored[key] != nil {
			changed = true
			if err := tx.Owner.DeleteOne(o).Exec(ctx); err != nil {
				return nil, changed, err
			}
			continue
		}
		stored[key] = o
	}
	for i, o := range want {
		isPrimary := i == 0
		switch old := stored[o]; {
		case old == nil:
			missing = append(missing, ownerOf(of, o, isPrimary))
		case old.IsPrimary != isPrimary:
			changed = true
			if err := tx.Owner.UpdateOne(old).SetIsPrimary(isPrimary).Exec(ctx); err != nil {
				return nil, changed, err
			}
		}
	}
	return missing, changed || len(missing) > 0, nil
}

// FirstOwnersTx writes the owners of new CIs, of each the primary first.
func FirstOwnersTx(ctx context.Context, tx *store.Tx, all []OwnerSet) error {
	var rows []*ent.Owner
	for _, set := range all {
		for i, o := range set.Owners {
			rows = append(rows, ownerOf(set.CI, o, i == 0))
		}
	}
	return store.Insert(ctx, tx, rows)
}

func ownerOf(ci ident.ID, o NewOwner, isPrimary bool) *ent.Owner {
	made := &ent.Owner{CiID: ci, Role: o.Role, IsPrimary: isPrimary}
	if o.Of.Kind() == ident.Team {
		made.TeamID = &o.Of
	} else {
		made.PersonID = &o.Of
	}
	return made
}
