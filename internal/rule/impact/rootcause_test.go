package impact_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// account is what a set of failures comes to by the rules and the formula read aloud.
type account struct {
	score, prior                                   float64
	explained, unexplained, contradicted, silently []ident.ID
}

func reckon(m *topologytest.Model, symptoms impact.Symptoms, o impact.RootCauseOptions, failures []ident.ID) (a account) {
	observable, known := o.Observable, knownTo(m, o)
	q := impact.Question{Excluded: slices.DeleteFunc(slices.Collect(maps.Keys(known.ruledOut)), func(ci ident.ID) bool { return slices.Contains(failures, ci) })}
	for _, ci := range failures {
		q.Failed = append(q.Failed, impact.Failure{CI: ci, State: impact.Down})
	}
	n := judgeAside(m, q)
	present, watched := 0, 0
	for _, f := range m.CIs {
		if m.InService(f.ID) {
			present++
			if observable == nil || observable(f) {
				watched++
			}
		}
	}
	seen := map[ident.ID]impact.State{}
	for _, symptom := range symptoms.Seen {
		seen[symptom.CI] = max(seen[symptom.CI], symptom.State)
	}
	silent := 0
	for ci := range m.CIs {
		isAffected := n.states[ci] >= impact.Degraded
		switch {
		case seen[ci] != impact.Operational:
			if n.states[ci] >= seen[ci] {
				a.explained = append(a.explained, ci)
			} else {
				a.unexplained = append(a.unexplained, ci)
			}
		case slices.Contains(symptoms.Healthy, ci):
			if isAffected {
				a.contradicted = append(a.contradicted, ci)
			}
		case isAffected:
			if (observable == nil || observable(m.CIs[ci])) && !known.broken[ci] {
				silent++
			}
			if !slices.Contains(failures, ci) {
				a.silently = append(a.silently, ci)
			}
		}
	}
	for _, list := range [][]ident.ID{a.explained, a.unexplained, a.contradicted, a.silently} {
		slices.Sort(list)
	}
	noise := min(0.2*float64(len(seen))/float64(max(watched, 1)), 0.15)
	k, u := len(a.explained), silent
	for _, ci := range failures {
		switch {
		case known.down[ci]:
			continue
		case m.CIs[ci].IsService && !o.Hidden[ci]:
			a.prior -= math.Log(10)
		}
		a.prior -= math.Log(float64(max(present, 2)))
	}
	a.score = a.prior - float64(k)*math.Log(noise) + float64(len(a.contradicted))*math.Log(0.05)
	for i := range k + u { // Pólya's urn, one CI after the other
		if i < k {
			a.score += math.Log((3 + float64(i)) / (10 + float64(i)))
		} else {
			a.score += math.Log((7 + float64(i-k)) / (10 + float64(i)))
		}
	}
	return a
}

func drawSymptoms(t *rapid.T, m *topologytest.Model) (symptoms impact.Symptoms) {
	seen := map[ident.ID]bool{}
	for _, ci := range drawCIs(t, m) {
		seen[ci] = true
		symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: ci, State: impact.State(rapid.IntRange(int(impact.Degraded), int(impact.Down)).Draw(t, "state"))})
	}
	for _, ci := range drawCIs(t, m) {
		if !seen[ci] {
			symptoms.Healthy = append(symptoms.Healthy, ci)
		}
	}
	return symptoms
}

func TestTheSingleRootCausesToldAreTheBestThereAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s, symptoms := load(t, m, 1), drawSymptoms(t, m)
		o := drawKnown(t, m)
		o.MaxFailures, o.MaxCandidates = 1, 200
		known := knownTo(m, o)
		if rapid.Bool().Draw(t, "watched") {
			o.Observable = func(ci topology.CI) bool { return ci.Class.Number() > 1 }
		}
		got, err := impact.RootCauses(tctx, s, symptoms, o)
		if err != nil {
			t.Fatal(err)
		}
		want := map[ident.ID]account{}
		present := 0
		for ci := range m.CIs {
			if m.InService(ci) {
				present++
			}
		}
		for ci := range m.CIs {
			a := reckon(m, symptoms, o, []ident.ID{ci})
			if m.InService(ci) && !known.ruledOut[ci] && len(a.explained) > 0 && a.score-a.prior > -1e-9 {
				want[ci] = a
			}
		}
		told := map[ident.ID]bool{}
		for i, c := range got.Candidates {
			if i > 0 && c.Score > got.Candidates[i-1].Score {
				t.Fatalf("out of order: %+v", got.Candidates)
			}
			if len(c.Failures) > 1 {
				continue
			}
			best := want[c.Failures[0]]
			checkCause(t, m, o, c, best)
			for _, ci := range append([][]ident.ID{c.Failures}, c.Alternatives...) {
				a, ok := want[ci[0]]
				if !ok || told[ci[0]] || a.score > best.score+1e-9 || best.score-a.score > math.Log(3)+1e-9 ||
					!slices.Equal(a.explained, best.explained) || !slices.Equal(a.contradicted, best.contradicted) {
					t.Fatalf("%v stands beside %+v: %+v, want %v", ci, c, a, ok)
				}
				told[ci[0]] = true
			}
		}
		if len(told) != len(want) {
			t.Fatalf("told %v, want %v", told, slices.Sorted(maps.Keys(want)))
		}
	})
}

