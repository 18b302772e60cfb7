package importer

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/ent/membership"
	"github.com/linchpin-cmdb/linchpin/ent/owner"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// stored holds the stored records of the rows and of their references, read in pages.
type stored struct {
	known    map[domain.ExternalKey]ident.ID
	cis      map[ident.ID]*ent.CI
	teams    map[ident.ID]*ent.Team // all of them: their names are unique and their tree has no cycle
	people   map[ident.ID]*ent.Person
	members  map[catalogMember]bool
	owners   map[ident.ID][]*ent.Owner // by CI, the primary first
	groups   map[groupKey]*ent.DependencyGroup
	grouped  map[groupMember]string // the name of the group of the CI that the relationship counts in
	dangling map[looseKey]ident.ID
	claims   map[ident.ID][]*claim // by record, of all sources
}

type catalogMember struct{ team, person ident.ID }

type groupKey struct {
	ci   ident.ID
	name string
}

type groupMember struct{ ci, relationship ident.ID }

type looseKey struct {
	record    ident.ID
	target    domain.ExternalKey
	kind      domain.DanglingKind
	detail    string
	isReverse bool
}

// load loads the stored records of all external ids that the rows have or refer to.
func (p *planner) load(ctx context.Context) error {
	p.stored = &stored{
		known: map[domain.ExternalKey]ident.ID{}, cis: map[ident.ID]*ent.CI{}, teams: map[ident.ID]*ent.Team{}, people: map[ident.ID]*ent.Person{},
		members: map[catalogMember]bool{}, owners: map[ident.ID][]*ent.Owner{}, groups: map[groupKey]*ent.DependencyGroup{},
		grouped: map[groupMember]string{}, dangling: map[looseKey]ident.ID{}, claims: map[ident.ID][]*claim{},
	}
	keys := p.mentioned()
	done := 0
	for chunk := range slices.Chunk(keys, page) {
		found, err := cmdb.FindIdentities(ctx, p.tx, chunk)
		if err != nil {
			return err
		}
		maps.Copy(p.stored.known, found)
		done += len(chunk)
		p.options.progress(Matching, done, len(keys))
	}
	byKind := map[ident.Kind][]ident.ID{}
	for _, id := range slices.Sorted(maps.Values(p.stored.known)) {
		byKind[id.Kind()] = append(byKind[id.Kind()], id)
	}
	if err := p.loadClaims(ctx, p.knownIDs()); err != nil {
		return err
	}
	if err := p.loadCIs(ctx, byKind[ident.CI]); err != nil {
		return err
	}
	return p.loadParties(ctx, byKind[ident.Person])
}

