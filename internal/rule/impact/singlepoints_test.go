package impact_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
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

func drawTargets(t *rapid.T, m *topologytest.Model) (targets impact.Targets, aims map[ident.ID]bool) {
	aims = map[ident.ID]bool{}
	switch rapid.IntRange(0, 2).Draw(t, "targets") {
	case 0:
		targets.CIs = drawCIs(t, m)
		for _, ci := range targets.CIs {
			aims[ci] = m.InService(ci)
		}
	case 1:
		targets.Tiers = []ident.ID{ident.New(ident.ServiceTier, 1)}
	case 2:
		targets.AllServices = true
	}
	for _, f := range m.CIs {
		if f.IsService && m.InService(f.ID) && (targets.AllServices || f.Tier != 0 && slices.Contains(targets.Tiers, f.Tier)) {
			aims[f.ID] = true
		}
	}
	return targets, aims
}

// drawGiven draws what has happened already: nothing, anything, or the loss of one member of a group.
func drawGiven(t *rapid.T, m *topologytest.Model) (given impact.Question) {
	var members []ident.ID
	for _, a := range m.Arcs() {
		if len(a.Groups) > 0 {
			members = append(members, a.From)
		}
	}
	switch kind := rapid.IntRange(0, 3).Draw(t, "given"); {
	case kind == 0 && len(m.CIs) > 0:
		given = drawQuestion(t, m)
		given.Maintenance = drawCIs(t, m)[:1]
	case kind <= 2 && len(members) > 0:
		given.Failed = []impact.Failure{{CI: rapid.SampledFrom(members).Draw(t, "lost"), State: impact.Down}}
	default:
		given.OnFacts = rapid.Bool().Draw(t, "on facts alone")
	}
	return given
}

// TestEarlierLossesMakeSinglePoints makes them of what is left of a group, and of CIs that nothing else stands in for.
func TestEarlierLossesMakeSinglePoints(t *testing.T) {
	k, s := draw(t, "svc needs any of n1 n2, n1 needs rack1, n2 needs rack2, svcB needs n1, svcC needs weight 5 of a*3 b*2 c*2")
	for given, want := range map[string]string{
		"rack1 DOWN":                   "n2 1, rack2 1, a 1",
		"n2 DOWN":                      "n1 2, rack1 2, a 1",
		"n1 DEGRADED":                  "n1 1, rack1 1, a 1",
		"rack1 DOWN, rack2 excluded":   "n2 1, a 1",
		"c DOWN":                       "n1 1, rack1 1, a 1, b 1",
		"n1 DOWN, n2 DOWN, rack1 DOWN": "a 1",
	} {
		got, err := impact.SinglePoints(t.Context(), s, impact.Targets{AllServices: true}, impact.SinglePointLimits{Given: k.question(given)})
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]int{}
		for _, p := range got.Points {
			told[k.name(p.CI)] = p.TargetsDown
		}
		wanted := map[string]int{}
		for part := range strings.SplitSeq(want, ", ") {
			if name, n, ok := strings.Cut(part, " "); ok {
				wanted[name], _ = strconv.Atoi(n)
			}
		}
		if !maps.Equal(told, wanted) {
			t.Errorf("beside %s: got %v, want %v", given, told, wanted)
		}
	}
}

// besides judges that a CI fails beside what has happened; false where it cannot.
func besides(m *topologytest.Model, before naive, given impact.Question, ci ident.ID) (naive, bool) {
	if !m.InService(ci) || before.states[ci] == impact.Down || slices.Contains(given.Excluded, ci) {
		return naive{}, false
	}
	given.Failed = append(slices.Clip(given.Failed), impact.Failure{CI: ci, State: impact.Down})
	return judge(m, given), true
}

// alarms reports whether it counts that a CI goes DOWN beside what has happened.
func alarms(before naive, given impact.Question, ci ident.ID) bool {
	return before.states[ci] != impact.Down && !slices.Contains(given.Excluded, ci) && !slices.Contains(given.Maintenance, ci)
}

// pointsOneByOne fails each CI by the rules read aloud.
func pointsOneByOne(m *topologytest.Model, given impact.Question, aims map[ident.ID]bool) map[ident.ID]string {
	want, before := map[ident.ID]string{}, judge(m, given)
	for ci := range aims {
		aims[ci] = aims[ci] && alarms(before, given, ci)
	}
	for ci := range m.CIs {
		n, can := besides(m, before, given, ci)
		if !can {
			continue
		}
		cis, services, targets := 0, 0, []ident.ID{}
		for other, state := range n.states {
			if state != impact.Down || other == ci || before.states[other] == impact.Down {
				continue
			}
			cis++
			if m.CIs[other].IsService {
				services++
			}
			if aims[other] {
				targets = append(targets, other)
			}
		}
		slices.Sort(targets)
		if len(targets) > 0 {
			want[ci] = fmt.Sprint(aims[ci], len(targets), targets, services, cis)
		}
	}
	return want
}

