package impact_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// known is what the facts say, as far as they are taken.
type known struct{ down, ruledOut, broken map[ident.ID]bool }

func knownTo(m *topologytest.Model, o impact.RootCauseOptions) known {
	k := known{map[ident.ID]bool{}, map[ident.ID]bool{}, map[ident.ID]bool{}}
	if !o.OnFacts {
		return k
	}
	told := m.Clone()
	isHidden := func(ci ident.ID) bool { return o.Hidden[ci] }
	for id, i := range m.Incidents {
		i.Root, i.Excluded = slices.DeleteFunc(slices.Clone(i.Root), isHidden), slices.DeleteFunc(slices.Clone(i.Excluded), isHidden)
		told.Incidents[id] = i
	}
	for id, c := range m.Changes {
		c.TakenDown = slices.DeleteFunc(slices.Clone(c.TakenDown), isHidden)
		told.Changes[id] = c
	}
	delete(told.Incidents, o.Except)
	delete(told.Changes, o.Except)
	if len(told.Incidents)+len(told.Changes) == 0 {
		return k
	}
	down, excluded := marked(told)
	for _, ci := range down {
		k.down[ci] = m.InService(ci)
	}
	for _, ci := range excluded {
		k.ruledOut[ci] = m.InService(ci) && !k.down[ci]
	}
	maps.DeleteFunc(k.ruledOut, func(_ ident.ID, is bool) bool { return !is })
	n := naive{model: told}
	n.solve(impact.Question{OnFacts: true})
	for ci, state := range n.states {
		k.broken[ci] = state >= impact.Degraded
	}
	return k
}

// by returns the records that say of any of some CIs that it is DOWN, and whether each is said to be.
func (k known) by(m *topologytest.Model, o impact.RootCauseOptions, failures []ident.ID) (told impact.Knowledge) {
	told.IsKnown = !slices.ContainsFunc(failures, func(ci ident.ID) bool { return !k.down[ci] })
	if !o.OnFacts {
		return told
	}
	names := func(cis []ident.ID) bool {
		return slices.ContainsFunc(cis, func(ci ident.ID) bool { return slices.Contains(failures, ci) && k.down[ci] && !o.Hidden[ci] })
	}
	for id, cis := range downBy(m) {
		if id != o.Except && names(cis) {
			told.By = append(told.By, id)
		}
	}
	slices.Sort(told.By)
	return told
}

// drawKnown draws what is taken from the facts.
func drawKnown(t *rapid.T, m *topologytest.Model) (o impact.RootCauseOptions) {
	if o.OnFacts = rapid.IntRange(0, 3).Draw(t, "on facts") > 0; !o.OnFacts {
		return o
	}
	if rapid.IntRange(0, 3).Draw(t, "of a record") == 0 {
		o.Except = ident.New(ident.Incident, 1)
	}
	o.Hidden = map[ident.ID]bool{}
	if rapid.IntRange(0, 3).Draw(t, "hides") == 0 {
		for _, ci := range drawCIs(t, m) {
			o.Hidden[ci] = true
		}
	}
	return o
}

func TestKnownFailuresByExample(t *testing.T) {
	ruledOut := "svc needs x"
	for i := range 40 {
		ruledOut += fmt.Sprintf(", a%d needs x, a%d excluded", i, i)
	}
	for _, c := range []struct {
		name, estate, seen, first string
		isKnown                   bool
	}{
		{"a database that has failed, and not the service that was seen", "svc needs api, api needs db, other needs db, third needs db, db open", "svc", "db", true},
		{"what has failed, though most of what it breaks is silent", "svc needs db, a needs db, b needs db, c needs db, d needs db, e needs db, f needs db, db open", "svc", "db", true},
		{"the other of a pair, with the one that has failed", "svc needs any of g1 g2, back needs g2, front needs g2, g1 open", "svc back front", "g1 g2", false},
		{"the other of a pair, which alone breaks nothing that was seen", "svc needs any of g1 g2, back needs g2, g1 open", "svc", "g1 g2", false},
		{"what breaks only what was ruled out beside", ruledOut, "svc", "x", false},
		{"both of a pair that have failed", "svc needs any of g1 g2, g1 open, g2 open", "svc", "g1 g2", true},
		{"nothing that has failed and takes no part", "svc needs app, app needs db, idle open", "app svc", "app", false},
		{"not what was ruled out", "a needs x, b needs x, c needs x, x needs y, x excluded", "a b c", "a", false},
		{"a service seldom fails by itself", "svc needs app", "svc", "app", false},
	} {
		k, s := draw(t, c.estate)
		got, err := impact.RootCauses(t.Context(), s, seen(k, strings.Fields(c.seen)...), impact.RootCauseOptions{OnFacts: true})
		if err != nil || len(got.Candidates) == 0 {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
			continue
		}
		var want []ident.ID
		for _, name := range strings.Fields(c.first) {
			want = append(want, k.names[name])
		}
		slices.Sort(want)
		if first := got.Candidates[0]; !slices.Equal(first.Failures, want) || first.Known[0].IsKnown != c.isKnown {
			t.Errorf("%s: got %+v", c.name, got.Candidates)
		}
	}
}

func TestNoCauseThatExplainsNoMoreIsAheadOfOneThatIsKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, o := topologytest.Estate(t), impact.RootCauseOptions{OnFacts: true, MaxCandidates: 200}
		symptoms := drawSymptoms(t, m)
		suspects := slices.DeleteFunc(slices.Sorted(maps.Keys(m.CIs)), func(ci ident.ID) bool {
			a := reckon(m, symptoms, o, []ident.ID{ci})
			return !m.InService(ci) || knownTo(m, o).ruledOut[ci] || len(a.explained) == 0 || a.score < a.prior
		})
		if len(suspects) == 0 {
			return
		}
		suspect := rapid.SampledFrom(suspects).Draw(t, "suspect")
		m.Incidents[9] = topology.Incident{ID: ident.New(ident.Incident, 9), Root: []ident.ID{suspect}}
		got, err := impact.RootCauses(tctx, load(t, m, 1), symptoms, o)
		if err != nil {
			t.Fatal(err)
		}
		its := reckon(m, symptoms, o, []ident.ID{suspect})
		for _, c := range got.Candidates {
			for i, failures := range append([][]ident.ID{c.Failures}, c.Alternatives...) {
				if slices.Equal(failures, []ident.ID{suspect}) {
					return
				}
				other := reckon(m, symptoms, o, failures)
				explains := slices.ContainsFunc(other.explained, func(ci ident.ID) bool { return !slices.Contains(its.explained, ci) })
				spares := slices.ContainsFunc(its.contradicted, func(ci ident.ID) bool { return !slices.Contains(other.contradicted, ci) })
				if !explains && !spares && !c.Known[i].IsKnown {
					t.Fatalf("%v is ahead of %v, which has failed: %+v", failures, suspect, got.Candidates)
				}
			}
		}
		t.Fatalf("%v has failed and is no candidate: %+v", suspect, got.Candidates)
	})
}
