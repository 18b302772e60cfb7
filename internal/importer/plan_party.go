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
)

// matchParties finds out which stored team or person each row is: by its key, and a team also by its name, which is
// unique.
func (p *planner) matchParties(context.Context) error {
	byName := map[string]*ent.Team{}
	for _, t := range p.stored.teams {
		byName[t.Name] = t
	}
	taken := map[ident.ID]*record{} // by the rows that have its key
	for _, r := range p.records {
		if id := p.stored.known[r.key]; id != 0 && r.CI == nil && !r.isDropped {
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
	return nil
}

// checkParty checks the fields of a team or a person.
func (p *planner) checkParty(r *record) {
	if r.isDropped || r.CI != nil {
		return
	}
	var f faults
	r.name = f.text("name", r.name, 0, nameLength)
	if r.name == "" && r.id == 0 {
		f.say("the %s has no name", r.kind)
	}
	if r.Team != nil {
		f.text("description", r.Team.Description, 0, descriptionLength)
		f.email(r.Team.Email)
	} else {
		f.email(r.Person.Email)
	}
	if len(f) > 0 {
		p.drop(r, Rejected, f.String())
	}
}

// planTeams decides what happens to each team.
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

// planParent resolves the team above a team.
func (p *planner) planParent(r *record, above map[end]end) {
	if r.Team.Parent == "" {
		return
	}
	to, there := p.refer(r, domain.DanglingParent, r.Team.Parent, "", "the team above it", ident.Team)
	if !there {
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
			p.problem(r, Rejected, r.Team.Parent, fmt.Sprintf("team %q is part of %q and cannot stand above it: the team was imported without it", r.Team.Parent, r.key))
			return
		}
	}
	above[r.end()] = to
	r.parent = &to
	r.diff.set("parent", before, r.Team.Parent)
}

// parentsFirst puts new teams after the new teams above them, and before the teams that are moved below new ones.
func parentsFirst(teams []*record) []*record {
	depth := map[*record]int{}
	var rank func(r *record) int
	rank = func(r *record) int {
		if d, known := depth[r]; known {
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

// planPeople decides what happens to each person. Memberships are added; none is taken away, for nobody knows who
// else reported it.
func (p *planner) planPeople(context.Context) error {
	for _, r := range p.records {
		if r.Person == nil || r.isDropped {
			continue
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
			to, there := p.refer(r, domain.DanglingMember, key, "", "a team of theirs", ident.Team)
			if !there || slices.Contains(r.teams, to) || r.id != 0 && p.stored.members[catalogMember{to.id, r.id}] {
				continue
			}
			r.teams = append(r.teams, to)
			r.diff.set("teams", nil, key)
		}
		p.plan.work.people = p.settle(r, p.plan.work.people)
	}
	return nil
}

// refer resolves a reference to a record of one of the kinds. One to nothing is kept as dangling; one to a record of
// another kind is a problem.
func (p *planner) refer(r *record, kind domain.DanglingKind, key, detail, what string, kinds ...ident.Kind) (end, bool) {
	to, there := p.find(key)
	if !there {
		p.dangle(&loose{of: r, kind: kind, target: key, detail: detail}, what)
		return end{}, false
	}
	if !slices.Contains(kinds, to.kind) {
		p.problem(r, Rejected, key, fmt.Sprintf("%q is named as %s of %q and is a %s: the rest of the row was imported", key, what, r.key, to.kind))
		return end{}, false
	}
	return to.end, true
}

func (p *planner) dangle(l *loose, what string) {
	if wrong := checkKey(l.target); wrong != "" {
		p.problem(l.of, Rejected, l.target, fmt.Sprintf("%s of %q: %s", what, l.of.key, wrong))
		return
	}
	at := looseAt{l.of, l.key()}
	if p.listed[at] {
		return
	}
	p.listed[at] = true
	l.isStored = l.of.id != 0 && p.stored.dangling[l.key()]
	p.dangling = append(p.dangling, l)
	p.problem(l.of, Dangling, l.target, fmt.Sprintf("%q is named as %s of %q, and nobody has reported it: the reference is kept until it arrives", l.target, what, l.of.key))
}

// looseAt tells references of new records apart, which have no id yet.
type looseAt struct {
	of *record
	looseKey
}

func (l *loose) key() looseKey { return looseKey{l.of.id, l.target, l.kind, l.detail, l.isReverse} }

func (p *planner) planSupport(r *record) {
	s := r.CI.Service
	if s == nil || s.SupportTeam == "" {
		return
	}
	to, there := p.refer(r, domain.DanglingSupport, s.SupportTeam, "", "the support team", ident.Team)
	if !there || r.old != nil && r.old.SupportTeamID != nil && *r.old.SupportTeamID == to.id {
		return
	}
	if r.old == nil {
		r.support = &to
		return
	}
	if r.diff.set("supportTeam", optional(r.old.SupportTeamID), s.SupportTeam) {
		r.support = &to
	}
}

// planOwners decides on the owners: those a source reports take the place of those there were, the first is primary.
func (p *planner) planOwners(r *record) {
	var want []answer
	var shown []string
	for _, o := range r.CI.Owners {
		var f faults
		role := cmp.Or(f.text("the role of an owner", o.Role, 0, nameLength), "owner")
		key, kind := o.Team, ident.Team
		if key == "" {
			key, kind = o.Person, ident.Person
		}
		if len(f) > 0 {
			p.problem(r, Rejected, key, f.String())
			continue
		}
		to, there := p.refer(r, domain.DanglingOwner, key, role, "an owner", kind)
		if a := (answer{to, role}); there && !slices.Contains(want, a) {
			want, shown = append(want, a), append(shown, key+" "+role)
		}
	}
	if len(want) > ownersPerCI {
		p.problem(r, Rejected, "", fmt.Sprintf("%d owners: at most %d; they were left out", len(want), ownersPerCI))
		return
	}
	have := p.stored.owners[r.id]
	if r.id == 0 {
		have = nil
	}
	if len(want) == 0 || sameOwners(have, want) {
		return
	}
	before := make([]string, len(have))
	for i, o := range have {
		before[i] = partyOf(o).String() + " " + o.Role
	}
	if r.diff.set("owners", before, shown) {
		r.owners = want
	}
}

func sameOwners(have []*ent.Owner, want []answer) bool {
	if len(have) != len(want) {
		return false
	}
	for _, o := range have {
		i := slices.Index(want, answer{end{id: partyOf(o)}, o.Role})
		if i < 0 || o.IsPrimary != (i == 0) {
			return false
		}
	}
	return true
}

func partyOf(o *ent.Owner) ident.ID {
	if o.TeamID != nil {
		return *o.TeamID
	}
	return or(o.PersonID, 0)
}
