package importer_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// rowsOf returns n rows of servers, of which each needs the one before it.
func rowsOf(from, to int) []importer.CI {
	var all []importer.CI
	for i := from; i < to; i++ {
		c := importer.CI{ExternalID: fmt.Sprint("s", i), Name: fmt.Sprint("server ", i), Class: "server"}
		if i > from {
			c.Relationships = []importer.Relationship{{Type: "depends_on", Target: fmt.Sprint("s", i-1)}}
		}
		all = append(all, c)
	}
	return all
}

func runOf(t testing.TB, s *store.Store, id int64) *importer.Run {
	t.Helper()
	run, err := importer.ReadRun(t.Context(), s, id)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestAPlanThatIsKeptIsAppliedToWhatThereIsByThen(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx := store.At(admin(t), start.Add(time.Second))
		readAt(t, s, start, named("src", rowsOf(0, 3)...), importer.Options{})
		changed := rowsOf(0, 5)
		for i := range changed {
			changed[i].Description = "as planned"
		}
		plan, err := importer.NewPlan(ctx, s, named("src", changed...), importer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		before := revision(t, s)
		id, err := plan.Keep(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		run := runOf(t, s, id)
		if revision(t, s) != before || run.State != domain.RunPlanned || run.FinishedAt != nil || run.Planned[importer.KindCI][importer.Create] != 2 {
			t.Fatalf("kept, it is %+v", run)
		}
		steps, _, err := importer.ReadRunSteps(t.Context(), s, id, 0, 100, importer.Create)
		if err != nil || len(steps) != 4 {
			t.Fatal(steps, err)
		}
		// Meanwhile a person sets what it wants to write, and another run brings one of its records.
		if _, err := cmdb.New(s).LockField(ctx, cmdb.LockField{ID: record(t, s, "src", "s0"), Field: "description"}); err != nil {
			t.Fatal(err)
		}
		readAt(t, s, start.Add(time.Minute), named("src", changed[3]), importer.Options{})
		_, result, err := importer.ApplyRun(ctx, s, id, nil)
		if err != nil || len(result.Conflicts) > 0 {
			t.Fatal(result, err)
		}
		// One update less, one step more of what would be overwritten; one CI no more created; its edge healed or made.
		if result.Otherwise < 3 || result.Written[importer.KindCI][importer.Create] != 1 || result.Written[importer.KindCI][importer.Update] != 2 {
			t.Errorf("%d steps are others; written were %v", result.Otherwise, result.Written)
		}
		if run := runOf(t, s, id); run.State != domain.RunApplied || run.Otherwise != result.Otherwise {
			t.Errorf("applied, it is %+v", run)
		}
		if got := s.Read.CI.GetX(t.Context(), record(t, s, "src", "s0")); got.Description != "" {
			t.Errorf("a locked field was written: %q", got.Description)
		}
		again, result := readAt(t, s, start.Add(2*time.Minute), named("src", changed...), importer.Options{})
		if result.Batches != 0 {
			t.Errorf("the next run writes %v", again.Summary)
		}
		if _, _, err := importer.ApplyRun(ctx, s, id, nil); errs.CodeOf(err) != errs.TransitionRefused {
			t.Errorf("applied again: %v", err)
		}
	})
}

func TestARefusedRunPassesOnceAPersonApprovesIt(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		ctx := store.At(admin(t), start.Add(90*time.Minute))
		readAt(t, s, start, named("src", rowsOf(0, 40)...), full)
		_, result := readAt(t, s, start.Add(time.Hour), named("src", rowsOf(0, 20)...), full)
		if result.Refused == "" || result.Batches > 0 {
			t.Fatal("20 of 40 are gone, and it was not refused")
		}
		id := result.Run
		if _, _, err := importer.ApplyRun(ctx, s, id, nil); errs.CodeOf(err) != errs.TransitionRefused {
			t.Errorf("without approval: %v", err)
		}
		integrator := auth.With(t.Context(), auth.Actor{Name: "bot", IsService: true, Via: domain.ViaToken, Roles: []auth.Role{auth.Admin}})
		if err := importer.ApproveRun(integrator, s, id, 20); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("a program approves: %v", err)
		}
		if err := importer.ApproveRun(ctx, s, id, 0); errs.CodeOf(err) != errs.Invalid {
			t.Errorf("none: %v", err)
		}
		if err := importer.ApproveRun(ctx, s, id, 19); err != nil {
			t.Fatal(err)
		}
		if _, result, err := importer.ApplyRun(ctx, s, id, nil); err != nil || result.Refused == "" {
			t.Fatalf("one more is gone than was approved: %v, %v", result, err)
		}
		if err := importer.ApproveRun(ctx, s, id, 20); err != nil {
			t.Fatal(err)
		}
		if _, result, err := importer.ApplyRun(ctx, s, id, nil); err != nil || result.Refused != "" {
			t.Fatal(result, err)
		}
		run := runOf(t, s, id)
		if run.State != domain.RunApplied || run.ApprovedBy == "" || run.RetireUpTo != 20 {
			t.Errorf("%+v", run)
		}
		scopes, err := importer.ReadScopes(t.Context(), s, nil)
		if err != nil || len(scopes) != 1 || scopes[0].Missing != 20 {
			t.Errorf("%+v, %v", scopes[0], err)
		}
		// The approval let one run pass, and no other.
		if _, result := readAt(t, s, start.Add(2*time.Hour), named("src", rowsOf(0, 2)...), full); result.Refused == "" {
			t.Error("the next run passes, too")
		}
	})
}

