package impact_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// crowded draws an estate in layers with some ways back, of 20 to 50 CIs, a tenth of them planned or retired, and up to
// eight records, of which some name one CI; most groups can lose a member.
func crowded(t *rapid.T) *topologytest.Model {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "crowd"), 1))
	m, n := topologytest.NewModel(), 20+r.IntN(31)
	ci := func(i int) ident.ID { return ident.New(ident.CI, int64(i+1)) }
	b := topology.Batch{Types: []topology.Type{
		{ID: ident.New(ident.RelationshipType, 1), Flow: topology.TargetToSource, Strength: topology.Hard},
		{ID: ident.New(ident.RelationshipType, 2), Flow: topology.Both, Strength: topology.Soft},
	}}
	for i := range n {
		stage := r.IntN(20)
		b.CIs = append(b.CIs, topology.CI{ID: ci(i), Class: ident.New(ident.CIClass, 1), IsService: i%5 == 0, IsPlanned: stage == 1, IsRetired: stage == 2})
		group := topology.Group{ID: ident.New(ident.DependencyGroup, int64(i+1)), Dependent: ci(i), Mode: topology.Mode(r.IntN(5)), Threshold: 1 + r.IntN(3)}
		if group.Mode == topology.Percent {
			group.Threshold *= 25
		}
		for range r.IntN(5) {
			target := i + 1 + r.IntN(6)
			if r.IntN(12) == 0 {
				target = r.IntN(n)
			}
			f := topology.Relationship{ID: ident.New(ident.Relationship, int64(len(b.Relationships)+1)), Type: b.Types[0].ID, Source: ci(i), Target: ci(target % n)}
			switch r.IntN(8) {
			case 0:
				f.Type = b.Types[1].ID
			case 1, 2:
			case 3:
				f.Strength = topology.Soft
			default:
				group.Members = append(group.Members, topology.Member{Relationship: f.ID, Weight: 1 + r.IntN(3)})
			}
			b.Relationships = append(b.Relationships, f)
		}
		if len(group.Members) > 0 {
			b.Groups = append(b.Groups, group)
		}
	}
	named := func(most int) (cis []ident.ID) {
		for range r.IntN(most + 1) {
			cis = append(cis, ci(r.IntN(n)))
		}
		return cis
	}
	for i := range r.IntN(6) {
		b.Incidents = append(b.Incidents, topology.Incident{ID: ident.New(ident.Incident, int64(i+1)), Root: named(2), Excluded: named(r.IntN(2))})
	}
	for i := range r.IntN(3) {
		b.Changes = append(b.Changes, topology.Change{ID: ident.New(ident.Change, int64(i+1)), TakenDown: named(2), Changed: named(1)})
	}
	m.Apply(b)
	return m
}

// TestADifferenceTellsWhatTheWholeTells asks beside facts: of CIs that are DOWN already, that records name or rule out,
// and of any.
func TestADifferenceTellsWhatTheWholeTells(t *testing.T) {
	asked := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom([]func(*rapid.T) *topologytest.Model{reported, crowded, crowded}).Draw(t, "estate")(t)
		if len(m.CIs) == 0 {
			return
		}
		s := load(t, m, 1)
		down, excluded := marked(m)
		fallen := slices.DeleteFunc(slices.Sorted(maps.Keys(m.CIs)), func(ci ident.ID) bool { return impact.StateOf(s, ci) != impact.Down })
		q := impact.Question{OnFacts: rapid.IntRange(0, 9).Draw(t, "facts") > 0, WithoutBrink: rapid.IntRange(0, 4).Draw(t, "brink") == 0}
		for range rapid.IntRange(1, 3).Draw(t, "failures") {
			among := slices.Sorted(maps.Keys(m.CIs))
			if some := rapid.SampledFrom([][]ident.ID{fallen, fallen, down, excluded, nil}).Draw(t, "among"); len(some) > 0 {
				among = slices.DeleteFunc(slices.Clone(some), func(ci ident.ID) bool { _, ok := m.CIs[ci]; return !ok })
			}
			if len(among) == 0 {
				continue
			}
			f := impact.Failure{CI: rapid.SampledFrom(among).Draw(t, "failed"), State: impact.Down}
			if rapid.IntRange(0, 3).Draw(t, "as") == 0 {
				f.State = impact.Degraded
			}
			q.Failed = append(q.Failed, f)
		}
		if rapid.IntRange(0, 3).Draw(t, "bounded") == 0 {
			q.MaxCIs, q.MaxDepth = rapid.IntRange(0, 30).Draw(t, "budget"), rapid.IntRange(0, 3).Draw(t, "depth")
		}
		a := answer(t, s, q)
		whole, isDifference := impact.AsAWhole(a)
		if !isDifference {
			asked["as a whole"]++
			return
		}
		asked["by difference"]++
		for _, n := range a.Notes() {
			asked[n.Reason.String()]++
		}
		if len(a.Affected(impact.Filter{AtLeast: impact.AtRisk})) > 3 {
			asked["of much"]++
		}
		if got, want := differs(t, a, m), differs(t, whole, m); got != want {
			told, meant := strings.Split(got, "\n"), strings.Split(want, "\n")
			for i, line := range told {
				if i >= len(meant) || line != meant[i] {
					t.Fatalf("%+v is told as\n%s\nand as a whole\n%s", q, line, strings.Join(meant[min(i, len(meant)):min(i+1, len(meant))], ""))
				}
			}
			t.Fatalf("%+v is told as\n%s\nand as a whole\n%s", q, got, want)
		}
		if !q.WithoutBrink && q.MaxDepth == 0 && len(m.CIs) < 20 {
			n := judge(m, q)
			for ci := range m.CIs {
				h, ok := a.Hit(ci)
				if a.TrueState(ci) != n.states[ci] || a.Without(ci) != n.without[ci] || ok != n.tells(ci) || ok && h.OnBrink != n.brink[ci] {
					t.Fatalf("%+v: %v is %+v, want %v after %v", q, ci, h, n.states[ci], n.without[ci])
				}
			}
		}
	})
	for _, how := range []string{"by difference", "DOWN_ALREADY", "EXCLUDED", "of much"} {
		if asked[how] == 0 && !testing.Short() { // a short run draws too few to meet each
			t.Errorf("%v were asked, and none %s: that shows nothing", asked, how)
		}
	}
}

// differs tells all that an answer tells.
func differs(t *rapid.T, a *impact.Answer, m *topologytest.Model) (out string) {
	out = said(a, m)
	n, err := a.DownAlready(tctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { out += fmt.Sprintln("\nDOWN already:", n, a.Notes()) }()
	for _, ci := range slices.Sorted(maps.Keys(m.CIs)) {
		h, ok := a.Hit(ci)
		out += fmt.Sprintln(ci, ok, placeless(h), a.State(ci), a.TrueState(ci), a.Without(ci), a.InMaintenance(ci), a.Saviours(ci))
	}
	for _, g := range slices.Sorted(maps.Keys(m.Groups)) {
		at := topology.GroupIndex(g.Number())
		if int(at) < a.Snapshot().Counters() {
			member, ok := a.DownMember(at, func(topology.Vertex) bool { return true })
			out += fmt.Sprintln(g, member, ok)
		}
	}
	return out
}
