package cmdb

import (
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

const (
	membersPerGroup = 1_000
	heaviest        = 1_000_000
)

// checkMode checks what a group needs against what it has.
func checkMode(g *ent.DependencyGroup, f *faults) {
	before := len(*f)
	oneOf(f, "mode", g.Mode)
	sum := 0
	for i, m := range g.Members {
		at := []string{"members", strconv.Itoa(i), "weight"}
		switch {
		case m.Weight < 1 || m.Weight > heaviest:
			f.say(errs.Invalid, at, "%d is no weight: 1 to %d", m.Weight, heaviest)
		case g.Mode != domain.Weighted && m.Weight != 1:
			f.say(errs.Invalid, at, "a weight of %d counts in a WEIGHTED group only: leave it out", m.Weight)
		}
		sum += m.Weight
	}
	switch n := len(g.Members); {
	case n == 0:
		f.say(errs.Required, []string{"members"}, "a group has at least one member")
	case n > membersPerGroup:
		f.say(errs.Invalid, []string{"members"}, "%d members: at most %d", n, membersPerGroup)
	}
	if len(*f) > before {
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
		f.say(errs.Invalid, []string{"threshold"}, "a threshold of %d does not fit %s (%s): %s", g.Threshold, g.Mode, meaning, said)
	}
}

// checkMembers checks that the members are what the group's CI depends on, HARD, and in no other group of it.
func (r *Reference) checkMembers(g *ent.DependencyGroup, rels map[ident.ID]*ent.Relationship, others []*ent.DependencyGroup, f *faults) {
	elsewhere := map[ident.ID]*ent.DependencyGroup{}
	for _, other := range others {
		for _, m := range other.Members {
			elsewhere[m.Relationship] = other
		}
	}
	seen := map[ident.ID]bool{}
	for i, m := range g.Members {
		at := []string{"members", strconv.Itoa(i), "relationship"}
		if err := OfKind(m.Relationship, ident.Relationship); err != nil {
			f.add(err, at...)
			continue
		}
		rel := rels[m.Relationship]
		switch {
		case rel == nil:
			f.add(unknown(m.Relationship), at...)
		case seen[rel.ID]:
			f.say(errs.AlreadyExists, at, "%s is listed twice", rel.ID)
		case !r.arrives(rel, g.CiID):
			f.say(errs.Invalid, at, "%s", r.whyNotMember(rel, g.CiID))
		case r.strength(rel) != domain.Hard:
			f.say(errs.Invalid, at, "%s is SOFT: only HARD relationships count in a group", rel.ID)
		case elsewhere[rel.ID] != nil:
			f.say(errs.InUse, at, "%s counts in the group %q (%s) already: a relationship is in one group of a CI at most", rel.ID, elsewhere[rel.ID].Name, elsewhere[rel.ID].ID)
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

// shrink makes a group sane again that has lost members: it cannot need more than it has.
func shrink(g *ent.DependencyGroup) {
	most := g.Threshold
	switch g.Mode {
	case domain.AtLeast:
		most = len(g.Members)
	case domain.Weighted:
		most = 0
		for _, m := range g.Members {
			most += m.Weight
		}
	case domain.All, domain.Any, domain.Percent:
	}
	g.Threshold = min(g.Threshold, most)
}
