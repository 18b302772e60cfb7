package importer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// via is the way in which a CI names one of its relationships.
type via struct {
	of        *record
	kind      string
	target    domain.ExternalKey
	isReverse bool
}

// planGroups plans the dependency groups. Members that dangle are left out until they arrive and the source is imported
// again.
func (p *planner) planGroups(context.Context) error {
	edges := map[via]*edge{}
	byEnds := map[place]*edge{}
	for _, e := range p.edges {
		if !e.isDropped {
			edges[via{e.from, e.reported.Type, p.keyIn(e.reported.Space, e.reported.Target), e.reported.IsReverse}] = e
			if t, err := p.ref.Type(e.reported.Type); err == nil {
				byEnds[place{t.ID, e.source, e.target}] = e
			}
		}
	}
	loose := map[via]bool{}
	for _, l := range p.dangling {
		if l.kind == domain.DanglingRelationship {
			loose[via{l.of, l.detail, l.target, l.isReverse}] = true
		}
	}
	for _, r := range p.records {
		if r.CI == nil || r.isDropped || r.isWoken {
			continue
		}
		in := map[*edge]string{}
		names := map[string]bool{}
		for _, reported := range r.CI.Groups {
			var f faults
			g := &group{of: r, name: f.text("the name of a group", reported.Name, 1, valid.LongestName), threshold: reported.Threshold}
			if names[g.name] {
				f.say("the CI has two groups of this name")
			}
			names[g.name] = true
			if mode := oneOf[domain.GroupMode](&f, "mode", reported.Mode); mode != nil {
				g.mode = *mode
			} else if reported.Mode == "" {
				f.say("the group has no mode: write ALL, ANY, AT_LEAST, PERCENT or WEIGHTED")
			}
			missing := 0
			for _, m := range reported.Members {
				at := via{r, m.Type, p.keyIn(m.Space, m.Target), m.IsReverse}
				e := edges[at]
				if e == nil {
					e = p.sameEdge(at, byEnds)
				}
				switch {
				case e == nil && loose[at]:
					missing++
					continue
				case e == nil:
					f.say("member %s %s is none of the CI's relationships", m.Type, m.Target)
					continue
				}
				if wrong := p.noMember(e, r); wrong != "" {
					f.say("member %s %s %s", m.Type, m.Target, wrong)
				}
				if other, ok := in[e]; ok {
					f.say("member %s %s counts in the group %q already: a relationship is in one group of a CI at most", m.Type, m.Target, other)
				}
				if other := p.heldBy(e, r); other != "" {
					f.say("member %s %s counts in the group %q in the database, which the source does not report: remove that group first", m.Type, m.Target, other)
				}
				in[e] = g.name
				g.members = append(g.members, member{e, cmp.Or(m.Weight, 1)})
			}
			p.planGroup(g, missing, f)
		}
	}
	return nil
}

// sameEdge returns a relationship that the other end reported, or nil.
func (p *planner) sameEdge(at via, byEnds map[place]*edge) *edge {
	t, err := p.ref.Type(at.kind)
	to, ok := p.find(at.target)
	if err != nil || !ok {
		return nil
	}
	if at.isReverse {
		return byEnds[place{t.ID, to.end, at.of.end()}]
	}
	return byEnds[place{t.ID, at.of.end(), to.end}]
}

// heldBy returns the name of the stored group of the CI that holds a relationship and that the source does not report,
// or "".
func (p *planner) heldBy(e *edge, r *record) string {
	if e.old == nil {
		return ""
	}
	name := p.stored.grouped[groupMember{r.id, e.old.ID}]
	if slices.ContainsFunc(r.CI.Groups, func(g Group) bool { return trim(g.Name) == name }) {
		return ""
	}
	return name
}

