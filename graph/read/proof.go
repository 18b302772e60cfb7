package read

import (
	"context"
	"fmt"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// Proof is why a CI is in a state, as clients see it. The proofs of a page are one batch, and so are the proofs of
// all their causes: each level of an explanation costs the same few statements.
type Proof struct {
	i           *Impact
	explanation impact.Explanation
	whole       map[ident.ID]impact.Explanation // of every CI the proof speaks of
	in          *batch[*Proof]
}

// Proof returns why the CI is in its state. If it was only reported, it returns nil.
func (a *AffectedCI) Proof() (*Proof, error) {
	all, err := once(a.in, "proofs", func() (map[*AffectedCI]*Proof, error) {
		b, proofs := newBatch[*Proof](a.in.reader, nil), map[*AffectedCI]*Proof{}
		for _, row := range a.in.Rows {
			if !row.isTold() {
				continue
			}
			proof, ok := row.i.answer().Proof(row.hit.CI)
			if !ok {
				return nil, fmt.Errorf("%v is affected and nothing explains it", row.hit.CI)
			}
			whole := make(map[ident.ID]impact.Explanation, len(proof.Explanations))
			for _, e := range proof.Explanations {
				whole[e.CI] = e
			}
			proofs[row] = &Proof{row.i, proof.Explanations[0], whole, b}
			b.Rows = append(b.Rows, proofs[row])
		}
		return proofs, nil
	})
	return all[a], err
}

// Rule returns the rule that applied.
func (p *Proof) Rule() string {
	switch p.explanation.Ground {
	case impact.Given:
		return "FAILED"
	case impact.HardDependency:
		return "HARD_DEPENDENCY"
	case impact.SoftDependency:
		return "SOFT_DEPENDENCY"
	case impact.BrokenGroup:
		return "DEPENDENCY_GROUP"
	case impact.Retired:
		return "RETIRED"
	}
	panic("a ground without a rule")
}

// Path returns a shortest way from a failed CI to this one, both included.
func (p *Proof) Path(ctx context.Context) ([]*CI, error) {
	type paths = map[*Proof][]*CI
	all, err := once(p.in, "paths", func() (paths, error) {
		stations := make(map[*Proof][]ident.ID, len(p.in.Rows))
		var ids []ident.ID
		for _, row := range p.in.Rows {
			ci := row.explanation.CI
			var path []ident.ID
			for n, step := range row.i.answer().Path(ci) {
				if n == 0 {
					path = append(path, step.From)
				}
				path = append(path, step.To)
			}
			if path == nil {
				path = []ident.ID{ci}
			}
			stations[row] = path
			ids = append(ids, path...)
		}
		found, err := loadVertices(ctx, p.in.reader, ids)
		if err != nil {
			return nil, err
		}
		shown := make(paths, len(stations))
		for proof, path := range stations {
			shown[proof] = found.list(path)
		}
		return shown, nil
	})
	return all[p], err
}

// Group returns the dependency group that broke, if it was one.
func (p *Proof) Group(ctx context.Context) (*DependencyGroup, error) {
	return one(ctx, p.in, p, "groups", func(p *Proof) *ident.ID {
		if p.explanation.Group == nil {
			return nil
		}
		return &p.explanation.Group.ID
	}, loadGroups)
}

// NeededCount returns how many members, or how much weight, the group needs.
func (p *Proof) NeededCount() *int {
	if p.explanation.Group == nil {
		return nil
	}
	return &p.explanation.Group.Need
}

// UpCount returns how many members, or how much weight, are up.
func (p *Proof) UpCount() *int {
	if p.explanation.Group == nil {
		return nil
	}
	return &p.explanation.Group.Up
}

// ProofCause is one thing that helped to break a CI.
type ProofCause struct {
	state        impact.State
	Ci           *CI
	Relationship *Relationship
	Proof        *Proof
}

// State returns the state the cause is in.
func (c *ProofCause) State() string { return c.state.String() }

// cause is a CI that is not well, or RETIRED, and the relationship along which it hurts.
type cause struct {
	ci, relationship ident.ID
	state            impact.State
	isRetired        bool
}

// isLast reports whether a cause works, and is on the brink.
func (c cause) isLast() bool { return !c.isRetired && c.state.IsWell() }

// String returns the state as a sentence shows it.
func (c cause) String() string {
	if c.isRetired {
		return "RETIRED"
	}
	return c.state.String()
}

func (p *Proof) causes() []cause {
	e := p.explanation
	if e.Group == nil {
		if e.Ground == impact.Given || e.Ground == impact.Retired {
			return nil
		}
		why, ok := p.whole[e.Cause]
		return []cause{{e.Cause, e.Relationship, why.State, !ok}}
	}
	var all []cause
	for _, m := range e.Group.Members {
		if m.IsCause || m.IsRetired && e.State == impact.Down {
			all = append(all, cause{m.CI, m.Relationship, m.State, m.IsRetired})
		}
	}
	return all
}

// causeCIs returns the causes of all proofs of the batch.
func (p *Proof) causeCIs(ctx context.Context) (vertices, error) {
	return once(p.in, "cause CIs", func() (vertices, error) {
		var ids []ident.ID
		for _, row := range p.in.Rows {
			for _, c := range row.causes() {
				ids = append(ids, c.ci)
			}
		}
		return loadVertices(ctx, p.in.reader, ids)
	})
}

// Causes returns the dependency, or the members of the group, that broke the CI.
func (p *Proof) Causes(ctx context.Context) ([]*ProofCause, error) {
	cis, err := p.causeCIs(ctx)
	if err != nil {
		return nil, err
	}
	all, err := once(p.in, "causes", func() (map[*Proof][]*ProofCause, error) {
		var ids []ident.ID
		for _, row := range p.in.Rows {
			for _, c := range row.causes() {
				ids = append(ids, c.relationship)
			}
		}
		relationships, err := loadRelationships(ctx, p.in.reader, ids)
		if err != nil {
			return nil, err
		}
		deeper := newBatch[*Proof](p.in.reader, nil)
		shown := make(map[*Proof][]*ProofCause, len(p.in.Rows))
		for _, row := range p.in.Rows {
			shown[row] = []*ProofCause{}
			for _, c := range row.causes() {
				explanation, ok := row.whole[c.ci]
				if c.isRetired {
					c.state = impact.Down
					explanation, ok = impact.Explanation{Hit: impact.Hit{CI: c.ci, State: c.state}, Ground: impact.Retired}, true
				}
				if !cis.has(c.ci) || !ok {
					continue
				}
				why := &Proof{row.i, explanation, row.whole, deeper}
				deeper.Rows = append(deeper.Rows, why)
				shown[row] = append(shown[row], &ProofCause{c.state, cis.shown[c.ci], relationships[c.relationship], why})
			}
		}
		return shown, nil
	})
	return all[p], err
}

// Summary returns the reason in one sentence.
func (p *Proof) Summary(ctx context.Context) (string, error) {
	e := p.explanation
	if e.Ground == impact.Given {
		return p.given(), nil
	}
	if e.Ground == impact.Retired {
		return "It is retired, and what needs it does without it for good.", nil
	}
	cis, err := p.causeCIs(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, c := range p.causes() {
		if ci := cis.shown[c.ci]; ci != nil {
			names = append(names, fmt.Sprintf("%s (%s)", ci.Name, c))
		} else if cis.hidden[c.ci] {
			names = append(names, fmt.Sprintf("a restricted CI (%s)", c))
		}
	}
	switch e.Ground { //nolint:exhaustive // Given and Retired are above
	case impact.HardDependency:
		return fmt.Sprintf("It is %s because it cannot do without %s.", e.State, sentence(names)), nil
	case impact.SoftDependency:
		return fmt.Sprintf("It is %s because it misses %s, which it can do without.", e.State, sentence(names)), nil
	}
	group, err := p.Group(ctx)
	if err != nil {
		return "", err
	}
	name := "of its dependencies"
	if group != nil {
		name = fmt.Sprintf("%q", group.Name)
	}
	state := fmt.Sprintf("%d of %d are up", e.Group.Up, e.Group.Total)
	if e.State != impact.Down {
		state = fmt.Sprintf("%d of %d are up and %d well", e.Group.Up, e.Group.Total, e.Group.Well)
	}
	ends := "lost"
	if all := p.causes(); len(all) > 0 && all[0].isLast() {
		ends = "it cannot spare"
	}
	return fmt.Sprintf("It is %s because the group %s needs %d and %s; %s: %s.", e.State, name, e.Group.Need, state, ends, sentence(names)), nil
}

// given says who says that the CI fails.
func (p *Proof) given() string {
	e, graph := p.explanation, p.i.answer().Snapshot()
	records := impact.FactsOf(graph).DownBy(e.Vertex)
	if e.IsRoot || len(records) == 0 {
		return fmt.Sprintf("It is supposed to be %s.", e.State)
	}
	numbers := make([]string, len(records))
	for i, r := range records {
		numbers[i] = number(r)
	}
	return fmt.Sprintf("It is %s by %s.", e.State, sentence(numbers))
}

// number returns the number by which people call an incident or a change.
func number(record ident.ID) string {
	if record.Kind() == ident.Change {
		return change.Number(record)
	}
	return incident.Number(record)
}

// sentence joins names for people.
func sentence(names []string) string {
	const most = 4
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("%d more", len(names)-most))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
