package importer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// planSupport plans the support team of a service.
func (p *planner) planSupport(r *record) {
	s := r.CI.Service
	if s == nil || s.SupportTeam == "" {
		return
	}
	to, ok := p.refer(r, domain.DanglingSupport, p.keyIn(s.SupportTeamSpace, s.SupportTeam), "", "the support team", ident.Team)
	if !ok || r.old != nil && r.old.SupportTeamID != nil && *r.old.SupportTeamID == to.id {
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

// planOwners plans the owners of a CI: those that the source reports replace the stored ones, and the first is primary.
func (p *planner) planOwners(r *record) {
	want, shown := []answer{}, []string{}
	for _, o := range r.CI.Owners {
		var f faults
		role := cmp.Or(f.text("the role of an owner", o.Role, 0, valid.LongestName), "owner")
		key, kind := o.Team, ident.Team
		if key == "" {
			key, kind = o.Person, ident.Person
		}
		if len(f) > 0 {
			p.notice(r, Rejected, key, f.String())
			continue
		}
		to, ok := p.refer(r, domain.DanglingOwner, p.keyIn(o.Space, key), role, "an owner", kind)
		if a := (answer{to, role}); ok && !slices.Contains(want, a) {
			want, shown = append(want, a), append(shown, key+" "+role)
		}
	}
	if len(want) > valid.MostOwners {
		p.notice(r, Rejected, "", fmt.Sprintf("%d owners: at most %d; they were left out", len(want), valid.MostOwners))
		return
	}
	have := p.stored.owners[r.id]
	if r.id == 0 {
		have = nil
	}
	if len(want) == 0 && !r.CI.isNull("owners") || sameOwners(have, want) {
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
	return form.Or(o.PersonID, 0)
}
