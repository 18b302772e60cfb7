package impact_test

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// reported draws an estate and up to ten records on it.
func reported(t *rapid.T) *topologytest.Model {
	var m *topologytest.Model
	if rapid.Bool().Draw(t, "is strained") {
		m, _ = strained(t)
	} else {
		m = topologytest.Estate(t)
	}
	known := slices.Sorted(maps.Keys(m.CIs))
	if len(known) == 0 {
		return m
	}
	few := func(name string, most int) (cis []ident.ID) {
		for range rapid.IntRange(0, most).Draw(t, name) {
			cis = append(cis, rapid.SampledFrom(known).Draw(t, "named"))
		}
		return cis
	}
	m.Incidents, m.Changes = map[ident.ID]topology.Incident{}, map[ident.ID]topology.Change{}
	for i := range rapid.IntRange(0, 7).Draw(t, "incidents") {
		id := ident.New(ident.Incident, int64(i+1))
		m.Incidents[id] = topology.Incident{ID: id, Root: few("roots", 2), Excluded: few("exclusions", rapid.SampledFrom([]int{0, 0, 1}).Draw(t, "excludes"))}
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "changes") {
		id := ident.New(ident.Change, int64(i+1))
		m.Changes[id] = topology.Change{ID: id, TakenDown: few("taken down", 2), Changed: few("changed", 1)}
	}
	return m
}

// downBy returns what each record says is DOWN.
func downBy(m *topologytest.Model) map[ident.ID][]ident.ID {
	all := map[ident.ID][]ident.ID{}
	for id, i := range m.Incidents {
		all[id] = i.Root
	}
	for id, c := range m.Changes {
		all[id] = c.TakenDown
	}
	for id := range all {
		all[id] = slices.DeleteFunc(slices.Clone(all[id]), func(ci ident.ID) bool { return !m.InService(ci) })
	}
	return all
}

// fare returns how a CI fares: its state, and within it whether it is on the brink.
func (n naive) fare(ci ident.ID) int {
	if n.brink[ci] {
		return 2*int(n.states[ci]) + 1
	}
	return 2 * int(n.states[ci])
}

// besideRecords judges the facts of a model, of which some records say nothing.
func besideRecords(m *topologytest.Model, silent map[ident.ID]bool) naive {
	n := naive{model: m, silent: silent}
	n.solve(impact.Question{OnFacts: true})
	return n
}

// proofs returns the records that take part in each claim of each CI, by the union of all its proofs: what each rule
// gives, again and again until nothing changes.
func proofs(m *topologytest.Model, n naive) map[string]map[ident.ID]bool {
	_, ruledOut := marked(m)
	all := map[string]map[ident.ID]bool{}
	add := func(to string, from map[ident.ID]bool) (changed bool) {
		for r := range from {
			if !all[to][r] {
				if all[to] == nil {
					all[to] = map[ident.ID]bool{}
				}
				all[to][r], changed = true, true
			}
		}
		return changed
	}
	key := func(claim string, ci ident.ID) string { return fmt.Sprint(claim, ci) }
	for r, down := range downBy(m) {
		for _, ci := range down {
			add(key("down", ci), map[ident.ID]bool{r: true})
		}
	}
	down := func(ci ident.ID) bool { return n.states[ci] == impact.Down }
	unwell := func(ci ident.ID) bool { return n.states[ci] >= impact.Degraded }
	for changed := true; changed; {
		changed = false
		step := func(when bool, to string, toCI ident.ID, from string, fromCI ident.ID) {
			if when {
				changed = add(key(to, toCI), all[key(from, fromCI)]) || changed
			}
		}
		for ci := range m.CIs {
			step(down(ci), "unwell", ci, "down", ci)
		}
		for _, a := range m.Arcs() {
			if slices.Contains(ruledOut, a.To) {
				continue
			}
			if len(a.Groups) == 0 {
				step(!a.IsSoft && down(a.From) && down(a.To), "down", a.To, "down", a.From)
				step(!a.IsSoft && unwell(a.From) && unwell(a.To), "unwell", a.To, "unwell", a.From)
				step(a.IsSoft && down(a.From) && unwell(a.To), "unwell", a.To, "down", a.From)
				step(!a.IsSoft && n.brink[a.From] && n.brink[a.To], "brink", a.To, "brink", a.From)
			}
			for _, g := range a.Groups {
				need, total, up, well, _ := n.tally(g)
				step(up < need && total >= need && down(a.From), "down", a.To, "down", a.From)
				step(well < need && total >= need && unwell(a.From), "unwell", a.To, "unwell", a.From)
				step(unwell(a.From) && n.states[a.To] == impact.AtRisk, "risk", a.To, "unwell", a.From)
				step(n.brink[a.To] && n.brink[a.From] && up-n.counts(g)[a.From] < need, "brink", a.To, "brink", a.From)
				isStrained := false
				for other, counts := range n.counts(g) {
					isStrained = isStrained || !down(other) && up >= need && up-counts < need && total-counts >= need
				}
				step(n.brink[a.To] && isStrained && down(a.From), "brink", a.To, "down", a.From)
			}
		}
	}
	return all
}

