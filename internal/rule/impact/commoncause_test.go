package impact_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// sharedOneByOne fails each CI by the rules read aloud, and tells of each group what it loses.
func sharedOneByOne(m *topologytest.Model, given impact.Question, examined []ident.ID) (groups map[ident.ID]map[ident.ID]string, redundant map[ident.ID]bool) {
	groups, redundant = map[ident.ID]map[ident.ID]string{}, map[ident.ID]bool{}
	before := judge(m, given)
	for _, g := range examined {
		redundant[g] = bearsAnyOne(m, before, given, g)
	}
	for ci := range m.CIs {
		n, can := besides(m, before, given, ci)
		if !can {
			continue
		}
		cis := 0
		for other, state := range n.states {
			if state == impact.Down && other != ci && before.states[other] != impact.Down {
				cis++
			}
		}
		for _, g := range examined {
			need, _, up, _, _ := n.tally(g)
			_, _, upBefore, _, _ := before.tally(g)
			lost, isMember, count := map[ident.ID]bool{}, false, 0
			for _, a := range m.Arcs() {
				if slices.Contains(a.Groups, g) && n.states[a.From] == impact.Down && before.states[a.From] != impact.Down {
					lost[a.From] = true
					isMember = isMember || a.From == ci
					count++
				}
			}
			if count < 2 || need == 0 || m.Groups[g].Dependent == ci || !alarms(before, given, m.Groups[g].Dependent) {
				continue
			}
			if groups[g] == nil {
				groups[g] = map[ident.ID]string{}
			}
			groups[g][ci] = fmt.Sprint(up < need, isMember, upBefore-up, slices.Sorted(maps.Keys(lost)), cis)
		}
	}
	return groups, redundant
}

// bearsAnyOne reports whether a group can lose any one of the members that can still be lost.
func bearsAnyOne(m *topologytest.Model, before naive, given impact.Question, g ident.ID) bool {
	f := m.Groups[g]
	need, _, up, _, _ := before.tally(g)
	heaviest := 0
	for _, a := range m.Arcs() {
		if slices.Contains(a.Groups, g) && before.states[a.From] != impact.Down && !slices.Contains(given.Excluded, a.From) {
			heaviest = max(heaviest, topologytest.Weight(f, a.Relationship))
		}
	}
	return up-heaviest >= need
}

func TestCommonCausesAreThoseThatTakeTwoMembersDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s := load(t, m, 1)
		all := slices.Sorted(maps.Keys(m.Groups))
		given := drawGiven(t, m)
		spelt := spelled(m, given)
		before := judge(m, spelt)
		var asked, examined []ident.ID
		if len(all) > 0 && rapid.Bool().Draw(t, "named") {
			asked = []ident.ID{rapid.SampledFrom(all).Draw(t, "group"), rapid.SampledFrom(all).Draw(t, "other")}
			examined = asked
		} else {
			for _, g := range all {
				if bearsAnyOne(m, before, spelt, g) {
					examined = append(examined, g)
				}
			}
		}
		got, err := impact.CommonCauses(tctx, s, asked, impact.CommonCauseLimits{Given: given})
		if err != nil {
			t.Fatal(err)
		}
		want, redundant := sharedOneByOne(m, spelt, examined)
		checkCommonCauses(t, got, want, redundant)
		few, err := impact.CommonCauses(tctx, load(t, m, 4), asked, impact.CommonCauseLimits{MaxGroups: 1, MaxCauses: 1, Given: given})
		if err != nil || few.Total != got.Total || few.Broken != got.Broken || few.Completeness.IsPartial != (got.Total > 1) {
			t.Fatalf("got %+v, %v", few, err)
		}
		for i, g := range few.Groups {
			whole := got.Groups[i]
			if whole.Causes = whole.Causes[:1]; fmt.Sprint(g) != fmt.Sprint(whole) {
				t.Fatalf("cut to %+v, want %+v", g, whole)
			}
		}
		if len(got.Causes) > 0 && !slices.Equal(few.Causes, got.Causes[:1]) {
			t.Fatalf("cut to %+v, want the first of %+v", few.Causes, got.Causes)
		}
	})
}

