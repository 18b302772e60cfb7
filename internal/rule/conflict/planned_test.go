package conflict_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

var words = operation.Words{Types: map[string]ident.ID{"depends_on": ident.New(ident.RelationshipType, 1)}}

// drawOperations draws operations that alter the relationships and groups of an estate.
func drawOperations(t *rapid.T, facts topology.Batch) (all []operation.Operation) {
	ci := func(what string) string { return rapid.SampledFrom(facts.CIs).Draw(t, what).ID.String() }
	members := func(of ident.ID) (chosen []operation.Member) {
		for _, r := range facts.Relationships {
			if r.Source == of && rapid.Bool().Draw(t, "is member") {
				chosen = append(chosen, operation.Member{Relationship: r.ID.String()})
			}
		}
		return chosen
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "operations") {
		switch kind := rapid.IntRange(0, 4).Draw(t, "operation"); {
		case kind == 0:
			all = append(all, operation.Operation{Kind: domain.RelateCIs, Key: fmt.Sprint("r", i), Planned: operation.Fields{
				"type": "depends_on", "source": ci("source"), "target": ci("target"),
			}})
		case kind == 1 && len(facts.Relationships) > 0:
			all = append(all, operation.Operation{Kind: domain.UnrelateCIs, Record: rapid.SampledFrom(facts.Relationships).Draw(t, "relationship").ID})
		case len(facts.Groups) == 0:
		case kind == 2:
			g := rapid.SampledFrom(facts.Groups).Draw(t, "group")
			all = append(all, operation.Operation{Kind: domain.UpdateGroup, Record: g.ID, Planned: operation.Fields{"members": members(g.Dependent)}})
		case kind == 3:
			g := rapid.SampledFrom(facts.Groups).Draw(t, "group")
			all = append(all, operation.Operation{Kind: domain.UpdateGroup, Record: g.ID, Planned: operation.Fields{"threshold": rapid.IntRange(1, 3).Draw(t, "threshold")}})
		case kind == 4:
			all = append(all, operation.Operation{Kind: domain.DeleteGroup, Record: rapid.SampledFrom(facts.Groups).Draw(t, "group").ID})
		}
	}
	return all
}

// after returns the world as changes leave it, one after the other.
func (w world) after(changes ...conflict.Change) world {
	for _, c := range changes {
		view, err := operation.On(w.s, c.Operations, words)
		if err != nil {
			w.t.Fatal(err)
		}
		w.s = view.Snapshot
	}
	return w
}

// bruteAsPlanned returns the kinds of conflicts of two changes on the graph as both leave it, by the definition of each
// kind.
func (w world) bruteAsPlanned(c, other conflict.Change) (all []string) {
	first, second := c, other
	if other.Planned.From.Before(c.Planned.From) || other.Planned.From.Equal(c.Planned.From) && other.ID < c.ID {
		first, second = other, c
	}
	both := w.after(first, second)
	mine, theirs := both.fail(c.Scope...), both.fail(other.Scope...)
	suffers := func(a *impact.Answer, from, to conflict.Change) bool {
		return slices.ContainsFunc(to.Scope, func(ci conflict.CI) bool { return !touches(from, ci.ID) && !a.State(ci.ID).IsWell() })
	}
	if suffers(mine, c, other) {
		all = append(all, fmt.Sprint(domain.Downstream, other.ID))
	}
	if suffers(theirs, other, c) {
		all = append(all, fmt.Sprint(domain.Upstream, other.ID))
	}
	a, b, ab := w.after(c).fail(downOf(c)...), w.after(other).fail(downOf(other)...), both.fail(slices.Concat(downOf(c), downOf(other))...)
	for v := range topology.Vertex(w.s.Vertices()) {
		if id := w.s.ID(v); v > 0 && w.s.InService(v) && w.s.IsService(v) && ab.TrueState(id) == impact.Down && a.TrueState(id) != impact.Down && b.TrueState(id) != impact.Down {
			return append(all, fmt.Sprint(domain.JointFailure, other.ID))
		}
	}
	return all
}

// TestPlannedOperationsAreJudgedAsBothChangesLeaveTheGraph checks that a conflict of changes with operations is one on
// the graph as it is, or as both changes of a pair leave it, and no other. Either change sees it.
func TestPlannedOperationsAreJudgedAsBothChangesLeaveTheGraph(t *testing.T) {
	onlyPlanned, onlyToday := map[domain.ConflictKind]int{}, 0
	rapid.Check(t, func(rt *rapid.T) {
		facts, g := redundant(rt), topology.New()
		if err := g.Load(facts); err != nil {
			rt.Fatal(err)
		}
		w := world{t, g.Snapshot()}
		changes := make([]conflict.Change, rapid.IntRange(2, 4).Draw(rt, "changes"))
		for i := range changes {
			changes[i] = drawChange(rt, int64(i+1), facts.CIs)
			changes[i].Operations = drawOperations(rt, facts)
		}
		finder, mirrored := conflict.NewFinder(w.s, words), map[string]int{}
		for i, c := range changes {
			found, err := finder.WithChanges(t.Context(), &changes[i], changes)
			if err != nil {
				rt.Fatal(err)
			}
			got := map[string]bool{}
			for _, one := range found {
				if one.Kind == domain.AssigneeDoubleBooked || one.Kind == domain.SameCI {
					continue
				}
				if one.CI == 0 || one.OtherCI == 0 || one.State.IsWell() {
					rt.Fatalf("%+v says not what meets what", one)
				}
				got[fmt.Sprint(one.Kind, one.Other)] = true
				kind, a, b := one.Kind, c.ID, one.Other
				if kind == domain.Upstream {
					kind, a, b = domain.Downstream, b, a
				} else if kind == domain.JointFailure && a > b {
					a, b = b, a
				}
				mirrored[fmt.Sprint(kind, a, b)]++
			}
			want := map[string]bool{}
			for _, other := range changes {
				if other.ID == c.ID || !c.Planned.Overlaps(other.Planned) {
					continue
				}
				today := map[string]bool{}
				for _, one := range w.brute(c, []conflict.Change{other}) {
					for _, kind := range []domain.ConflictKind{domain.Downstream, domain.Upstream, domain.JointFailure} {
						if len(one) > len(kind) && one[:len(kind)] == string(kind) {
							today[fmt.Sprint(kind, other.ID)], want[fmt.Sprint(kind, other.ID)] = true, true
						}
					}
				}
				planned := w.bruteAsPlanned(c, other)
				for _, one := range planned {
					if want[one] = true; !today[one] {
						for _, kind := range []domain.ConflictKind{domain.Downstream, domain.Upstream, domain.JointFailure} {
							if one == fmt.Sprint(kind, other.ID) {
								onlyPlanned[kind]++
							}
						}
					}
				}
				for one := range today {
					if !slices.Contains(planned, one) {
						onlyToday++
					}
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				rt.Fatalf("%+v among %+v:\ngot  %v\nwant %v", c, changes, got, want)
			}
		}
		for what, n := range mirrored {
			if n != 2 {
				rt.Fatalf("%s is seen from %d sides", what, n)
			}
		}
	})
	if !testing.Short() && len(onlyPlanned) == 0 && onlyToday == 0 { // few are drawn in short mode
		t.Error("operations made no conflicts, and would end none: that shows nothing")
	}
}
