package change_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoutage"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// pair is a service that needs one of two CIs.
type pair struct{ service, left, right ident.ID }

func (b board) write(t *testing.T, do func(ctx context.Context, tx *store.Tx)) {
	t.Helper()
	_, err := store.Write(t.Context(), b.Store, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
		do(ctx, tx)
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b board) pair(t *testing.T, name string) (p pair) {
	t.Helper()
	b.write(t, func(ctx context.Context, tx *store.Tx) {
		class, kind := tx.CIClass.Query().OnlyIDX(ctx), tx.RelationshipType.Query().OnlyIDX(ctx)
		ci := func(name string) *ent.CICreate {
			return tx.CI.Create().SetClassID(class).SetName(name).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
		}
		p = pair{ci(name).SetServiceKind(domain.BusinessService).SaveX(ctx).ID, ci(name + "-left").SaveX(ctx).ID, ci(name + "-right").SaveX(ctx).ID}
		var members []domain.GroupMember
		for _, of := range []ident.ID{p.left, p.right} {
			need := tx.Relationship.Create().SetTypeID(kind).SetSourceID(p.service).SetTargetID(of).SetAttributes(map[string]any{}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			members = append(members, domain.GroupMember{Relationship: need.ID, Weight: 1})
		}
		tx.DependencyGroup.Create().SetCiID(p.service).SetName("either").SetMode(domain.Any).SetMembers(members).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
	})
	return p
}

// fails opens an incident whose ROOT is a CI.
func (b board) fails(t *testing.T, ci ident.ID) (incident ident.ID) {
	t.Helper()
	b.write(t, func(ctx context.Context, tx *store.Tx) {
		incident = tx.Incident.Create().SetTitle("down").SetOpenedBy("ada").SetImpact(3).SetUrgency(3).SetPriority(5).SetDetectedAt(tx.Now).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx).ID
		tx.IncidentCI.Create().SetIncidentID(incident).SetCiID(ci).SetRole(domain.RootRole).SaveX(ctx)
	})
	return incident
}

// scheduled returns a change that takes a CI down and waits for its window.
func (b board) scheduled(t *testing.T, of domain.ChangeType, ci ident.ID) ident.ID {
	t.Helper()
	in := b.ready(of)
	in.Scope = []change.CI{{ci, domain.TakenDownRole}}
	id := b.mustDraft(t, in).ID
	b.mustDo(t, id, way(of, "SCHEDULED")...)
	return id
}

func (b board) outage(id ident.ID) []ident.ID {
	return b.Store.Read.PlannedOutage.Query().Where(plannedoutage.ChangeID(id)).OnlyX(b.olga).Services
}

// refusal returns the only fault of an error, as "CODE field: message".
func refusal(t *testing.T, err error) string {
	t.Helper()
	all, ok := errs.All(err)
	if !ok || len(all) != 1 {
		t.Errorf("got %v, want one refusal", err)
		return ""
	}
	return fmt.Sprintf("%s %s: %s", all[0].Code, strings.Join(all[0].Field, "."), all[0].Message)
}

func TestAStartOutsideOfTheWindowSaysWhy(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		for _, of := range []domain.ChangeType{domain.Standard, domain.Emergency} {
			for name, c := range map[string]struct {
				at        time.Time
				isOutside bool
			}{"before": {night.Add(-time.Second), true}, "at its start": {night, false}, "at its end": {dawn, true}, "long after": {dawn.AddDate(1, 0, 0), true}} {
				id := b.scheduled(t, of, b.Server)
				at := store.At(b.olga, c.at)
				_, err := b.Start(at, change.Start{ID: id})
				if !c.isOutside {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				if said := refusal(t, err); !strings.HasPrefix(said, "TRANSITION_REFUSED outsideWindow: "+change.Number(id)+" is planned from 2030-01-01T22:00:00Z to 2030-01-02T06:00:00Z, and it is ") {
					t.Errorf("%s: %s", name, said)
				}
				_, err = b.Start(at, change.Start{ID: id, OutsideWindow: &domain.Consent{Reason: " "}})
				if got := tickettest.Faults(t, err); got["outsideWindow.reason"] != errs.Required {
					t.Errorf("%s, without a reason: %v", name, err)
				}
				if _, err := b.Start(at, change.Start{ID: id, OutsideWindow: &domain.Consent{Reason: "the vendor is here"}}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if story := b.timeline(id); story[len(story)-1] != "olga SCHEDULED>IMPLEMENT Started outside of its window: the vendor is here" {
					t.Errorf("%s: the timeline says %s", name, story)
				}
			}
		}
	})
}

func TestAStartIsHeldToTheOutageThatWasPlanned(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		at := store.At(b.olga, night)
		for _, of := range []domain.ChangeType{domain.Standard, domain.Normal, domain.Emergency} {
			p := b.pair(t, "pay-"+string(of))
			known, id := b.scheduled(t, of, b.Database), b.scheduled(t, of, p.left)
			if got := b.outage(known); !slices.Equal(got, []ident.ID{b.Shop}) {
				t.Errorf("%s: kept %v, want the shop", of, got)
			}
			if got := b.outage(id); len(got) != 0 {
				t.Errorf("%s: kept %v, and the other one stands", of, got)
			}
			b.fails(t, b.Server) // has nothing to do with it
			if _, err := b.Start(at, change.Start{ID: known}); err != nil {
				t.Errorf("%s: what was known: %v", of, err)
			}
			incident := b.fails(t, p.right)
			_, err := b.Start(at, change.Start{ID: id})
			want := fmt.Sprintf("IMPACT_GREW acceptImpact: %s would take services DOWN that it did not take DOWN when it was scheduled: pay-%s; INC%07d takes part in that: "+
				"wait for its end, or say by acceptImpact why it is accepted", change.Number(id), of, incident.Number())
			if said := refusal(t, err); said != want {
				t.Errorf("got  %s\nwant %s", said, want)
			}
			if now := b.Store.Read.Change.GetX(b.olga, id); now.State != domain.ChangeScheduled {
				t.Errorf("it is %s", now.State)
			}
			_, err = b.Start(b.olga, change.Start{ID: id}) // and outside of its window
			if got := tickettest.Faults(t, err); got["outsideWindow"] != errs.TransitionRefused || got["acceptImpact"] != errs.ImpactGrew {
				t.Errorf("got %v", err)
			}
			c, err := b.Start(at, change.Start{ID: id, AcceptImpact: &domain.Consent{Reason: "it is to be mended"}})
			if err != nil || c.State != domain.ChangeImplement {
				t.Errorf("accepted: %v, %v", c, err)
			}
			if story := b.timeline(id); story[len(story)-1] !=
				"olga SCHEDULED>IMPLEMENT Started though it takes 1 service DOWN that it did not take DOWN when it was scheduled: it is to be mended" {
				t.Errorf("the timeline says %s", story)
			}
		}
	})
}

