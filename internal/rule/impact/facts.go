package impact

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Record is an open incident, or a change that is being carried out.
type Record struct {
	ID       ident.ID
	Down     []topology.Vertex // what is DOWN by it: of an incident the ROOT CIs, of a change what it takes down
	Excluded []topology.Vertex // what it rules out
}

// Facts are what the records of a snapshot say (docs/impact.md, "The facts"). They leave out CIs that are not in
// service.
type Facts struct {
	Records    []Record   // by id
	Maintained []ident.ID // what the changes work on

	down, excluded map[topology.Vertex][]int32 // by which records, in order
}

type factsKey struct{}

// FactsOf returns the facts of a snapshot. They are gathered once for each.
func FactsOf(s *topology.Snapshot) *Facts {
	return s.Memo(factsKey{}, func() any { return gather(s) }).(*Facts)
}

func gather(s *topology.Snapshot) *Facts {
	f := &Facts{down: map[topology.Vertex][]int32{}, excluded: map[topology.Vertex][]int32{}}
	inService := func(cis []ident.ID) (all []topology.Vertex) {
		for _, ci := range cis {
			if v, ok := s.Index(ci); ok && s.InService(v) {
				all = append(all, v)
			}
		}
		return all
	}
	for _, i := range s.Incidents() {
		f.Records = append(f.Records, Record{i.ID, inService(i.Root), inService(i.Excluded)})
	}
	for _, c := range s.Changes() {
		f.Records = append(f.Records, Record{ID: c.ID, Down: inService(c.TakenDown)})
	}
	f.Maintained = maintained(s)
	slices.SortFunc(f.Records, func(a, b Record) int { return cmp.Compare(a.ID, b.ID) })
	f.index()
	return f
}

// index lists the records by what they name.
func (f *Facts) index() {
	for i, r := range f.Records {
		for _, v := range r.Down {
			f.down[v] = append(f.down[v], int32(i))
		}
		for _, v := range r.Excluded {
			f.excluded[v] = append(f.excluded[v], int32(i))
		}
	}
}

// maintained lists the CIs in service on which changes work that are being carried out, each once.
func maintained(s *topology.Snapshot) (all []ident.ID) {
	for _, c := range s.Changes() {
		for _, ci := range slices.Concat(c.TakenDown, c.Changed) {
			if v, ok := s.Index(ci); ok && s.InService(v) {
				all = append(all, ci)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// DownBy lists the records that say of a CI that it is DOWN, by id.
func (f *Facts) DownBy(v topology.Vertex) []ident.ID { return f.named(f.down[v]) }

// ExcludedBy lists the records that rule a CI out, by id.
func (f *Facts) ExcludedBy(v topology.Vertex) []ident.ID { return f.named(f.excluded[v]) }

func (f *Facts) named(records []int32) []ident.ID {
	ids := make([]ident.ID, len(records))
	for i, r := range records {
		ids[i] = f.Records[r].ID
	}
	return ids
}
