package consent_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/consent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// world is a guarded database.
type world struct {
	*testing.T
	*cmdb.Practice
	s   *store.Store
	g   *topology.Graph
	ctx context.Context
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		w := &world{t, cmdb.New(s), s, topology.New(), auth.With(t.Context(), auth.System)}
		w.follow(t.Context())
		test(w)
	})
}

// follow lets a server's graph follow the database, and guards its writes.
func (w *world) follow(ctx context.Context) *journal.Feed {
	w.Helper()
	feed, err := journal.Follow(ctx, w.s, w.g, slog.New(slog.DiscardHandler))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { <-feed.Done() })
	consent.Guard(w.s, feed)
	return feed
}

func must[T any](w *world) func(T, error) T {
	return func(v T, err error) T {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return v
	}
}

func (w *world) ci(class, name string) *ent.CI {
	w.Helper()
	return must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: class, Name: name}))
}

func (w *world) needs(source, target *ent.CI) *ent.Relationship {
	w.Helper()
	return must[*ent.Relationship](w)(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends_on", Source: source.ID, Target: target.ID}))
}

// either makes a CI that needs any of some.
func (w *world) either(name string, of ...*ent.CI) *ent.CI {
	w.Helper()
	shop := w.ci("application_service", name)
	var members []cmdb.GroupMember
	for _, c := range of {
		members = append(members, cmdb.GroupMember{Relationship: w.needs(shop, c).ID})
	}
	must[*ent.DependencyGroup](w)(w.CreateDependencyGroup(w.ctx, cmdb.CreateDependencyGroup{CI: shop.ID, Name: "either", Mode: domain.Any, Members: members}))
	return shop
}

func (w *world) retire(ctx context.Context, c *ent.CI) error {
	_, err := w.RetireCI(ctx, cmdb.RetireCI{ID: c.ID})
	return err
}

func TestOfTwoRetirementsAtOnceOneIsRefused(t *testing.T) {
	each(t, func(w *world) {
		for round := range 5 {
			a, b := w.ci("server", fmt.Sprint("a", round)), w.ci("server", fmt.Sprint("b", round))
			w.either(fmt.Sprint("shop", round), a, b)
			var wg sync.WaitGroup
			failed := make([]error, 2)
			for i, c := range []*ent.CI{a, b} {
				wg.Go(func() { failed[i] = w.retire(w.ctx, c) })
			}
			wg.Wait()
			codes := []string{string(errs.CodeOf(failed[0])), string(errs.CodeOf(failed[1]))}
			slices.Sort(codes)
			if !slices.Equal(codes, []string{"", string(errs.Consequences)}) {
				w.Fatalf("both ended as %q", codes)
			}
		}
	})
}

// lagging makes the graph follow nothing more from now on.
func (w *world) lagging() {
	ctx, stop := context.WithCancel(w.ctx)
	w.g = topology.New()
	feed := w.follow(ctx)
	stop()
	<-feed.Done()
}

func TestAServerThatIsBehindJudgesWhatIsThere(t *testing.T) {
	each(t, func(w *world) {
		a, b, c := w.ci("server", "a"), w.ci("server", "b"), w.ci("server", "c")
		w.lagging()
		w.either("shop", a, b)
		w.either("web", b, c)
		if err := w.retire(w.ctx, a); err != nil {
			w.Fatal(err)
		}
		if err := w.retire(w.ctx, b); errs.CodeOf(err) != errs.Consequences || !strings.Contains(err.Error(), "shop (ci_4)") || strings.Contains(err.Error(), "web") {
			w.Fatalf("got %v", err)
		}
		incidents := incident.New(w.s, w.g)
		opened := must[*ent.Incident](w)(incidents.Open(w.ctx, incident.Open{Title: "b is dead", CIs: []incident.CI{{ID: b.ID, Role: domain.RootRole}}}))
		if err := w.retire(w.ctx, c); errs.CodeOf(err) != errs.FallsNow || !strings.Contains(err.Error(), "web (ci_5)") {
			w.Fatalf("got %v", err)
		}
		must[*incident.Resolved](w)(incidents.Resolve(w.ctx, incident.Resolve{ID: opened.ID, Code: domain.Fixed, Notes: "restarted"}))
		if err := w.retire(w.ctx, c); err != nil {
			w.Fatalf("the incident is over: %v", err)
		}
		if r := w.g.Snapshot().Revision(); r >= must[int64](w)(w.s.Revision(w.ctx)) {
			w.Errorf("the graph is at revision %d: that shows nothing", r)
		}
	})
}

func TestARefusalCountsWhatIsHiddenAndNamesTheRest(t *testing.T) {
	each(t, func(w *world) {
		db := w.ci("database", "db")
		seen, hidden := w.ci("application", "seen"), w.ci("application", "secret")
		owners := domain.Owners
		must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: hidden.ID, FieldsInput: cmdb.FieldsInput{Visibility: graphql.OmittableOf(&owners)}}))
		w.needs(seen, db)
		w.needs(hidden, db)
		manager := auth.With(w.ctx, auth.Actor{Name: "mia", Roles: []auth.Role{auth.ChangeManager}})
		_, err := store.Write(manager, w.s, store.By{Actor: "mia", Verb: "change.start"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			_, err := cmdb.RetireByPerson(ctx, tx, cmdb.RetireCI{ID: db.ID})
			return 0, err
		})
		all, _ := errs.All(err)
		if len(all) != 1 || all[0].Code != errs.Consequences || !strings.Contains(all[0].Message, "take 2 CIs DOWN though nothing failed: seen ("+seen.ID.String()+"), 1 that you may not see:") ||
			!slices.Equal(all[0].Records, []int64{int64(seen.ID)}) || strings.Contains(all[0].Message, "secret") {
			w.Errorf("got %+v", all)
		}
	})
}

