package importer

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
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

// wake takes rows back in that were passed over and that others of this run concern: those at the other ends of their
// relationships, of which both ends may tell, and those that may be the same CI or team. Of a run that does not read
// the whole scope, the other ends may be rows that it does not have: then they are as they were when they were last
// read.
func (p *planner) wake(ctx context.Context) error {
	if !p.wasRead || !p.isPartial() && p.settled == nil {
		return nil
	}
	if err := p.wakeAlike(ctx); err != nil {
		return err
	}
	if err := p.wakeLeft(ctx); err != nil {
		return err
	}
	for from := 0; from < len(p.records); {
		news := p.records[from:]
		from = len(p.records)
		keys := make([]string, len(news))
		for i, r := range news {
			keys[i] = r.key
		}
		before, err := p.claimed(ctx, keys)
		if err != nil {
			return err
		}
		ends := map[string]bool{}
		for _, r := range news {
			if r.isWoken {
				continue
			}
			p.endsOf(r.reported, ends)
			if c := before[r.key]; c != nil {
				row, err := c.row()
				if err != nil {
					return err
				}
				p.endsOf(row, ends)
			}
		}
		if err := p.takeBack(ctx, ends, false); err != nil {
			return err
		}
	}
	slices.SortStableFunc(p.records, func(a, b *record) int { return cmp.Compare(a.place, b.place) })
	return nil
}

// isPartial reports whether the run tells nothing by what it lacks.
func (p *planner) isPartial() bool { return p.plan.Kind != domain.FullRun || !p.plan.IsComplete }

// wakeLeft takes the rows back in at the other ends of what the source has just lost.
func (p *planner) wakeLeft(ctx context.Context) error {
	keys := slices.Sorted(maps.Keys(p.deleted))
	if !p.isPartial() {
		_, lost, err := p.lost(ctx)
		if err != nil {
			return err
		}
		for _, c := range lost {
			if !c.isMissing() {
				keys = append(keys, c.key)
			}
		}
	}
	gone, err := p.claimed(ctx, keys)
	if err != nil {
		return err
	}
	ends := map[string]bool{}
	for _, c := range gone {
		row, err := c.row()
		if err != nil {
			return err
		}
		p.endsOf(row, ends)
	}
	return p.takeBack(ctx, ends, true)
}

// endsOf adds the keys that the relationships and groups of a row name, and that this run does not look at.
func (p *planner) endsOf(row Row, ends map[string]bool) {
	if row.CI == nil {
		return
	}
	note := func(space, key string) {
		if cmp.Or(space, p.source) != p.source {
			return
		}
		if _, ok := p.deleted[key]; p.hasPassed(key) || p.isPartial() && p.byKey[key] == nil && !ok {
			ends[key] = true
		}
	}
	for _, rel := range row.CI.Relationships {
		note(rel.Space, rel.Target)
	}
	for _, g := range row.CI.Groups {
		for _, m := range g.Members {
			note(m.Space, m.Target)
		}
	}
}

// takeBack makes records of rows that were passed over, as their claims have them. A CI of which a group counts a row
// of this run is looked at whole, any other, unless isWhole, for its relationships with such rows alone.
func (p *planner) takeBack(ctx context.Context, keys map[string]bool, isWhole bool) error {
	sorted := slices.Sorted(maps.Keys(keys))
	found, err := p.claimed(ctx, sorted)
	if err != nil {
		return err
	}
	for _, key := range sorted {
		c := found[key]
		if c == nil || c.isMissing() {
			continue
		}
		row, err := c.row()
		if err != nil {
			return err
		}
		r := newRecord(row)
		if r.CI == nil {
			continue
		}
		isPassed := p.hasPassed(key)
		if isPassed && (isWhole || slices.ContainsFunc(r.CI.Groups, func(g Group) bool {
			return slices.ContainsFunc(g.Members, func(m GroupMember) bool { return p.isAwake(m.Space, m.Target) })
		})) {
			p.restore(r, c)
			continue
		}
		r.isWoken, r.isAbsent = true, !isPassed
		p.place(r, c)
	}
	return nil
}

// restore looks at a row after all that was passed over.
func (p *planner) restore(r *record, c *claim) {
	p.place(r, c)
	delete(p.settled.passed, c.key)
	p.countUnchanged(r, -1)
}

// place puts a row back where it stood, or behind all others if the run does not have it.
func (p *planner) place(r *record, c *claim) {
	at := passed{place: math.MaxInt}
	if p.hasPassed(c.key) {
		at = p.settled.passed[c.key]
	}
	r.body, r.hash, r.place, r.origin = c.body, c.hash, at.place, at.origin
	r.Origin, r.reported.Origin = at.origin, at.origin
	p.byKey[c.key] = r
	p.records = append(p.records, r)
}

// isAwake reports whether a key is that of a row that is looked at whole.
func (p *planner) isAwake(space, key string) bool {
	r := p.byKey[key]
	return r != nil && !r.isWoken && !r.isDropped && cmp.Or(space, p.source) == p.source
}

// claimed reads the source's own claims.
func (p *planner) claimed(ctx context.Context, keys []string) (map[string]*claim, error) {
	found := map[string]*claim{}
	for chunk := range slices.Chunk(keys, page) {
		list, args := in(2, chunk)
		some, err := readClaims(ctx, p.tx, "source = $1 AND key IN "+list, append([]any{p.source}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			found[c.key] = c
		}
	}
	return found, nil
}

// wakeAlike takes the rows back in whose CIs have what identifies a row of this run, or one of its keys, and whose
// teams have its name.
func (p *planner) wakeAlike(ctx context.Context) error {
	wanted := map[cmdb.Identity]*ent.CI{}
	var keys []domain.ExternalKey
	var names []string // of teams, which are unique
	for _, r := range p.records {
		if r.Team != nil {
			names = append(names, trim(r.Team.Name))
		}
		if r.CI == nil {
			continue
		}
		for _, key := range r.CI.Keys {
			keys = append(keys, p.keyIn(key.Space, key.Key))
		}
		class, err := p.ref.Class(r.CI.Class)
		attributes, wrong := attribute.Plain(r.CI.Attributes)
		if err != nil || wrong != nil {
			continue // a fault, which the check of the row tells
		}
		draft := &ent.CI{ClassID: class.ID, Attributes: attributes}
		cmdb.Defaults(draft)
		draft.Name = trim(r.CI.Name)
		if r.CI.Environment != "" {
			draft.Environment = domain.Environment(r.CI.Environment)
		}
		for _, c := range class.Identities(draft) {
			wanted[c] = draft
		}
	}
	found, err := p.findHolders(ctx, wanted)
	if err != nil {
		return err
	}
	ids := found.ids()
	for chunk := range slices.Chunk(keys, page) {
		known, err := cmdb.FindIdentities(ctx, p.tx, chunk)
		if err != nil {
			return err
		}
		for _, id := range known {
			ids = append(ids, id)
		}
	}
	for chunk := range slices.Chunk(names, page) {
		teams, err := p.tx.Team.Query().Where(team.NameIn(chunk...)).IDs(ctx)
		if err != nil {
			return err
		}
		ids = append(ids, teams...)
	}
	slices.Sort(ids)
	all, err := claimsOn(ctx, p.tx, slices.Compact(ids))
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.source != p.source || !p.hasPassed(c.key) {
			continue
		}
		row, err := c.row()
		if err != nil {
			return err
		}
		p.restore(newRecord(row), c)
	}
	return nil
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
