package backup_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/backup"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// follow lets another graph follow a database, which knows no past by heart.
func follow(t *testing.T, s *store.Store) *journal.Feed {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	feed, err := journal.Follow(ctx, s, topology.New(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); <-feed.Done() })
	return feed
}

// TestThePastAboveTheFloorIsAsItWas purges most of the journal of an estate with incidents, changes and CIs that went,
// while a graph follows. Each revision that is left has the graph that it had; those before have none.
func TestThePastAboveTheFloorIsAsItWas(t *testing.T) {
	estates(t, func(t *testing.T, a *app.App, address string, _ func() string) {
		seed := make([]byte, 32)
		signer, err := audit.NewSigner(seed)
		if err != nil {
			t.Fatal(err)
		}
		head, err := a.Store.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		floor, following := head*3/4, follow(t, a.Store)
		token := following.Token(t.Context(), floor-1)
		was := map[int64]topology.Digest{}
		for r := floor; r <= head; r++ {
			past, err := following.At(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			was[r] = past.Digest()
		}
		if _, err := following.At(t.Context(), floor-1); err != nil { // which it keeps
			t.Fatal(err)
		}
		moment := a.Store.Read.Entry.Query().Where(entry.Revision(floor - 1)).FirstX(t.Context()).At
		from, err := a.Store.Snapshot(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		var export bytes.Buffer
		_, err = audit.Export(t.Context(), from, floor, &export)
		from.Close()
		if err != nil {
			t.Fatal(err)
		}
		entries := a.Store.Read.Entry.Query().CountX(t.Context())
		p, err := audit.Purge(t.Context(), a.Store, store.By{Actor: "cli:root", Via: domain.ViaCLI}, signer, audit.Keys{}, floor, &export, nil)
		if err != nil {
			t.Fatal(err)
		}
		if left := a.Store.Read.Entry.Query().CountX(t.Context()); left != entries-int(p.Gone)+1 || p.Gone == 0 {
			t.Errorf("%+v: %d of %d entries are left", p, left, entries)
		}
		for what, feed := range map[string]*journal.Feed{"a graph that followed": following, "a graph that began since": follow(t, a.Store)} {
			if feed.Rebuilds() > 0 {
				t.Errorf("%s was built anew", what)
			}
			_, early := feed.At(t.Context(), floor-1) // while a graph that followed may still keep it
			for r, digest := range was {
				if past, err := feed.At(t.Context(), r); err != nil || past.Digest() != digest {
					t.Errorf("%s has another past of revision %d: %v", what, r, err)
				}
			}
			tooOld := map[string]error{"the token": feed.Recognise(t.Context(), token), "the revision": early}
			_, tooOld["the moment"] = feed.RevisionAt(t.Context(), moment.Add(-time.Hour))
			for of, err := range tooOld {
				if errs.CodeOf(err) != errs.TooOld {
					t.Errorf("%s, %s: %v", what, of, err)
				}
			}
			after := token
			after.Revision--
			after.Mark = 0
			told, err := feed.Commits(t.Context(), &after)
			if err != nil {
				t.Fatal(err)
			}
			for first := range told {
				if first.Resync != domain.TooOld {
					t.Errorf("%s tells %q of what was purged", what, first.Resync)
				}
				break
			}
		}
		r, err := backup.Verify(t.Context(), address, nil)
		if err != nil || len(r.Faults) > 0 {
			t.Errorf("%v: %v", err, r.Faults)
		}
		kept := a.Store.Read.Entry.Query().Where(entry.RevisionLT(floor)).FirstX(t.Context())
		if err := a.Store.DropEntries(t.Context(), []int64{int64(kept.ID)}); err != nil {
			t.Fatal(err)
		}
		if r, err = backup.Verify(t.Context(), address, nil); err != nil || !slices.ContainsFunc(r.Faults, func(string) bool { return true }) {
			t.Errorf("an entry less that was kept is not seen: %v", err)
		}
	})
}