func TestAcceptedConsequencesAreRememberedOnceWhereTheyBegin(t *testing.T) {
	each(t, func(w *world) {
		db, app, shop := w.ci("database", "db"), w.ci("application", "app"), w.ci("application_service", "shop")
		w.needs(app, db)
		w.needs(shop, app)
		must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: db.ID, AcceptConsequences: &domain.Consent{Reason: " it is no more "}}))
		kept := w.s.Read.Consequence.Query().AllX(w.ctx)
		if len(kept) != 1 || kept[0].CiID != app.ID || kept[0].Reason != "it is no more" || kept[0].IsNow || kept[0].Revision != must[int64](w)(w.s.Revision(w.ctx)) {
			w.Errorf("kept %+v", kept)
		}
		// Consent that nothing needs leaves nothing.
		must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: shop.ID, AcceptConsequences: &domain.Consent{Reason: "nobody buys"}}))
		if n := w.s.Read.Consequence.Query().CountX(w.ctx); n != 1 {
			w.Errorf("%d kept", n)
		}
	})
}

func TestARefusalUnderAKeyIsToldAgain(t *testing.T) {
	each(t, func(w *world) {
		db, app := w.ci("database", "db"), w.ci("application", "app")
		w.needs(app, db)
		var told []string
		for range 2 {
			ctx := store.Once(w.ctx, store.Key{Actor: "ada", Name: "k"}, "retireCI")
			err := w.retire(ctx, db)
			all, _ := errs.All(err)
			if len(all) != 1 || len(all[0].Records) != 1 {
				w.Fatalf("got %v", err)
			}
			told = append(told, fmt.Sprint(all[0]))
		}
		if told[0] != told[1] {
			w.Errorf("got %q", told)
		}
	})
}

