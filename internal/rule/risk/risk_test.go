package risk_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	_ "github.com/linchpin-cmdb/linchpin/internal/propertytest" // the gate draws the same cases
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
)

func ci(n int) ident.ID     { return ident.New(ident.CI, int64(n)) }
func change(n int) ident.ID { return ident.New(ident.Change, int64(n)) }

func drawCI(t *rapid.T) risk.CI {
	id := ci(rapid.IntRange(1, 50).Draw(t, "ci"))
	return risk.CI{ID: id, Distance: int(id.Number() % 4)}
}

func way(_ domain.RiskFactor, to ident.ID) (path []impact.Step) {
	if to.Number()%3 > 0 {
		path = append(path, impact.Step{From: ci(100), To: to, Relationship: ident.New(ident.Relationship, to.Number())})
	}
	return path
}

func drawFacts(t *rapid.T) risk.Facts {
	service := rapid.Custom(func(t *rapid.T) risk.Service {
		c := drawCI(t)
		return risk.Service{CI: c, Rank: int(c.ID.Number() % 5)}
	})
	byID := func(s risk.Service) ident.ID { return s.ID }
	harmed := rapid.SliceOfNDistinct(rapid.Custom(drawCI), 0, 20, func(c risk.CI) ident.ID { return c.ID })
	f := risk.Facts{
		Down:    rapid.SliceOfNDistinct(service, 0, 5, byID).Draw(t, "down"),
		AtStake: rapid.SliceOfNDistinct(service, 0, 5, byID).Draw(t, "at stake"), Strained: harmed.Draw(t, "strained"), Nearest: harmed.Draw(t, "nearest"), Way: way,
		HasBackoutPlan: rapid.Bool().Draw(t, "has a backout plan"),
	}
	f.BlastRadius = len(f.Nearest)
	for range rapid.IntRange(0, 4).Draw(t, "conflicts") {
		id := drawCI(t).ID
		f.Conflicts = append(f.Conflicts, risk.Conflict{CI: id, Path: way("", id), Change: change(rapid.IntRange(1, 9).Draw(t, "with"))})
	}
	for range rapid.IntRange(0, 4).Draw(t, "failures") {
		f.Failures = append(f.Failures, risk.Failure{Change: change(rapid.IntRange(1, 9).Draw(t, "failed")), CI: drawCI(t).ID})
	}
	f.Team.Closed = rapid.IntRange(0, 40).Draw(t, "closed")
	f.Team.Failed = rapid.IntRange(0, f.Team.Closed).Draw(t, "failed")
	if rapid.Bool().Draw(t, "says when") {
		lead := time.Duration(rapid.Int64Range(-100, 400).Draw(t, "lead")) * time.Hour
		f.Lead = &lead
	}
	return f
}

func drawWeights(t *rapid.T) risk.Weights {
	w, left := risk.Weights{}, risk.Full
	for _, kind := range domain.RiskFactor("").Values() {
		most := rapid.IntRange(0, left).Draw(t, kind)
		left -= most
		w[domain.RiskFactor(kind)] = risk.Weight{Most: most, Each: rapid.IntRange(1, risk.MostEach).Draw(t, "each")}
	}
	return w
}

func TestFactorsAddUpToTheScoreAndEachIsExplained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, w := drawFacts(t), drawWeights(t)
		if err := w.Check(); err != nil {
			t.Fatal(err)
		}
		a := risk.Of(f, w)
		sum, seen := 0, map[domain.RiskFactor]bool{}
		for i, factor := range a.Factors {
			sum += factor.Points
			switch {
			case seen[factor.Kind]:
				t.Fatalf("%s is counted twice", factor.Kind)
			case factor.Points < 1 || factor.Points > factor.Most || factor.Most != w[factor.Kind].Most:
				t.Fatalf("%+v with %+v", factor, w[factor.Kind])
			case i > 0 && factor.Points > a.Factors[i-1].Points:
				t.Fatalf("%+v comes late", factor)
			}
			seen[factor.Kind] = true
			explain(t, factor)
		}
		if sum != a.Score || a.Score < 0 || a.Score > risk.Full || a.Level != risk.LevelOf(a.Score) {
			t.Fatalf("%d is %d by %+v", a.Score, sum, a.Factors)
		}
	})
}

// explain fails if a factor lacks a sentence or the CIs or changes it is about.
func explain(t *rapid.T, f risk.Factor) {
	if len(f.Sentence) < 20 || !strings.HasSuffix(f.Sentence, ".") || strings.Contains(f.Sentence, "%!") || strings.Contains(f.Sentence, "_") {
		t.Fatalf("%s is explained by %q", f.Kind, f.Sentence)
	}
	isAboutCIs, isAboutChanges := false, false
	switch f.Kind { //nolint:exhaustive // the others are about neither
	case domain.ServicesDown, domain.ServicesAtStake, domain.RedundancyLost, domain.BlastRadius:
		isAboutCIs = true
	case domain.InConflict, domain.FailedBefore:
		isAboutCIs, isAboutChanges = true, true
	}
	if isAboutCIs != (len(f.CIs) > 0) || isAboutChanges != (len(f.Changes) > 0) || len(f.Paths) > risk.MostPaths || f.CICount < len(f.CIs) {
		t.Fatalf("%+v", f)
	}
}

func TestTheOrderOfFactsChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, w := drawFacts(t), drawWeights(t)
		before := risk.Of(f, w)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		shuffle(r, f.Down)
		shuffle(r, f.AtStake)
		shuffle(r, f.Strained)
		shuffle(r, f.Nearest)
		shuffle(r, f.Conflicts)
		shuffle(r, f.Failures)
		after := risk.Of(f, w)
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%+v\nbecomes\n%+v", before, after)
		}
		shuffle(r, after.Factors)
		sum := 0
		for _, factor := range after.Factors {
			sum += factor.Points
		}
		if sum != before.Score {
			t.Fatalf("%d, and %d in another order", before.Score, sum)
		}
	})
}