// takePart returns the records that take part in the present state of a CI.
func takePart(n naive, all map[string]map[ident.ID]bool, ci ident.ID) map[ident.ID]bool {
	found := map[ident.ID]bool{}
	add := func(claim string) { maps.Copy(found, all[fmt.Sprint(claim, ci)]) }
	switch n.states[ci] {
	case impact.Down:
		add("down")
	case impact.Degraded:
		add("unwell")
	case impact.AtRisk:
		add("risk")
	case impact.Operational:
	}
	if n.brink[ci] {
		add("brink")
	}
	return found
}

func TestTheImpactOfARecordIsTheUnionOfAllProofs(t *testing.T) {
	together := 0
	rapid.Check(t, func(t *rapid.T) {
		m := reported(t)
		s, n := load(t, m, 1), besideRecords(m, nil)
		all, downs := proofs(m, n), downBy(m)
		for r, down := range downs {
			a, ok := impact.OfRecord(s, r)
			if !ok {
				t.Fatalf("%v is no fact", r)
			}
			silent := map[ident.ID]bool{}
			for other := range downs {
				silent[other] = other != r
			}
			alone, apart := besideRecords(m, silent), besideRecords(m, map[ident.ID]bool{r: true})
			for ci := range m.CIs {
				part := takePart(n, all, ci)
				h, isTold := a.Hit(ci)
				if isTold != part[r] || isTold && (h.State != n.states[ci] || h.IsRoot != slices.Contains(down, ci) || a.Without(ci) != apart.states[ci]) {
					t.Fatalf("%v in the impact of %v: %v, %+v, want %v, %v without %v", ci, r, isTold, h, part, n.states[ci], apart.states[ci])
				}
				if !isTold {
					continue
				}
				if path := a.Path(ci); len(path) != h.Distance || h.Distance > 0 && (path[len(path)-1].To != ci || !slices.Contains(down, path[0].From)) {
					t.Fatalf("%v reaches %v by %v, distance %d", r, ci, path, h.Distance)
				}
				var want []ident.ID
				if alone.states[ci] < n.states[ci] {
					delete(part, r)
					want = slices.Sorted(maps.Keys(part))
				}
				if got := a.TogetherWith(ci); !slices.Equal(got, want) {
					t.Fatalf("%v has %v together with %v, want %v", r, ci, got, want)
				}
				together += len(want)
			}
		}
	})
	if together == 0 && !testing.Short() { // few are drawn then
		t.Error("no record came together with another: that shows nothing")
	}
}

