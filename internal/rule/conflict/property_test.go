package conflict_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	_ "github.com/linchpin-cmdb/linchpin/internal/propertytest" // the gate draws the same cases
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

var midnight = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)

func hours(from, to int) recurrence.Span {
	return recurrence.Span{From: midnight.Add(time.Duration(from) * time.Hour), To: midnight.Add(time.Duration(to) * time.Hour)}
}

func drawChange(t *rapid.T, number int64, cis []topology.CI) conflict.Change {
	from := rapid.IntRange(0, 3).Draw(t, "from")
	c := conflict.Change{ID: ident.New(ident.Change, number), Planned: hours(from, from+rapid.IntRange(1, 4).Draw(t, "hours"))}
	if n := rapid.IntRange(0, 3).Draw(t, "assignee"); n > 0 {
		c.Assignee = ident.New(ident.Person, int64(n))
	}
	seen := map[ident.ID]bool{}
	for range rapid.IntRange(0, 3).Draw(t, "scope") {
		ci := topologytest.CI(t) // which may not exist
		if len(cis) > 0 && rapid.IntRange(0, 9).Draw(t, "is known") > 0 {
			ci = rapid.SampledFrom(cis).Draw(t, "ci").ID
		}
		if !seen[ci] {
			seen[ci] = true
			c.Scope = append(c.Scope, conflict.CI{ID: ci, IsTakenDown: rapid.IntRange(0, 3).Draw(t, "is taken down") > 0})
		}
	}
	return c
}

// redundant draws an estate full of groups: each CI needs some others, alone or as members.
func redundant(t *rapid.T) (b topology.Batch) {
	b.Revision = 1
	need := ident.New(ident.RelationshipType, 1)
	b.Types = []topology.Type{{ID: need, Flow: topology.TargetToSource, Strength: topology.Hard}}
	n := rapid.IntRange(4, 8).Draw(t, "cis")
	ci := func(i int) ident.ID { return ident.New(ident.CI, int64(i)) }
	for i := 1; i <= n; i++ {
		b.CIs = append(b.CIs, topology.CI{ID: ci(i), Class: ident.New(ident.CIClass, 1), IsService: rapid.Bool().Draw(t, "is service")})
		group := topology.Group{ID: ident.New(ident.DependencyGroup, int64(i)), Dependent: ci(i), Mode: topology.AtLeast, Threshold: rapid.IntRange(1, 2).Draw(t, "need")}
		for j := range rapid.IntRange(0, 4).Draw(t, "needs") {
			first := min(i+1, n) // mostly no cycles, since they take everything down
			if rapid.IntRange(0, 7).Draw(t, "is cyclic") == 0 {
				first = 1
			}
			r := topology.Relationship{ID: ident.New(ident.Relationship, int64(10*i+j)), Type: need, Source: ci(i), Target: ci(rapid.IntRange(first, n).Draw(t, "target"))}
			b.Relationships = append(b.Relationships, r)
			if rapid.IntRange(0, 3).Draw(t, "is member") > 0 {
				group.Members = append(group.Members, topology.Member{Relationship: r.ID})
			}
		}
		if len(group.Members) > 0 {
			b.Groups = append(b.Groups, group)
		}
	}
	return b
}

// world answers for sets of failed CIs by asking the engine each time, without any shortcut.
type world struct {
	t testing.TB
	s *topology.Snapshot
}