// knownIDs returns the stored records whose keys the rows have, and the CIs that keys of other spaces name.
func (p *planner) knownIDs() (ids []ident.ID) {
	for _, r := range p.records {
		if id := p.stored.known[p.keyIn("", r.key)]; id != 0 {
			ids = append(ids, id)
		}
		if r.CI == nil {
			continue
		}
		for _, key := range r.CI.Keys {
			if id := p.stored.known[p.keyIn(key.Space, key.Key)]; id.Kind() == ident.CI {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// mentioned returns all keys that the rows have or refer to, sorted.
func (p *planner) mentioned() []domain.ExternalKey {
	all := map[domain.ExternalKey]bool{}
	for _, r := range p.records {
		all[p.keyIn("", r.key)] = true
		switch {
		case r.Team != nil:
			all[p.keyIn("", r.Team.Parent)] = true
		case r.Person != nil:
			for _, team := range r.Person.Teams {
				all[p.keyIn("", team)] = true
			}
		default:
			for key := range r.CI.keys() {
				all[p.keyIn(key.Source, key.ExternalID)] = true
			}
		}
	}
	maps.DeleteFunc(all, func(key domain.ExternalKey, _ bool) bool { return key.ExternalID == "" })
	return slices.SortedFunc(maps.Keys(all), compareKeys)
}

// keyIn returns a key of a space; an empty space is the source's own.
func (p *planner) keyIn(space, key string) domain.ExternalKey {
	return domain.ExternalKey{Source: cmp.Or(space, p.source), ExternalID: key}
}

func compareKeys(a, b domain.ExternalKey) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ExternalID, b.ExternalID))
}

// keys returns the keys that a CI refers to; the source of those of its own space is empty.
func (c *CI) keys() iter.Seq[domain.ExternalKey] {
	return func(yield func(domain.ExternalKey) bool) {
		for _, key := range c.Keys {
			if !yield(domain.ExternalKey{Source: key.Space, ExternalID: key.Key}) {
				return
			}
		}
		for _, o := range c.Owners {
			if !yield(domain.ExternalKey{Source: o.Space, ExternalID: cmp.Or(o.Team, o.Person)}) {
				return
			}
		}
		for _, rel := range c.Relationships {
			if !yield(domain.ExternalKey{Source: rel.Space, ExternalID: rel.Target}) {
				return
			}
		}
		if c.Service != nil {
			yield(domain.ExternalKey{Source: c.Service.SupportTeamSpace, ExternalID: c.Service.SupportTeam})
		}
	}
}

func (p *planner) loadCIs(ctx context.Context, ids []ident.ID) error {
	for chunk := range slices.Chunk(ids, page) {
		some, err := p.tx.CI.Query().Where(ci.IDIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, c := range some {
			p.stored.cis[c.ID] = c
		}
	}
	return nil
}

func (p *planner) loadParties(ctx context.Context, people []ident.ID) error {
	if slices.ContainsFunc(p.records, func(r *record) bool { return r.Team != nil }) {
		teams, err := p.tx.Team.Query().All(ctx)
		if err != nil {
			return err
		}
		for _, t := range teams {
			p.stored.teams[t.ID] = t
		}
	}
	for chunk := range slices.Chunk(people, page) {
		some, err := p.tx.Person.Query().Where(person.IDIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, one := range some {
			p.stored.people[one.ID] = one
		}
		members, err := p.tx.Membership.Query().Where(membership.PersonIDIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, m := range members {
			p.stored.members[catalogMember{m.TeamID, m.PersonID}] = true
		}
	}
	return nil
}

// loadParts loads the parts of the stored records of the rows, once those are matched.
func (p *planner) loadParts(ctx context.Context) error {
	var all, cis []ident.ID
	for _, r := range p.records {
		if r.isDropped || r.id == 0 {
			continue
		}
		all = append(all, r.id)
		if r.CI != nil {
			cis = append(cis, r.id)
		}
	}
	for chunk := range slices.Chunk(all, page) {
		some, err := p.tx.DanglingReference.Query().
			Where(danglingreference.RecordIDIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, d := range some {
			p.stored.dangling[looseKey{d.RecordID, domain.ExternalKey{Source: d.Source, ExternalID: d.ExternalID}, d.Kind, d.Detail, d.IsReverse}] = d.ID
		}
	}
	for chunk := range slices.Chunk(cis, page) {
		owners, err := p.tx.Owner.Query().Where(owner.CiIDIn(chunk...)).
			Order(ent.Desc(owner.FieldIsPrimary), ent.Asc(owner.FieldID)).All(ctx)
		if err != nil {
			return err
		}
		for _, o := range owners {
			p.stored.owners[o.CiID] = append(p.stored.owners[o.CiID], o)
		}
		groups, err := p.tx.DependencyGroup.Query().Where(dependencygroup.CiIDIn(chunk...)).All(ctx)
		if err != nil {
			return err
		}
		for _, g := range groups {
			p.stored.groups[groupKey{g.CiID, g.Name}] = g
			for _, m := range g.Members {
				p.stored.grouped[groupMember{g.CiID, m.Relationship}] = g.Name
			}
		}
	}
	return nil
}
