package importer

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/reconcile"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// farewell is a CI that its source has lost for long enough to be retired.
type farewell struct {
	of *record // without a row: it says which CI that is
	ci *ent.CI
}

func (f *farewell) about() (*record, Kind, string) {
	return f.of, KindCI, fmt.Sprintf("CI %q", f.of.key)
}

// planMissing plans what becomes of the records that a complete reading of a scope lacks: they are missing, and after
// the source's grace retired, if its policy says so and nothing speaks against it. If the guard finds that too much is
// gone, the plan is refused.
func (p *planner) planMissing(ctx context.Context) error {
	if p.options.Kind != domain.FullRun {
		return nil
	}
	if !p.plan.IsComplete {
		p.plan.Notices = append(p.plan.Notices, Notice{Kind: Warning, Reason: "not everything could be read, so that nothing is taken to be gone"})
		return nil
	}
	live, lost, err := p.lost(ctx)
	if err != nil {
		return err
	}
	news := 0
	for _, c := range lost {
		if !c.isMissing() {
			news++
		}
	}
	of := p.belief.source(p.source)
	guard := reconcile.Guard{Percent: of.GuardPercent, Least: domain.GuardLeast}
	p.plan.Refused = guard.Check(live, news, p.options.RetireUpTo)
	p.plan.work.missing = append(p.plan.work.missing, lost...)
	leaving := []*claim{}
	for _, c := range lost {
		grace := time.Duration(of.GraceMinutes) * time.Minute
		if of.RetirePolicy == domain.RetireByRule && c.isMissing() && c.missingRuns+1 >= of.GraceRuns && p.tx.Now.Sub(c.missingSince) >= grace && c.record.Kind() == ident.CI {
			leaving = append(leaving, c)
			continue
		}
		p.step(Step{Kind: kindOf(c.record), Outcome: IsMissing, ExternalID: c.key, Record: c.record, Reason: "the source has it no more"})
	}
	return p.planFarewells(ctx, leaving)
}

// lost returns the claims of the scope that a complete reading lacks, without what they say, and how many the source
// has not lost before.
func (p *planner) lost(ctx context.Context) (live int, all []*claim, err error) {
	err = each(ctx, p.tx, func(rows *sql.Rows) error {
		c, missing := &claim{source: p.source, scope: p.options.Scope}, sql.NullTime{}
		if err := rows.Scan(&c.key, &c.record, &missing, &c.missingRuns); err != nil {
			return err
		}
		if c.missingSince = missing.Time; !c.isMissing() {
			live++
		}
		if _, ok := p.deleted[c.key]; !p.reports(c.key) && (!ok || c.isMissing()) {
			all = append(all, c)
		}
		return nil
	}, "SELECT key, record, missing_since, missing_runs FROM x_claim WHERE source = $1 AND scope = $2 ORDER BY key", p.source, p.options.Scope)
	return live, all, err
}

// planDeleted plans what becomes of the records that the source says are gone: they are missing, whatever else the run
// has. Complete runs that lack them retire them as they do others.
func (p *planner) planDeleted(ctx context.Context) error {
	keys := slices.Sorted(maps.Keys(p.deleted))
	for chunk := range slices.Chunk(keys, page) {
		list, args := in(2, chunk)
		some, err := readClaims(ctx, p.tx, "source = $1 AND missing_since IS NULL AND key IN "+list+" ORDER BY key", append([]any{p.source}, args...)...)
		if err != nil {
			return err
		}
		for _, c := range some {
			if !p.reports(c.key) {
				p.plan.work.missing = append(p.plan.work.missing, c)
				p.step(Step{Kind: kindOf(c.record), Outcome: IsMissing, Origin: p.deleted[c.key], ExternalID: c.key, Record: c.record, Reason: "the source says that it is gone"})
			}
		}
	}
	return nil
}

func kindOf(id ident.ID) Kind {
	switch id.Kind() {
	case ident.Team:
		return KindTeam
	case ident.Person:
		return KindPerson
	default:
		return KindCI
	}
}

// planFarewells plans the retirement of CIs, but for those that something speaks for: these stay missing, and the
// reason is told.
func (p *planner) planFarewells(ctx context.Context, leaving []*claim) error {
	ids := make([]ident.ID, len(leaving))
	for i, c := range leaving {
		ids[i] = c.record
	}
	if err := p.loadClaims(ctx, ids); err != nil {
		return err
	}
	if err := p.loadCIs(ctx, ids); err != nil {
		return err
	}
	named, err := cmdb.NamedByTickets(ctx, p.tx, ids)
	if err != nil {
		return err
	}
	for _, c := range leaving {
		ci := p.stored.cis[c.record]
		if ci == nil || ci.Lifecycle == domain.Retired {
			continue
		}
		step := Step{Kind: KindCI, Outcome: Retire, ExternalID: c.key, Record: c.record, Name: ci.Name, Reason: fmt.Sprintf("missing since %s", c.missingSince.UTC().Format(time.DateOnly))}
		switch {
		case slices.ContainsFunc(p.stored.claims[c.record], func(other *claim) bool {
			return (other.source != c.source || other.key != c.key) && !p.belief.isStale(other)
		}):
			step.Reason = "another source has it"
		case len(ci.Locks) > 0:
			step.Reason = "a person has set fields of it"
		case named[c.record]:
			step.Reason = "an open incident or change names it"
		default:
			p.step(step)
			r := &record{kind: KindCI, key: c.key, name: ci.Name, id: ci.ID, old: ci}
			p.plan.work.farewells = append(p.plan.work.farewells, &farewell{r, ci})
			continue
		}
		step.Outcome = IsMissing
		p.step(step)
	}
	return nil
}

// writeFarewells retires CIs.
func (a *applying) writeFarewells(ctx context.Context, tx *store.Tx, ref *cmdb.Reference, live []*farewell) (func(), error) {
	rows := make([]cmdb.CIChange, len(live))
	for i, f := range live {
		rows[i] = cmdb.CIChange{ID: f.ci.ID, ExpectedVersion: &f.ci.Version, Fields: cmdb.Fields{Lifecycle: ptr(domain.Retired)}}
	}
	if _, err := cmdb.UpdateCIsTx(ctx, tx, ref, rows); err != nil {
		return nil, blame(err, live)
	}
	return func() {
		a.wrote(len(live), KindCI, Retire)
		a.result.Batches++
	}, nil
}

// revive brings back a CI that a run had retired and that its source has again.
func (r *record) revive() {
	if r.CI.Lifecycle == "" && r.own != nil && r.own.isMissing() && r.old.Lifecycle == domain.Retired {
		ci := *r.CI
		ci.Lifecycle = string(domain.Live)
		r.CI = &ci
	}
}