func TestOfTwoStartsThatTogetherTakeAServiceDownOneIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		at := store.At(b.olga, night)
		for n := range 5 {
			p := b.pair(t, fmt.Sprint("pay-", n))
			ids := []ident.ID{b.scheduled(t, domain.Emergency, p.left), b.scheduled(t, domain.Standard, p.right)}
			failures := make([]error, len(ids))
			var wait sync.WaitGroup
			for i, id := range ids {
				wait.Go(func() { _, failures[i] = b.Start(at, change.Start{ID: id}) })
			}
			wait.Wait()
			if failures[0] != nil {
				slices.Reverse(ids)
				slices.Reverse(failures)
			}
			if failures[0] != nil || !strings.Contains(refusal(t, failures[1]), fmt.Sprintf("scheduled: pay-%d; %s takes part in that", n, change.Number(ids[0]))) {
				t.Fatalf("got %v", failures)
			}
			b.mustDo(t, ids[0], "reviewChange")
			if _, err := b.Start(at, change.Start{ID: ids[1]}); err != nil {
				t.Errorf("once the other has ended: %v", err)
			}
			b.mustDo(t, ids[1], "reviewChange")
		}
	})
}

func TestAServiceThatIsHiddenIsOnlyCounted(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		seen, hidden := b.pair(t, "pay"), b.pair(t, "secret")
		in := b.ready(domain.Emergency)
		in.Scope = []change.CI{{seen.left, domain.TakenDownRole}, {hidden.left, domain.TakenDownRole}}
		id := b.mustDraft(t, in).ID
		b.mustDo(t, id, way(domain.Emergency, "SCHEDULED")...)
		b.write(t, func(ctx context.Context, tx *store.Tx) {
			tx.CI.UpdateOneID(hidden.service).SetVisibility(domain.Owners).ExecX(ctx)
		})
		b.fails(t, seen.right)
		b.fails(t, hidden.right)
		for name, roles := range map[string][]auth.Role{"pay and 1 that you may not see": {auth.Operator, auth.ChangeManager}, "pay and secret": {auth.Admin}} {
			actor := auth.With(t.Context(), auth.Actor{Name: "olga", Roles: roles})
			_, err := b.Start(store.At(actor, night), change.Start{ID: id})
			if said := refusal(t, err); !strings.Contains(said, "scheduled: "+name+"; ") {
				t.Errorf("%v: %s", roles, said)
			}
		}
	})
}

