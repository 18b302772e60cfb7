package cmdb_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestABatchOf500RowsCostsFewStatements(t *testing.T) {
	each(t, func(w *world) {
		const n = 500
		team := w.team("ops")
		var made []*ent.CI
		queries := 0
		batch := func() ([]*ent.CI, error) {
			return write(w, func(ctx context.Context, tx *store.Tx) ([]*ent.CI, error) {
				tx.Client().Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
					return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
						queries++
						return next.Query(ctx, q)
					})
				}))
				ref, err := cmdb.LoadReference(ctx, tx)
				if err != nil {
					return nil, err
				}
				rows := make([]cmdb.NewCI, n)
				for i := range rows {
					rows[i] = cmdb.NewCI{Class: "server", Fields: cmdb.Fields{Name: new(fmt.Sprint("s", i))}, Attributes: map[string]any{"serialNumber": fmt.Sprint(i), "vendor": "acme"}}
				}
				cis, err := cmdb.CreateCIsTx(ctx, tx, ref, rows)
				if err != nil {
					return nil, err
				}
				keys := make([]cmdb.NewIdentity, n)
				rels := make([]cmdb.NewRelationship, n)
				owners := make([]cmdb.OwnerSet, n)
				for i, ci := range cis {
					keys[i] = cmdb.NewIdentity{Record: ci.ID, Key: key(fmt.Sprint(i))}
					rels[i] = cmdb.NewRelationship{Type: "depends_on", Source: ci.ID, Target: cis[(i+1)%n].ID, ReportedBy: "test"}
					owners[i] = cmdb.OwnerSet{CI: ci.ID, Owners: []cmdb.NewOwner{{Of: team.ID}}}
				}
				if err := cmdb.AddIdentitiesTx(ctx, tx, ref, keys); err != nil {
					return nil, err
				}
				related, err := cmdb.RelateTx(ctx, tx, ref, rels)
				if err != nil {
					return nil, err
				}
				if err := cmdb.SetOwnersTx(ctx, tx, owners); err != nil {
					return nil, err
				}
				groups := make([]cmdb.NewGroup, n)
				for i, rel := range related {
					groups[i] = cmdb.NewGroup{CI: rel.SourceID, Name: "all", Mode: domain.All, Members: []domain.GroupMember{{Relationship: rel.ID}}}
				}
				_, err = cmdb.CreateGroupsTx(ctx, tx, ref, groups)
				return cis, err
			})
		}
		made = must[[]*ent.CI](w)(batch())
		if queries < 10 || queries > 40 {
			w.Errorf("%d queries for %d CIs with identities, relationships and groups", queries, n)
		}
		if got := w.s.Read.CI.GetX(w.ctx, made[7].ID); got.Version != 1 || w.s.Read.Owner.Query().CountX(w.ctx) != n {
			w.Errorf("a new CI and its owners are one version: got %d", got.Version)
		}
		if len(made) != n || made[7].Name != "s7" {
			w.Errorf("they have to come back in order: %v", made[7])
		}
		if got := w.s.Read.Relationship.Query().CountX(w.ctx); got != n {
			w.Errorf("%d relationships", got)
		}
	})
}

func TestABatchSaysWhichRowIsWrong(t *testing.T) {
	each(t, func(w *world) {
		err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
			_, err := cmdb.CreateCIsTx(ctx, tx, ref, []cmdb.NewCI{
				{Class: "server", Fields: cmdb.Fields{Name: new("a")}},
				{Class: "nothing", Fields: cmdb.Fields{Name: new("")}},
				{Class: "server", Fields: cmdb.Fields{Name: new("c")}, Service: &cmdb.ServiceFacet{Tier: "tier-1"}},
				{Class: "business_service", Fields: cmdb.Fields{Name: new("d")}, Service: &cmdb.ServiceFacet{Tier: "tier-9", SupportTeam: number(ident.Team, 77)}},
			})
			return err
		})
		w.refused(err, "NOT_FOUND 1.class", "REQUIRED 1.name", "INVALID 2.class server is not a class of services", "NOT_FOUND 3.tier tier-1?", "NOT_FOUND 3.supportTeam")
		a, b := w.ci("server", "a"), w.ci("server", "b")
		err = w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
			_, err := cmdb.UpdateCIsTx(ctx, tx, ref, []cmdb.CIChange{{ID: a.ID, Fields: cmdb.Fields{Name: pointer("x")}}, {ID: b.ID, Fields: cmdb.Fields{Name: pointer("")}}, {ID: a.ID}, {ID: number(ident.CI, 99)}})
			return err
		})
		w.refused(err, "REQUIRED 1.name", "INVALID 2.id twice", "NOT_FOUND 3.id")
		if got := w.s.Read.CI.GetX(w.ctx, a.ID); got.Name != "a" {
			w.Error("a part of a batch was kept")
		}
	})
}

