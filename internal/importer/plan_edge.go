package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// place is the unique key of a relationship.
type place struct {
	kind           ident.ID
	source, target end
}

// planEdges plans the relationships of all rows.
func (p *planner) planEdges(ctx context.Context) error {
	byPlace := map[place]*edge{}
	for _, r := range p.records {
		if r.CI == nil || r.isDropped {
			continue
		}
		for _, rel := range r.CI.Relationships {
			if r.isWoken {
				if !p.isAwake(rel.Space, rel.Target) {
					continue
				}
				if !r.isAbsent {
					p.plan.Summary.count(KindRelationship, Unchanged, -1) // it is counted as the edge
				}
			}
			p.addEdge(r, rel, byPlace)
		}
	}
	if err := p.loadEdges(ctx); err != nil {
		return err
	}
	// Rows that this run does not have make no relationship: they add to the evidence of those that stand.
	p.edges = slices.DeleteFunc(p.edges, func(e *edge) bool { return e.from.isAbsent && e.old == nil })
	for _, e := range p.edges {
		if e.old != nil {
			continue // what stands stays
		}
		if err := p.checkPair(e); err != nil {
			return err
		}
	}
	if err := p.checkBounds(ctx); err != nil {
		return err
	}
	for _, e := range p.edges {
		if !e.isDropped {
			p.planEdge(e)
		}
	}
	return nil
}

// addEdge checks one reported relationship. If it has a mistake, the rest of its row is imported all the same.
func (p *planner) addEdge(r *record, rel Relationship, byPlace map[place]*edge) {
	var f faults
	t, err := p.ref.Type(rel.Type)
	f.add(err)
	e := &edge{from: r, reported: rel, strength: oneOf[domain.Strength](&f, "strength", rel.Strength)}
	e.evidence = f.text("evidence", rel.Evidence, 0, valid.LongestDescription)
	if len(f) > 0 {
		p.dropEdge(e, f.String())
		return
	}
	to, ok := p.find(p.keyIn(rel.Space, rel.Target))
	if !ok {
		what := "the target of " + rel.Type
		if rel.IsReverse {
			what = "the source of " + rel.Type
		}
		p.dangle(&loose{
			of: r, kind: domain.DanglingRelationship, target: p.keyIn(rel.Space, rel.Target), detail: rel.Type, isReverse: rel.IsReverse, strength: e.strength, evidence: e.evidence,
		}, what)
		return
	}
	if to.kind != ident.CI {
		p.dropEdge(e, fmt.Sprintf("%q is a %s and not a CI", rel.Target, to.kind))
		return
	}
	e.source, e.target = r.end(), to.end
	if rel.IsReverse {
		e.source, e.target = e.target, e.source
	}
	at := place{t.ID, e.source, e.target}
	if first := byPlace[at]; first != nil {
		first.join(e)
		return
	}
	byPlace[at] = e
	p.edges = append(p.edges, e)
}

// join adds the strength and the evidence of another report of the same relationship, the same in whichever order they
// come: the stronger strength, and the evidence as a sorted set.
func (e *edge) join(more *edge) {
	if e.strength == nil || more.strength != nil && *more.strength == domain.Hard {
		e.strength = more.strength
	}
	all := slices.DeleteFunc(append(strings.Split(e.evidence, evidenceBreak), strings.Split(more.evidence, evidenceBreak)...), func(s string) bool { return s == "" })
	slices.Sort(all)
	e.evidence = strings.Join(slices.Compact(all), evidenceBreak)
}

// evidenceBreak stands between the places that show one relationship.
const evidenceBreak = "; "

func (p *planner) dropEdge(e *edge, reason string) {
	e.isDropped = true
	p.step(e.step(IsRejected, reason))
	p.notice(e.from, Rejected, e.reported.Target, fmt.Sprintf("%s: %s; the rest of the row was imported", e.said(), reason))
}

func (e *edge) said() string {
	if e.reported.IsReverse {
		return fmt.Sprintf("relationship %s %s %s", e.reported.Target, e.reported.Type, e.from.key)
	}
	return fmt.Sprintf("relationship %s %s %s", e.from.key, e.reported.Type, e.reported.Target)
}

