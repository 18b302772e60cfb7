package importer

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// parting is a relationship that a source no longer reports, that no other source claims and that no person made.
type parting struct {
	of       *record
	reported Relationship
	stored   *ent.Relationship
}

func (d *parting) about() (*record, Kind, string) {
	return d.of, KindRelationship, (&edge{from: d.of, reported: d.reported}).said()
}

// planPartings plans what becomes of the relationships that rows reported before and report no more: they go, unless
// another source claims them or a person made them. A reference that dangles is forgotten.
func (p *planner) planPartings(ctx context.Context) error {
	var lost []*parting
	for _, r := range p.records {
		if r.CI == nil || r.isDropped || r.isWoken || r.own == nil || r.own.hash == r.hash {
			continue
		}
		before, err := r.own.row()
		if err != nil {
			return err
		}
		if before.CI == nil {
			continue
		}
		for _, rel := range before.CI.Relationships {
			if !slices.ContainsFunc(r.reported.CI.Relationships, func(is Relationship) bool { return p.sameTarget(is, rel) }) {
				lost = append(lost, &parting{of: r, reported: rel})
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	if err := p.know(ctx, lost); err != nil {
		return err
	}
	standing := map[place]bool{} // as this run reports
	for _, e := range p.edges {
		if t, err := p.ref.Type(e.reported.Type); err == nil && !e.isDropped {
			standing[place{t.ID, e.source, e.target}] = true
		}
	}
	byPlace := map[place]*parting{}
	var ends []ident.ID
	for _, d := range lost {
		at, ok := p.placeOf(d.of.id, d.reported, p.source)
		switch {
		case !ok:
			key := looseKey{d.of.id, p.keyIn(d.reported.Space, d.reported.Target), domain.DanglingRelationship, d.reported.Type, d.reported.IsReverse}
			if id := p.stored.dangling[key]; id != 0 {
				p.plan.work.forgotten = append(p.plan.work.forgotten, id)
				p.step(Step{Kind: KindRelationship, Outcome: Remove, Origin: d.of.origin, ExternalID: d.of.key, Detail: d.reported.Type, Target: d.reported.Target, Space: d.reported.Space, Reason: "the reference dangled, and is no longer made"})
			}
		case !standing[at] && byPlace[at] == nil:
			byPlace[at] = d
			ends = append(ends, at.source.id, at.target.id)
		}
	}
	if err := p.dropClaimed(ctx, byPlace, ends); err != nil {
		return err
	}
	return p.loadPartings(ctx, byPlace)
}

func (p *planner) sameTarget(a, b Relationship) bool {
	return a.Type == b.Type && a.IsReverse == b.IsReverse && p.keyIn(a.Space, a.Target) == p.keyIn(b.Space, b.Target)
}

// know looks up the keys that lost relationships name.
func (p *planner) know(ctx context.Context, lost []*parting) error {
	keys := map[domain.ExternalKey]bool{}
	for _, d := range lost {
		if key := p.keyIn(d.reported.Space, d.reported.Target); p.stored.known[key] == 0 {
			keys[key] = true
		}
	}
	return p.findKeys(ctx, keys)
}

func (p *planner) findKeys(ctx context.Context, keys map[domain.ExternalKey]bool) error {
	for chunk := range slices.Chunk(slices.SortedFunc(maps.Keys(keys), compareKeys), page) {
		found, err := cmdb.FindIdentities(ctx, p.tx, chunk)
		if err != nil {
			return err
		}
		maps.Copy(p.stored.known, found)
	}
	return nil
}

// placeOf returns the place of a relationship that a source reports on a stored CI. It returns false if its type or its
// other end is not known.
func (p *planner) placeOf(of ident.ID, rel Relationship, source string) (place, bool) {
	t, err := p.ref.Type(rel.Type)
	to := p.stored.known[domain.ExternalKey{Source: cmp.Or(rel.Space, source), ExternalID: rel.Target}]
	if err != nil || to == 0 || to.Kind() != ident.CI {
		return place{}, false
	}
	if rel.IsReverse {
		return place{t.ID, end{id: to}, end{id: of}}, true
	}
	return place{t.ID, end{id: of}, end{id: to}}, true
}

// dropClaimed takes out the places at which another claim on one of the ends reports the relationship too.
func (p *planner) dropClaimed(ctx context.Context, byPlace map[place]*parting, ends []ident.ID) error {
	if err := p.loadClaims(ctx, ends); err != nil {
		return err
	}
	slices.Sort(ends)
	keys := map[domain.ExternalKey]bool{}
	said := map[*claim]Row{}
	for _, id := range slices.Compact(ends) {
		for _, c := range p.stored.claims[id] {
			if of := p.byKey[c.key]; c.source == p.source && of != nil && !of.isWoken || c.isMissing() {
				continue // what this run says stands in its edges
			}
			row, err := c.row()
			if err != nil {
				return err
			}
			if row.CI == nil {
				continue
			}
			said[c] = row
			for key := range row.CI.keys() {
				if key.Source = cmp.Or(key.Source, c.source); key.ExternalID != "" && p.stored.known[key] == 0 {
					keys[key] = true
				}
			}
		}
	}
	if err := p.findKeys(ctx, keys); err != nil {
		return err
	}
	for c, row := range said {
		for _, rel := range row.CI.Relationships {
			if at, ok := p.placeOf(c.record, rel, c.source); ok {
				delete(byPlace, at)
			}
		}
	}
	return nil
}

// loadPartings plans the removal of the stored relationships at the places, but for those that a person made.
func (p *planner) loadPartings(ctx context.Context, byPlace map[place]*parting) error {
	var sources []ident.ID
	for at := range byPlace {
		sources = append(sources, at.source.id)
	}
	slices.Sort(sources)
	for chunk := range slices.Chunk(slices.Compact(sources), page) {
		some, err := p.tx.Relationship.Query().Where(relationship.SourceIDIn(chunk...)).Order(ent.Asc(relationship.FieldID)).All(ctx)
		if err != nil {
			return err
		}
		for _, rel := range some {
			d := byPlace[place{rel.TypeID, end{id: rel.SourceID}, end{id: rel.TargetID}}]
			if d == nil || rel.ReportedBy == manual {
				continue
			}
			d.stored = rel
			p.plan.work.partings = append(p.plan.work.partings, d)
			p.step(Step{
				Kind: KindRelationship, Outcome: Remove, Origin: d.of.origin, ExternalID: d.of.key, Record: rel.ID, Detail: d.reported.Type, Target: d.reported.Target, Space: d.reported.Space,
				Reason: "no source reports it any more",
			})
		}
	}
	return nil
}

// writePartings removes relationships that nobody reports any more. One that has changed since the plan stays.
func (a *applying) writePartings(ctx context.Context, tx *store.Tx, _ *cmdb.Reference, live []*parting) (func(), error) {
	ids := make([]ident.ID, len(live))
	for i, d := range live {
		ids[i] = d.stored.ID
	}
	now, err := tx.Relationship.Query().Where(relationship.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	out := refused[*parting]{}
	for _, rel := range now {
		if i := slices.Index(ids, rel.ID); rel.Version != live[i].stored.Version {
			out[live[i]] = "it has been changed since"
		}
	}
	if len(out) > 0 {
		return nil, out
	}
	if err := cmdb.UnrelateTx(ctx, tx, ids); err != nil {
		return nil, err
	}
	return func() {
		a.wrote(len(now), KindRelationship, Remove)
		a.result.Batches++
	}, nil
}
