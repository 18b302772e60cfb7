package importer

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// settled tells which rows need no look. The source says of the record what it said when both were last compared, they
// agreed, and nobody but the source has written the record since: another source that does not write agrees too, or is
// not believed. Where others claimed it already, time alone may change whom to believe, so that it is not settled.
type settled struct {
	revision int64              // of the database when the reading began
	whole    int64              // the last run that looked at all records of the scope
	compared map[int64]int64    // the revision that a run since then looked at
	touched  map[ident.ID]int64 // the last revision in which others wrote a record
	ruled    int64              // the last revision that changed classes, types, tiers or sources
	passed   map[string]passed  // the rows that were passed over, by key
}

// passed is where a row that was passed over stands.
type passed struct {
	place  int
	origin Origin
}

// batchRead bounds the rows of which claims are looked up together.
const batchRead = 2_000

// loadSettled reads what was written since the runs of a scope. If there were none, or if the journal does not reach
// back to them, every row needs a look.
func (p *planner) loadSettled(ctx context.Context, tx *store.Tx) error {
	head, err := tx.Head.Query().Only(ctx)
	if err != nil {
		return err
	}
	s := &settled{revision: head.Revision, compared: map[int64]int64{}, touched: map[ident.ID]int64{}, passed: map[string]passed{}}
	since := s.revision
	if err := each(ctx, tx, func(rows *sql.Rows) error {
		var run, from int64
		isWhole := false
		err := rows.Scan(&run, &from, &isWhole)
		s.compared[run], since = from, min(since, from)
		if isWhole {
			s.whole = run
		}
		return err
	}, `SELECT id, from_revision, is_whole AND state = $3 FROM x_run WHERE source = $1 AND scope = $2 AND id >= coalesce(
		(SELECT max(id) FROM x_run WHERE source = $1 AND scope = $2 AND state = $3 AND is_whole), 0) ORDER BY id`, p.source, p.options.Scope, string(domain.RunApplied)); err != nil {
		return err
	}
	if len(s.compared) == 0 {
		return each(ctx, tx, func(*sql.Rows) error { p.wasRead = true; return nil }, "SELECT 1 FROM x_run WHERE source = $1 LIMIT 1", p.source)
	}
	p.wasRead = true
	first := sql.NullInt64{}
	if err := each(ctx, tx, func(rows *sql.Rows) error { return rows.Scan(&first) }, "SELECT min(revision) FROM entry"); err != nil {
		return err
	}
	if first.Int64 > since+1 {
		return nil
	}
	p.settled = s
	return each(ctx, tx, s.note, "SELECT revision, record_id, subject_id, before, after FROM entry WHERE revision > $1 AND verb <> $2 ORDER BY revision", since, verb(p.source))
}

// verb returns what the journal calls the writes of a source's imports.
func verb(source string) string { return "import." + source }

// note notes whom an entry of the journal concerns.
func (s *settled) note(rows *sql.Rows) error {
	var revision int64
	var record, subject ident.ID
	var before, after []byte
	if err := rows.Scan(&revision, (*int64)(&record), (*int64)(&subject), &before, &after); err != nil {
		return err
	}
	switch record.Kind() { //nolint:exhaustive // sources report nothing of the others
	case ident.CIClass, ident.RelationshipType, ident.ServiceTier, ident.Source:
		s.ruled = revision
	case ident.Relationship, ident.Membership:
		var ends struct {
			Source ident.ID `json:"source_id"`
			Target ident.ID `json:"target_id"`
			Team   ident.ID `json:"team_id"`
			Person ident.ID `json:"person_id"`
		}
		for _, text := range [][]byte{before, after} {
			if len(text) == 0 {
				continue
			}
			if err := json.Unmarshal(text, &ends); err != nil {
				return fmt.Errorf("the entry of %s at revision %d: %w", record, revision, err)
			}
		}
		for _, id := range []ident.ID{ends.Source, ends.Target, ends.Team, ends.Person} {
			s.touched[id] = revision
		}
	case ident.CI, ident.Team, ident.Person, ident.Owner, ident.DependencyGroup, ident.ExternalIdentity, ident.DanglingReference:
		s.touched[record], s.touched[subject] = revision, revision
	}
	return nil
}

// holds reports whether a record is still as it was when a run, or the last one that looked at all, compared it.
func (s *settled) holds(record ident.ID, run int64) bool {
	at, ok := s.compared[max(run, s.whole)]
	return ok && at >= s.ruled && at >= s.touched[record]
}

// passOver takes the rows out that need no look, of those that were read since it was last called. It counts them and
// what they report as unchanged.
func (p *planner) passOver(ctx context.Context, s *store.Store) error {
	news := p.records[p.looked:]
	if p.settled == nil || len(news) == 0 {
		p.looked = len(p.records)
		return nil
	}
	keys := make([]string, len(news))
	for i, r := range news {
		var err error
		if r.body, r.hash, err = r.reported.body(); err != nil {
			return fmt.Errorf("%s: %w", r.origin, err)
		}
		keys[i] = r.key
	}
	list, args := in(3, keys)
	rows, err := s.Read.QueryContext(ctx, "SELECT key, hash, record, changed_run FROM x_claim WHERE source = $1 AND scope = $2 AND is_settled AND missing_since IS NULL AND key IN "+list, append([]any{p.source, p.options.Scope}, args...)...)
	if err != nil {
		return store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key string
		var hash []byte
		var record ident.ID
		var run int64
		if err := rows.Scan(&key, &hash, (*int64)(&record), &run); err != nil {
			return err
		}
		if r := p.byKey[key]; string(hash) == r.hash && p.settled.holds(record, run) {
			p.settled.passed[key] = passed{r.place, r.origin}
			delete(p.byKey, key)
			p.countUnchanged(r, 1)
		}
	}
	p.records = append(p.records[:p.looked], slices.DeleteFunc(news, func(r *record) bool { return p.hasPassed(r.key) })...)
	p.looked = len(p.records)
	return store.Translate(rows.Err())
}

func (p *planner) countUnchanged(r *record, n int) {
	p.plan.Settled += n
	p.plan.Summary.count(r.kind, Unchanged, n)
	if c := r.reported.CI; c != nil && len(c.Groups) > 0 {
		p.plan.Summary.count(KindGroup, Unchanged, n*len(c.Groups))
	}
	if c := r.reported.CI; c != nil && len(c.Relationships) > 0 {
		p.plan.Summary.count(KindRelationship, Unchanged, n*len(c.Relationships))
	}
}

// reports reports whether the run has a key, looked at or passed over.
func (p *planner) reports(key string) bool {
	r := p.byKey[key]
	return r != nil && !r.isAbsent || p.hasPassed(key)
}

func (p *planner) hasPassed(key string) bool {
	if p.settled == nil {
		return false
	}
	_, ok := p.settled.passed[key]
	return ok
}

// isWhole reports whether the plan looks at all records that the source claims in its scope, so that the next run can
// begin from here.
func (p *planner) isWhole(ctx context.Context) (bool, error) {
	if !p.plan.IsComplete || p.plan.Refused != "" {
		return false, nil
	}
	if p.plan.Kind == domain.FullRun {
		return true, nil
	}
	unseen := false
	err := each(ctx, p.tx, func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		unseen = unseen || !p.reports(key)
		return err
	}, "SELECT key FROM x_claim WHERE source = $1 AND scope = $2 AND missing_since IS NULL", p.source, p.options.Scope)
	return !unseen, err
}

// each calls f with each row of a query.
func each(ctx context.Context, tx *store.Tx, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