func (e *edge) step(o Outcome, reason string) Step {
	i := Step{
		Kind: KindRelationship, Outcome: o, Origin: e.from.origin, ExternalID: e.from.key, Detail: e.reported.Type, Target: e.reported.Target, Space: e.reported.Space, Reason: reason,
	}
	if e.old != nil {
		i.Record = e.old.ID
	}
	return i
}

// checkPair leaves out a new relationship that its type cannot make of the two CIs.
func (p *planner) checkPair(e *edge) error {
	t, err := p.ref.Type(e.reported.Type)
	if err != nil {
		return err
	}
	if e.source == e.target {
		p.dropEdge(e, "a CI cannot be related to itself")
		return nil
	}
	if from, to := p.classOf(e.source), p.classOf(e.target); from != nil && to != nil {
		if wrong := cmdb.CheckPair(t, from, to); wrong != nil {
			p.dropEdge(e, wrong.Error())
		}
	}
	return nil
}

func (p *planner) classOf(e end) *cmdb.Class {
	if e.of != nil {
		return e.of.class
	}
	if c := p.stored.cis[e.id]; c != nil {
		class, _ := p.ref.ClassByID(c.ClassID)
		return class
	}
	return nil
}

// loadEdges loads the stored ones among the relationships.
func (p *planner) loadEdges(ctx context.Context) error {
	wanted := map[cmdb.Between]*edge{}
	for _, e := range p.edges {
		if e.source.id != 0 && e.target.id != 0 {
			t, err := p.ref.Type(e.reported.Type)
			if err != nil {
				return err
			}
			wanted[cmdb.Between{Type: t.ID, Source: e.source.id, Target: e.target.id}] = e
		}
	}
	found, err := cmdb.FindRelationships(ctx, p.tx, slices.Collect(maps.Keys(wanted)))
	for at, old := range found {
		wanted[at].old = old
	}
	return err
}

// planEdge compares a relationship with the stored one. A relationship that another source or a person made keeps its
// evidence; one that a person made keeps its strength too.
func (p *planner) planEdge(e *edge) {
	if in := p.softened(e); in != "" {
		p.dropEdge(e, fmt.Sprintf("it counts in the dependency group %q, whose members are HARD: take it out first", in))
		return
	}
	e.outcome = Unchanged
	if e.old == nil {
		e.outcome = Create
		if p.heals(e) {
			e.outcome = Heal
		}
	}
	i := e.step(e.outcome, "")
	if e.old == nil {
		p.plan.work.edges = append(p.plan.work.edges, e)
		p.step(i)
		return
	}
	var d comparison
	if e.old.ReportedBy == manual {
		d.locks = []string{"strength"}
	}
	if e.strength != nil && (e.old.Strength == nil || *e.old.Strength != *e.strength) && !d.set("strength", optional(e.old.Strength), *e.strength) {
		e.strength = nil
	}
	if e.old.ReportedBy == p.source && e.evidence != "" && e.evidence != e.old.Evidence {
		d.set("evidence", e.old.Evidence, e.evidence)
	} else {
		e.evidence = ""
	}
	if len(d.written) > 0 {
		e.outcome, i.Outcome, i.Differences = Update, Update, d.written
		p.plan.work.edges = append(p.plan.work.edges, e)
	}
	p.step(i)
	if len(d.kept) > 0 {
		e.from.isNoisy = true
		i.Outcome, i.Differences, i.Reason = WouldOverwrite, d.kept, "a person made the relationship: its strength stays"
		p.step(i)
	}
}

const manual = "manual"

// softened returns the name of the group that keeps a stored relationship from becoming SOFT, or "".
func (p *planner) softened(e *edge) string {
	if e.old == nil || e.old.ReportedBy == manual || form.Or(e.strength, domain.Hard) != domain.Soft || form.Or(e.old.Strength, "") == domain.Soft {
		return ""
	}
	if in := p.stored.grouped[groupMember{e.old.SourceID, e.old.ID}]; in != "" {
		return in
	}
	return p.stored.grouped[groupMember{e.old.TargetID, e.old.ID}]
}

// heals reports whether a relationship has been waiting for one of its ends.
func (p *planner) heals(e *edge) bool {
	if e.from.id == 0 {
		return false
	}
	return p.stored.dangling[looseKey{e.from.id, p.keyIn(e.reported.Space, e.reported.Target), domain.DanglingRelationship, e.reported.Type, e.reported.IsReverse}] != 0
}
