package suspect_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	_ "github.com/linchpin-cmdb/linchpin/internal/propertytest" // the gate draws the same cases
	"github.com/linchpin-cmdb/linchpin/internal/rule/suspect"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

var noon = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(hours int) time.Time   { return noon.Add(-time.Duration(hours) * time.Hour) }
func past(hours int) *time.Time { at := ago(hours); return &at }
func change(n int) ident.ID     { return ident.New(ident.Change, int64(n)) }
func ci(n int) ident.ID         { return ident.New(ident.CI, int64(n)) }

// chain returns an estate in which CI 1 needs CI 2, that needs CI 3, and so on; CI 9 stands alone.
func chain(t *testing.T) *topology.Snapshot {
	b := topology.Batch{Revision: 1, Types: []topology.Type{{ID: ident.New(ident.RelationshipType, 1), Flow: topology.TargetToSource}}}
	for n := 1; n <= 9; n++ {
		b.CIs = append(b.CIs, topology.CI{ID: ci(n), Class: ident.New(ident.CIClass, 1)})
		if n < 8 {
			b.Relationships = append(b.Relationships, topology.Relationship{
				ID: ident.New(ident.Relationship, int64(n)), Type: b.Types[0].ID, Source: ci(n), Target: ci(n + 1),
			})
		}
	}
	g := topology.New()
	if err := g.Load(b); err != nil {
		t.Fatal(err)
	}
	return g.Snapshot()
}

