package impact_test

import (
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

// everything writes down the answer to each kind of question that the engine knows.
func everything(t *rapid.T, s *topology.Snapshot, m *topologytest.Model, q impact.Question, symptoms impact.Symptoms) string {
	a := answer(t, s, q)
	out := said(a, m) + "\n" + said(impact.Estate(s), m)
	note := func(value any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		out += "\n" + placeless(value)
	}
	known := slices.Sorted(maps.Keys(m.CIs))
	for _, ci := range known {
		needs, err := impact.Dependencies(tctx, s, []ident.ID{ci}, impact.Limits{MaxCIs: 3})
		note(*needs, err)
		reached, err := impact.Reach(tctx, s, []ident.ID{ci})
		ids := make([]ident.ID, len(reached))
		for i, v := range reached {
			ids[i] = s.ID(v)
		}
		slices.Sort(ids)
		note(ids, err)
		note(a.Saviours(ci), nil)
		points, err := impact.SinglePoints(tctx, s, impact.Targets{CIs: []ident.ID{ci}}, impact.SinglePointLimits{MaxPoints: 3})
		note(*points, err)
		for _, to := range known {
			note(impact.ShortestPath(tctx, s, ci, to))
			paths, err := impact.Paths(tctx, s, ci, to, impact.PathLimits{})
			note(*paths, err)
		}
	}
	points, err := impact.SinglePoints(tctx, s, impact.Targets{AllServices: true}, impact.SinglePointLimits{MaxTargets: 2})
	note(*points, err)
	shared, err := impact.CommonCauses(tctx, s, nil, impact.CommonCauseLimits{MaxGroups: 3, MaxCauses: 2})
	note(*shared, err)
	if len(symptoms.Seen) > 0 {
		causes, err := impact.RootCauses(tctx, s, symptoms, impact.RootCauseOptions{MaxCandidates: 3})
		note(*causes, err)
	}
	return out
}

func TestAnswersDoNotDependOnWhereCIsLie(t *testing.T) {
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		q := drawQuestion(t, m)
		q.MaxCIs, q.MaxDepth = rapid.IntRange(0, 3).Draw(t, "most"), rapid.IntRange(0, 3).Draw(t, "depth")
		var symptoms impact.Symptoms
		for i, ci := range rapid.Permutation(slices.Sorted(maps.Keys(m.CIs))).Draw(t, "symptoms") {
			if i < 3 {
				symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: ci, State: impact.Down})
			}
		}
		g := topology.New()
		if err := g.Load(m.Facts(0)); err != nil {
			t.Fatal(err)
		}
		before := g.Snapshot()
		g.Compact()
		after := g.Snapshot()
		for ci := range m.CIs {
			v, _ := before.Index(ci)
			if w, _ := after.Index(ci); v != w {
				moved++
			}
		}
		got, want := strings.Split(everything(t, after, m, q, symptoms), "\n"), strings.Split(everything(t, before, m, q, symptoms), "\n")
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("renumbered:\n%s\nas loaded:\n%s", got[i], want[i])
			}
		}
		if len(got) != len(want) {
			t.Fatalf("renumbered %d lines, as loaded %d", len(got), len(want))
		}
	})
	if moved == 0 {
		t.Error("no CI moved, which shows nothing")
	}
}