func TestSinglePointsAreThoseThatFallenAloneTakeATargetDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s := load(t, m, 1)
		targets, aims := drawTargets(t, m)
		given := drawGiven(t, m)
		spelt := spelled(m, given)
		got, err := impact.SinglePoints(tctx, s, targets, impact.SinglePointLimits{Given: given})
		if err != nil {
			t.Fatal(err)
		}
		before, down := judge(m, spelt), 0
		for ci, is := range aims {
			if is && before.states[ci] == impact.Down {
				down++
			}
		}
		if got.LeftOut != down {
			t.Fatalf("%d are left out as DOWN already, want %d", got.LeftOut, down)
		}
		want := pointsOneByOne(m, spelt, aims)
		if got.Total != len(want) || len(got.Points) != len(want) || got.Completeness.IsPartial {
			t.Fatalf("%+v has %+v, want %v", targets, got, want)
		}
		for _, p := range got.Points {
			if is := fmt.Sprint(p.IsTarget, p.TargetsDown, p.Targets, p.ServicesDown, p.CIsDown); is != want[p.CI] || s.ID(p.Vertex) != p.CI {
				t.Fatalf("%+v: want %s", p, want[p.CI])
			}
		}
		if !slices.IsSortedFunc(got.Points, func(a, b impact.SinglePoint) int {
			if a.TargetsDown > b.TargetsDown || a.TargetsDown == b.TargetsDown && (a.CIsDown > b.CIsDown || a.CIsDown == b.CIsDown && a.CI < b.CI) {
				return -1
			}
			return 1
		}) {
			t.Fatalf("out of order: %+v", got.Points)
		}
		few, err := impact.SinglePoints(tctx, load(t, m, 8), targets, impact.SinglePointLimits{MaxPoints: 2, MaxTargets: 1, Given: given})
		if err != nil || few.Total != got.Total || few.Completeness.IsPartial != (got.Total > 2) {
			t.Fatalf("got %+v, %v", few, err)
		}
		for i, p := range few.Points {
			q := got.Points[i]
			if q.Targets = q.Targets[:1]; fmt.Sprint(p) != fmt.Sprint(q) {
				t.Fatalf("cut to %+v, want %+v", p, q)
			}
		}
	})
}

// redundant returns a larger estate: n CIs in which each has some of the rules, with cycles, hubs and all kinds of
// groups.
func redundant(t testing.TB, n int) *topology.Snapshot {
	g := topology.New()
	if err := g.Load(redundantFacts(n)); err != nil {
		t.Fatal(err)
	}
	return g.Snapshot()
}

func redundantFacts(n int) topology.Batch {
	r := rand.New(rand.NewPCG(5, 6))
	facts := topology.Batch{Types: []topology.Type{{ID: ident.New(ident.RelationshipType, 1), Flow: topology.TargetToSource, Strength: topology.Hard}}}
	for i := range n {
		ci := ident.New(ident.CI, int64(i+1))
		facts.CIs = append(facts.CIs, topology.CI{
			ID: ci, Class: ident.New(ident.CIClass, int64(1+i%7)), IsService: i < n/20, Tier: ident.New(ident.ServiceTier, int64(1+i%3)),
		})
		needs := func(strength topology.Strength) ident.ID {
			to := i + 2 + r.IntN(1+n/20)
			if r.IntN(40) == 0 {
				to = n - r.IntN(5) // hubs
			}
			if r.IntN(200) == 0 {
				to = 1 + r.IntN(n) // cycles
			}
			rel := topology.Relationship{
				ID: ident.New(ident.Relationship, int64(len(facts.Relationships)+1)), Type: facts.Types[0].ID,
				Source: ci, Target: ident.New(ident.CI, int64(min(to, n))), Strength: strength,
			}
			facts.Relationships = append(facts.Relationships, rel)
			return rel.ID
		}
		for range r.IntN(3) {
			needs(topology.Strength(1 + r.IntN(2)))
		}
		for range r.IntN(3) {
			group := topology.Group{
				ID: ident.New(ident.DependencyGroup, int64(len(facts.Groups)+1)), Dependent: ci,
				Mode: topology.Mode(r.IntN(5)), Threshold: 1 + r.IntN(4),
			}
			if group.Mode == topology.Percent {
				group.Threshold *= 20
			}
			weight := 0
			for range 2 + r.IntN(4) {
				group.Members = append(group.Members, topology.Member{Relationship: needs(topology.Hard), Weight: 1 + r.IntN(3)})
				weight += group.Members[len(group.Members)-1].Weight
			}
			switch group.Mode { //nolint:exhaustive // the others ask for no more than there is
			case topology.AtLeast:
				group.Threshold = min(group.Threshold, len(group.Members))
			case topology.Weighted:
				group.Threshold = min(group.Threshold, weight)
			}
			facts.Groups = append(facts.Groups, group)
		}
	}
	return facts
}

