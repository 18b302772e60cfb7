package impact_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// withIncidents returns a model with other incidents.
func withIncidents(m *topologytest.Model, change func(map[ident.ID]topology.Incident)) *topologytest.Model {
	other := *m
	other.Incidents = maps.Clone(m.Incidents)
	change(other.Incidents)
	return &other
}

// ruling draws an estate with records of which one rules out a CI that the others reach, if they reach any.
func ruling(t *rapid.T) *topologytest.Model {
	m := reported(t)
	roots, _ := marked(m)
	var reached []ident.ID
	for ci, state := range besideRecords(m, nil).states {
		if state >= impact.Degraded && !slices.Contains(roots, ci) {
			reached = append(reached, ci)
		}
	}
	if len(reached) == 0 {
		return m
	}
	slices.Sort(reached)
	ruled := rapid.SampledFrom(reached).Draw(t, "ruled out")
	return withIncidents(m, func(all map[ident.ID]topology.Incident) {
		id := ident.New(ident.Incident, 80)
		all[id] = topology.Incident{ID: id, Excluded: []ident.ID{ruled}}
	})
}

// lifted returns a model in which nobody rules a CI out.
func lifted(m *topologytest.Model, ci ident.ID) *topologytest.Model {
	return withIncidents(m, func(all map[ident.ID]topology.Incident) {
		for id, i := range all {
			i.Excluded = slices.DeleteFunc(slices.Clone(i.Excluded), func(x ident.ID) bool { return x == ci })
			all[id] = i
		}
	})
}

// ruledOutBy returns the incidents that rule a CI out.
func ruledOutBy(m *topologytest.Model, ci ident.ID) (by []ident.ID) {
	for id, i := range m.Incidents {
		if slices.Contains(i.Excluded, ci) {
			by = append(by, id)
		}
	}
	slices.Sort(by)
	return by
}

func TestAnIncidentMeetsWhatOthersRuleOut(t *testing.T) {
	roots, met := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := ruling(t)
		s := load(t, m, 1)
		for own, i := range m.Incidents {
			var want []impact.Held
			for _, ci := range slices.Sorted(maps.Keys(m.CIs)) {
				by := ruledOutBy(m, ci)
				if !m.InService(ci) || len(by) == 0 || slices.Contains(by, own) {
					continue
				}
				if slices.Contains(i.Root, ci) {
					want = append(want, impact.Held{CI: ci, State: impact.Down, By: by})
					roots++
					continue
				}
				with := besideRecords(lifted(m, ci), nil).states[ci]
				if with > besideRecords(lifted(m, ci), map[ident.ID]bool{own: true}).states[ci] && with >= impact.Degraded {
					want = append(want, impact.Held{CI: ci, State: with, By: by})
					met++
				}
			}
			got, ok := impact.RuledOutBeside(s, own)
			if diff := cmp.Diff(want, got); !ok || diff != "" {
				t.Fatalf("%v meets %v, %s", own, ok, diff)
			}
		}
	})
	if (roots == 0 || met == 0) && !testing.Short() { // few are drawn then
		t.Errorf("%d roots were ruled out and %d others met: that shows nothing", roots, met)
	}
}

func TestCIsFallThatNobodyRulesOutAnyMore(t *testing.T) {
	fell := 0
	rapid.Check(t, func(t *rapid.T) {
		m := ruling(t)
		s, before := load(t, m, 1), besideRecords(m, nil)
		var ending []ident.ID
		for _, id := range slices.Sorted(maps.Keys(m.Incidents)) {
			if rapid.Bool().Draw(t, "ends") {
				ending = append(ending, id)
			}
		}
		left := withIncidents(m, func(all map[ident.ID]topology.Incident) {
			for _, id := range ending {
				delete(all, id)
			}
		})
		after := besideRecords(left, nil)
		all, want := proofs(left, after), []impact.Held(nil)
		for _, ci := range slices.Sorted(maps.Keys(m.CIs)) {
			state := after.states[ci]
			if m.InService(ci) && len(ruledOutBy(m, ci)) > 0 && len(ruledOutBy(left, ci)) == 0 && state >= impact.Degraded && state > before.states[ci] {
				want = append(want, impact.Held{CI: ci, State: state, By: append([]ident.ID{}, slices.Sorted(maps.Keys(takePart(after, all, ci)))...)})
				fell++
			}
		}
		got, err := impact.NoLongerRuledOut(s, ending)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%v end: %v, %s", ending, err, diff)
		}
	})
	if fell == 0 && !testing.Short() { // few are drawn then
		t.Error("nothing fell: that shows nothing")
	}
}

func TestReportedCIsCountAsIfTheyWereDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := reported(t)
		known := slices.Sorted(maps.Keys(m.CIs))
		if len(known) == 0 {
			return
		}
		seen := rapid.SliceOfN(rapid.SampledFrom(known), 1, 3).Draw(t, "seen")
		own := ident.New(ident.Incident, 90)
		open := topology.Incident{Root: rapid.SliceOfN(rapid.SampledFrom(known), 0, 2).Draw(t, "roots")}
		open.ID = own
		got, err := impact.OfReported(load(t, m, 1), open, seen)
		if err != nil {
			t.Fatal(err)
		}
		asIf := ident.New(ident.Incident, 91)
		want, _ := impact.OfRecord(load(t, withIncidents(m, func(all map[ident.ID]topology.Incident) {
			if len(open.Root) > 0 {
				all[own] = open
			}
			all[asIf] = topology.Incident{ID: asIf, Root: seen}
		}), 1), asIf)
		hits := func(a *impact.Answer) map[ident.ID]impact.State {
			all := map[ident.ID]impact.State{}
			for _, h := range a.Affected(impact.Filter{AtLeast: impact.AtRisk}) {
				all[h.CI] = h.State
			}
			return all
		}
		if diff := cmp.Diff(hits(want), hits(got)); diff != "" {
			t.Fatalf("reported %v: %s", seen, diff)
		}
	})
}

func TestAPlanIsAskedAboutAsIfItWereCarriedOut(t *testing.T) {
	behind := 0
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		known := slices.Sorted(maps.Keys(m.CIs))
		if len(known) == 0 {
			return
		}
		ci := rapid.SampledFrom(known).Draw(t, "asked about")
		planned := func(id ident.ID) bool { f := m.CIs[id]; return f.IsPlanned && !f.IsRetired }
		carriedOut := func(which func(ident.ID) bool) *topologytest.Model {
			other := *m
			other.CIs = maps.Clone(m.CIs)
			for id, f := range other.CIs {
				if planned(id) && which(id) {
					f.IsPlanned = false
					other.CIs[id] = f
				}
			}
			return &other
		}
		needed := map[ident.ID]bool{ci: true}
		whole := carriedOut(func(ident.ID) bool { return true })
		for range known {
			for _, a := range whole.Arcs() {
				needed[a.From] = needed[a.From] || needed[a.To]
			}
		}
		want := m
		if planned(ci) {
			want = carriedOut(func(id ident.ID) bool { return needed[id] })
			for id := range needed {
				behind += map[bool]int{true: 1}[id != ci && planned(id)]
			}
		}
		got, isSupposed, err := impact.InServiceWith(t.Context(), load(t, m, 1), []ident.ID{ci})
		if err != nil || isSupposed != planned(ci) || got.Digest() != load(t, want, 1).Digest() {
			t.Fatalf("about %v: %v, %v", ci, isSupposed, err)
		}
	})
	if behind == 0 && !testing.Short() { // the few cases of a short run may have none
		t.Error("no plan needed another: that shows nothing")
	}
}
