package importer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// matchParties finds the stored team or person of each row: by its key, and a team also by its name, which is unique.
func (p *planner) matchParties(ctx context.Context) error {
	byName := map[string]*ent.Team{}
	for _, t := range p.stored.teams {
		byName[t.Name] = t
	}
	taken := map[ident.ID]*record{} // by the row that has its key
	for _, r := range p.records {
		if id := p.stored.known[p.keyIn("", r.key)]; id != 0 && r.CI == nil && !r.isDropped {
			if id.Kind() != r.identKind() {
				p.drop(r, Rejected, fmt.Sprintf("%q is the key of a %s in the database and cannot be a %s's: give one of them another id", r.key, id.Kind(), r.kind))
				continue
			}
			r.id, taken[id] = id, r
		}
		p.checkParty(r)
	}
	named := map[string]*record{}
	for _, r := range p.records {
		if r.Team == nil || r.isDropped || r.name == "" {
			continue
		}
		if first := named[r.name]; first != nil {
			p.drop(r, Duplicate, fmt.Sprintf("there is a team %q at %s already, and names of teams are unique: rename one of them", r.name, first.origin))
			continue
		}
		other := byName[r.name]
		switch {
		case other == nil || other.ID == r.id:
		case r.id == 0 && taken[other.ID] == nil:
			r.id, r.needsKey, taken[other.ID] = other.ID, true, r
		case taken[other.ID] == nil || taken[other.ID].name == "":
			p.drop(r, Duplicate, fmt.Sprintf("%s is called %q already, and names of teams are unique: rename one of them", other.ID, r.name))
			continue
		}
		named[r.name] = r
	}
	var ids []ident.ID
	for _, r := range p.records {
		if r.CI == nil && !r.isDropped {
			ids = append(ids, r.id)
		}
	}
	return p.loadClaims(ctx, ids)
}

// mergeParty makes of the row of a team or a person what all claims make of it.
func (p *planner) mergeParty(r *record) error {
	if err := p.merge(r); err != nil {
		return err
	}
	if name := r.fields(p.source)["name"]; r.values != nil && name != nil {
		r.name, _ = name.(string)
	}
	return nil
}

// checkParty checks the fields of a team or a person.
func (p *planner) checkParty(r *record) {
	if r.isDropped || r.CI != nil {
		return
	}
	var f faults
	r.name = f.text("name", r.name, 0, valid.LongestName)
	if r.name == "" && r.id == 0 {
		f.say("the %s has no name", r.kind)
	}
	if r.Team != nil {
		f.text("description", r.Team.Description, 0, valid.LongestDescription)
		f.email(r.Team.Email)
	} else {
		f.email(r.Person.Email)
	}
	if len(f) > 0 {
		p.drop(r, Rejected, f.String())
	}
}

// planTeams plans the teams.
func (p *planner) planTeams(context.Context) error {
	above := map[end]end{}
	for _, t := range p.stored.teams {
		if t.ParentID != nil {
			above[end{id: t.ID}] = end{id: *t.ParentID}
		}
	}
	for _, r := range p.records {
		if r.Team == nil || r.isDropped {
			continue
		}
		if err := p.mergeParty(r); err != nil {
			return err
		}
		p.planParent(r, above)
		old := p.stored.teams[r.id]
		if old == nil {
			r.newTeam = &catalog.NewTeam{Name: r.name, Description: trim(r.Team.Description), Email: trim(r.Team.Email)}
		} else {
			r.version = old.Version
			ch := catalog.TeamChange{ID: r.id}
			differ(&r.diff, "name", ptr(old.Name), reported(r.name), &ch.Name)
			differ(&r.diff, "description", ptr(old.Description), reported(r.Team.Description), &ch.Description)
			differ(&r.diff, "email", ptr(old.Email), reported(r.Team.Email), &ch.Email)
			if ch != (catalog.TeamChange{ID: r.id}) || r.parent != nil {
				r.teamChange = &ch
			}
			r.name = cmp.Or(r.name, old.Name)
		}
		p.plan.work.teams = p.settle(r, p.plan.work.teams)
	}
	p.plan.work.teams = parentsFirst(p.plan.work.teams)
	return nil
}

// planParent plans the team above a team.
func (p *planner) planParent(r *record, above map[end]end) {
	if r.Team.Parent == "" {
		return
	}
	to, ok := p.refer(r, domain.DanglingParent, p.keyIn("", r.Team.Parent), "", "the team above it", ident.Team)
	if !ok {
		return
	}
	var before any
	if old := p.stored.teams[r.id]; old != nil && old.ParentID != nil {
		if *old.ParentID == to.id {
			return
		}
		before = *old.ParentID
	}
	for at := to; at != (end{}); at = above[at] {
		if at == r.end() {
			p.notice(r, Rejected, r.Team.Parent, fmt.Sprintf("team %q is part of %q and cannot stand above it: the team was imported without it", r.Team.Parent, r.key))
			return
		}
	}
	above[r.end()] = to
	r.parent = &to
	r.diff.set("parent", before, r.Team.Parent)
}

// parentsFirst sorts new teams after their new parents, and before the stored teams that are moved below new ones.
func parentsFirst(teams []*record) []*record {
	depth := map[*record]int{}
	var rank func(r *record) int
	rank = func(r *record) int {
		if d, ok := depth[r]; ok {
			return d
		}
		d := 0
		if r.id == 0 {
			d = 1
		}
		if r.parent != nil && r.parent.of != nil {
			d = rank(r.parent.of) + 1
		}
		depth[r] = d
		return d
	}
	slices.SortStableFunc(teams, func(a, b *record) int { return cmp.Compare(rank(a), rank(b)) })
	return teams
}

// planPeople plans the people. It adds memberships and removes none, since another source may have reported them.
func (p *planner) planPeople(context.Context) error {
	for _, r := range p.records {
		if r.Person == nil || r.isDropped {
			continue
		}
		if err := p.mergeParty(r); err != nil {
			return err
		}
		old := p.stored.people[r.id]
		if old == nil {
			r.newPerson = &catalog.NewPerson{Name: r.name, Email: trim(r.Person.Email)}
		} else {
			r.version = old.Version
			ch := catalog.PersonChange{ID: r.id}
			differ(&r.diff, "name", ptr(old.Name), reported(r.name), &ch.Name)
			differ(&r.diff, "email", ptr(old.Email), reported(r.Person.Email), &ch.Email)
			if ch != (catalog.PersonChange{ID: r.id}) {
				r.personChange = &ch
			}
			r.name = cmp.Or(r.name, old.Name)
		}
		for _, key := range r.Person.Teams {
			to, ok := p.refer(r, domain.DanglingMember, p.keyIn("", key), "", "a team of theirs", ident.Team)
			if !ok || slices.Contains(r.teams, to) || r.id != 0 && p.stored.members[catalogMember{to.id, r.id}] {
				continue
			}
			r.teams = append(r.teams, to)
			r.diff.set("teams", nil, key)
		}
		p.plan.work.people = p.settle(r, p.plan.work.people)
	}
	return nil
}
