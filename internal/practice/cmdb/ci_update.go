package cmdb

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// UpdateCI changes a CI. On a CI that was imported, the changed fields are locked against imports until they are
// released.
func (p *Practice) UpdateCI(ctx context.Context, in UpdateCI) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "ci.update", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		var f form.Form
		ch := CIChange{
			ID: in.ID, ExpectedVersion: in.ExpectedVersion, Fields: in.Fields(&f), Attributes: in.Attributes.Value(),
		}
		ch.ReplaceAttributes = in.Attributes.IsSet() && in.Attributes.Value() == nil
		f.Fault(ch.SetLabels(in.Labels.Value(), in.Labels.IsSet()))
		if err := f.Err(); err != nil {
			return nil, err
		}
		if err := MayEdit(ctx, tx, in.ID, "id"); err != nil {
			return nil, err
		}
		if in.Visibility.IsSet() {
			if err := ByRole(ctx, "visibility"); err != nil {
				return nil, err
			}
		}
		return UpdateByPerson(ctx, tx, ch, in.UnlockFields.Value())
	}))
}

// SetLabels takes labels as the API writes them; null clears them all.
func (ch *CIChange) SetLabels(given []domain.LabelInput, isSet bool) (err error) {
	ch.ReplaceLabels = isSet && given == nil
	ch.Labels, err = Labels(given)
	return err
}

// RetireCI retires a CI: it is kept, and counts for nothing in impact. A plan that is given up leaves no relationships
// behind. A retired one stays as it is.
func (p *Practice) RetireCI(ctx context.Context, in RetireCI) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "ci.retire", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		is, isNew, err := retire(ctx, tx, in)
		if err != nil || !isNew {
			return is, err
		}
		return is, WarnOfTickets(ctx, tx, is.ID)
	}))
}

// RetireByPerson retires a CI as the verb does, and warns of nothing: the ticket that plans it names the CI.
func RetireByPerson(ctx context.Context, tx *store.Tx, in RetireCI) (*ent.CI, error) {
	is, _, err := retire(ctx, tx, in)
	return is, err
}

func retire(ctx context.Context, tx *store.Tx, in RetireCI) (is *ent.CI, isNew bool, err error) {
	old, err := lockCI(ctx, tx, in.ID, in.ExpectedVersion)
	if err != nil || old.Lifecycle == domain.Retired {
		return old, false, err
	}
	locks, err := locksAfter(ctx, tx, old, []string{"lifecycle"}, nil)
	if err != nil {
		return nil, false, err
	}
	retired := *old
	retired.Lifecycle, retired.Locks = domain.Retired, locks
	is, err = saveOne(ctx, tx, &change{old, &retired, []string{"lifecycle"}})
	return is, true, err
}

// UpdateByPerson changes a CI as the verbs do: moves of the lifecycle follow the table, and what changed is locked if
// the CI was imported. released names locks to remove.
func UpdateByPerson(ctx context.Context, tx *store.Tx, ch CIChange, released []string) (*ent.CI, error) {
	old, err := lockCI(ctx, tx, ch.ID, ch.ExpectedVersion)
	if err != nil {
		return nil, err
	}
	ref, err := LoadReference(ctx, tx)
	if err != nil {
		return nil, err
	}
	wrong := make([]form.Form, 1)
	c := ref.edit(old, ch, func(string) bool { return false }, &wrong[0])
	if !ch.Restores {
		wrong[0].Fault(moveLifecycle(old.Lifecycle, c.next.Lifecycle))
	}
	if len(c.fields) > 0 && (old.Lifecycle == domain.Retired || ref.identityChanged(c)) {
		// To be told that another CI has the identity would be to be told of it.
		if err := auth.ByRole(ctx, "what tells it from other CIs"); err != nil {
			return nil, err
		}
	}
	if err := ref.checkChanges(ctx, tx, []*change{c}, wrong); err != nil {
		return nil, err
	}
	if err := wrong[0].Err(); err != nil {
		return nil, err
	}
	if c.next.Locks, err = locksAfter(ctx, tx, old, c.fields, released); err != nil {
		return nil, err
	}
	return saveOne(ctx, tx, c)
}

// UpdateCIsTx changes CIs inside a transaction, as a source reports them: fields that a person has locked stay, and any
// move of the lifecycle goes, for a source states facts. They come back in the order of the rows, unchanged ones too.
// Paths of failures begin with the row's number.
func UpdateCIsTx(ctx context.Context, tx *store.Tx, ref *Reference, rows []CIChange) ([]*ent.CI, error) {
	wrong := make([]form.Form, len(rows))
	ids := map[ident.ID]bool{}
	for i := range rows {
		id, err := CIID(rows[i].ID)
		wrong[i].Fault(err, "id")
		if err == nil && ids[id] {
			wrong[i].Fault(errs.New(errs.Invalid, "%s is changed twice in one batch", id), "id")
		}
		rows[i].ID, ids[id] = id, true
	}
	delete(ids, 0)
	found, err := lockCIs(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	changes := make([]*change, len(rows))
	for i, row := range rows {
		old := found[row.ID]
		if old == nil {
			if row.ID != 0 {
				wrong[i].Fault(form.Missing(row.ID, "id"))
			}
			continue
		}
		wrong[i].Fault(valid.Stale(row.ExpectedVersion, old.Version))
		changes[i] = ref.edit(old, row, func(field string) bool { return slices.Contains(old.Locks, field) }, &wrong[i])
	}
	if err := ref.checkChanges(ctx, tx, changes, wrong); err != nil {
		return nil, err
	}
	if err := form.Rows(wrong); err != nil {
		return nil, err
	}
	return saveChanges(ctx, tx, changes)
}

func lockCI(ctx context.Context, tx *store.Tx, id ident.ID, expected *int) (*ent.CI, error) {
	id, err := CIID(id)
	if err != nil {
		return nil, errs.Under(err, "id")
	}
	found, err := lockCIs(ctx, tx, map[ident.ID]bool{id: true})
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, form.Missing(id, "id")
	}
	return found[id], valid.Stale(expected, found[id].Version)
}

