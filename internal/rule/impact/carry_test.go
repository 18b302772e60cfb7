package impact_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// faring tells how each CI of a model fares on a snapshot.
func faring(s *topology.Snapshot, m *topologytest.Model, of func(*topology.Snapshot, ident.ID) (impact.State, bool, bool)) (told string) {
	for _, ci := range slices.Sorted(maps.Keys(m.CIs)) {
		state, isOnBrink, isBroken := of(s, ci)
		told += fmt.Sprintln(ci, state, isOnBrink, isBroken)
	}
	return told
}

// TestStatesAreCarriedAsTheyAreWorkedOutAnew asks after some revisions of random histories: of CIs that come and go,
// relationships, groups, incidents and changes; of views too, and after compactions.
func TestStatesAreCarriedAsTheyAreWorkedOutAnew(t *testing.T) {
	carried, alone, unwell := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := reported(t)
		g := topology.New()
		if err := g.Load(m.Facts(0)); err != nil {
			t.Fatal(err)
		}
		earlier := func() {}
		check := func(s *topology.Snapshot, m *topologytest.Model) {
			if impact.IsCarried(s) {
				carried++
			} else {
				alone++
			}
			want := faring(load(t, m, 3), m, impact.FareAnew)
			if got := faring(s, m, impact.Fare); got != want {
				t.Fatalf("carried\n%s\nanew\n%s", got, want)
			}
			earlier()
			then := m.Clone()
			earlier = func() {
				if got := faring(s, then, impact.Fare); got != want {
					t.Fatalf("an earlier snapshot is now\n%s\nand was\n%s", got, want)
				}
			}
		}
		check(g.Snapshot(), m)
		for range rapid.IntRange(1, 8).Draw(t, "revisions") {
			b := topologytest.Next(t, m)
			if rapid.IntRange(0, 3).Draw(t, "view") == 0 {
				view, _, err := g.Snapshot().After(b)
				if err != nil {
					t.Fatal(err)
				}
				then := m.Clone()
				then.Apply(b)
				check(view, then)
			}
			m.Apply(b)
			if err := g.Apply(b); err != nil {
				t.Fatal(err)
			}
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0:
				g.Compact()
			case 1:
				continue // nobody asks of this revision
			}
			check(g.Snapshot(), m)
		}
		for ci := range m.CIs {
			if impact.StateOf(g.Snapshot(), ci) != impact.Operational {
				unwell++
			}
		}
	})
	if !testing.Short() && (carried < alone || unwell == 0) {
		t.Errorf("%d states were carried, %d worked out anew, %d CIs were not well: that shows nothing", carried, alone, unwell)
	}
}

// TestStatesAreCarriedForReadersOfSeveralRevisions lets readers ask while a writer goes on.
func TestStatesAreCarriedForReadersOfSeveralRevisions(t *testing.T) {
	var batches []topology.Batch
	truths, models := map[int64]string{}, map[int64]*topologytest.Model{}
	rapid.Custom(func(t *rapid.T) int {
		m := reported(t)
		batches = []topology.Batch{m.Facts(0)}
		note := func() {
			models[m.Revision] = m.Clone()
			truths[m.Revision] = faring(load(t, m, 1), m, impact.FareAnew)
		}
		note()
		for range 150 {
			b := topologytest.Next(t, m)
			m.Apply(b)
			batches = append(batches, b)
			note()
		}
		return 0
	}).Example(5)
	g := topology.New()
	if err := g.Load(batches[0]); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for at := batches[0].Revision; at <= batches[len(batches)-1].Revision; at++ {
				s, err := g.Wait(t.Context(), at)
				if err != nil {
					t.Error(err)
					return
				}
				if got, want := faring(s, models[s.Revision()], impact.Fare), truths[s.Revision()]; got != want {
					t.Errorf("at revision %d\n got %s\nwant %s", s.Revision(), got, want)
					return
				}
			}
		})
	}
	for i, b := range batches[1:] {
		if err := g.Apply(b); err != nil {
			t.Fatal(err)
		}
		if i%20 == 0 {
			g.Compact()
		}
	}
	readers.Wait()
}

func TestAWriteThatTouchesNoCIChangesNoState(t *testing.T) {
	k, s := draw(t, "svc needs app, app needs db, db open")
	view, err := s.With(topology.Batch{})
	if err != nil {
		t.Fatal(err)
	}
	if impact.StateOf(s, k.names["svc"]) != impact.Down || !impact.IsCarried(view) || impact.StateOf(view, k.names["svc"]) != impact.Down {
		t.Error("what follows from the incident was not carried")
	}
}

// TestACIThatIsWrittenAloneSuffersFromWhatStoodBefore writes a CI that nothing needs: all that harms it lies outside of
// what is worked out anew.
func TestACIThatIsWrittenAloneSuffersFromWhatStoodBefore(t *testing.T) {
	for _, c := range []struct {
		estate    string
		want      impact.State
		isOnBrink bool
	}{
		{"svc needs app, app open", impact.Down, false},
		{"svc needs log softly, log open", impact.Degraded, false},
		{"svc needs app, app needs log softly, log open", impact.Degraded, false},
		{"svc needs any of a b, a open, b open", impact.Down, false},
		{"svc needs any of a b, a open", impact.AtRisk, true},
		{"svc needs all of a b, a needs log softly, log open", impact.Degraded, false},
		{"svc needs app, app needs any of a b, a open", impact.AtRisk, true},
		{"svc needs all of app other, app needs any of a b, a open", impact.AtRisk, true},
		{"svc needs any of app other, app needs any of a b, a open", impact.Operational, false},
	} {
		k, s := draw(t, c.estate)
		g := topology.New()
		if err := g.Load(k.batch); err != nil {
			t.Fatal(err)
		}
		impact.StateOf(g.Snapshot(), k.names["svc"])
		fresh := topology.CI{ID: s.Unused(ident.CI), Class: ident.New(ident.CIClass, 1)}
		err := g.Apply(topology.Batch{Revision: 1, CIs: []topology.CI{fresh}, Relationships: []topology.Relationship{
			{ID: s.Unused(ident.Relationship), Type: ident.New(ident.RelationshipType, 1), Source: k.names["svc"], Target: fresh.ID},
		}})
		if err != nil || !impact.IsCarried(g.Snapshot()) {
			t.Fatal(c.estate, err)
		}
		if state, isOnBrink, _ := impact.Fare(g.Snapshot(), k.names["svc"]); state != c.want || isOnBrink != c.isOnBrink {
			t.Errorf("%s: svc is %v, on the brink: %v", c.estate, state, isOnBrink)
		}
	}
}
