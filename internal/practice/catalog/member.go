package catalog

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/membership"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// AddTeamMember puts a person into a team. A person who is in it stays in it.
func (p *Practice) AddTeamMember(ctx context.Context, in AddTeamMember) (*ent.Team, error) {
	return auth.Write(ctx, p.store, "team.add_member", func(ctx context.Context, tx *store.Tx) (*ent.Team, error) {
		wrong, err := addMembers(ctx, tx, []Member{Member(in)})
		if err == nil {
			err = wrong[0].Err()
		}
		if err != nil {
			return nil, err
		}
		return tx.Team.Get(ctx, in.Team)
	})
}

// RemoveTeamMember takes a person out of a team.
func (p *Practice) RemoveTeamMember(ctx context.Context, in RemoveTeamMember) (*ent.Team, error) {
	return auth.Write(ctx, p.store, "team.remove_member", func(ctx context.Context, tx *store.Tx) (*ent.Team, error) {
		if err := checkMember(Member(in)); err != nil {
			return nil, err
		}
		found, err := tx.Team.Get(ctx, in.Team)
		if ent.IsNotFound(err) {
			return nil, form.Missing(in.Team, "team")
		}
		if err != nil {
			return nil, err
		}
		removed, err := removeMembers(ctx, tx, []Member{Member(in)})
		if err != nil {
			return nil, err
		}
		if removed == 0 {
			return nil, errs.New(errs.NotFound, "%s is not in %s", in.Person, in.Team).At("person")
		}
		return found, nil
	})
}

// AddMembersTx puts people into teams inside a transaction; those who are in them are passed over. Paths of failures
// begin with the row's number.
func AddMembersTx(ctx context.Context, tx *store.Tx, rows []Member) error {
	wrong, err := addMembers(ctx, tx, rows)
	_, err = batch[struct{}](nil, wrong, err)
	return err
}

func addMembers(ctx context.Context, tx *store.Tx, rows []Member) ([]form.Form, error) {
	wrong := make([]form.Form, len(rows))
	parties, teams := map[ident.ID]bool{}, map[ident.ID]bool{}
	for i, row := range rows {
		wrong[i].Fault(checkMember(row))
		parties[row.Team], parties[row.Person], teams[row.Team] = true, true, true
	}
	known, err := cmdb.Known(ctx, tx, parties)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		if wrong[i].IsFaulty() {
			continue
		}
		if !known[row.Team] {
			wrong[i].Fault(form.Missing(row.Team, "team"))
		}
		if !known[row.Person] {
			wrong[i].Fault(form.Missing(row.Person, "person"))
		}
	}
	if form.Rows(wrong) != nil {
		return wrong, nil
	}
	// Two who put one person into one team at once take turns.
	if _, err := lockTeams(ctx, tx, teams); err != nil {
		return nil, err
	}
	there, err := members(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	isPowerful, err := powerful(ctx, tx, teams)
	if err != nil {
		return nil, err
	}
	var builders []*ent.MembershipCreate
	for i, row := range rows {
		if there[row] == nil {
			if isPowerful[row.Team] {
				wrong[i].Fault(errPower(ctx, row.Team))
				continue
			}
			there[row] = &ent.Membership{}
			builders = append(builders, tx.Membership.Create().SetTeamID(row.Team).SetPersonID(row.Person))
		}
	}
	if form.Rows(wrong) != nil {
		return wrong, nil
	}
	for chunk := range slices.Chunk(builders, rowChunk) {
		if err := tx.Membership.CreateBulk(chunk...).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return wrong, nil
}

// RemoveMembersTx takes people out of teams inside a transaction; those who are not in them are passed over.
func RemoveMembersTx(ctx context.Context, tx *store.Tx, rows []Member) error {
	_, err := removeMembers(ctx, tx, rows)
	return err
}

func removeMembers(ctx context.Context, tx *store.Tx, rows []Member) (removed int, err error) {
	there, err := members(ctx, tx, rows)
	if err != nil {
		return 0, err
	}
	teams := map[ident.ID]bool{}
	for _, row := range rows {
		teams[row.Team] = true
	}
	isPowerful, err := powerful(ctx, tx, teams)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if there[row] == nil {
			continue
		}
		if isPowerful[row.Team] {
			return removed, errPower(ctx, row.Team)
		}
		if err := tx.Membership.DeleteOne(there[row]).Exec(ctx); err != nil {
			return removed, err
		}
		delete(there, row)
		removed++
	}
	return removed, nil
}

// members reads the memberships of the teams and people that rows name.
func members(ctx context.Context, tx *store.Tx, rows []Member) (map[Member]*ent.Membership, error) {
	teams, people := map[ident.ID]bool{}, map[ident.ID]bool{}
	for _, row := range rows {
		teams[row.Team], people[row.Person] = true, true
	}
	there := map[Member]*ent.Membership{}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(people)), idChunk) {
		for of := range slices.Chunk(slices.Sorted(maps.Keys(teams)), idChunk) {
			all, err := tx.Membership.Query().Where(membership.TeamIDIn(of...), membership.PersonIDIn(some...)).All(ctx)
			if err != nil {
				return nil, err
			}
			for _, m := range all {
				there[Member{m.TeamID, m.PersonID}] = m
			}
		}
	}
	return there, nil
}

func checkMember(m Member) error {
	return errors.Join(form.Kind(m.Team, ident.Team, "team"), form.Kind(m.Person, ident.Person, "person"))
}
