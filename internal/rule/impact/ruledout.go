package impact

import (
	"cmp"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Held is a CI that is ruled out, and what it is, or would be, when that ends.
type Held struct {
	CI    ident.ID
	State State
	By    []ident.ID // records: those that rule it out, or those by which it falls
}

// mostHeld is how many CIs are looked at that are ruled out and need something that is not well, at two answers each.
const mostHeld = 20

// RuledOutBeside lists the CIs that others rule out and that the failures of an incident reach, by id: they would be
// DOWN or DEGRADED by them, and were not before, if only that one exclusion ended. A ROOT of the incident that others
// rule out is one. False if the incident is no fact of the snapshot.
func RuledOutBeside(s *topology.Snapshot, incident ident.ID) (all []Held, ok bool) {
	f, estate := FactsOf(s), Estate(s)
	at, ok := slices.BinarySearchFunc(f.Records, incident, func(r Record, id ident.ID) int { return cmp.Compare(r.ID, id) })
	if !ok {
		return nil, false
	}
	own, looked := int32(at), 0
	for _, v := range slices.SortedFunc(maps.Keys(f.excluded), func(a, b topology.Vertex) int { return cmp.Compare(s.ID(a), s.ID(b)) }) {
		by := f.excluded[v]
		switch {
		case slices.Contains(by, own):
		case slices.Contains(f.down[v], own):
			all = append(all, Held{s.ID(v), Down, f.named(by)})
		case len(f.down[v]) == 0 && looked < mostHeld && needsUnwell(s, estate, v):
			looked++
			with := f.worldBut(s, func(int32) bool { return true }, v).stateAt(v)
			if with >= Degraded && with > f.worldBut(s, func(r int32) bool { return r != own }, v).stateAt(v) {
				all = append(all, Held{s.ID(v), with, f.named(by)})
			}
		}
	}
	return all, true
}

// needsUnwell reports whether a CI needs one that is not well.
func needsUnwell(s *topology.Snapshot, estate *Answer, v topology.Vertex) bool {
	for e := range s.Needs(v) {
		if estate.stateAt(e.From) >= Degraded {
			return true
		}
	}
	return false
}

// NoLongerRuledOut lists the CIs that fall, or degrade, when some incidents end which rule them out, by id, with the
// records by which they do.
func NoLongerRuledOut(s *topology.Snapshot, incidents []ident.ID) (all []Held, err error) {
	f := FactsOf(s)
	if !slices.ContainsFunc(f.Records, func(r Record) bool { return len(r.Excluded) > 0 && slices.Contains(incidents, r.ID) }) {
		return nil, nil
	}
	view, err := s.With(topology.Batch{Removed: incidents})
	if err != nil {
		return nil, err
	}
	before, x := Estate(s), sceneOf(view)
	for v := range f.excluded {
		if state := x.stateAt(v); state >= Degraded && state > before.stateAt(v) {
			all = append(all, Held{s.ID(v), state, x.facts.named(x.causesOf(v).records)})
		}
	}
	slices.SortFunc(all, func(a, b Held) int { return cmp.Compare(a.CI, b.CI) })
	return all, nil
}