func TestAChangeThatWasScheduledBeforeOutagesWereKeptStartsAsPlanned(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		p := b.pair(t, "pay")
		in := b.ready(domain.Emergency)
		in.Scope = []change.CI{{p.left, domain.TakenDownRole}, {b.Database, domain.TakenDownRole}}
		id := b.mustDraft(t, in).ID
		b.mustDo(t, id, way(domain.Emergency, "AUTHORIZE")...)
		b.write(t, func(ctx context.Context, tx *store.Tx) {
			tx.Change.UpdateOneID(id).SetState(domain.ChangeScheduled).ExecX(ctx)
		})
		incident := b.fails(t, p.right)
		_, err := b.Start(store.At(b.olga, night), change.Start{ID: id})
		if said := refusal(t, err); !strings.Contains(said, "scheduled: pay; ") {
			t.Errorf("got %s", said)
		}
		b.write(t, func(ctx context.Context, tx *store.Tx) {
			tx.Incident.UpdateOneID(incident).SetState(domain.IncidentResolved).ExecX(ctx)
		})
		if _, err := b.Start(store.At(b.olga, night), change.Start{ID: id}); err != nil {
			t.Error(err)
		}
	})
}

func TestAStandardChangeThatIsEditedPlansItsOutageAnew(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.scheduled(t, domain.Standard, b.Server)
		if got := b.outage(id); !slices.Equal(got, []ident.ID{b.Mail}) {
			t.Errorf("kept %v", got)
		}
		if _, err := b.Update(b.olga, change.Update{ID: id, Scope: graphql.OmittableOf([]change.CI{{b.Database, domain.TakenDownRole}})}); err != nil {
			t.Fatal(err)
		}
		if got := b.outage(id); !slices.Equal(got, []ident.ID{b.Shop}) {
			t.Errorf("kept %v", got)
		}
		if _, err := b.Start(store.At(b.olga, night), change.Start{ID: id}); err != nil {
			t.Error(err)
		}
	})
}

func TestAnOutageIsPlannedOnTheGraphThatOperationsLeaveToo(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		// It moves the mail to the database, which it takes down.
		in := b.ready(domain.Emergency)
		id := b.mustDraft(t, in).ID
		dba, kind := b.Database, b.Store.Read.RelationshipType.Query().OnlyX(b.olga).Code
		_, err := b.PlanOperations(admin(t), change.PlanOperations{ID: id, Operations: []change.PlannedOperation{
			{RelateCIs: &change.PlannedRelationship{Type: kind, Source: change.PlannedRecord{ID: &b.Mail}, Target: change.PlannedRecord{ID: &dba}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, id, way(domain.Emergency, "SCHEDULED")...)
		if got := b.outage(id); !slices.Equal(got, []ident.ID{b.Shop, b.Mail}) {
			t.Errorf("kept %v, want the shop and the mail", got)
		}
		if _, err := b.Start(store.At(b.olga, night), change.Start{ID: id}); err != nil {
			t.Error(err)
		}
	})
}

func TestAnUndoTakesNothingDownButWhatItsOperationsDo(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.mustDraft(t, b.ready(domain.Emergency)).ID
		if _, err := b.PlanOperations(admin(t), change.PlanOperations{ID: id, Operations: renaming(b.Server, "rack-8")}); err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, id, way(domain.Emergency, "SCHEDULED")...)
		b.mustDo(t, id, "startChange")
		undo, err := b.DraftUndo(admin(t), change.DraftUndo{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Store.Read.ChangeCI.Query().Where(changeci.ChangeID(undo.ID)).AllX(b.olga) {
			if c.Role != domain.ChangedRole {
				t.Errorf("it takes %s down", c.CiID)
			}
		}
	})
}
