package impact_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// downIn returns what is DOWN in a model by the rules read aloud.
func downIn(m *topologytest.Model, q impact.Question) naive {
	n := naive{model: m}
	n.solve(q)
	return n
}

// brokenNeeds lists the needs of a CI that nothing meets.
func (n naive) brokenNeeds(ci ident.ID) (needs []ident.ID) {
	for _, a := range n.model.Ways() {
		isGone := n.model.CIs[a.From].IsRetired || n.states[a.From] == impact.Down
		if a.To == ci && !a.IsSoft && len(a.Groups) == 0 && isGone {
			needs = append(needs, a.Relationship)
		}
	}
	for g, f := range n.model.Groups {
		if need, _, up, _, _ := n.tally(g); f.Dependent == ci && up < need {
			needs = append(needs, g)
		}
	}
	return needs
}

// consequencesIn works the consequences out by four whole fixed points.
func consequencesIn(before, after *topologytest.Model) (byItself, now []ident.ID) {
	was, is := downIn(before, impact.Question{}), downIn(after, impact.Question{})
	wasNow, isNow := downIn(before, impact.Question{OnFacts: true}), downIn(after, impact.Question{OnFacts: true})
	failed, _ := marked(after)
	still := naive{model: after, states: map[ident.ID]impact.State{}} // DOWN before and after: what else falls breaks no need
	for ci, state := range is.states {
		if state == impact.Down && was.states[ci] == impact.Down {
			still.states[ci] = impact.Down
		}
	}
	for ci := range after.CIs {
		if !after.InService(ci) {
			continue
		}
		had, staysDown := was.brokenNeeds(ci), was.states[ci] == impact.Down && is.states[ci] == impact.Down
		breaksMore := slices.ContainsFunc(still.brokenNeeds(ci), func(need ident.ID) bool { return !slices.Contains(had, need) })
		switch {
		case is.states[ci] == impact.Down && was.states[ci] != impact.Down, staysDown && breaksMore:
			byItself = append(byItself, ci)
		case isNow.states[ci] == impact.Down && wasNow.states[ci] != impact.Down && !slices.Contains(failed, ci):
			now = append(now, ci)
		}
	}
	slices.Sort(byItself)
	slices.Sort(now)
	return byItself, now
}

// structural draws a batch without records that mark the graph.
func structural(t *rapid.T, m *topologytest.Model) topology.Batch {
	b := topologytest.Next(t, m)
	b.Incidents, b.Changes = nil, nil
	b.Removed = slices.DeleteFunc(b.Removed, func(id ident.ID) bool { return id.Kind() == ident.Incident || id.Kind() == ident.Change })
	return b
}

func TestConsequencesAreThoseOfWholeFixedPoints(t *testing.T) {
	told, toldNow := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		g := topology.New()
		if err := g.Load(m.Facts(0)); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 4).Draw(t, "writes") {
			before := m.Clone()
			b := structural(t, m)
			m.Apply(b)
			view, renewed, err := g.Snapshot().After(b)
			if err != nil {
				t.Fatal(err)
			}
			got := impact.ConsequencesOf(g.Snapshot(), view, renewed)
			byItself, now := consequencesIn(before, m)
			if !slices.Equal(got.ByItself, byItself) || !slices.Equal(got.Now, now) {
				t.Fatalf("%+v\ntakes down %v and now %v, want %v and %v", b, got.ByItself, got.Now, byItself, now)
			}
			if all := slices.Concat(byItself, now); (len(got.Broken) == 0) != (len(all) == 0) || slices.ContainsFunc(got.Broken, func(ci ident.ID) bool { return !slices.Contains(all, ci) }) {
				t.Fatalf("%+v\nbreaks the needs of %v, of %v", b, got.Broken, all)
			}
			told, toldNow = told+len(byItself), toldNow+len(now)
			if err := g.Apply(b); err != nil {
				t.Fatal(err)
			}
		}
	})
	if !testing.Short() && (told == 0 || toldNow == 0) { // few are drawn then
		t.Errorf("%d fell by themselves, %d by what had failed: that shows nothing", told, toldNow)
	}
}

func TestConsequencesByExample(t *testing.T) {
	for _, c := range []struct {
		estate, retired string
		byItself, now   string
	}{
		{"shop needs app, app needs db", "db", "[app shop]", "[]"},
		{"shop needs any of a b", "a", "[]", "[]"},
		{"shop needs 2 of a b c", "a", "[]", "[]"},
		{"shop needs 2 of a b c, a retired", "b", "[shop]", "[]"},
		{"shop needs any of a b, a open", "b", "[]", "[shop]"},
		{"shop needs any of a b, a open, shop excluded", "b", "[]", "[]"},
		{"shop needs any of a b, a needs r, r retired", "b", "[shop]", "[]"}, // a is DOWN by itself
		{"shop needs r, r retired, shop needs b", "b", "[shop]", "[]"},       // DOWN already, and one need more broken
		{"shop needs r, r retired, web needs shop", "x", "[]", "[]"},
		{"shop needs log softly", "log", "[]", "[]"},
	} {
		k, s := draw(t, c.estate+", x needs y")
		fact := *k.ci(c.retired)
		fact.IsRetired = true
		view, renewed, err := s.After(topology.Batch{Revision: 1, CIs: []topology.CI{fact}})
		if err != nil {
			t.Fatal(err)
		}
		got := impact.ConsequencesOf(s, view, renewed)
		if a, b := fmt.Sprint(k.named(got.ByItself)), fmt.Sprint(k.named(got.Now)); a != c.byItself || b != c.now {
			t.Errorf("%s; %s retires: %s fall by themselves and %s now, want %s and %s", c.estate, c.retired, a, b, c.byItself, c.now)
		}
	}
}

// named returns the names of CIs, sorted.
func (k *sketch) named(ids []ident.ID) []string {
	names := []string{}
	for name, id := range k.names {
		if slices.Contains(ids, id) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