// noMember returns why a relationship cannot count in a group of a CI, or "" if it can.
func (p *planner) noMember(e *edge, of *record) string {
	t, err := p.ref.Type(e.reported.Type)
	if err != nil {
		return err.Error()
	}
	arrives := t.ImpactDirection == domain.BothDirections ||
		t.ImpactDirection == domain.TargetToSource && e.source == of.end() || t.ImpactDirection == domain.SourceToTarget && e.target == of.end()
	strength := t.Strength
	if e.old != nil {
		strength = form.Or(e.old.Strength, strength)
	}
	switch {
	case !arrives:
		return "carries no impact to the CI"
	case form.Or(e.strength, strength) != domain.Hard:
		return "is SOFT: only HARD relationships count in a group"
	}
	return ""
}

// planGroup compares a group with the stored one.
func (p *planner) planGroup(g *group, missing int, f faults) {
	i := Step{Kind: KindGroup, Origin: g.of.origin, ExternalID: g.of.key, Name: g.name, Detail: string(g.mode)}
	if g.of.id != 0 {
		g.old = p.stored.groups[groupKey{g.of.id, g.name}]
	}
	if len(f) == 0 && (g.old == nil || len(g.differences()) > 0) { // a threshold that stands may exceed what is left
		f = g.unreachable(missing)
	}
	if len(f) > 0 {
		i.Outcome, i.Reason = IsRejected, f.String()
		p.step(i)
		p.notice(g.of, Rejected, "", fmt.Sprintf("dependency group %q of %q: %s; the rest of the row was imported", g.name, g.of.key, f))
		return
	}
	if missing > 0 {
		p.notice(g.of, Warning, "", fmt.Sprintf("dependency group %q of %q lacks %d of its members, which dangle: import the source again when they have arrived", g.name, g.of.key, missing))
	}
	i.Outcome = Create
	if g.old != nil {
		i.Record, i.Outcome = g.old.ID, Unchanged
		if i.Differences = g.differences(); len(i.Differences) > 0 {
			i.Outcome = Update
		}
	}
	p.step(i)
	if i.Outcome != Unchanged {
		p.plan.work.groups = append(p.plan.work.groups, g)
	}
}

// unreachable returns why no state of the members could meet or miss the threshold of the group.
func (g *group) unreachable(missing int) (f faults) {
	least, most, sum := 0, 0, 0
	for _, m := range g.members {
		if m.weight < 1 {
			f.say("a weight of %d: the least is 1", m.weight)
		}
		if m.weight != 1 && g.mode != domain.Weighted {
			f.say("weights count in a WEIGHTED group only")
		}
		sum += m.weight
	}
	switch g.mode {
	case domain.AtLeast:
		least, most = 1, len(g.members)
	case domain.Percent:
		least, most = 1, 100
	case domain.Weighted:
		least, most = 1, sum
	case domain.All, domain.Any:
	}
	switch {
	case len(g.members) == 0 && missing > 0:
		f.say("all its %d members dangle: import the source again when they have arrived", missing)
	case len(g.members) == 0:
		f.say("it has no members")
	case g.threshold < least || g.threshold > most:
		f.say("a threshold of %d does not fit %s: %d to %d", g.threshold, g.mode, least, most)
		if missing > 0 {
			f.say("%d of its members dangle", missing)
		}
	}
	return f
}

func (g *group) differences() []Difference {
	var d comparison
	if g.mode != g.old.Mode {
		d.set("mode", g.old.Mode, g.mode)
	}
	if g.threshold != g.old.Threshold {
		d.set("threshold", g.old.Threshold, g.threshold)
	}
	if !sameMembers(g.members, g.old) {
		shown := make([]string, len(g.members))
		for i, m := range g.members {
			shown[i] = m.edge.said()
		}
		d.set("members", g.old.Members, shown)
	}
	return d.written
}

// sameMembers reports whether the members and their weights are those stored, in any order.
func sameMembers(want []member, old *ent.DependencyGroup) bool {
	if len(want) != len(old.Members) {
		return false
	}
	weights := map[ident.ID]int{}
	for _, m := range old.Members {
		weights[m.Relationship] = m.Weight
	}
	return !slices.ContainsFunc(want, func(m member) bool { return m.edge.old == nil || weights[m.edge.old.ID] != m.weight })
}