func checkCause(t *rapid.T, m *topologytest.Model, o impact.RootCauseOptions, c impact.RootCause, want account) {
	services := slices.Clone(want.silently)
	slices.SortFunc(services, func(a, b ident.ID) int {
		switch x, y := m.CIs[a].IsService && !o.Hidden[a], m.CIs[b].IsService && !o.Hidden[b]; {
		case x != y && x:
			return -1
		case x != y:
			return 1
		}
		return int(a - b)
	})
	if math.Abs(c.Score-want.score) > 1e-6 || !slices.Equal(c.Explained, want.explained) || !slices.Equal(c.Unexplained, want.unexplained) ||
		!slices.Equal(c.Contradicted, want.contradicted) || !slices.Equal(c.AlsoBroken, services) || c.AlsoBrokenCount != len(services) {
		t.Fatalf("got %+v, want %+v", c, want)
	}
	for i, failures := range append([][]ident.ID{c.Failures}, c.Alternatives...) {
		if told := knownTo(m, o).by(m, o, failures); fmt.Sprint(c.Known[i]) != fmt.Sprint(told) {
			t.Fatalf("of %v is known %+v, want %+v", failures, c.Known[i], told)
		}
	}
}

func TestSeveralRootCausesAreWorkedOutTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		symptoms, o := drawSymptoms(t, m), drawKnown(t, m)
		known := knownTo(m, o)
		got, err := impact.RootCauses(tctx, load(t, m, 1), symptoms, o)
		if err != nil {
			t.Fatal(err)
		}
		shares := 0.0
		for i, c := range got.Candidates {
			a := reckon(m, symptoms, o, c.Failures)
			checkCause(t, m, o, c, a)
			shares += c.Share
			for _, other := range c.Alternatives {
				b := reckon(m, symptoms, o, other)
				if len(other) != len(c.Failures) || !slices.Equal(b.explained, a.explained) || b.score > a.score+1e-9 {
					t.Fatalf("%v is no alternative to %+v", other, c)
				}
			}
			for k := range c.Failures { // no failure is idle
				rest := slices.Delete(slices.Clone(c.Failures), k, k+1)
				if len(rest) > 0 && reckon(m, symptoms, o, rest).score > a.score+1e-9 {
					t.Fatalf("%+v does better without %v", c, c.Failures[k])
				}
			}
			if i > 0 && c.Score > got.Candidates[i-1].Score {
				t.Fatalf("out of order: %+v", got.Candidates)
			}
		}
		if len(got.Candidates) == 0 {
			return
		}
		if math.Abs(shares-1) > 1e-9 {
			t.Fatalf("the shares add up to %v", shares)
		}
		best := got.Candidates[0] // nothing that joins the best improves it
		for ci := range m.CIs {
			with, unknown := append(slices.Clone(best.Failures), ci), 0
			for _, failure := range with {
				if !known.down[failure] {
					unknown++
				}
			}
			if unknown <= 3 && m.InService(ci) && !known.ruledOut[ci] && !slices.Contains(best.Failures, ci) {
				if reckon(m, symptoms, o, with).score > best.Score+1e-9 {
					t.Fatalf("%v would improve %+v", ci, best)
				}
			}
		}
		if again, _ := impact.RootCauses(tctx, load(t, m, 7), symptoms, o); fmt.Sprint(again.Candidates) != fmt.Sprint(got.Candidates) {
			t.Fatalf("once %+v, once %+v", got.Candidates, again.Candidates)
		}
	})
}

func seen(k *sketch, names ...string) (symptoms impact.Symptoms) {
	for _, name := range names {
		symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: k.names[name], State: impact.Down})
	}
	return symptoms
}

