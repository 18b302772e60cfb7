package importer

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// page bounds the values of one IN list.
const page = 500

// NewPlan reads all rows of source and plans their import. It writes nothing, and sees one state of the database
// throughout. It fails if the source or the database as a whole fails; mistakes in single rows are notices of the plan.
func NewPlan(ctx context.Context, s *store.Store, source Source, o Options) (*Plan, error) {
	ctx = pgconn.Patient(ctx)
	if scoped, ok := source.(Scoped); ok && o.Kind == "" && o.Scope == "" {
		o.Scope, o.Kind = scoped.Run()
	}
	p := &planner{
		options: o, source: source.Name(), byKey: map[string]*record{}, deleted: map[string]Origin{}, listed: map[looseAt]bool{},
		plan: &Plan{
			Source: source.Name(), Scope: o.Scope, Kind: cmp.Or(o.Kind, domain.PartialRun), IsComplete: true, Steps: []Step{}, Notices: []Notice{}, Summary: Summary{},
		},
	}
	if err := snapshot(ctx, s, func(tx *store.Tx) error { return p.loadSettled(ctx, tx) }); err != nil {
		return nil, err
	}
	if err := p.read(ctx, s, source); err != nil {
		return nil, fmt.Errorf("read %s: %w", source.Name(), err)
	}
	p.readSerials(source)
	if err := snapshot(ctx, s, func(tx *store.Tx) error { return p.decide(ctx, tx) }); err != nil {
		return nil, err
	}
	return p.plan, nil
}

// snapshot calls read with one state of the database. The transaction refuses mutations, since nothing would write the
// journal.
func snapshot(ctx context.Context, s *store.Store, read func(*store.Tx) error) error {
	var options *sql.TxOptions // SQLite's readers see one state in any case
	if s.IsPostgres() {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	inner, err := s.Read.BeginTx(ctx, options)
	if err != nil {
		return store.Translate(err)
	}
	err = read(s.Reading(ctx, inner))
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
	belief  *belief

	records []*record          // the records that are not dropped while reading, in that order
	settled *settled           // nil if every row needs a look
	wasRead bool               // the source has been read before
	looked  int                // how many of records certainly do
	taken   int                // how many rows were taken
	byKey   map[string]*record // by external id
	deleted map[string]Origin  // the keys that the source says are gone
	stored  *stored

	untrusted []*untrusted

	edges    []*edge
	dangling []*loose
	listed   map[looseAt]bool
}

// read reads all rows. If two have the same external id, the first counts.
func (p *planner) read(ctx context.Context, s *store.Store, source Source) error {
	n := 0
	for row, err := range source.Rows(ctx) {
		var notice *Notice
		switch {
		case errors.As(err, &notice):
			if err := p.plan.input.add(kept{Notice: notice}); err != nil {
				return err
			}
			p.document(*notice)
		case err != nil:
			return err
		default:
			if err := p.plan.input.add(keptRow(row)); err != nil {
				return err
			}
			p.take(row)
		}
		if n++; n%page == 0 {
			p.options.progress(Reading, n, 0)
		}
		if len(p.records)-p.looked >= batchRead {
			if err := p.passOver(ctx, s); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(p.passOver(ctx, s), p.plan.input.flush()); err != nil {
		return err
	}
	p.options.progress(Reading, n, n)
	return ctx.Err()
}

// document adds a notice that the source itself gave.
func (p *planner) document(found Notice) {
	p.plan.Notices = append(p.plan.Notices, found)
	p.plan.IsComplete = p.plan.IsComplete && found.Kind != Rejected
	outcome, ok := map[NoticeKind]Outcome{
		Rejected: IsRejected, Duplicate: IsDuplicate, Skipped: IsSkipped, Dangling: IsDangling,
	}[found.Kind]
	if ok {
		p.step(Step{
			Kind: KindDocument, Outcome: outcome, Origin: found.Origin, ExternalID: found.ExternalID, Target: found.Target, Reason: found.Reason,
		})
	}
}

func (p *planner) take(row Row) {
	if row.Deleted != "" {
		p.deleted[row.Deleted] = row.Origin
		return
	}
	r := newRecord(row)
	if r == nil {
		p.document(Notice{Origin: row.Origin, Kind: Rejected, Reason: "the row holds no record, or several: one CI, team or person is expected"})
		return
	}
	for _, n := range row.Notices {
		if n.Origin == (Origin{}) {
			n.Origin = row.Origin
		}
		p.plan.Notices = append(p.plan.Notices, n)
	}
	if wrong := checkKey(r.key); wrong != "" {
		p.plan.IsComplete = false
		p.drop(r, Rejected, wrong)
		return
	}
	if first := p.byKey[r.key]; first != nil {
		p.drop(r, Duplicate, fmt.Sprintf("%q is reported twice: the first, at %s, counts", r.key, first.origin))
		return
	}
	if p.reports(r.key) {
		p.drop(r, Duplicate, fmt.Sprintf("%q is reported twice: the first counts", r.key))
		return
	}
	p.byKey[r.key] = r
	p.taken++
	r.place = p.taken
	p.records = append(p.records, r)
}

// drop leaves a row out and notes why.
func (p *planner) drop(r *record, kind NoticeKind, reason string) {
	r.isDropped, r.isNoisy = true, true
	outcome := IsRejected
	if kind == Duplicate {
		outcome = IsDuplicate
	}
	p.step(Step{Kind: r.kind, Outcome: outcome, Origin: r.origin, ExternalID: r.key, Name: r.name, Reason: reason})
	p.notice(r, kind, "", reason)
}

func (p *planner) notice(r *record, kind NoticeKind, target, reason string) {
	r.isNoisy = true
	p.plan.Notices = append(p.plan.Notices, Notice{Origin: r.origin, Kind: kind, ExternalID: r.key, Target: target, Reason: reason})
}

func (p *planner) step(i Step) {
	p.plan.Steps = append(p.plan.Steps, i)
	p.plan.Summary.add(i.Kind, i.Outcome)
}

// decide matches the records with the stored ones, and plans each.
func (p *planner) decide(ctx context.Context, tx *store.Tx) (err error) {
	p.tx = tx
	if p.ref, err = cmdb.LoadReference(ctx, tx); err != nil {
		return err
	}
	if err := errors.Join(p.ref.Suppose(p.options.Classes), p.checkSerials(ctx)); err != nil {
		return err
	}
	head, err := tx.Head.Query().Only(ctx)
	if err != nil {
		return err
	}
	p.plan.Revision = head.Revision
	if p.settled != nil {
		p.plan.Revision = p.settled.revision // of which the rows that were passed over were judged
	}
	if p.belief, err = loadBelief(ctx, tx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		p.wake, p.load, p.matchParties, p.matchCIs, p.digest, p.loadParts, p.planTeams, p.planPeople, p.planCIs, p.planEdges, p.planGroups, p.planDangling, p.planHealing,
		p.planPartings, p.planDeleted, p.planMissing, p.planClaims,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	p.plan.known = p.stored.known
	sortNotices(p.plan.Notices)
	p.finish()
	p.plan.isWhole, err = p.isWhole(ctx)
	return err
}
