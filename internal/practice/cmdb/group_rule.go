package cmdb

import (
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
)

const (
	membersPerGroup = 1_000
	heaviest        = 1_000_000
)

// checkMode checks what a group needs against what it has. A threshold that stood before may exceed what is left.
func checkMode(g *ent.DependencyGroup, stood bool, f *form.Form) {
	var own form.Form
	form.OneOf(&own, "mode", g.Mode)
	sum := 0
	for i, m := range g.Members {
		var one form.Form
		one.Number("weight", m.Weight, 1, heaviest)
		if !one.IsFaulty() && g.Mode != domain.Weighted && m.Weight != 1 {
			one.Fault(errs.New(errs.Invalid, "a weight of %d counts in a WEIGHTED group only: leave it out", m.Weight), "weight")
		}
		own.Fault(one.Err(), "members", strconv.Itoa(i))
		sum += m.Weight
	}
	if len(g.Members) == 0 {
		own.Fault(errs.New(errs.Required, "a group has at least one member"), "members")
	}
	own.Most("members", len(g.Members), membersPerGroup)
	if err := own.Err(); err != nil {
		f.Fault(err)
		return
	}
	if stood {
		return
	}
	least, most, meaning := 0, 0, "ALL and ANY have none"
	switch g.Mode {
	case domain.AtLeast:
		least, most, meaning = 1, len(g.Members), "how many of the members are needed"
	case domain.Percent:
		least, most, meaning = 1, 100, "how many percent of the members are needed"
	case domain.Weighted:
		least, most, meaning = 1, sum, "the weight that is needed, of all members' together"
	case domain.All, domain.Any:
	}
	if g.Threshold < least || g.Threshold > most {
		said := strconv.Itoa(least) + " to " + strconv.Itoa(most)
		if most == 0 {
			said = "0"
		}
		f.Fault(errs.New(errs.Invalid, "a threshold of %d does not fit %s (%s): %s", g.Threshold, g.Mode, meaning, said), "threshold")
	}
}

// checkMembers checks that the members are what the group's CI depends on, HARD, and in no other group of it.
func (r *Reference) checkMembers(g *ent.DependencyGroup, rels map[ident.ID]*ent.Relationship, others []*ent.DependencyGroup, f *form.Form) {
	elsewhere := map[ident.ID]*ent.DependencyGroup{}
	for _, other := range others {
		for _, m := range other.Members {
			elsewhere[m.Relationship] = other
		}
	}
	seen := map[ident.ID]bool{}
	for i, m := range g.Members {
		at := []string{"members", strconv.Itoa(i), "relationship"}
		if err := form.Kind(m.Relationship, ident.Relationship, at...); err != nil {
			f.Fault(err)
			continue
		}
		rel := rels[m.Relationship]
		switch {
		case rel == nil:
			f.Fault(form.Missing(m.Relationship, at...))
		case seen[rel.ID]:
			f.Fault(errs.New(errs.AlreadyExists, "%s is named twice", rel.ID), at...)
		case !r.arrives(rel, g.CiID):
			f.Fault(errs.New(errs.Invalid, "%s", r.whyNotMember(rel, g.CiID)), at...)
		case r.strength(rel) != domain.Hard:
			f.Fault(errs.New(errs.Invalid, "%s is SOFT: only HARD relationships count in a group", rel.ID), at...)
		case elsewhere[rel.ID] != nil:
			f.Fault(errs.New(errs.InUse, "%s counts in the group %q (%s) already: a relationship is in one group of a CI at most", rel.ID, elsewhere[rel.ID].Name, elsewhere[rel.ID].ID), at...)
		}
		seen[m.Relationship] = true
	}
}

// arrives reports whether failure travels along a relationship to a CI.
func (r *Reference) arrives(rel *ent.Relationship, at ident.ID) bool {
	switch r.types[rel.TypeID].ImpactDirection {
	case domain.TargetToSource:
		return rel.SourceID == at
	case domain.SourceToTarget:
		return rel.TargetID == at
	case domain.BothDirections:
		return rel.SourceID == at || rel.TargetID == at
	case domain.NoImpact:
	}
	return false
}

func (r *Reference) whyNotMember(rel *ent.Relationship, at ident.ID) string {
	t := r.types[rel.TypeID]
	said := rel.ID.String() + ": " + rel.SourceID.String() + " " + t.Code + " " + rel.TargetID.String()
	switch t.ImpactDirection {
	case domain.TargetToSource:
		said += ", whose impact arrives at " + rel.SourceID.String()
	case domain.SourceToTarget:
		said += ", whose impact arrives at " + rel.TargetID.String()
	case domain.BothDirections:
		said += ", which does not touch it"
	case domain.NoImpact:
		said += ", which carries no impact"
	}
	return said + ": a member's impact arrives at " + at.String()
}
