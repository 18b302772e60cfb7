package impact_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// drawOverlay draws changes, and makes them really in the model.
func drawOverlay(t *rapid.T, m *topologytest.Model) (o impact.Overlay) {
	next := topologytest.Next(t, m)
	o.CIs, o.Relationships, o.Groups = next.CIs, next.Relationships, next.Groups
	if len(m.Relationships) > 0 && rapid.Bool().Draw(t, "cut") {
		o.Excluded = []ident.ID{rapid.SampledFrom(slices.Sorted(maps.Keys(m.Relationships))).Draw(t, "cut")}
	}
	m.Apply(topology.Batch{Revision: m.Revision, CIs: o.CIs, Relationships: o.Relationships, Groups: o.Groups, Removed: o.Excluded})
	for _, r := range next.Removed {
		f, isCI := m.CIs[r]
		_, isRelationship := m.Relationships[r]
		_, isGroup := m.Groups[r]
		switch {
		case isCI:
			f.IsRetired = true
			m.CIs[r] = f
		case isRelationship:
			delete(m.Relationships, r)
		case isGroup:
			delete(m.Groups, r)
		default:
			continue
		}
		o.Removed = append(o.Removed, r)
	}
	return o
}

func TestAnOverlayEqualsAGraphThatIsReallyChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		g := topology.New()
		if err := g.Load(m.Facts(1)); err != nil {
			t.Fatal(err)
		}
		before := said(impact.Estate(g.Snapshot()), m)
		then := m.Clone()
		o := drawOverlay(t, m)
		changed := load(t, m, 2)
		view, _, err := o.On(g.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		q := drawQuestion(t, m)
		o.Failed, o.Excluded, o.Maintenance = q.Failed, append(o.Excluded, q.Excluded...), nil
		o.OnFacts = q.OnFacts
		for _, f := range m.CIs {
			if f.Class.Number() == 1 {
				o.Maintenance = append(o.Maintenance, f.ID)
			}
		}
		q.Maintenance = append(q.Maintenance, o.Maintenance...)
		worked := slices.Clone(q.Maintenance)
		for _, c := range m.Changes {
			if q.OnFacts {
				worked = append(worked, slices.Concat(c.TakenDown, c.Changed)...)
			}
		}
		a, err := impact.WhatIf(tctx, g.Snapshot(), o)
		if err != nil {
			t.Fatal(err)
		}
		onView := answer(t, view, q)
		if got, want := said(onView, m), said(answer(t, changed, q), m); got != want {
			t.Fatalf("supposed\n%s\nreal\n%s", got, want)
		}
		n := judgeOn(then, m, q)
		for ci := range m.CIs {
			state, told := onView.TrueState(ci), n.told(ci)
			if a.State(ci) != told || a.TrueState(ci) != state {
				t.Fatalf("%v is %v, told %v, want %v, told %v", ci, a.TrueState(ci), a.State(ci), state, told)
			}
		}
		for _, h := range a.Affected(impact.Filter{}) {
			if h.InMaintenance != slices.Contains(worked, h.CI) {
				t.Fatalf("%+v, with %v in maintenance", h, worked)
			}
		}
		for _, h := range a.Affected(impact.Filter{WithoutMaintenance: true}) {
			if h.InMaintenance {
				t.Fatalf("%+v raises an alarm", h)
			}
		}
		sameOtherwise(t, m, view, changed)
		checkShifts(t, m, answer(t, load(t, then, 1), impact.Question{}), a)
		if now := said(impact.Estate(g.Snapshot()), then); now != before {
			t.Fatalf("the overlay changed the graph from\n%s\nto\n%s", before, now)
		}
	})
}

// sameOtherwise demands that dependencies, single points and paths are also those of the real graph.
func sameOtherwise(t *rapid.T, m *topologytest.Model, view, changed *topology.Snapshot) {
	ask := func(s *topology.Snapshot) string {
		cis := slices.Sorted(maps.Keys(m.CIs))
		if len(cis) == 0 {
			return ""
		}
		needs, err := impact.Dependencies(tctx, s, cis[:1], impact.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		points, err := impact.SinglePoints(tctx, s, impact.Targets{CIs: cis[:1], AllServices: true}, impact.SinglePointLimits{})
		if err != nil {
			t.Fatal(err)
		}
		path, err := impact.ShortestPath(tctx, s, cis[len(cis)-1], cis[0])
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(needs.CIs, points.Total, points.Points, path)
	}
	if got, want := ask(view), ask(changed); got != want {
		t.Fatalf("supposed\n%s\nreal\n%s", got, want)
	}
}

func checkShifts(t *rapid.T, m *topologytest.Model, before, after *impact.Answer) {
	want := map[ident.ID]impact.Shift{}
	for ci := range m.CIs {
		if b, a := before.TrueState(ci), after.TrueState(ci); b != a {
			want[ci] = impact.Shift{CI: ci, Before: b, After: a}
		}
	}
	for _, shifts := range [][]impact.Shift{impact.Shifts(before, after), impact.Shifts(after, before)} {
		if len(shifts) != len(want) {
			t.Fatalf("got %v, want %v", shifts, want)
		}
	}
	for _, shift := range impact.Shifts(before, after) {
		if shift != want[shift.CI] {
			t.Fatalf("got %v, want %v", shift, want[shift.CI])
		}
	}
}

func TestASecondReplicaSavesTheService(t *testing.T) {
	k, s := draw(t, "svc needs db")
	replica, rel := s.Unused(ident.CI), s.Unused(ident.Relationship)
	o := impact.Overlay{
		Failed: []impact.Failure{{CI: k.names["db"], State: impact.Down}},
		CIs:    []topology.CI{{ID: replica, Class: ident.New(ident.CIClass, 1)}},
		Relationships: []topology.Relationship{{
			ID: rel, Type: ident.New(ident.RelationshipType, 1), Source: k.names["svc"], Target: replica,
		}},
		Groups: []topology.Group{{
			ID: s.Unused(ident.DependencyGroup), Dependent: k.names["svc"], Mode: topology.Any,
			Members: []topology.Member{{Relationship: ident.New(ident.Relationship, 1)}, {Relationship: rel}},
		}},
	}
	before, err := impact.Of(t.Context(), s, impact.Question{Failed: o.Failed})
	if err != nil {
		t.Fatal(err)
	}
	after, err := impact.WhatIf(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []impact.Shift{{CI: k.names["svc"], Before: impact.Down, After: impact.AtRisk}}
	if got := impact.Shifts(before, after); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAnOverlayNamesWhatIsUnknown(t *testing.T) {
	k, s := draw(t, "svc needs db")
	for name, o := range map[string]impact.Overlay{
		"a relationship": {Excluded: []ident.ID{ident.New(ident.Relationship, 9)}},
		"a CI":           {Removed: []ident.ID{ident.New(ident.CI, 9)}},
		"a group":        {Removed: []ident.ID{ident.New(ident.DependencyGroup, 9)}},
		"a team":         {Removed: []ident.ID{ident.New(ident.Team, 1)}},
		"in maintenance": {Maintenance: []ident.ID{ident.New(ident.CI, 9)}},
	} {
		if _, err := impact.WhatIf(t.Context(), s, o); errs.CodeOf(err) != errs.NotFound {
			t.Errorf("%s: got %v", name, err)
		}
	}
	o := impact.Overlay{CIs: []topology.CI{{ID: k.names["db"]}}}
	if _, err := impact.WhatIf(t.Context(), s, o); errs.CodeOf(err) != errs.Invalid {
		t.Errorf("a CI without class: got %v", err)
	}
}
