package cmdb_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func key(id string) domain.ExternalKey { return domain.ExternalKey{Source: "test", ExternalID: id} }

func (w *world) identify(record *ent.CI, id string) error {
	return second(w.AddExternalIdentity(w.ctx, cmdb.AddExternalIdentity{ID: record.ID, ExternalIdentity: key(id)}))
}

func (w *world) remember(rows ...cmdb.Dangling) {
	w.Helper()
	if err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
		return cmdb.RememberDanglingTx(ctx, tx, ref, rows)
	}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) arrive(rows ...cmdb.NewIdentity) {
	w.Helper()
	if err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
		return cmdb.AddIdentitiesTx(ctx, tx, ref, rows)
	}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) dangling() int { return w.s.Read.DanglingReference.Query().CountX(w.ctx) }

func TestAKeyInAnotherSystemIsUnique(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.imported("server", "a", "k"), w.ci("server", "b")
		w.refused(w.identify(b, "k"), "ALREADY_EXISTS externalIdentity.externalId test knows "+a.ID.String())
		_, err := w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "", ExternalIdentity: &domain.ExternalKey{Source: " test ", ExternalID: "k"}})
		w.refused(err, "REQUIRED name", "ALREADY_EXISTS externalIdentity.externalId")
		_, err = w.AddExternalIdentity(w.ctx, cmdb.AddExternalIdentity{ID: b.ID})
		w.refused(err, "REQUIRED externalIdentity.source", "REQUIRED externalIdentity.externalId")
		before := w.revision()
		if err := w.identify(a, "k"); err != nil || w.revision() != before {
			w.Errorf("the same key again: %v, revision %d after %d", err, w.revision(), before)
		}
		if err := w.identify(a, "k2"); err != nil {
			w.Error(err)
		}
		won := race(w, 8, func(i int) error { return w.identify(w.ci("server", fmt.Sprint("c", i)), "k3") })
		if won != 1 {
			w.Errorf("%d got one key", won)
		}
	})
}

func TestADanglingRelationshipHealsWhenItsTargetArrives(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.imported("application", "a", "a"), w.ci("database", "b")
		w.remember(
			cmdb.Dangling{Record: a.ID, Key: key("b"), Kind: domain.DanglingRelationship, Detail: "depends_on", Strength: pointer(domain.Soft), Evidence: "env DB"},
			cmdb.Dangling{Record: a.ID, Key: key("b"), Kind: domain.DanglingRelationship, Detail: "sends_data_to", IsReverse: true},
			cmdb.Dangling{Record: a.ID, Key: key("b"), Kind: domain.DanglingRelationship, Detail: "no_such_type"},
			cmdb.Dangling{Record: a.ID, Key: key("c"), Kind: domain.DanglingRelationship, Detail: "depends_on"},
		)
		w.remember(cmdb.Dangling{Record: a.ID, Key: key("c"), Kind: domain.DanglingRelationship, Detail: "depends_on", Evidence: "said again"})
		if n := w.dangling(); n != 4 {
			w.Fatalf("%d references dangle", n)
		}
		before := w.revision()
		if err := w.identify(b, "b"); err != nil {
			w.Fatal(err)
		}
		if w.revision() != before+1 {
			w.Error("healing took a revision of its own")
		}
		rels := w.s.Read.Relationship.Query().Order(ent.Asc("id")).AllX(w.ctx)
		if len(rels) != 2 || rels[0].SourceID != a.ID || rels[0].TargetID != b.ID || *rels[0].Strength != domain.Soft || rels[0].Evidence != "env DB" ||
			rels[0].ReportedBy != "test" || rels[1].SourceID != b.ID || rels[1].TargetID != a.ID {
			w.Errorf("got %v", rels)
		}
		if n := w.dangling(); n != 2 {
			w.Errorf("%d dangle: what cannot become a relationship, and what has not arrived, have to stay", n)
		}
	})
}

