package importer

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

var danglingKinds = map[domain.DanglingKind]Kind{
	domain.DanglingRelationship: KindRelationship, domain.DanglingOwner: KindOwner, domain.DanglingParent: KindParent,
	domain.DanglingMember: KindMember, domain.DanglingSupport: KindSupport,
}

// planDangling lists the references that dangle after the import.
func (p *planner) planDangling(context.Context) error {
	for _, l := range p.dangling {
		step := Step{
			Kind: danglingKinds[l.kind], Outcome: IsDangling, Origin: l.of.origin, ExternalID: l.of.key, Record: l.of.id, Detail: l.detail, Target: l.target.ExternalID, IsStored: l.isStored,
		}
		if l.target.Source != p.source {
			step.Space = l.target.Source
		}
		p.step(step)
		if !l.isStored {
			p.plan.work.dangling = append(p.plan.work.dangling, l)
		}
	}
	return nil
}

// planHealing lists the stored references, of whatever record, whose target arrives with this import. It passes over
// relationships that this import reports again, which have a step already.
func (p *planner) planHealing(ctx context.Context) error {
	listed := map[looseKey]bool{}
	for _, e := range p.edges {
		if e.outcome == Heal {
			listed[looseKey{e.from.id, p.keyIn(e.reported.Space, e.reported.Target), domain.DanglingRelationship, e.reported.Type, e.reported.IsReverse}] = true
		}
	}
	var arriving []string
	for _, r := range p.records {
		if !r.isDropped && (r.id == 0 || r.needsKey) {
			arriving = append(arriving, r.key)
		}
	}
	var steps []Step
	for chunk := range slices.Chunk(arriving, page) {
		waiting, err := p.tx.DanglingReference.Query().
			Where(danglingreference.Source(p.source), danglingreference.ExternalIDIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, d := range waiting {
			if !listed[looseKey{d.RecordID, domain.ExternalKey{Source: d.Source, ExternalID: d.ExternalID}, d.Kind, d.Detail, d.IsReverse}] {
				steps = append(steps, Step{
					Kind: danglingKinds[d.Kind], Outcome: Heal, Origin: p.byKey[d.ExternalID].origin, Record: d.RecordID, Detail: d.Detail, Target: d.ExternalID,
				})
			}
		}
	}
	slices.SortFunc(steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.Record, b.Record), strings.Compare(a.Target, b.Target), strings.Compare(string(a.Kind)+a.Detail, string(b.Kind)+b.Detail))
	})
	for _, i := range steps {
		p.step(i)
	}
	return nil
}

// finish sorts the steps in the order in which they are written, those of one kind in the order in which they were
// read.
func (p *planner) finish() {
	order := map[Kind]int{}
	for i, k := range kinds {
		order[k] = i
	}
	slices.SortStableFunc(p.plan.Steps, func(a, b Step) int { return cmp.Compare(order[a.Kind], order[b.Kind]) })
}