func checkCommonCauses(t *rapid.T, got *impact.CommonCausesAnswer, want map[ident.ID]map[ident.ID]string, redundant map[ident.ID]bool) {
	broken := 0
	shared, breaks := map[ident.ID]int{}, map[ident.ID]int{}
	for _, g := range got.Groups {
		causes, breaking := want[g.Group], 0
		if len(g.Causes) != len(causes) || g.Shared != len(causes) || g.IsRedundant != redundant[g.Group] {
			t.Fatalf("%+v, want %v", g, causes)
		}
		for i, c := range g.Causes {
			if is := fmt.Sprint(c.Breaks, c.IsMember, c.Lost, c.Members, c.CIsDown); is != causes[c.CI] {
				t.Fatalf("%v: got %s, want %s", c.CI, is, causes[c.CI])
			}
			shared[c.CI]++
			if c.Breaks {
				breaking++
				if g.IsRedundant {
					breaks[c.CI]++
				}
			}
			if i > 0 {
				before := g.Causes[i-1]
				rank := func(c impact.CommonCause) string {
					return fmt.Sprintf("%v %05d %05d %05d", !c.Breaks, 9999-c.Lost, c.CIsDown, c.CI.Number())
				}
				if rank(before) >= rank(c) {
					t.Fatalf("%+v comes before %+v", before, c)
				}
			}
		}
		if breaking != g.Breaking {
			t.Fatalf("%+v, want %d breaking", g, breaking)
		}
		if breaking > 0 && g.IsRedundant {
			broken++
		}
	}
	if got.Total != len(want) || len(got.Groups) != len(want) || got.Broken != broken || len(got.Causes) != len(shared) {
		t.Fatalf("got %+v, want %v", got, want)
	}
	for _, c := range got.Causes {
		if c.Shared != shared[c.CI] || c.Breaks != breaks[c.CI] {
			t.Fatalf("%+v, want %d and %d", c, shared[c.CI], breaks[c.CI])
		}
	}
}

func TestTwoNodesInOneRackShareIt(t *testing.T) {
	k, s := draw(t, "svc needs any of n1 n2, n1 needs rack1, n2 needs rack2, rack1 needs feed, rack2 needs feed, "+
		"app needs any of a b, a needs x, b needs y, feed needs grid, web needs 2 of w1 w2 w3, w1 needs h, w2 needs h")
	got, err := impact.CommonCauses(t.Context(), s, nil, impact.CommonCauseLimits{})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, g := range got.Groups {
		line := fmt.Sprint(k.name(g.Dependent), ":")
		for _, c := range g.Causes {
			line += fmt.Sprint(" ", k.name(c.CI), " breaks=", c.Breaks)
		}
		told = append(told, line)
	}
	want := "svc: feed breaks=true grid breaks=true; web: h breaks=true"
	if is := strings.Join(told, "; "); is != want || got.Examined != 3 || got.Total != 2 || got.Broken != 2 {
		t.Errorf("got %s, %+v", is, got)
	}
}

func TestCommonCausesRefuseAndStop(t *testing.T) {
	_, s := draw(t, "svc needs any of n1 n2, n1 needs rack, n2 needs rack")
	if _, err := impact.CommonCauses(t.Context(), s, []ident.ID{ident.New(ident.DependencyGroup, 9)}, impact.CommonCauseLimits{}); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if got, err := impact.CommonCauses(late, s, nil, impact.CommonCauseLimits{}); err != nil || got.Completeness.Reason != impact.Time {
		t.Errorf("got %+v, %v", got, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := impact.CommonCauses(gone, s, nil, impact.CommonCauseLimits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