func TestAReferenceToWhatHasArrivedMeanwhileHealsAtOnce(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.imported("application", "a", "a"), w.imported("database", "b", "b")
		w.relate("depends_on", a, b)
		w.remember(
			cmdb.Dangling{Record: a.ID, Key: key("b"), Kind: domain.DanglingRelationship, Detail: "depends_on"}, // related already
			cmdb.Dangling{Record: a.ID, Key: key("b"), Kind: domain.DanglingRelationship, Detail: "connects_to"},
		)
		if n, rels := w.dangling(), w.s.Read.Relationship.Query().CountX(w.ctx); n != 0 || rels != 2 {
			w.Errorf("%d dangle, %d relationships", n, rels)
		}
	})
}

func TestOwnersParentsMembersAndSupportHeal(t *testing.T) {
	each(t, func(w *world) {
		svc, team, person := w.ci("business_service", "shop"), w.team("platform"), w.person("Ada")
		w.remember(
			cmdb.Dangling{Record: svc.ID.As(ident.Service), Key: key("ops"), Kind: domain.DanglingOwner, Detail: "sre"},
			cmdb.Dangling{Record: svc.ID, Key: key("ops"), Kind: domain.DanglingSupport},
			cmdb.Dangling{Record: team.ID, Key: key("ops"), Kind: domain.DanglingParent},
			cmdb.Dangling{Record: person.ID, Key: key("ops"), Kind: domain.DanglingMember},
			cmdb.Dangling{Record: team.ID, Key: key("ada"), Kind: domain.DanglingMember},
			cmdb.Dangling{Record: svc.ID, Key: key("ada"), Kind: domain.DanglingSupport}, // a person supports nothing: it stays
		)
		ops := w.team("ops")
		w.arrive(cmdb.NewIdentity{Record: ops.ID, Key: key("ops")}, cmdb.NewIdentity{Record: person.ID, Key: key("ada")})
		if n := w.dangling(); n != 1 {
			w.Errorf("%d dangle", n)
		}
		owner := w.s.Read.Owner.Query().OnlyX(w.ctx)
		if *owner.TeamID != ops.ID || owner.Role != "sre" || !owner.IsPrimary {
			w.Errorf("got %v", owner)
		}
		got := w.s.Read.CI.GetX(w.ctx, svc.ID)
		if got.SupportTeamID == nil || *got.SupportTeamID != ops.ID || got.Version != 3 {
			w.Errorf("got %+v", got)
		}
		if p := w.s.Read.Team.GetX(w.ctx, team.ID).ParentID; p == nil || *p != ops.ID {
			w.Errorf("parent %v", p)
		}
		if n := w.s.Read.Membership.Query().CountX(w.ctx); n != 2 {
			w.Errorf("%d memberships", n)
		}
	})
}

func TestAParentThatWouldMakeACycleStaysDangling(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.team("a"), w.team("b")
		w.arrive(cmdb.NewIdentity{Record: a.ID, Key: key("a")})
		w.remember(cmdb.Dangling{Record: b.ID, Key: key("a"), Kind: domain.DanglingParent}, cmdb.Dangling{Record: a.ID, Key: key("b"), Kind: domain.DanglingParent})
		w.arrive(cmdb.NewIdentity{Record: b.ID, Key: key("b")})
		if n := w.dangling(); n != 1 {
			w.Errorf("%d dangle", n)
		}
	})
}

func TestNoReferenceMissesATargetThatArrivesAtTheSameTime(t *testing.T) {
	each(t, func(w *world) {
		a := w.imported("application", "a", "a")
		for i := range 5 {
			b, id := w.ci("database", fmt.Sprint("b", i)), fmt.Sprint("b", i)
			var wg sync.WaitGroup
			wg.Go(func() {
				w.remember(cmdb.Dangling{Record: a.ID, Key: key(id), Kind: domain.DanglingRelationship, Detail: "depends_on"})
			})
			wg.Go(func() {
				if err := w.identify(b, id); err != nil {
					w.Error(err)
				}
			})
			wg.Wait()
		}
		if n, rels := w.dangling(), w.s.Read.Relationship.Query().CountX(w.ctx); n != 0 || rels != 5 {
			w.Errorf("%d dangle, %d relationships", n, rels)
		}
	})
}