// checkChanges checks what needs the class, other CIs or other tables.
func (r *Reference) checkChanges(ctx context.Context, tx *store.Tx, changes []*change, wrong []form.Form) error {
	drafts, teams := make([]*ent.CI, len(changes)), make([]*ent.CI, len(changes))
	for i, c := range changes {
		if c == nil || len(c.fields) == 0 {
			continue
		}
		drafts[i] = c.next
		if c.has("supportTeam") {
			teams[i] = c.next
		}
	}
	if err := checkSupportTeams(ctx, tx, teams, wrong); err != nil {
		return err
	}
	isNews := func(i int) bool {
		c := changes[i]
		return c.old.Lifecycle == domain.Retired || r.identityChanged(c)
	}
	if err := r.checkIdentities(ctx, tx, drafts, isNews, wrong); err != nil {
		return err
	}
	for i, d := range drafts {
		if d == nil {
			continue
		}
		if err := r.checkAttributes(ctx, d, &wrong[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reference) identityChanged(c *change) bool {
	class := r.classes[c.old.ClassID]
	before := class.Identities(c.old)
	for _, claimed := range class.Identities(c.next) {
		if !slices.Contains(before, claimed) {
			return true
		}
	}
	return false
}

// locksAfter returns the locks of a CI after a person's change; only an imported CI has any.
func locksAfter(ctx context.Context, tx *store.Tx, old *ent.CI, changed, released []string) ([]string, error) {
	if len(changed) > 0 {
		imported, err := tx.ExternalIdentity.Query().Where(externalidentity.RecordID(old.ID)).Exist(ctx)
		if err != nil {
			return nil, err
		}
		if !imported {
			changed = nil
		}
	}
	return relock(old.Locks, changed, released), nil
}

func saveOne(ctx context.Context, tx *store.Tx, c *change) (*ent.CI, error) {
	saved, err := saveChanges(ctx, tx, []*change{c})
	if err != nil {
		return nil, err
	}
	return saved[0], nil
}

// saveChanges writes what differs, and takes away the relationships of plans that are given up.
func saveChanges(ctx context.Context, tx *store.Tx, changes []*change) (saved []*ent.CI, err error) {
	saved, givenUp := make([]*ent.CI, len(changes)), map[ident.ID]bool{}
	for i, c := range changes {
		if saved[i], err = saveChange(ctx, tx, c); err != nil {
			return nil, err
		}
		if c.isGivenUp() {
			givenUp[c.old.ID] = true
		}
	}
	return saved, unrelateAll(ctx, tx, givenUp)
}

// saveChange writes what differs, and nothing where nothing does.
func saveChange(ctx context.Context, tx *store.Tx, c *change) (*ent.CI, error) {
	relocked := !slices.Equal(c.old.Locks, c.next.Locks)
	if len(c.fields) == 0 && !relocked {
		return c.old, nil
	}
	n := c.next
	u := tx.CI.UpdateOne(c.old).AddVersion(1).SetUpdatedAt(tx.Now)
	if relocked {
		u.SetLocks(n.Locks)
	}
	for _, field := range PlainFields {
		if c.has(field.Name) {
			field.save(u.Mutation(), n)
		}
	}
	for _, field := range c.fields {
		switch field {
		case "category":
			u.SetCategory(n.Category)
		case "links":
			u.SetLinks(n.Links)
		case "tier":
			setOrClear(n.TierID, u.SetTierID, u.ClearTierID)
		case "portfolioStage":
			setOrClear(n.PortfolioStage, u.SetPortfolioStage, u.ClearPortfolioStage)
		case "supportTeam":
			setOrClear(n.SupportTeamID, u.SetSupportTeamID, u.ClearSupportTeamID)
		case "availabilityTarget":
			setOrClear(n.AvailabilityTarget, u.SetAvailabilityTarget, u.ClearAvailabilityTarget)
		}
	}
	if c.hasPrefix("attributes.") {
		u.SetAttributes(n.Attributes)
	}
	if c.hasPrefix("labels.") {
		u.SetLabels(n.Labels)
	}
	return u.Save(ctx)
}

func setOrClear[T, U any](value *T, set func(T) U, clear func() U) {
	if value == nil {
		clear()
		return
	}
	set(*value)
}