func (w world) fail(cis ...conflict.CI) *impact.Answer {
	var q impact.Question
	for _, ci := range cis {
		if v, ok := w.s.Index(ci.ID); ok && w.s.InService(v) {
			q.Failed = append(q.Failed, impact.Failure{CI: ci.ID, State: impact.Down})
		}
	}
	a, err := impact.Of(w.t.Context(), w.s, q)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func downOf(c conflict.Change) []conflict.CI {
	return slices.DeleteFunc(slices.Clone(c.Scope), func(ci conflict.CI) bool { return !ci.IsTakenDown })
}

func touches(c conflict.Change, ci ident.ID) bool {
	return slices.ContainsFunc(c.Scope, func(own conflict.CI) bool { return own.ID == ci })
}

// said returns a conflict as the tests compare it.
func said(kind domain.ConflictKind, other ident.ID, count int, services []ident.ID) string {
	return fmt.Sprint(kind, " ", other, " ", count, " ", services)
}

// brute returns every conflict of a change with others, by the definition of each kind.
func (w world) brute(c conflict.Change, others []conflict.Change) (all []string) {
	for _, other := range others {
		if other.ID == c.ID || !c.Planned.Overlaps(other.Planned) {
			continue
		}
		if c.Assignee != 0 && c.Assignee == other.Assignee {
			all = append(all, said(domain.AssigneeDoubleBooked, other.ID, 1, nil))
		}
		same, down, up := 0, 0, 0
		mine, theirs := w.fail(c.Scope...), w.fail(other.Scope...)
		for _, ci := range other.Scope {
			if touches(c, ci.ID) {
				same++
			} else if !mine.State(ci.ID).IsWell() {
				down++
			}
		}
		for _, ci := range c.Scope {
			if !touches(other, ci.ID) && !theirs.State(ci.ID).IsWell() {
				up++
			}
		}
		for kind, n := range map[domain.ConflictKind]int{domain.SameCI: same, domain.Downstream: down, domain.Upstream: up} {
			if n > 0 {
				all = append(all, said(kind, other.ID, n, nil))
			}
		}
		a, b, both := w.fail(downOf(c)...), w.fail(downOf(other)...), w.fail(slices.Concat(downOf(c), downOf(other))...)
		var services []ident.ID
		for v := range topology.Vertex(w.s.Vertices()) {
			if id := w.s.ID(v); v > 0 && w.s.InService(v) && w.s.IsService(v) && both.TrueState(id) == impact.Down && a.TrueState(id) != impact.Down && b.TrueState(id) != impact.Down {
				services = append(services, id)
			}
		}
		if slices.Sort(services); len(services) > 0 {
			all = append(all, said(domain.JointFailure, other.ID, len(services), services))
		}
	}
	slices.Sort(all)
	return all
}

// TestShortcutsMissNoConflict checks that the conflicts found are those that brute force finds, kind by kind.
func TestShortcutsMissNoConflict(t *testing.T) {
	kinds := map[domain.ConflictKind]int{}
	rapid.Check(t, func(rt *rapid.T) {
		g := topology.New()
		facts := redundant(rt)
		if rapid.IntRange(0, 4).Draw(rt, "is any estate") == 0 {
			facts = topologytest.Estate(rt).Facts(1)
		}
		if err := g.Load(facts); err != nil {
			rt.Fatal(err)
		}
		w := world{t, g.Snapshot()}
		changes := make([]conflict.Change, rapid.IntRange(2, 9).Draw(rt, "changes"))
		for i := range changes {
			changes[i] = drawChange(rt, int64(i+1), facts.CIs)
		}
		finder := conflict.NewFinder(w.s, operation.Words{})
		mirrored := map[string]int{}
		for i := range changes {
			found, err := finder.WithChanges(t.Context(), &changes[i], changes)
			if err != nil {
				rt.Fatal(err)
			}
			var got []string
			for _, c := range found {
				kinds[c.Kind]++
				got = append(got, said(c.Kind, c.Other, c.Count, c.Services))
				w.checkWay(rt, changes, changes[i], c)
				kind, a, b := c.Kind, changes[i].ID, c.Other
				if kind == domain.Upstream {
					kind, a, b = domain.Downstream, b, a
				} else if kind != domain.Downstream && a > b {
					a, b = b, a
				}
				mirrored[fmt.Sprint(kind, a, b)]++
			}
			slices.Sort(got)
			if want := w.brute(changes[i], changes); !slices.Equal(got, want) {
				rt.Fatalf("%v among %v:\ngot  %q\nwant %q", changes[i], changes, got, want)
			}
		}
		for what, n := range mirrored {
			if n != 2 {
				rt.Fatalf("%s is seen from %d sides", what, n)
			}
		}
	})
	for _, kind := range []domain.ConflictKind{domain.SameCI, domain.Upstream, domain.Downstream, domain.AssigneeDoubleBooked} {
		if kinds[kind] == 0 {
			t.Errorf("no estate had a conflict of kind %s: %v", kind, maps.Clone(kinds))
		}
	}
}

// TestTwoChangesBreakAGroupThatHoldsUnderEither takes down some of several members, of which a service needs some, by
// two changes.
func TestTwoChangesBreakAGroupThatHoldsUnderEither(t *testing.T) {
	jointly := 0
	rapid.Check(t, func(rt *rapid.T) {
		members, need := rapid.IntRange(2, 5).Draw(rt, "members"), rapid.IntRange(1, 3).Draw(rt, "need")
		service := ident.New(ident.CI, 99)
		kind, class := ident.New(ident.RelationshipType, 1), ident.New(ident.CIClass, 1)
		b := topology.Batch{
			Revision: 1, Types: []topology.Type{{ID: kind, Flow: topology.TargetToSource, Strength: topology.Hard}},
			CIs:    []topology.CI{{ID: service, Class: class, IsService: true}},
			Groups: []topology.Group{{ID: ident.New(ident.DependencyGroup, 1), Dependent: service, Mode: topology.AtLeast, Threshold: need}},
		}
		changes := []conflict.Change{{ID: ident.New(ident.Change, 1), Planned: hours(0, 2)}, {ID: ident.New(ident.Change, 2), Planned: hours(1, 3)}}
		lost := []int{0, 0, 0} // by the first, the second, either
		for i := range members {
			member := ident.New(ident.CI, int64(i+1))
			b.CIs = append(b.CIs, topology.CI{ID: member, Class: class})
			r := topology.Relationship{ID: ident.New(ident.Relationship, int64(i+1)), Type: kind, Source: service, Target: member}
			b.Relationships = append(b.Relationships, r)
			b.Groups[0].Members = append(b.Groups[0].Members, topology.Member{Relationship: r.ID})
			isLost := false
			for n := range changes {
				if rapid.Bool().Draw(rt, "takes it down") {
					changes[n].Scope = append(changes[n].Scope, conflict.CI{ID: member, IsTakenDown: true})
					lost[n]++
					isLost = true
				}
			}
			if isLost {
				lost[2]++
			}
		}
		g := topology.New()
		if err := g.Load(b); err != nil {
			rt.Fatal(err)
		}
		found, err := conflict.NewFinder(g.Snapshot(), operation.Words{}).WithChanges(t.Context(), &changes[0], changes)
		if err != nil {
			rt.Fatal(err)
		}
		least := min(need, members) // no group needs more than it has
		holds := func(lost int) bool { return members-lost >= least }
		is := slices.ContainsFunc(found, func(c conflict.Conflict) bool { return c.Kind == domain.JointFailure })
		if want := holds(lost[0]) && holds(lost[1]) && !holds(lost[2]); is != want {
			rt.Fatalf("%d of %d needed, %v lost: found %v", least, members, lost, found)
		}
		if is {
			jointly++
		}
	})
	if jointly == 0 && !testing.Short() { // the few cases of a short run may have none
		t.Error("no two changes broke a group together")
	}
}

// checkWay fails if a conflict's paths do not lead from side to side.
func (w world) checkWay(t *rapid.T, changes []conflict.Change, c conflict.Change, found conflict.Conflict) {
	other := changes[slices.IndexFunc(changes, func(o conflict.Change) bool { return o.ID == found.Other })]
	ends := func(path []impact.Step, from, to ident.ID) {
		for i := 1; i < len(path); i++ {
			if path[i-1].To != path[i].From {
				t.Fatalf("%v: the path is broken", found)
			}
		}
		if len(path) == 0 || path[0].From != from || to != 0 && path[len(path)-1].To != to {
			t.Fatalf("%v: the path does not lead from %v to %v", found, from, to)
		}
	}
	if found.Kind != domain.AssigneeDoubleBooked && (!touches(c, found.CI) || !touches(other, found.OtherCI)) {
		t.Fatalf("%v: the CIs are not those of the changes", found)
	}
	switch found.Kind { //nolint:exhaustive // the others have no path
	case domain.Downstream:
		ends(found.Path, found.CI, found.OtherCI)
	case domain.Upstream:
		ends(found.Path, found.OtherCI, found.CI)
	case domain.JointFailure:
		ends(found.Path, found.CI, 0)
		ends(found.OtherPath, found.OtherCI, found.Path[len(found.Path)-1].To)
	}
}
