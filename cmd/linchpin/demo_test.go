package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// TestADemoThatWasCutOffIsCompleted checks that a start with --demo that is cut off, at any commit but the last, is
// completed by the next one.
func TestADemoThatWasCutOffIsCompleted(t *testing.T) {
	whole, commits := demoState(t, open(t, newFile(t)), 0)
	if commits < 20 {
		t.Fatalf("%d commits only", commits)
	}
	step := 1
	if testing.Short() {
		step = 5
	}
	for cut := 1; cut < commits-1; cut += step {
		t.Run(fmt.Sprintf("after commit %d", cut), func(t *testing.T) {
			t.Parallel()
			database := newFile(t)
			first := open(t, database)
			demoState(t, first, cut)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			got, _ := demoState(t, open(t, database), 0)
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Errorf("(- loaded at once, + loaded in two starts)\n%s", diff)
			}
		})
	}
}

func newFile(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") }

func open(t *testing.T, database string) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), database, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// demoState loads the demo, up to a commit where cut is not 0, and gives the records that are there and how many
// commits it took.
func demoState(t *testing.T, a *app.App, cut int) (state map[string]string, commits int) {
	t.Helper()
	ctx, stop := context.WithCancel(auth.With(t.Context(), auth.System))
	defer stop()
	a.Store.OnCommit(func(context.Context, int64) {
		if commits++; commits == cut {
			stop()
		}
	})
	_, err := demo.Load(ctx, a.Store, a.Change, a.Incident, func(importer.Progress) {})
	if (err == nil) != (cut == 0) {
		t.Fatalf("cut at %d: %v", cut, err)
	}
	read, ctx := a.Store.Read, t.Context()
	state = map[string]string{
		"records": fmt.Sprint(read.CI.Query().CountX(ctx), read.Relationship.Query().CountX(ctx), read.DependencyGroup.Query().CountX(ctx), read.Team.Query().CountX(ctx), read.Person.Query().CountX(ctx)),
	}
	for _, c := range read.Change.Query().AllX(ctx) {
		outcome := "open"
		if c.Outcome != nil {
			outcome = string(*c.Outcome)
		}
		state[c.Title] += fmt.Sprint(c.ID, c.State, outcome)
	}
	for _, i := range read.Incident.Query().AllX(ctx) {
		cause := ""
		if i.CausedByChangeID != nil {
			cause = read.Change.GetX(ctx, *i.CausedByChangeID).Title
		}
		state[i.Title] += fmt.Sprint(i.ID, i.State, i.Priority, cause)
	}
	state["approvals"] = fmt.Sprint(read.Approval.Query().CountX(ctx))
	state["timeline"] = fmt.Sprint(read.TimelineEntry.Query().CountX(ctx))
	return state, commits
}