func TestRepairsAreTheSmallestSetsWithoutWhichACIFaresBetter(t *testing.T) {
	pairs, rests := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := reported(t)
		s := load(t, m, 1)
		records := slices.Sorted(maps.Keys(downBy(m)))
		known := map[int]naive{}
		world := func(subset int) naive {
			if _, ok := known[subset]; !ok {
				silent := map[ident.ID]bool{}
				for i, r := range records {
					silent[r] = subset>>i&1 != 0
				}
				known[subset] = besideRecords(m, silent)
			}
			return known[subset]
		}
		whole := 1<<len(records) - 1
		named := func(subset int) (ids []ident.ID) {
			for i, r := range records {
				if subset>>i&1 != 0 {
					ids = append(ids, r)
				}
			}
			return ids
		}
		all := proofs(m, world(0))
		for ci := range m.CIs {
			betters := func(subset int) bool { return world(subset).fare(ci) < world(0).fare(ci) }
			part := takePart(world(0), all, ci)
			var want []string
			for size := 1; size <= 2; size++ {
				for subset := range whole + 1 {
					isOwn := func(other int) bool { return other != subset && betters(other) }
					if bits.OnesCount(uint(subset)) != size || !betters(subset) || slices.ContainsFunc(singlesOf(subset), isOwn) {
						continue
					}
					want = append(want, fmt.Sprint(named(subset), true))
					pairs += size - 1
				}
			}
			if len(want) == 0 && betters(whole) {
				rests++
				want = append(want, fmt.Sprint(slices.Sorted(maps.Keys(part)), false))
			}
			var got []string
			for _, cause := range impact.CausesOf(s, []ident.ID{ci})[0] {
				if len(cause.Records) == 0 {
					isShort := m.Misses(cause.CI)
					for g, f := range m.Groups {
						need, total, _, _, _ := world(0).tally(g)
						isShort = isShort || f.Dependent == cause.CI && total < need
					}
					if !isShort || len(cause.Paths) != 1 {
						t.Fatalf("%+v is not broken by itself", cause)
					}
					continue
				}
				got = append(got, fmt.Sprint(cause.Records, cause.IsMinimal))
				for i, r := range cause.Records {
					path := cause.Paths[i]
					isRoot := func(ci ident.ID) bool { return slices.Contains(downBy(m)[r], ci) }
					if !part[r] || len(path) == 0 && !isRoot(ci) || len(path) > 0 && (!isRoot(path[0].From) || path[len(path)-1].To != ci) {
						t.Fatalf("%v is a cause of %v by %v, and %v take part", r, ci, path, part)
					}
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("the repairs of %v are %v, want %v", ci, got, want)
			}
		}
	})
	if (pairs == 0 || rests == 0) && !testing.Short() { // few are drawn then
		t.Errorf("%d repairs were of two, and %d of all: that shows nothing", pairs, rests)
	}
}

// singlesOf returns the sets of one that a set holds, as bits.
func singlesOf(set int) (all []int) {
	for one := 1; one <= set; one <<= 1 {
		if set&one != 0 {
			all = append(all, one)
		}
	}
	return all
}

func TestEachFailureMoreMakesNothingBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := reported(t)
		if len(m.CIs) == 0 {
			return
		}
		before := impact.Estate(load(t, m, 1))
		r := ident.New(ident.Incident, 99)
		m.Incidents[r] = topology.Incident{ID: r, Root: []ident.ID{rapid.SampledFrom(slices.Sorted(maps.Keys(m.CIs))).Draw(t, "also")}}
		after := impact.Estate(load(t, m, 1))
		for ci := range m.CIs {
			if after.State(ci) < before.State(ci) {
				t.Fatalf("%v went from %v to %v as %v failed as well", ci, before.State(ci), after.State(ci), m.Incidents[r].Root)
			}
		}
	})
}

func TestTheBrinkDoesNotPassASoftNeed(t *testing.T) {
	k, s := draw(t, "svc needs any of a b, x needs svc softly, x needs any of c d, a open, c open")
	a, _ := impact.OfRecord(s, ident.New(ident.Incident, 1))
	if got := k.told(a); got != "svc AT_RISK" {
		t.Errorf("the loss of a reaches %s", got)
	}
}
