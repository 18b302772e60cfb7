package importer

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent/membership"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// writeTeams writes teams, parents first.
func (a *applying) writeTeams(ctx context.Context, tx *store.Tx, ref *cmdb.Reference, live []*record) (func(), error) {
	r := a.begin(ctx, tx, ref)
	if err := r.recheck(live); err != nil {
		return nil, err
	}
	if err := r.parentless(live); err != nil {
		return nil, err
	}
	for rest := live; len(rest) > 0; {
		n := r.level(rest)
		var err error
		if rest[0].id == 0 {
			err = r.createTeams(rest[:n])
		} else {
			err = r.updateTeams(rest[:n])
		}
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	if err := r.addKeys(live); err != nil {
		return nil, err
	}
	return func() { r.done(live) }, nil
}

// parentless refuses teams whose parent was refused.
func (r *run) parentless(live []*record) error {
	here := map[*record]bool{}
	for _, rec := range live {
		here[rec] = true
	}
	out := refused[*record]{}
	for _, rec := range live {
		if p := rec.parent; p != nil && r.id(*p) == 0 && (!here[p.of] || out[p.of] != "") {
			out[rec] = "the team above it was left out"
		}
	}
	return out.or(nil)
}

// level returns how many of the first teams can be written at once: all new or all stored, none below another.
func (r *run) level(rest []*record) int {
	here := map[*record]bool{}
	for i, rec := range rest {
		if (rec.id == 0) != (rest[0].id == 0) || rec.parent != nil && here[rec.parent.of] {
			return i
		}
		here[rec] = true
	}
	return len(rest)
}

func (r *run) createTeams(level []*record) error {
	rows := make([]catalog.NewTeam, len(level))
	for i, rec := range level {
		rows[i] = *rec.newTeam
		if rec.parent != nil {
			rows[i].Parent = r.id(*rec.parent)
		}
	}
	created, err := catalog.CreateTeamsTx(r.ctx, r.tx, rows)
	if err != nil {
		return blame(err, level)
	}
	for i, rec := range level {
		r.made[rec] = created[i].ID
	}
	return nil
}

func (r *run) updateTeams(level []*record) error {
	var rows []catalog.TeamChange
	var of []*record
	for _, rec := range level {
		if rec.teamChange == nil {
			continue
		}
		ch := *rec.teamChange
		ch.ExpectedVersion = r.expected(rec)
		if rec.parent != nil {
			ch.Parent = ptr(r.id(*rec.parent))
		}
		rows, of = append(rows, ch), append(of, rec)
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := catalog.UpdateTeamsTx(r.ctx, r.tx, rows)
	return blame(err, of)
}

// writePeople writes people and their memberships.
func (a *applying) writePeople(ctx context.Context, tx *store.Tx, ref *cmdb.Reference, live []*record) (func(), error) {
	r := a.begin(ctx, tx, ref)
	if err := r.recheck(live); err != nil {
		return nil, err
	}
	var news []catalog.NewPerson
	var changes []catalog.PersonChange
	var made, changed []*record
	for _, rec := range live {
		switch {
		case rec.newPerson != nil:
			news, made = append(news, *rec.newPerson), append(made, rec)
		case rec.personChange != nil:
			ch := *rec.personChange
			ch.ExpectedVersion = r.expected(rec)
			changes, changed = append(changes, ch), append(changed, rec)
		}
	}
	if len(news) > 0 {
		created, err := catalog.CreatePeopleTx(ctx, tx, news)
		if err != nil {
			return nil, blame(err, made)
		}
		for i, rec := range made {
			r.made[rec] = created[i].ID
		}
	}
	if len(changes) > 0 {
		if _, err := catalog.UpdatePeopleTx(ctx, tx, changes); err != nil {
			return nil, blame(err, changed)
		}
	}
	if err := r.addKeys(live); err != nil {
		return nil, err
	}
	if err := r.addMembers(live); err != nil {
		return nil, err
	}
	return func() { r.done(live) }, nil
}

func (r *run) addMembers(live []*record) error {
	var rows []catalog.Member
	var of []*record
	var people []ident.ID
	for _, rec := range live {
		for _, to := range rec.teams {
			if team := r.id(to); team != 0 {
				rows, of = append(rows, catalog.Member{Team: team, Person: r.idOf(rec)}), append(of, rec)
				people = append(people, r.idOf(rec))
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	stored, err := r.tx.Membership.Query().Where(membership.PersonIDIn(people...)).All(r.ctx)
	if err != nil {
		return err
	}
	have := map[catalogMember]bool{}
	for _, m := range stored {
		have[catalogMember{m.TeamID, m.PersonID}] = true
	}
	var missing []catalog.Member
	var missed []*record
	for i, row := range rows {
		if !have[catalogMember{row.Team, row.Person}] {
			missing, missed = append(missing, row), append(missed, of[i])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return blame(catalog.AddMembersTx(r.ctx, r.tx, missing), missed)
}