func TestASourceMayReportAnyLifecycle(t *testing.T) {
	each(t, func(w *world) {
		a := w.ci("server", "a")
		for _, to := range []domain.Lifecycle{domain.Planned, domain.Retired, domain.Build} {
			err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
				_, err := cmdb.UpdateCIsTx(ctx, tx, ref, []cmdb.CIChange{{ID: a.ID, Fields: cmdb.Fields{Lifecycle: &to}}})
				return err
			})
			if got := w.s.Read.CI.GetX(w.ctx, a.ID); err != nil || got.Lifecycle != to {
				w.Errorf("got %v, %v", got.Lifecycle, err)
			}
		}
	})
}

func TestOwnersThatAPersonSetStay(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.imported("server", "a", "a"), w.imported("server", "b", "b")
		ops, dev := w.team("ops"), w.team("dev")
		must[*ent.CI](w)(w.SetOwners(w.ctx, cmdb.SetOwners{ID: a.ID, Owners: []cmdb.Owner{{Team: &dev.ID}}}))
		err := w.apply(func(ctx context.Context, tx *store.Tx, _ *cmdb.Reference) error {
			return cmdb.SetOwnersTx(ctx, tx, []cmdb.OwnerSet{{CI: a.ID, Owners: []cmdb.NewOwner{{Of: ops.ID}}}, {CI: b.ID, Owners: []cmdb.NewOwner{{Of: ops.ID}}}})
		})
		if err != nil {
			w.Fatal(err)
		}
		for _, o := range w.s.Read.Owner.Query().AllX(w.ctx) {
			if o.CiID == a.ID && *o.TeamID != dev.ID || o.CiID == b.ID && *o.TeamID != ops.ID {
				w.Errorf("got %v", o)
			}
		}
	})
}

func TestGroupsAndRelationshipsChangeInBatches(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		var group ident.ID
		err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
			made, err := cmdb.CreateGroupsTx(ctx, tx, ref, []cmdb.NewGroup{{CI: svc.ID, Name: "g", Mode: domain.AtLeast, Threshold: 1, Members: []domain.GroupMember{{Relationship: rels[0].ID}, {Relationship: rels[1].ID}}}})
			if err != nil {
				return err
			}
			group = made[0].ID
			if _, err := cmdb.UpdateGroupsTx(ctx, tx, ref, []cmdb.GroupChange{{ID: group, Threshold: pointer(2)}}); err != nil {
				return err
			}
			soft := pointer(domain.Soft)
			if _, err := cmdb.UpdateRelationshipsTx(ctx, tx, ref, []cmdb.RelationshipChange{{ID: rels[2].ID, Strength: &soft, Evidence: pointer("seen")}}); err != nil {
				return err
			}
			return cmdb.UnrelateTx(ctx, tx, []ident.ID{rels[0].ID, number(ident.Relationship, 999)})
		})
		if err != nil {
			w.Fatal(err)
		}
		got := w.s.Read.DependencyGroup.GetX(w.ctx, group)
		if len(got.Members) != 1 || got.Threshold != 2 {
			w.Errorf("got %v", got)
		}
		if rel := w.s.Read.Relationship.GetX(w.ctx, rels[2].ID); rel.Evidence != "seen" || *rel.Strength != domain.Soft {
			w.Errorf("got %v", rel)
		}
		if err := w.apply(func(ctx context.Context, tx *store.Tx, _ *cmdb.Reference) error {
			return cmdb.DeleteGroupsTx(ctx, tx, []ident.ID{group, group})
		}); err != nil || w.s.Read.DependencyGroup.Query().CountX(w.ctx) != 0 {
			w.Errorf("the group stays: %v", err)
		}
	})
}