func TestADiscardedRunIsNotApplied(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		plan, err := importer.NewPlan(admin(t), s, named("src", rowsOf(0, 2)...), importer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		id, err := plan.Keep(admin(t), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := importer.DiscardRun(admin(t), s, id); err != nil {
			t.Fatal(err)
		}
		for says, err := range map[string]error{
			"applied": func() error { _, _, err := importer.ApplyRun(admin(t), s, id, nil); return err }(), "discarded": importer.DiscardRun(admin(t), s, id), "approved": importer.ApproveRun(admin(t), s, id, 1),
		} {
			if errs.CodeOf(err) != errs.TransitionRefused {
				t.Errorf("%s: %v", says, err)
			}
		}
		if err := importer.DiscardRun(admin(t), s, id+1); errs.CodeOf(err) != errs.NotFound {
			t.Errorf("what does not exist: %v", err)
		}
	})
}

func TestARunThatNobodyIsAtWorkOnHasFailedAndTheNextOneDoesTheRest(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		// It is as a server leaves it that is killed between two batches.
		if _, err := s.Writer().ExecContext(t.Context(), `INSERT INTO x_run (source, scope, kind, state, started_at, is_complete, actor, alive_until) VALUES ('src', '', 'FULL', 'APPLYING', $1, true, 'killed', $2)`,
			start, start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		at := func(d time.Duration) context.Context { return store.At(admin(t), start.Add(d)) }
		runs, err := importer.ReadRuns(at(30*time.Second), s, importer.RunQuery{})
		if err != nil || runs[0].State != domain.RunApplying {
			t.Fatal(runs[0], err)
		}
		runs, err = importer.ReadRuns(at(2*time.Minute), s, importer.RunQuery{})
		if err != nil || runs[0].State != domain.RunFailed || !strings.Contains(runs[0].Reason, "halfway") {
			t.Fatal(runs[0], err)
		}
		plan, err := importer.NewPlan(at(2*time.Minute), s, named("src", rowsOf(0, 3)...), full)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Apply(at(2*time.Minute), s, nil); err != nil {
			t.Fatal(err)
		}
		runs, err = importer.ReadRuns(at(2*time.Minute), s, importer.RunQuery{})
		if err != nil || len(runs) != 2 || runs[0].State != domain.RunApplied || runs[1].State != domain.RunFailed || runs[1].FinishedAt == nil {
			t.Fatal(runs, err)
		}
	})
}

// opened opens a database as a server does.
func opened(t testing.TB, address string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := cmdb.Seed(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// stuck is a progress that stops a run after its first batch until it is let go.
type stuck struct {
	once    sync.Once
	reached chan struct{}
	let     chan struct{}
}

func (w *stuck) progress(p importer.Progress) {
	if p.Phase == importer.Applying {
		w.once.Do(func() { close(w.reached); <-w.let })
	}
}

func TestOfTwoRunsOfAScopeOnTwoServersTheSecondWaits(t *testing.T) {
	for name, address := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "shared.db") }, "postgres": storetest.PostgresAddress,
	} {
		t.Run(name, func(t *testing.T) {
			at := address(t)
			one, two := opened(t, at), opened(t, at)
			first, err := importer.NewPlan(admin(t), one, named("src", rowsOf(0, 5)...), full)
			if err != nil {
				t.Fatal(err)
			}
			second, err := importer.NewPlan(admin(t), two, named("src", rowsOf(0, 5)...), full)
			if err != nil {
				t.Fatal(err)
			}
			w := &stuck{reached: make(chan struct{}), let: make(chan struct{})}
			ended := make(chan error, 2)
			go func() {
				_, err := first.Apply(admin(t), one, w.progress)
				ended <- err
			}()
			select {
			case <-w.reached:
			case err := <-ended:
				t.Fatal("the first run did not come to its first batch: ", err)
			}
			// Another scope does not wait.
			readAt(t, two, start, named("src", importer.CI{ExternalID: "x", Name: "x", Class: "server"}), importer.Options{Scope: "other"})
			hasty, stop := context.WithTimeout(admin(t), 300*time.Millisecond)
			defer stop()
			if _, err := second.Apply(hasty, two, nil); errs.CodeOf(err) != errs.Timeout {
				t.Errorf("the second run of the scope does not wait: %v", err)
			}
			go func() {
				_, err := second.Apply(admin(t), two, nil)
				ended <- err
			}()
			close(w.let)
			if err := errors.Join(<-ended, <-ended); err != nil {
				t.Error(err)
			}
			if n := two.Read.CI.Query().CountX(t.Context()); n != 6 {
				t.Errorf("there are %d CIs", n)
			}
		})
	}
}

func TestARunThatWasGivenUpWritesNothingAnyMore(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		set(t, s, source.Set{Code: "src", Priority: new(100)})
		plan, err := importer.NewPlan(admin(t), s, named("src", rowsOf(0, 5)...), full)
		if err != nil {
			t.Fatal(err)
		}
		_, err = plan.Apply(admin(t), s, func(p importer.Progress) {
			if p.Phase == importer.Applying && p.Done == 5 { // the CIs are there, and others take it for dead
				if _, err := s.Writer().ExecContext(t.Context(), "UPDATE x_run SET state = 'FAILED'"); err != nil {
					t.Error(err)
				}
			}
		})
		if errs.CodeOf(err) != errs.Stale {
			t.Fatalf("it goes on: %v", err)
		}
		if n := s.Read.Relationship.Query().CountX(t.Context()); n != 0 {
			t.Errorf("it has written %d relationships", n)
		}
		readAt(t, s, start, named("src", rowsOf(0, 5)...), full)
		if cis, edges := s.Read.CI.Query().CountX(t.Context()), s.Read.Relationship.Query().CountX(t.Context()); cis != 5 || edges != 4 {
			t.Errorf("after the next run there are %d CIs with %d relationships", cis, edges)
		}
	})
}