func TestWritesThatBreakNothingLockNobodyOut(t *testing.T) {
	each(t, func(w *world) {
		if !w.s.IsPostgres() {
			return // one transaction writes at a time
		}
		c := w.ci("server", "a")
		held, release := make(chan struct{}), make(chan struct{})
		go func() {
			_, _ = store.Write(w.ctx, w.s, store.By{Actor: "test", Verb: "import.apply"}, func(ctx context.Context, tx *store.Tx) (int, error) {
				defer func() { close(held); <-release }()
				_, err := tx.LockHead(ctx)
				return 0, err
			})
		}()
		<-held
		done := make(chan struct{})
		go func() {
			_, _ = store.Write(w.ctx, w.s, store.By{Actor: "test", Verb: "import.apply"}, func(ctx context.Context, tx *store.Tx) (int, error) {
				if err := tx.CI.UpdateOneID(c.ID).SetDescription("text").Exec(ctx); err != nil {
					return 0, err
				}
				err := tx.Judge(ctx)
				close(done)
				return 0, err
			})
		}()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			w.Error("a text waits for the head")
		}
		close(release)
	})
}

// TestEachVerbIsJudged lets each verb that can break a need break one, and expects that it is refused.
func TestEachVerbIsJudged(t *testing.T) {
	each(t, func(w *world) {
		live, all, hard, both := domain.Live, domain.All, domain.Hard, domain.TargetToSource
		gone := w.ci("server", "gone")
		must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: gone.ID}))
		a, b, alone := w.ci("server", "a"), w.ci("server", "b"), w.ci("server", "alone")
		w.needs(alone, w.ci("server", "below"))
		shop := w.either("shop", a, b)
		group := w.s.Read.DependencyGroup.Query().OnlyX(w.ctx)
		members := w.s.Read.Relationship.Query().AllX(w.ctx)
		toB := members[len(members)-1]
		planned := must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "application", Name: "planned", Fields: cmdb.Fields{Lifecycle: &[]domain.Lifecycle{domain.Planned}[0]}}))
		w.needs(planned, gone)
		soft := must[*ent.Relationship](w)(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends_on", Source: alone.ID, Target: gone.ID, Strength: &[]domain.Strength{domain.Soft}[0]}))
		must[*ent.Relationship](w)(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "part_of", Source: alone.ID, Target: w.retiredSystem().ID}))
		must[*ent.Relationship](w)(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "sends_data_to", Source: gone.ID, Target: alone.ID}))
		must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: a.ID}))
		for verb, write := range map[string]func() error{
			"retireCI":             func() error { return w.retire(w.ctx, b) },
			"retireCI of a single": func() error { return w.retire(w.ctx, w.named("below")) },
			"updateCI": func() error {
				return second(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: planned.ID, FieldsInput: cmdb.FieldsInput{Lifecycle: graphql.OmittableOf(&live)}}))
			},
			"relateCIs": func() error {
				return second(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends_on", Source: shop.ID, Target: gone.ID}))
			},
			"updateRelationship": func() error {
				return second(w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: soft.ID, Strength: graphql.OmittableOf(&hard)}))
			},
			"updateDependencyGroup": func() error {
				return second(w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: group.ID, Mode: graphql.OmittableOf(&all)}))
			},
			"deleteDependencyGroup": func() error { return second(w.DeleteDependencyGroup(w.ctx, cmdb.DeleteDependencyGroup{ID: group.ID})) },
			"unrelateCIs":           func() error { return second(w.UnrelateCIs(w.ctx, cmdb.UnrelateCIs{ID: toB.ID})) },
			"updateRelationshipType, its way": func() error {
				return second(w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "part_of", ImpactDirection: graphql.OmittableOf(&both)}))
			},
			"updateRelationshipType, its strength": func() error {
				return second(w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "sends_data_to", Strength: graphql.OmittableOf(&hard)}))
			},
		} {
			before := must[int64](w)(w.s.Revision(w.ctx))
			if err := write(); errs.CodeOf(err) != errs.Consequences {
				w.Errorf("%s is not refused: %v", verb, err)
			}
			if after := must[int64](w)(w.s.Revision(w.ctx)); after != before {
				w.Errorf("%s was written", verb)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// retiredSystem makes a system that is retired.
func (w *world) retiredSystem() *ent.CI {
	system := w.ci("system", "system")
	return must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: system.ID}))
}

