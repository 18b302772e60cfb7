package storetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// TestOnlyAStandbyOfTheSameHistoryIsReadFrom offers the primary itself, a standby of another primary with as many
// revisions, and its own standby, which is promoted at last.
func TestOnlyAStandbyOfTheSameHistoryIsReadFrom(t *testing.T) {
	primary, other := pgtest.Start(t, pgtest.Durable), pgtest.Start(t, pgtest.Durable)
	standby, foreign := primary.Standby(t), other.Standby(t)
	at := primary.Database(t, "", nil)
	elsewhere := other.Database(t, "", nil)
	for _, address := range []string{at, elsewhere} {
		s := second(t, address)
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"A", "B", "C"} {
			write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
				return nil, tx.Team.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
			})
		}
	}
	caughtUp := func(at, near string) {
		t.Helper()
		s, behind := second(t, at), second(t, near)
		want, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		soon(t, "the standby has caught up", func() bool {
			n, err := behind.Revision(t.Context())
			return err == nil && n == want
		})
	}
	caughtUp(at, standby.Same(t, at))
	caughtUp(elsewhere, foreign.Same(t, elsewhere))
	reads := func(near string) (s *store.Store, look func() bool) {
		t.Helper()
		s, err := store.Open(t.Context(), at, store.ReadFrom(near))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s, func() bool {
			p, err := s.Pulse(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.Reached(t.Context(), p, time.Now())
			return s.IsOnStandby()
		}
	}
	for what, near := range map[string]string{"the primary itself": at, "a standby of another primary": foreign.Same(t, at), "nobody": strings.Replace(at, "port=5432", "port=1", 1)} {
		if _, look := reads(near); look() {
			t.Errorf("%s is read from", what)
		}
	}
	s, look := reads(standby.Same(t, at))
	if !look() {
		t.Fatal("its standby is not read from")
	}
	if n, err := s.Show.Team.Query().Count(t.Context()); n != 3 || err != nil {
		t.Errorf("the standby shows %d, %v", n, err)
	}
	standby.Exec(t, "SELECT pg_promote()")
	if look() {
		t.Error("a standby that was promoted is read from")
	}
	if _, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/linchpin.db", store.ReadFrom(at)); err == nil {
		t.Error("a SQLite file has a standby")
	}
}
