// Package tickettest is a small estate for tests of incidents and changes: a shop that needs a database, with the
// graph that follows it.
package tickettest

import (
	"context"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
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
	return auth.With(t.Context(), auth.Actor{Name: name, Roles: []auth.Role{auth.Operator, auth.ChangeManager}})
}

// Seed writes the estate.
func Seed(t testing.TB, s *store.Store) *Estate {
	t.Helper()
	e := &Estate{Store: s, Graph: topology.New()}
	_, err := store.Write(t.Context(), s, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
		class := tx.CIClass.Create().SetCode("thing").SetLabel("Thing").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		tier := tx.ServiceTier.Create().SetCode("gold").SetName("Gold").SetRank(1).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
		var facts topology.Batch
		ci := func(name string, adjust func(*ent.CICreate, *topology.CI)) ident.ID {
			c := tx.CI.Create().SetClassID(class.ID).SetName(name).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
			var fact topology.CI
			adjust(c, &fact)
			fact.ID, fact.Class = c.SaveX(ctx).ID, class.ID
			facts.CIs = append(facts.CIs, fact)
			return fact.ID
		}
		plain := func(*ent.CICreate, *topology.CI) {}
		e.Database, e.Server = ci("orders-db", plain), ci("rack-7", plain)
		e.Attic = ci("old-tape", func(c *ent.CICreate, f *topology.CI) { c.SetLifecycle(domain.Retired); f.IsRetired = true })
		e.Shop = ci("shop", func(c *ent.CICreate, f *topology.CI) {
			c.SetServiceKind(domain.ApplicationService).SetTierID(tier.ID)
			f.IsService, f.Tier = true, tier.ID
		})
		e.Mail = ci("mail", func(c *ent.CICreate, f *topology.CI) {
			c.SetServiceKind(domain.TechnicalService)
			f.IsService = true
		})
		kind := ident.New(ident.RelationshipType, 1)
		facts.Types = []topology.Type{{ID: kind, Flow: topology.TargetToSource, Strength: topology.Hard}}
		facts.Relationships = []topology.Relationship{
			{ID: ident.New(ident.Relationship, 1), Type: kind, Source: e.Shop, Target: e.Database},
			{ID: ident.New(ident.Relationship, 2), Type: kind, Source: e.Mail, Target: e.Server},
		}
		facts.Revision = 1
		person := func(name string) ident.ID {
			return tx.Person.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx).ID
		}
		team := func(name string) ident.ID {
			return tx.Team.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx).ID
		}
		e.Ada, e.Bob, e.Operations, e.Development = person("Ada"), person("Bob"), team("Operations"), team("Development")
		return 0, e.Graph.Load(facts)
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Retire retires a CI in the database; the graph does not hear of it.
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