func TestRootCausesByExample(t *testing.T) {
	two := "a1 needs x, a2 needs x, a3 needs x, a4 needs x, b1 needs y, b2 needs y, b3 needs y, b4 needs y"
	for i := range 200 {
		two += fmt.Sprintf(", other%d needs nothing", i)
	}
	for _, c := range []struct{ name, estate, seen, healthy, first string }{
		{"the one that explains all", "a needs x, b needs x, c needs x, x needs hub, d needs hub, e needs hub, f needs hub, g needs hub, h needs hub, i needs hub", "a b c", "", "x"},
		{"not the one that would have broken what is healthy", "a needs x, b needs x, c needs x, a needs y, b needs y, c needs y, d needs y, e needs y", "a b c", "d e", "x"},
		{"two failures, where two are needed", two, "a1 a2 a3 a4 b1 b2 b3 b4", "", "x y"},
	} {
		k, s := draw(t, c.estate)
		symptoms := seen(k, strings.Fields(c.seen)...)
		for _, name := range strings.Fields(c.healthy) {
			symptoms.Healthy = append(symptoms.Healthy, k.names[name])
		}
		got, err := impact.RootCauses(t.Context(), s, symptoms, impact.RootCauseOptions{})
		if err != nil || len(got.Candidates) == 0 {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
			continue
		}
		var want []ident.ID
		for _, name := range strings.Fields(c.first) {
			want = append(want, k.names[name])
		}
		slices.Sort(want)
		if !slices.Equal(got.Candidates[0].Failures, want) {
			t.Errorf("%s: got %+v", c.name, got.Candidates)
		}
	}
}

func TestAHiddenRootCauseIsFound(t *testing.T) {
	s := redundant(t, 2_000)
	r := rand.New(rand.NewPCG(7, 8))
	found, tries := 0, 0
	for tries < 6 {
		hidden := ident.New(ident.CI, 1+r.Int64N(2_000))
		a, err := impact.Of(t.Context(), s, impact.Question{Failed: []impact.Failure{{CI: hidden, State: impact.Down}}})
		if err != nil {
			t.Fatal(err)
		}
		var symptoms impact.Symptoms
		for _, h := range a.Affected(impact.Filter{WithoutRoots: true}) {
			if r.Float64() > 0.7 {
				symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: h.CI, State: h.State})
			}
		}
		if len(symptoms.Seen) < 4 || len(symptoms.Seen) > 60 {
			continue
		}
		tries++
		for range len(symptoms.Seen) / 4 {
			symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: ident.New(ident.CI, 1+r.Int64N(2_000)), State: impact.Down})
		}

		got, err := impact.RootCauses(t.Context(), s, symptoms, impact.RootCauseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Candidates) > 0 && slices.ContainsFunc(append([][]ident.ID{got.Candidates[0].Failures}, got.Candidates[0].Alternatives...), func(f []ident.ID) bool {
			return slices.Contains(f, hidden)
		}) {
			found++
		}
	}
	if found < tries*3/4 {
		t.Errorf("found %d of %d", found, tries)
	}
	t.Logf("found %d of %d", found, tries)
}

func TestRootCausesRefuseAndStop(t *testing.T) {
	k, s := draw(t, "svc needs app, app needs db")
	svc := impact.Symptom{CI: k.names["svc"], State: impact.Down}
	unknown := ident.New(ident.CI, 77)
	for name, c := range map[string]struct {
		symptoms impact.Symptoms
		want     errs.Code
	}{
		"no symptom":          {impact.Symptoms{}, errs.Invalid},
		"an unknown symptom":  {impact.Symptoms{Seen: []impact.Symptom{{CI: unknown, State: impact.Down}}}, errs.NotFound},
		"a symptom that none": {impact.Symptoms{Seen: []impact.Symptom{{CI: svc.CI, State: impact.AtRisk}}}, errs.Invalid},
		"unknown health":      {impact.Symptoms{Seen: []impact.Symptom{svc}, Healthy: []ident.ID{unknown}}, errs.NotFound},
		"seen and healthy":    {impact.Symptoms{Seen: []impact.Symptom{svc}, Healthy: []ident.ID{svc.CI}}, errs.Invalid},
	} {
		if _, err := impact.RootCauses(t.Context(), s, c.symptoms, impact.RootCauseOptions{}); errs.CodeOf(err) != c.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if got, err := impact.RootCauses(late, s, impact.Symptoms{Seen: []impact.Symptom{svc}}, impact.RootCauseOptions{}); err != nil || got.Completeness.Reason != impact.Time {
		t.Errorf("got %+v, %v", got, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := impact.RootCauses(gone, s, impact.Symptoms{Seen: []impact.Symptom{svc}}, impact.RootCauseOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
