package importer

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
)

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
