// Package tickettest is a small estate for tests of incidents and changes: a shop that needs a database, with the
// graph that follows it.
package tickettest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Estate is what was seeded. Shop is a service of tier rank 1 that needs Database; Mail is a service of no tier that
// needs Server; Attic is retired.
type Estate struct {
	Store                               *store.Store
	Graph                               *topology.Graph
	Database, Server, Attic, Shop, Mail ident.ID
	Ada, Bob, Operations, Development   ident.ID
}

// As makes a context in which an actor of some name may do everything.
func As(t testing.TB, name string) context.Context {
	t.Helper()
	return auth.With(t.Context(), auth.Dev(name, auth.Operator, auth.ChangeManager))
}

// Seed writes the estate.
func Seed(t testing.TB, s *store.Store) *Estate {
	t.Helper()
	e := &Estate{Store: s, Graph: topology.New()}
	_, err := store.Write(t.Context(), s, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
		class := tx.CIClass.Create().SetCode("thing").SetLabel("Thing").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		tier := tx.ServiceTier.Create().SetCode("gold").SetName("Gold").SetRank(1).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		ci := func(name string, adjust func(*ent.CICreate)) ident.ID {
			c := tx.CI.Create().SetClassID(class.ID).SetName(name).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
			adjust(c)
			return c.SaveX(ctx).ID
		}
		plain := func(*ent.CICreate) {}
		e.Database, e.Server = ci("orders-db", plain), ci("rack-7", plain)
		e.Attic = ci("old-tape", func(c *ent.CICreate) { c.SetLifecycle(domain.Retired) })
		e.Shop = ci("shop", func(c *ent.CICreate) { c.SetServiceKind(domain.ApplicationService).SetTierID(tier.ID) })
		e.Mail = ci("mail", func(c *ent.CICreate) { c.SetServiceKind(domain.TechnicalService) })
		kind := tx.RelationshipType.Create().SetCode("needs").SetForwardLabel("needs").SetReverseLabel("is needed by").SetImpactDirection(domain.TargetToSource).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		for _, need := range [][2]ident.ID{{e.Shop, e.Database}, {e.Mail, e.Server}} {
			tx.Relationship.Create().SetTypeID(kind.ID).SetSourceID(need[0]).SetTargetID(need[1]).SetAttributes(map[string]any{}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		}
		person := func(name string) ident.ID {
			return tx.Person.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx).ID
		}
		team := func(name string) ident.ID {
			return tx.Team.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx).ID
		}
		e.Ada, e.Bob, e.Operations, e.Development = person("Ada"), person("Bob"), team("Operations"), team("Development")
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	feed, err := journal.Follow(ctx, s, e.Graph, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); <-feed.Done() })
	return e
}

// Retire retires a CI.
func (e *Estate) Retire(t testing.TB, id ident.ID) {
	t.Helper()
	_, err := store.Write(t.Context(), e.Store, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
		return 0, tx.CI.UpdateOneID(id).SetLifecycle(domain.Retired).Exec(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Faults maps the path of each fault in err to its code; a fault without a path is under "".
func Faults(t testing.TB, err error) map[string]errs.Code {
	t.Helper()
	all, ok := errs.All(err)
	if err != nil && !ok {
		t.Fatalf("not in the vocabulary: %v", err)
	}
	faults := map[string]errs.Code{}
	for _, e := range all {
		path := ""
		for i, step := range e.Field {
			if i > 0 {
				path += "."
			}
			path += step
		}
		faults[path] = e.Code
	}
	return faults
}