func (w *world) named(name string) *ent.CI {
	return w.s.Read.CI.Query().Where(ci.Name(name)).OnlyX(w.ctx)
}

func TestAWholeRevisionIsJudged(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.ci("server", "a"), w.ci("server", "b")
		w.either("shop", a, b)
		group := w.s.Read.DependencyGroup.Query().OnlyX(w.ctx)
		both := func(threshold int) error {
			_, err := store.Write(w.ctx, w.s, store.By{Actor: "mia", Verb: "change.start"}, func(ctx context.Context, tx *store.Tx) (int, error) {
				for _, c := range []*ent.CI{a, b} { // neither would be refused alone
					if _, err := cmdb.RetireByPerson(ctx, tx, cmdb.RetireCI{ID: c.ID}); err != nil {
						return 0, err
					}
				}
				members := group.Members
				if threshold > 0 { // what takes their place comes last
					c := w.ciIn(ctx, tx, "c")
					rel, err := tx.Relationship.Create().SetTypeID(w.s.Read.Relationship.Query().FirstX(ctx).TypeID).SetSourceID(group.CiID).SetTargetID(c.ID).
						SetAttributes(map[string]any{}).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
					if err != nil {
						return 0, err
					}
					members = append(members, domain.GroupMember{Relationship: rel.ID, Weight: 1})
				}
				return 0, tx.DependencyGroup.UpdateOne(group).SetMembers(members).Exec(ctx)
			})
			return err
		}
		if err := both(0); errs.CodeOf(err) != errs.Consequences {
			w.Errorf("both go: %v", err)
		}
		if err := both(1); err != nil {
			w.Errorf("with what takes their place: %v", err)
		}
	})
}

// ciIn makes a CI in a transaction.
func (w *world) ciIn(ctx context.Context, tx *store.Tx, name string) *ent.CI {
	like := tx.CI.Query().Where(ci.Name("a")).OnlyX(ctx)
	return tx.CI.Create().SetClassID(like.ClassID).SetName(name).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
}

func TestNothingLowersAThresholdButAnEditOfTheGroup(t *testing.T) {
	each(t, func(w *world) {
		a, b, c, d := w.ci("server", "a"), w.ci("server", "b"), w.ci("server", "c"), w.ci("server", "d")
		w.either("shop", a, b, c, d)
		atLeast, two := domain.AtLeast, 2
		group := must[*ent.DependencyGroup](w)(w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{
			ID: w.s.Read.DependencyGroup.Query().OnlyX(w.ctx).ID, Mode: graphql.OmittableOf(&atLeast), Threshold: graphql.OmittableOf(&two),
		}))
		reason := &domain.Consent{Reason: "so be it"}
		stands := func(after string) {
			w.Helper()
			is := w.s.Read.DependencyGroup.GetX(w.ctx, group.ID)
			if is.Mode != domain.AtLeast || is.Threshold != 2 {
				w.Errorf("after %s the group is %+v", after, is)
			}
		}
		must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: a.ID}))
		stands("a retirement")
		for _, m := range group.Members[1:3] {
			if err := second(w.UnrelateCIs(w.ctx, cmdb.UnrelateCIs{ID: m.Relationship, AcceptConsequences: reason})); err != nil {
				w.Fatal(err)
			}
			stands("a member has gone")
		}
		name := "renamed"
		must[*ent.DependencyGroup](w)(w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: group.ID, Name: graphql.OmittableOf(&name)}))
		stands("a new name")
		must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: d.ID, AcceptConsequences: reason}))
		stands("all members are retired")
	})
}