func shuffle[T any](r *rand.Rand, all []T) {
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

func TestMoreTroubleIsNeverLessRisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, w := drawFacts(t), drawWeights(t)
		before := risk.Of(f, w).Score
		switch rapid.IntRange(0, 5).Draw(t, "trouble") {
		case 0:
			f.Down = append(slices.Clone(f.Down), risk.Service{CI: risk.CI{ID: ci(99)}, Rank: 2})
		case 1:
			f.Strained = append(slices.Clone(f.Strained), risk.CI{ID: ci(99)})
		case 2:
			f.BlastRadius++
		case 3:
			f.Conflicts = append(slices.Clone(f.Conflicts), risk.Conflict{})
		case 4:
			f.Failures = append(slices.Clone(f.Failures), risk.Failure{Change: change(99), CI: ci(99)})
		case 5:
			f.HasBackoutPlan = false
		}
		if after := risk.Of(f, w).Score; after < before {
			t.Fatalf("%d becomes %d", before, after)
		}
	})
}

func TestPointsOfEachFactor(t *testing.T) {
	hours := func(n int) *time.Duration { d := time.Duration(n) * time.Hour; return &d }
	good := risk.Facts{Lead: hours(1000), HasBackoutPlan: true}
	for name, c := range map[string]struct {
		with   func(*risk.Facts)
		points map[domain.RiskFactor]int
	}{
		"nothing": {func(*risk.Facts) {}, nil},
		"services by tier": {func(f *risk.Facts) {
			f.Down = []risk.Service{{CI: risk.CI{ID: ci(1)}, Rank: 1}, {CI: risk.CI{ID: ci(2)}, Rank: 2}, {CI: risk.CI{ID: ci(3)}}}
		}, map[domain.RiskFactor]int{domain.ServicesDown: 12 + 6 + 1}},
		"no more than the most": {func(f *risk.Facts) {
			f.Down = []risk.Service{{CI: risk.CI{ID: ci(1)}, Rank: 1}, {CI: risk.CI{ID: ci(2)}, Rank: 1}, {CI: risk.CI{ID: ci(3)}, Rank: 1}}
		}, map[domain.RiskFactor]int{domain.ServicesDown: 25}},
		"a radius": {func(f *risk.Facts) {
			f.BlastRadius = 7
		}, map[domain.RiskFactor]int{domain.BlastRadius: 6}},
		"a team's record": {func(f *risk.Facts) { f.Team = risk.Record{Closed: 30, Failed: 4} }, map[domain.RiskFactor]int{domain.TeamRecord: 2}},
		"one failure of two CIs": {func(f *risk.Facts) {
			f.Failures = []risk.Failure{{change(1), ci(1)}, {change(1), ci(2)}}
		}, map[domain.RiskFactor]int{domain.FailedBefore: 5}},
		"half the lead time":   {func(f *risk.Facts) { f.Lead = hours(24) }, map[domain.RiskFactor]int{domain.ShortLeadTime: 3}},
		"enough lead time":     {func(f *risk.Facts) { f.Lead = hours(48) }, nil},
		"begun before":         {func(f *risk.Facts) { f.Lead = hours(-5) }, map[domain.RiskFactor]int{domain.ShortLeadTime: 5}},
		"no start, no way out": {func(f *risk.Facts) { f.Lead, f.HasBackoutPlan = nil, false }, map[domain.RiskFactor]int{domain.ShortLeadTime: 5, domain.NoBackoutPlan: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			f := good
			c.with(&f)
			got := map[domain.RiskFactor]int{}
			for _, factor := range risk.Of(f, risk.Defaults()).Factors {
				got[factor.Kind] = factor.Points
			}
			if len(c.points)+len(got) > 0 && !reflect.DeepEqual(got, c.points) {
				t.Errorf("got %v, want %v", got, c.points)
			}
		})
	}
}

func TestWeightsThatDoNotAddUpAreRefused(t *testing.T) {
	if err := risk.Defaults().Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(risk.Weights){
		"more than 100 together": func(w risk.Weights) { w[domain.NoBackoutPlan] = risk.Weight{Most: 11, Each: 1} },
		"a negative most":        func(w risk.Weights) { w[domain.NoBackoutPlan] = risk.Weight{Most: -1, Each: 1} },
		"nothing for each":       func(w risk.Weights) { w[domain.NoBackoutPlan] = risk.Weight{Most: 1} },
		"too much for each":      func(w risk.Weights) { w[domain.NoBackoutPlan] = risk.Weight{Most: 1, Each: risk.MostEach + 1} },
		"a factor that is gone":  func(w risk.Weights) { delete(w, domain.NoBackoutPlan) },
	} {
		w := risk.Defaults()
		if spoil(w); w.Check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestServicesThatAreDownOnlyBesideWhatHasFailedAreTold(t *testing.T) {
	down := []risk.Service{{CI: risk.CI{ID: ci(1)}, Rank: 1}, {CI: risk.CI{ID: ci(2)}, Rank: 2}}
	a := risk.Of(risk.Facts{Down: down, OnFacts: 1, FailedBy: []string{"INC0000001", "CHG0000002"}, HasBackoutPlan: true}, risk.Defaults())
	want := "2 services are DOWN while it is carried out, 1 of the highest tier; 1 of them since redundancy is lost already, by INC0000001, CHG0000002."
	if i := slices.IndexFunc(a.Factors, func(f risk.Factor) bool { return f.Kind == domain.ServicesDown }); i < 0 || a.Factors[i].Sentence != want {
		t.Errorf("got %+v", a.Factors)
	}
}