func TestSixtyFourAtOnceEqualsOneByOne(t *testing.T) {
	s := redundant(t, 1500)
	all, err := impact.SinglePoints(t.Context(), s, impact.Targets{AllServices: true}, impact.SinglePointLimits{})
	if err != nil {
		t.Fatal(err)
	}
	points := map[topology.Vertex]impact.SinglePoint{}
	for _, p := range all.Points {
		points[p.Vertex] = p
	}
	one := map[ident.ID]map[ident.ID]bool{} // of five services
	for i := range int64(5) {
		one[ident.New(ident.CI, 1+i*7)] = map[ident.ID]bool{}
	}
	for v := range topology.Vertex(s.Vertices()) {
		if !s.InService(v) {
			continue
		}
		a, err := impact.Of(t.Context(), s, impact.Question{Failed: []impact.Failure{{CI: s.ID(v), State: impact.Down}}})
		if err != nil {
			t.Fatal(err)
		}
		cis, services := 0, []ident.ID(nil)
		for _, h := range a.Affected(impact.Filter{AtLeast: impact.Down, WithoutRoots: true}) {
			cis++
			if s.IsService(h.Vertex) {
				services = append(services, h.CI)
			}
			if causes, ok := one[h.CI]; ok {
				causes[s.ID(v)] = true
			}
		}
		slices.Sort(services)
		p := points[v]
		if p.TargetsDown != len(services) || len(services) > 0 && (p.CIsDown != cis || p.ServicesDown != len(services) || !slices.Equal(p.Targets, services)) {
			t.Fatalf("%v takes down %d CIs and %v, got %+v", s.ID(v), cis, services, p)
		}
	}
	for ci, causes := range one {
		got, err := impact.SinglePoints(t.Context(), s, impact.Targets{CIs: []ident.ID{ci}}, impact.SinglePointLimits{})
		if err != nil || len(got.Points) != len(causes) {
			t.Fatalf("%v: got %d, want %d, %v", ci, len(got.Points), len(causes), err)
		}
		for _, p := range got.Points {
			if whole := points[p.Vertex]; !causes[p.CI] || p.CIsDown != whole.CIsDown || p.ServicesDown != whole.ServicesDown {
				t.Fatalf("%v: got %+v, estate-wide %+v", ci, p, whole)
			}
		}
	}
}

func TestSinglePointsInConeOnlyCountsTheCone(t *testing.T) {
	k, s := draw(t, "svc needs app, app needs db, other needs db, svcb needs other, app needs any of n1 n2, n1 needs rack, n2 needs rack")
	for inCone, want := range map[bool]string{true: "db 1 1 2, rack 1 1 4, app 1 1 1", false: "db 1 2 4, rack 1 1 4, app 1 1 1"} {
		got, err := impact.SinglePoints(t.Context(), s, impact.Targets{CIs: []ident.ID{k.names["svc"]}}, impact.SinglePointLimits{InConeOnly: inCone})
		if err != nil {
			t.Fatal(err)
		}
		told := map[ident.ID]string{}
		for _, p := range got.Points {
			told[p.CI] = fmt.Sprint(p.TargetsDown, p.ServicesDown, p.CIsDown)
		}
		if is := fmt.Sprintf("db %s, rack %s, app %s", told[k.names["db"]], told[k.names["rack"]], told[k.names["app"]]); is != want || got.Total != 3 {
			t.Errorf("in the cone only %v: got %s, want %s", inCone, is, want)
		}
	}
}

func TestSinglePointsRefuseAndStop(t *testing.T) {
	k, s := draw(t, "svc needs app, app needs db")
	if _, err := impact.SinglePoints(t.Context(), s, impact.Targets{}, impact.SinglePointLimits{}); errs.CodeOf(err) != errs.Invalid {
		t.Errorf("no targets: got %v", err)
	}
	if _, err := impact.SinglePoints(t.Context(), s, impact.Targets{CIs: []ident.ID{ident.New(ident.CI, 77)}}, impact.SinglePointLimits{}); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("an unknown target: got %v", err)
	}
	svc := impact.Targets{CIs: []ident.ID{k.names["svc"]}}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if got, err := impact.SinglePoints(late, s, svc, impact.SinglePointLimits{}); err != nil || got.Completeness.Reason != impact.Time {
		t.Errorf("too late: got %+v, %v", got, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, targets := range []impact.Targets{svc, {AllServices: true}} {
		if _, err := impact.SinglePoints(gone, s, targets, impact.SinglePointLimits{}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: got %v", err)
		}
	}
}
