package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

var by = store.By{Actor: "ada", Verb: "test"}

func createClass(ctx context.Context, s *store.Store) (*ent.CIClass, error) {
	return store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (*ent.CIClass, error) {
		return tx.CIClass.Create().SetCode("server").SetLabel("Server").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

func createCI(ctx context.Context, s *store.Store, class ident.ID, name string) (*ent.CI, error) {
	return store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		return tx.CI.Create().SetClassID(class).SetName(name).SetAttributes(map[string]any{"cpuCores": 4}).SetLabels(map[string]string{"a": "b"}).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

func TestAWriteIsOneRevisionWithItsEntriesAndVersions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		class, err := createClass(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		ci, err := createCI(ctx, s, class.ID, "web-1")
		if err != nil {
			t.Fatal(err)
		}
		if ci.ID != ident.New(ident.CI, 1) || class.ID != ident.New(ident.CIClass, 1) {
			t.Fatalf("ids start at 1: got %v and %v", ci.ID, class.ID)
		}
		_, err = store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
			if err := tx.CI.UpdateOne(ci).SetName("web-one").Exec(ctx); err != nil {
				return nil, err
			}
			return tx.CI.UpdateOneID(ci.ID).SetName("web-2").AddVersion(1).Save(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		entries := s.Read.Entry.Query().Where(entry.RecordID(ci.ID)).Order(ent.Asc("id")).AllX(ctx)
		if len(entries) != 2 || entries[0].Operation != domain.Created || entries[1].Operation != domain.Updated {
			t.Fatalf("got %v", entries)
		}
		last := entries[1]
		if last.Revision != 3 || last.Actor != "ada" || last.Before["name"] != "web-1" || last.After["name"] != "web-2" {
			t.Fatalf("got %+v", last)
		}
		versions := s.Read.Version.Query().Where(version.RecordID(ci.ID)).Order(ent.Asc("id")).AllX(ctx)
		if len(versions) != 2 || versions[0].ValidFrom != 2 || versions[0].ValidTo != 3 || versions[1].ValidFrom != 3 || versions[1].ValidTo != store.Forever {
			t.Fatalf("got %v", versions)
		}
	})
}

func TestAMutationOutsideWriteIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := s.Read.Team.Create().SetName("x").Exec(t.Context()); err == nil {
			t.Error("a create outside Write went through")
		}
		_, err := store.Write(t.Context(), s, by, func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.CI.Delete().Exec(ctx)
		})
		if err == nil {
			t.Error("a removal by condition went through: the journal cannot name its records")
		}
	})
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, fail := range []func() error{func() error { return errs.New(errs.Invalid, "no") }, func() error { return errors.New("odd") }} {
			_, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (*ent.CIClass, error) {
				tx.CIClass.Create().SetCode("gone").SetLabel("Gone").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
				return nil, fail()
			})
			if err == nil {
				t.Fatal("the failure was lost")
			}
		}
		func() {
			defer func() { _ = recover() }()
			_, _ = store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (*ent.CIClass, error) {
				tx.CIClass.Create().SetCode("gone").SetLabel("Gone").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
				panic("boom")
			})
		}()
		if _, err := createClass(ctx, s); err != nil {
			t.Fatal(err)
		}
		if n := s.Read.CIClass.Query().CountX(ctx); n != 1 {
			t.Errorf("%d classes, want the last one alone", n)
		}
		if r, err := s.Revision(ctx); err != nil || r != 1 {
			t.Errorf("revision %d, %v; want 1: failed writes take none", r, err)
		}
	})
}

func TestConcurrentWritesGetDenseRevisionsInCommitOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		class, err := createClass(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		const writers, each = 8, 20
		g, ctx := errgroup.WithContext(ctx)
		for w := range writers {
			g.Go(func() error {
				for i := range each {
					if _, err := createCI(ctx, s, class.ID, fmt.Sprintf("ci-%d-%d", w, i)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		entries := s.Read.Entry.Query().Order(ent.Asc("id")).AllX(t.Context())
		if len(entries) != 1+writers*each {
			t.Fatalf("%d entries", len(entries))
		}
		for i, e := range entries {
			if e.Revision != int64(i+1) {
				t.Fatalf("entry %d has revision %d", i, e.Revision)
			}
		}
	})
}

func TestFailuresHaveTheSameCodesOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if _, err := createClass(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if _, err := createClass(t.Context(), s); errs.CodeOf(err) != errs.AlreadyExists {
			t.Errorf("a second class of one code: %v", err)
		}
		if _, err := createCI(t.Context(), s, ident.New(ident.CIClass, 999), "x"); errs.CodeOf(err) != errs.NotFound {
			t.Errorf("a CI of no class: %v", err)
		}
	})
}

func TestMigratingTwiceDoesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if n, err := s.Migrate(t.Context()); n != 0 || err != nil {
			t.Errorf("applied %d, %v", n, err)
		}
	})
}
