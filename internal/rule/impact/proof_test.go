package impact_test

import (
	"context"
	"slices"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

var tctx = context.Background()

// checkProof demands that each reason is true, that each cause is explained later than what it explains, and
// that what has no cause failed: so every chain leads to the failed CIs and none in a circle.
func checkProof(t *rapid.T, n naive, m *topologytest.Model, q impact.Question, a *impact.Answer, ci ident.ID) {
	p, ok := a.Proof(ci)
	if !ok || p.Explanations[0].CI != ci {
		t.Fatalf("%v has the proof %+v", ci, p)
	}
	place := map[ident.ID]int{}
	for i, e := range p.Explanations {
		if _, ok := place[e.CI]; ok {
			t.Fatalf("%v is explained twice", e.CI)
		}
		place[e.CI] = i
	}
	cited := map[ident.ID]bool{ci: true}
	for i, e := range p.Explanations {
		if e.State != n.states[e.CI] {
			t.Fatalf("%v is %v, want %v", e.CI, e.State, n.states[e.CI])
		}
		check := checkGround
		if n.byBrink(ci) && e.State != impact.Down {
			check = checkBrink
		}
		for _, cause := range check(t, n, m, q, e) {
			cited[cause] = true
			if place[cause] <= i {
				t.Fatalf("%v is explained before %v, which it brought about: %+v", cause, e.CI, p)
			}
		}
	}
	if len(cited) != len(place) {
		t.Fatalf("explained %v, cited %v", place, cited)
	}
}

// checkBrink demands that an explanation says by which clause a CI is on the brink.
func checkBrink(t *rapid.T, n naive, m *topologytest.Model, _ impact.Question, e impact.Explanation) (causes []ident.ID) {
	if !n.brink[e.CI] || !e.OnBrink {
		t.Fatalf("%+v is not on the brink", e)
	}
	if e.Ground == impact.HardDependency {
		if !n.brink[e.Cause] || !slices.ContainsFunc(m.Arcs(), func(a topologytest.Arc) bool {
			return a.Relationship == e.Relationship && a.From == e.Cause && a.To == e.CI && len(a.Groups) == 0 && !a.IsSoft
		}) {
			t.Fatalf("%+v does not come to the brink by it", e)
		}
		return []ident.ID{e.Cause}
	}
	if e.Ground != impact.BrokenGroup {
		t.Fatalf("%+v has no ground", e)
	}
	need, total, up, well, retired := n.tally(e.Group.ID)
	if g := e.Group; m.Groups[g.ID].Dependent != e.CI || g.Need != need || g.Total != total+retired || g.Up != up || g.Well != well || up < need {
		t.Fatalf("%+v tells of %+v, want %d of %d, %d up, %d well", e, g, need, total, up, well)
	}
	for _, member := range e.Group.Members {
		if member.IsCause {
			causes = append(causes, member.CI)
			isLost, isLast := n.states[member.CI] == impact.Down, n.brink[member.CI] && up-n.counts(e.Group.ID)[member.CI] < need
			if !isLast && (!isLost || !n.strained(e.CI)) {
				t.Fatalf("%+v brings nobody to the brink", member)
			}
		}
	}
	if len(causes) == 0 {
		t.Fatalf("%+v has no cause", e)
	}
	return causes
}

func checkGround(t *rapid.T, n naive, m *topologytest.Model, q impact.Question, e impact.Explanation) (causes []ident.ID) {
	switch e.Ground {
	default:
		t.Fatalf("%+v has no ground", e)
	case impact.Given:
		isStated := false
		if q.OnFacts && e.State == impact.Down {
			down, _ := marked(m)
			isStated = slices.Contains(down, e.CI)
		}
		if !isStated && !slices.Contains(q.Failed, impact.Failure{CI: e.CI, State: e.State}) {
			t.Fatalf("%+v was not given", e)
		}
		return nil
	case impact.HardDependency, impact.SoftDependency:
		i := slices.IndexFunc(m.Arcs(), func(a topologytest.Arc) bool {
			return a.Relationship == e.Relationship && a.From == e.Cause && a.To == e.CI
		})
		if i < 0 && m.CIs[e.Cause].IsRetired && m.Misses(e.CI) && e.State == impact.Down {
			return nil
		}
		if i < 0 || len(m.Arcs()[i].Groups) > 0 || m.Arcs()[i].IsSoft != (e.Ground == impact.SoftDependency) {
			t.Fatalf("%+v names no such dependency", e)
		}
		if e.Ground == impact.HardDependency && n.states[e.Cause] != e.State ||
			e.Ground == impact.SoftDependency && (n.states[e.Cause] != impact.Down || e.State != impact.Degraded) {
			t.Fatalf("%+v does not follow from %v", e, n.states[e.Cause])
		}
		return []ident.ID{e.Cause}
	case impact.BrokenGroup:
		g := e.Group
		need, total, up, well, retired := n.tally(g.ID)
		if m.Groups[g.ID].Dependent != e.CI || g.Need != need || g.Total != total+retired || g.Up != up || g.Well != well {
			t.Fatalf("%+v tells of %+v, want %d of %d, %d up, %d well", e, g, need, total, up, well)
		}
		lost, missing := 0, 0
		for _, member := range g.Members {
			if member.IsRetired {
				missing += member.Weight
				continue
			}
			if member.State != n.states[member.CI] {
				t.Fatalf("%+v is %v", member, n.states[member.CI])
			}
			if member.IsCause {
				causes = append(causes, member.CI)
				lost += member.Weight
				if member.State.IsWell() || e.State == impact.Down && member.State.IsUp() {
					t.Fatalf("%+v cannot be a cause of %+v", member, e)
				}
			}
		}
		isBroken := total-lost < need
		if missing != retired || len(causes) == 0 && total >= need || isBroken == (e.State == impact.AtRisk) || e.State == impact.Degraded && up < need {
			t.Fatalf("%+v does not follow from %+v", e, g)
		}
	}
	return causes
}
