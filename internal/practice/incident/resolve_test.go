package incident_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// below opens an incident that is part of another and takes it through verbs.
func (d desk) below(t *testing.T, parent ident.ID, verbs ...string) ident.ID {
	t.Helper()
	id := d.mustOpen(t, incident.Open{Parent: &parent, CIs: []incident.CI{{d.Database, domain.RootRole}}}).ID
	for _, verb := range verbs {
		d.mustDo(t, d.verbs(id)[verb])
	}
	return id
}

var withChildren = true

func TestAParentIsResolvedWithWhatIsStillOpenOfIt(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		yes := true
		major := d.mustOpen(t, incident.Open{IsMajor: &yes}).ID
		started := d.below(t, major, "startIncident")
		held := d.below(t, major, "holdIncident")
		grandchild := d.below(t, held)
		done := d.below(t, major, "resolveIncident")
		canceled := d.below(t, major, "cancelIncident")
		beyond := d.below(t, canceled)
		before := len(d.timeline(done))

		alone := d.mustOpen(t, incident.Open{}).ID
		childOfAlone := d.below(t, alone)
		resolved, err := d.Resolve(d.ctx, incident.Resolve{ID: alone, Code: domain.Fixed, Notes: "n"})
		if err != nil || len(resolved.Children) != 0 || resolved.Children == nil || d.Store.Read.Incident.GetX(d.ctx, childOfAlone).State != domain.IncidentNew {
			t.Errorf("children were resolved unasked: %v, %v", resolved, err)
		}

		resolved, err = d.Resolve(d.ctx, incident.Resolve{ID: major, Code: domain.Workaround, Notes: "failover", WithChildren: &yes})
		if err != nil {
			t.Fatal(err)
		}
		var ids []ident.ID
		for _, c := range resolved.Children {
			ids = append(ids, c.ID)
		}
		if got, want := fmt.Sprint(ids), fmt.Sprint([]ident.ID{started, held, grandchild}); resolved.Incident.ID != major || got != want {
			t.Errorf("resolved %v with %v, want %v", resolved.Incident.ID, got, want)
		}
		for _, c := range append(resolved.Children, resolved.Incident) {
			is := d.Store.Read.Incident.GetX(d.ctx, c.ID)
			if is.State != domain.IncidentResolved || is.ResolvedAt == nil || is.HoldReason != nil || *is.ResolutionCode != domain.Workaround ||
				is.ResolutionNotes != "failover" || is.ImpactAtResolution == nil || is.Version != c.Version {
				t.Errorf("resolved: %v", is)
			}
		}
		if shot := d.Store.Read.Incident.GetX(d.ctx, grandchild).ImpactAtResolution; len(shot.Services) != 1 || shot.Services[0].Name != "shop" {
			t.Errorf("what was kept of a child is not its own: %v", shot)
		}
		told := d.timeline(grandchild)
		if last := told[len(told)-1]; last.Body != "Resolved with "+incident.Number(major)+": failover" || last.FromState != "NEW" || last.ToState != "RESOLVED" {
			t.Errorf("the timeline says %v", last)
		}
		if len(d.timeline(done)) != before || d.Store.Read.Incident.GetX(d.ctx, beyond).State != domain.IncidentNew {
			t.Error("what was not open was touched")
		}
		written := d.Store.Read.Entry.Query().Where(entry.SubjectIDIn(major, started, held, grandchild), entry.Verb("incident.resolve")).AllX(d.ctx)
		revisions := map[int64]bool{}
		for _, e := range written {
			revisions[e.Revision] = true
		}
		if len(revisions) != 1 {
			t.Errorf("it took %d revisions", len(revisions))
		}
	})
}

func TestAParentIsResolvedWithAllOfItsChildrenOrNone(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		major := d.mustOpen(t, incident.Open{}).ID
		_, err := store.Write(d.ctx, d.Store, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			var all []*ent.IncidentCreate
			for range 501 {
				all = append(all, tx.Incident.Create().SetTitle("child").SetImpact(3).SetUrgency(3).SetPriority(5).SetOpenedBy("seed").
					SetParentID(major).SetDetectedAt(tx.Now).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now))
			}
			return 0, tx.Incident.CreateBulk(all...).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		in := incident.Resolve{ID: major, Code: domain.Fixed, Notes: "n", WithChildren: &withChildren}
		_, err = d.Resolve(d.ctx, in)
		if got := tickettest.Faults(t, err); got["withChildren"] != errs.TransitionRefused || !strings.Contains(err.Error(), "500") {
			t.Errorf("501 children: %v", err)
		}
		if d.Store.Read.Incident.GetX(d.ctx, major).State != domain.IncidentNew {
			t.Error("a refusal left a trace")
		}
		first := d.Store.Read.Incident.Query().Order(ent.Desc("id")).FirstX(d.ctx).ID
		d.mustDo(t, d.verbs(first)["cancelIncident"])
		if done, err := d.Resolve(d.ctx, in); err != nil || len(done.Children) != 500 {
			t.Errorf("500 children: %v", err)
		}
	})
}

func TestAChildThatMovesMeanwhileIsResolvedOnceOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		for range 8 {
			major := d.mustOpen(t, incident.Open{}).ID
			child := d.below(t, major)
			var wait sync.WaitGroup
			wait.Go(func() {
				if _, err := d.Resolve(d.ctx, incident.Resolve{ID: major, Code: domain.Fixed, Notes: "n", WithChildren: &withChildren}); err != nil {
					t.Error(err)
				}
			})
			for _, verb := range []string{"resolveIncident", "startIncident", "cancelIncident"} {
				wait.Go(func() {
					if _, err := d.verbs(child)[verb](); err != nil && errs.CodeOf(err) != errs.TransitionRefused {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			state := "NEW"
			for _, e := range d.timeline(child) {
				if e.FromState != state || !leads(state, e.ToState) {
					t.Fatalf("from %s the child went %s to %s", state, e.FromState, e.ToState)
				}
				state = e.ToState
			}
			if is := d.Store.Read.Incident.GetX(d.ctx, child); string(is.State) != state || is.State.IsOpen() {
				t.Fatalf("the child is %s, its timeline ends at %s", is.State, state)
			}
		}
	})
}

func leads(from, to string) bool {
	for _, next := range moves[domain.IncidentState(from)] {
		if string(next) == to {
			return true
		}
	}
	return false
}
