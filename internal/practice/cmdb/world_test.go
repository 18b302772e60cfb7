package cmdb_test

import (
	"context"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// world is a seeded database and an admin who writes to it.
type world struct {
	*testing.T
	*cmdb.Practice
	s   *store.Store
	ctx context.Context
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		test(&world{t, cmdb.New(s), s, auth.With(t.Context(), auth.System)})
	})
}

// must gives the value of a verb that has to work.
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

func (w *world) imported(class, name, key string) *ent.CI {
	w.Helper()
	return must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: class, Name: name, ExternalIdentity: &domain.ExternalKey{Source: "test", ExternalID: key}}))
}

func (w *world) relate(kind string, source, target *ent.CI) *ent.Relationship {
	w.Helper()
	return must[*ent.Relationship](w)(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: kind, Source: source.ID, Target: target.ID}))
}

func (w *world) team(name string) *ent.Team {
	w.Helper()
	return must[*ent.Team](w)(write(w, func(ctx context.Context, tx *store.Tx) (*ent.Team, error) {
		return tx.Team.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	}))
}

func (w *world) person(name string) *ent.Person {
	w.Helper()
	return must[*ent.Person](w)(write(w, func(ctx context.Context, tx *store.Tx) (*ent.Person, error) {
		return tx.Person.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	}))
}

func write[T any](w *world, f func(context.Context, *store.Tx) (T, error)) (T, error) {
	return store.Write(w.ctx, w.s, store.By{Actor: "test", Verb: "import.apply"}, f)
}

// apply writes a batch as an importer does.
func (w *world) apply(f func(context.Context, *store.Tx, *cmdb.Reference) error) error {
	_, err := write(w, func(ctx context.Context, tx *store.Tx) (int, error) {
		ref, err := cmdb.LoadReference(ctx, tx)
		if err != nil {
			return 0, err
		}
		return 0, f(ctx, tx, ref)
	})
	return err
}

// refused wants exactly these failures, each written "CODE path.of.field part of the message".
func (w *world) refused(err error, want ...string) {
	w.Helper()
	all, ok := errs.All(err)
	if err == nil || !ok {
		w.Errorf("got %v, want failures %v", err, want)
		return
	}
	if len(all) != len(want) {
		w.Errorf("got %d failures (%v), want %v", len(all), err, want)
		return
	}
	for i, e := range all {
		code, rest, _ := strings.Cut(want[i], " ")
		path, message, _ := strings.Cut(rest, " ")
		if path == "-" {
			path = ""
		}
		if string(e.Code) != code || strings.Join(e.Field, ".") != path || !strings.Contains(e.Message, message) {
			w.Errorf("got %s %s %s\nwant %s", e.Code, strings.Join(e.Field, "."), e.Message, want[i])
		}
	}
}

// revision returns the number of writes so far.
func (w *world) revision() int64 { return must[int64](w)(w.s.Revision(w.ctx)) }

func set[T any](v T) graphql.Omittable[*T] { return graphql.OmittableOf(&v) }

func null[T any]() graphql.Omittable[*T] { return graphql.OmittableOf[*T](nil) }

func object(v map[string]any) graphql.Omittable[map[string]any] { return graphql.OmittableOf(v) }

func pointer[T any](v T) *T { return &v }

func number(k ident.Kind, n int64) ident.ID { return ident.New(k, n) }
