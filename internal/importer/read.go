package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// page bounds the values of one IN list.
const page = 500

// NewPlan reads all that source reports and decides what importing it would do. It writes nothing, and sees one state
// of the database throughout. A failure is one of the source or the database as a whole: what is wrong with single
// rows is among the plan's problems.
func NewPlan(ctx context.Context, s *store.Store, source Source, o Options) (*Plan, error) {
	p := &planner{
		options: o, source: source.Name(), byKey: map[string]*record{}, listed: map[looseAt]bool{},
		plan: &Plan{Source: source.Name(), Items: []Item{}, Problems: []Problem{}, Summary: Summary{}},
	}
	if err := p.read(ctx, source); err != nil {
		return nil, fmt.Errorf("read %s: %w", source.Name(), err)
	}
	if err := snapshot(ctx, s, func(tx *store.Tx) error { return p.decide(ctx, tx) }); err != nil {
		return nil, err
	}
	return p.plan, nil
}

// snapshot reads within one state of the database. Mutations of the transaction are refused, for no journal listens.
func snapshot(ctx context.Context, s *store.Store, read func(*store.Tx) error) error {
	var options *sql.TxOptions // SQLite's readers see one state anyhow
	if s.IsPostgres() {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	inner, err := s.Read.BeginTx(ctx, options)
	if err != nil {
		return store.Translate(err)
	}
	err = read(&store.Tx{Tx: inner, Now: time.Now().UTC()})
	if ending := inner.Rollback(); err == nil {
		err = ending
	}
	return store.Translate(err)
}

// planner makes a plan. Rows become records in read; decide matches and compares them.
type planner struct {
	options Options
	source  string
	plan    *Plan
	tx      *store.Tx
	ref     *cmdb.Reference

	records []*record          // that count, in the order they were read
	byKey   map[string]*record // by external id
	stored  *stored

	edges    []*edge
	dangling []*loose
	listed   map[looseAt]bool
}

// read takes in all rows. Of two with one external id the first counts.
func (p *planner) read(ctx context.Context, source Source) error {
	n := 0
	for row, err := range source.Rows(ctx) {
		var problem *Problem
		switch {
		case errors.As(err, &problem):
			p.document(*problem)
		case err != nil:
			return err
		default:
			p.take(row)
		}
		if n++; n%page == 0 {
			p.options.progress(Reading, n, 0)
		}
	}
	p.options.progress(Reading, n, n)
	return ctx.Err()
}

// document notes a problem that the source itself found.
func (p *planner) document(found Problem) {
	p.plan.Problems = append(p.plan.Problems, found)
	outcome, counts := map[ProblemKind]Outcome{
		Rejected: IsRejected, Duplicate: IsDuplicate, Skipped: IsSkipped, Dangling: IsDangling,
	}[found.Kind]
	if counts {
		p.item(Item{
			Kind: KindDocument, Outcome: outcome, Origin: found.Origin, ExternalID: found.ExternalID, Target: found.Target, Reason: found.Reason,
		})
	}
}

func (p *planner) take(row Row) {
	r := newRecord(row)
	if r == nil {
		p.document(Problem{Origin: row.Origin, Kind: Rejected, Reason: "the row holds no record, or several: one CI, team or person is expected"})
		return
	}
	for _, n := range row.Notices {
		if n.Origin == (Origin{}) {
			n.Origin = row.Origin
		}
		p.plan.Problems = append(p.plan.Problems, n)
	}
	if wrong := checkKey(r.key); wrong != "" {
		p.drop(r, Rejected, wrong)
		return
	}
	if first := p.byKey[r.key]; first != nil {
		p.drop(r, Duplicate, fmt.Sprintf("%q is reported twice: the first, at %s, counts", r.key, first.origin))
		return
	}
	p.byKey[r.key] = r
	p.records = append(p.records, r)
}

// drop leaves a row out, and says why.
func (p *planner) drop(r *record, kind ProblemKind, reason string) {
	r.isDropped = true
	outcome := IsRejected
	if kind == Duplicate {
		outcome = IsDuplicate
	}
	p.item(Item{Kind: r.kind, Outcome: outcome, Origin: r.origin, ExternalID: r.key, Name: r.name, Reason: reason})
	p.problem(r, kind, "", reason)
}

func (p *planner) problem(r *record, kind ProblemKind, target, reason string) {
	p.plan.Problems = append(p.plan.Problems, Problem{Origin: r.origin, Kind: kind, ExternalID: r.key, Target: target, Reason: reason})
}

func (p *planner) item(i Item) {
	p.plan.Items = append(p.plan.Items, i)
	p.plan.Summary.add(i.Kind, i.Outcome)
}

// decide matches the records with what is stored, and plans each.
func (p *planner) decide(ctx context.Context, tx *store.Tx) (err error) {
	p.tx = tx
	if p.ref, err = cmdb.LoadReference(ctx, tx); err != nil {
		return err
	}
	head, err := tx.Head.Query().Only(ctx)
	if err != nil {
		return err
	}
	p.plan.Revision = head.Revision
	for _, step := range []func(context.Context) error{
		p.load, p.matchParties, p.matchCIs, p.loadParts, p.planTeams, p.planPeople, p.planCIs, p.planEdges, p.planGroups, p.planDangling, p.planHealing,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	sortProblems(p.plan.Problems)
	p.finish()
	return nil
}