func TestSuspectsAreWhatStartedOrEndedBeforeOnWhatSymptomsNeed(t *testing.T) {
	s := chain(t)
	one := func(started time.Time, ended *time.Time, touched ...ident.ID) suspect.Change {
		return suspect.Change{ID: change(1), Started: started, Ended: ended, Touched: touched}
	}
	for name, c := range map[string]struct {
		change   suspect.Change
		distance int // -1: no suspect
		before   int
	}{
		"on the CI itself":         {one(ago(5), past(2), ci(2)), 0, 2},
		"two steps away":           {one(ago(5), past(2), ci(4)), 2, 2},
		"the nearest counts":       {one(ago(5), past(2), ci(9), ci(5), ci(3)), 1, 2},
		"being carried out":        {one(ago(5), nil, ci(3)), 1, 5},
		"ended after the symptoms": {one(ago(5), past(-3), ci(3)), 1, 5},
		"ended within, not begun":  {one(ago(50), past(20), ci(3)), 1, 20},
		"what needs the symptom":   {one(ago(5), past(2), ci(1)), -1, 0},
		"apart":                    {one(ago(5), past(2), ci(9)), -1, 0},
		"long over":                {one(ago(50), past(25), ci(2)), -1, 0},
		"under way for long":       {one(ago(50), nil, ci(3)), 1, 50},
		"under way, ended later":   {one(ago(50), past(-1), ci(3)), 1, 50},
		"later":                    {one(ago(-1), nil, ci(2)), -1, 0},
		"touching nothing":         {one(ago(5), past(2)), -1, 0},
		"of a CI that is gone":     {one(ago(5), past(2), ci(77)), -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			q := suspect.Question{Symptoms: []ident.ID{ci(2), ci(88)}, At: noon, Window: 24 * time.Hour}
			found, err := suspect.Find(t.Context(), s, q, []suspect.Change{c.change})
			if err != nil {
				t.Fatal(err)
			}
			if c.distance < 0 {
				if len(found) > 0 {
					t.Fatalf("%+v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Distance != c.distance || found[0].Before != time.Duration(c.before)*time.Hour || found[0].Symptom != ci(2) {
				t.Fatalf("%+v", found)
			}
		})
	}
}

func TestAWayThatTheChangeTookAwayCounts(t *testing.T) {
	before := chain(t)
	now, err := before.With(topology.Batch{Removed: []ident.ID{ident.New(ident.Relationship, 2)}}) // CI 2 needs 3 no more
	if err != nil {
		t.Fatal(err)
	}
	q := suspect.Question{Symptoms: []ident.ID{ci(1), ci(2)}, At: noon, Window: 24 * time.Hour}
	for name, c := range map[string]struct {
		touched  []ident.ID
		undone   *topology.Snapshot
		ci       int // 0: no suspect
		distance int
		isGone   bool
		shared   int
	}{
		"behind the way":        {[]ident.ID{ci(4)}, before, 4, 2, true, 2},
		"and not known":         {[]ident.ID{ci(4)}, nil, 0, 0, false, 0},
		"both ends":             {[]ident.ID{ci(2), ci(3)}, before, 2, 0, false, 2},
		"needed by nobody ever": {[]ident.ID{ci(9)}, before, 0, 0, false, 0},
	} {
		found, err := suspect.Find(t.Context(), now, q, []suspect.Change{{ID: change(1), Started: ago(5), Touched: c.touched, Undone: c.undone}})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.ci == 0:
			if len(found) > 0 {
				t.Errorf("%s: %+v", name, found)
			}
		case len(found) != 1 || found[0].CI != ci(c.ci) || found[0].Distance != c.distance || found[0].IsGone != c.isGone || found[0].Shared != c.shared:
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestTheNearerTheLaterAndTheWorseIsMoreSuspicious(t *testing.T) {
	s := chain(t)
	all := []suspect.Change{
		{ID: change(1), Started: ago(20), Ended: past(19), Touched: []ident.ID{ci(7)}},
		{ID: change(2), Started: ago(20), Ended: past(19), Touched: []ident.ID{ci(2)}},
		{ID: change(3), Started: ago(3), Ended: past(1), Touched: []ident.ID{ci(2)}},
		{ID: change(4), Started: ago(3), Ended: past(1), Touched: []ident.ID{ci(2)}, Outcome: domain.Failed},
		{ID: change(5), Started: ago(3), Ended: past(1), Touched: []ident.ID{ci(1)}, Outcome: domain.Failed}, // one of the two symptoms
	}
	found, err := suspect.Find(t.Context(), s, suspect.Question{Symptoms: []ident.ID{ci(1), ci(2)}, At: noon, Window: 24 * time.Hour}, all)
	if err != nil {
		t.Fatal(err)
	}
	var order []ident.ID
	for _, f := range found {
		order = append(order, f.Change)
	}
	if want := []ident.ID{change(4), change(3), change(5), change(2), change(1)}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
}

func TestReasonsAddUpAndTheOrderOfChangesIsOfNoAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		g := topology.New()
		if err := g.Load(m.Facts(1)); err != nil {
			t.Fatal(err)
		}
		q := suspect.Question{At: noon, Window: time.Duration(rapid.IntRange(1, 72).Draw(t, "window")) * time.Hour}
		q.Symptoms = rapid.SliceOfN(rapid.Custom(topologytest.CI), 0, 4).Draw(t, "symptoms")
		var changes []suspect.Change
		for n := range rapid.IntRange(0, 6).Draw(t, "changes") {
			c := suspect.Change{ID: change(n + 1), Started: ago(rapid.IntRange(-5, 80).Draw(t, "started"))}
			if rapid.Bool().Draw(t, "is over") {
				c.Ended = past(rapid.IntRange(-10, 70).Draw(t, "ended"))
				c.Outcome = domain.ChangeOutcome(rapid.SampledFrom(domain.ChangeOutcome("").Values()).Draw(t, "outcome"))
			}
			c.Touched = rapid.SliceOfN(rapid.Custom(topologytest.CI), 0, 3).Draw(t, "touched")
			changes = append(changes, c)
		}
		find := func() []suspect.Suspect {
			found, err := suspect.Find(t.Context(), g.Snapshot(), q, changes)
			if err != nil {
				t.Fatal(err)
			}
			for i := range found {
				found[i].Weigh(int(found[i].Change.Number()) * 16)
			}
			suspect.Sort(found)
			return found
		}
		found := find()
		for _, f := range found {
			sum := 0
			for _, r := range f.Reasons {
				sum += r.Points
				if r.Points < 1 || len(r.Sentence) < 10 {
					t.Fatalf("%+v", r)
				}
			}
			if sum != f.Points || sum > 100 || f.Shared < 1 || f.Shared > len(q.Symptoms) || f.Before < 0 {
				t.Fatalf("%+v", f)
			}
		}
		for _, f := range found { // a change that began or ended before the window was still under way
			c := changes[slices.IndexFunc(changes, func(c suspect.Change) bool { return c.ID == f.Change })]
			if f.Before > q.Window && c.Ended != nil && !c.Ended.After(q.At) {
				t.Fatalf("%+v lies before the window", f)
			}
		}
		slices.Reverse(changes)
		for i, f := range find() {
			if f.Change != found[i].Change || f.Points != found[i].Points {
				t.Fatalf("%+v comes where %+v was", f, found[i])
			}
		}
	})
}
