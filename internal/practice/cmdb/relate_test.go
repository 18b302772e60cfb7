package cmdb_test

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func (w *world) kind(code string, cardinality domain.Cardinality, pairs ...cmdb.ClassPair) {
	w.Helper()
	must[*ent.RelationshipType](w)(w.CreateRelationshipType(w.ctx, cmdb.CreateRelationshipType{
		Code: code, ForwardLabel: "f", ReverseLabel: "r", ImpactDirection: domain.TargetToSource, Cardinality: &cardinality, AllowedPairs: pairs,
	}))
}

func TestARelationshipIsUniquePerTypeSourceAndTarget(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.ci("application", "a"), w.ci("database", "b")
		rel := w.relate("depends_on", a, b)
		if rel.ReportedBy != "manual" || rel.Strength != nil || rel.Version != 1 {
			w.Errorf("got %+v", rel)
		}
		_, err := w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends_on", Source: a.ID, Target: b.ID})
		w.refused(err, "ALREADY_EXISTS - "+rel.ID.String()+": ci_1 depends_on ci_2 already")
		w.relate("depends_on", b, a)
		w.relate("connects_to", a, b)
	})
}

func TestTheEndsAndTheTypeOfARelationshipHaveToExist(t *testing.T) {
	each(t, func(w *world) {
		a := w.ci("application", "a")
		_, err := w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends", Source: number(ident.Team, 1), Target: 0})
		w.refused(err, "NOT_FOUND type depends_on?", "INVALID source ci_", "REQUIRED target")
		_, err = w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends_on", Source: a.ID, Target: number(ident.CI, 99)})
		w.refused(err, "NOT_FOUND target")
		_, err = w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends_on", Source: a.ID, Target: w.ci("application", "b").ID, Strength: pointer(domain.Strength("WEAK"))})
		w.refused(err, "INVALID strength HARD, SOFT")
	})
}

func TestACIIsNotRelatedToItself(t *testing.T) {
	each(t, func(w *world) {
		a := w.ci("application", "a")
		for _, code := range []string{"depends_on", "part_of", "connects_to"} {
			_, err := w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: code, Source: a.ID, Target: a.ID})
			w.refused(err, "INVALID target related to itself")
		}
	})
}

func TestSeededTypesConnectTheirPairs(t *testing.T) {
	each(t, func(w *world) {
		cis := map[string]*ent.CI{}
		for _, class := range []string{"application", "api", "server", "pdu", "ups", "virtual_machine", "hypervisor", "cluster", "system", "domain", "room", "rack"} {
			cis[class] = w.ci(class, class)
		}
		for _, c := range []struct {
			code, source, target string
			fits                 bool
		}{
			{"provides_api", "application", "api", true},
			{"provides_api", "server", "api", false},
			{"provides_api", "application", "server", false},
			{"consumes_api", "server", "api", true},
			{"consumes_api", "application", "server", false},
			{"powered_by", "server", "pdu", true},
			{"powered_by", "pdu", "ups", true},
			{"powered_by", "application", "pdu", false},
			{"powered_by", "server", "rack", false},
			{"virtualized_by", "virtual_machine", "hypervisor", true},
			{"virtualized_by", "virtual_machine", "cluster", true},
			{"virtualized_by", "server", "cluster", false},
			{"part_of", "application", "system", true},
			{"part_of", "system", "domain", true},
			{"part_of", "server", "room", true},
			{"part_of", "server", "rack", false},
			{"depends_on", "rack", "application", true},
		} {
			_, err := w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: c.code, Source: cis[c.source].ID, Target: cis[c.target].ID})
			if !c.fits {
				w.refused(err, "INVALID type does not lead from "+c.source+" to "+c.target)
			} else if err != nil {
				w.Errorf("%s %s %s: %v", c.source, c.code, c.target, err)
			}
		}
	})
}

func TestPairsOfATypeAreAnAdminsAndBindWhatIsNew(t *testing.T) {
	each(t, func(w *world) {
		server, rack := w.ci("server", "s"), w.ci("rack", "r")
		update := func(pairs ...cmdb.ClassPair) error {
			return second(w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "powered_by", AllowedPairs: graphql.OmittableOf(pairs)}))
		}
		if err := update(cmdb.ClassPair{Source: "server", Target: "*"}); err != nil {
			w.Fatal(err)
		}
		w.relate("powered_by", server, rack)
		if err := cmdb.Seed(w.ctx, w.s); err != nil {
			w.Fatal(err)
		}
		_, err := w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "powered_by", Source: rack.ID, Target: server.ID})
		w.refused(err, "INVALID type it connects server to any class")
		w.refused(update(cmdb.ClassPair{Source: "serverr", Target: "*"}), "NOT_FOUND allowedPairs.0.source server?")
		if err := update(); err != nil {
			w.Fatal(err)
		}
		w.relate("powered_by", rack, server)
		if err := update(cmdb.ClassPair{Source: "pdu", Target: "ups"}); err != nil {
			w.Fatal(err)
		}
		if n := w.s.Read.Relationship.Query().CountX(w.ctx); n != 2 {
			w.Errorf("%d relationships stay, want 2", n)
		}
	})
}

func TestATypeConnectsItsAllowedPairsAndWhatIsBelowThem(t *testing.T) {
	each(t, func(w *world) {
		w.kind("mounted_in", domain.ManyToMany, cmdb.ClassPair{Source: "computer", Target: "rack"}, cmdb.ClassPair{Source: "network_device", Target: "rack"})
		server, rack, app := w.ci("server", "s"), w.ci("rack", "r"), w.ci("application", "a")
		w.relate("mounted_in", server, rack)
		_, err := w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "mounted_in", Source: app.ID, Target: rack.ID})
		w.refused(err, "INVALID type does not lead from application to rack: it connects computer to rack, network_device to rack")
		_, err = w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "mounted_in", Source: rack.ID, Target: server.ID})
		w.refused(err, "INVALID type from rack to server")
	})
}

func TestCardinalityBoundsBothEnds(t *testing.T) {
	each(t, func(w *world) {
		w.kind("many_to_one", domain.ManyToOne)
		w.kind("one_to_many", domain.OneToMany)
		w.kind("one_to_one", domain.OneToOne)
		a, b, c := w.ci("server", "a"), w.ci("server", "b"), w.ci("server", "c")
		try := func(kind string, source, target *ent.CI) error {
			return second(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: kind, Source: source.ID, Target: target.ID}))
		}
		w.relate("many_to_one", a, b)
		w.relate("many_to_one", c, b)
		w.refused(try("many_to_one", a, c), "ALREADY_EXISTS source one target at most")
		w.relate("one_to_many", a, b)
		w.relate("one_to_many", a, c)
		w.refused(try("one_to_many", c, b), "ALREADY_EXISTS target one source at most")
		w.relate("one_to_one", a, b)
		w.refused(try("one_to_one", a, c), "ALREADY_EXISTS source")
		w.refused(try("one_to_one", c, b), "ALREADY_EXISTS target")
		w.relate("one_to_one", b, a)
		err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
			_, err := cmdb.RelateTx(ctx, tx, ref, []cmdb.NewRelationship{
				{Type: "many_to_one", Source: b.ID, Target: a.ID}, {Type: "many_to_one", Source: b.ID, Target: c.ID},
			})
			return err
		})
		w.refused(err, "ALREADY_EXISTS 1.source")
	})
}

func TestOneToOneHoldsUnderConcurrency(t *testing.T) {
	each(t, func(w *world) {
		w.kind("pairs_with", domain.OneToOne)
		hub := w.ci("server", "hub")
		var others []*ent.CI
		for range 8 {
			others = append(others, w.ci("server", "x"))
		}
		won := race(w, 8, func(i int) error {
			return second(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "pairs_with", Source: hub.ID, Target: others[i].ID}))
		})
		if n := w.s.Read.Relationship.Query().CountX(w.ctx); won != 1 || n != 1 {
			w.Errorf("%d won, %d relationships", won, n)
		}
	})
}

func TestOfConcurrentRelatesOfOnePairOneWins(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.ci("server", "a"), w.ci("server", "b")
		won := race(w, 8, func(int) error {
			return second(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends_on", Source: a.ID, Target: b.ID}))
		})
		if n := w.s.Read.Relationship.Query().CountX(w.ctx); won != 1 || n != 1 {
			w.Errorf("%d won, %d relationships", won, n)
		}
	})
}

func TestARelationshipIsUpdatedAndCleared(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.ci("server", "a"), w.ci("server", "b")
		rel := must[*ent.Relationship](w)(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "depends_on", Source: a.ID, Target: b.ID, Attributes: map[string]any{"port": 5432, "via": "lan"}}))
		got := must[*ent.Relationship](w)(w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: rel.ID, Strength: set(domain.Soft), Attributes: object(map[string]any{"via": nil})}))
		if got.Strength == nil || *got.Strength != domain.Soft || len(got.Attributes) != 1 || got.Version != 2 {
			w.Errorf("got %+v", got)
		}
		got = must[*ent.Relationship](w)(w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: rel.ID, Strength: null[domain.Strength]()}))
		if got.Strength != nil {
			w.Errorf("got %+v", got)
		}
		before := w.revision()
		must[*ent.Relationship](w)(w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: rel.ID, Attributes: object(map[string]any{"port": 5432})}))
		if w.revision() != before {
			w.Error("a revision was taken")
		}
		if id := must[ident.ID](w)(w.UnrelateCIs(w.ctx, cmdb.UnrelateCIs{ID: rel.ID})); id != rel.ID {
			w.Errorf("got %v", id)
		}
		_, err := w.UnrelateCIs(w.ctx, cmdb.UnrelateCIs{ID: rel.ID})
		w.refused(err, "NOT_FOUND id")
		w.relate("depends_on", a, b)
	})
}

func TestANewTypeIsCheckedWhole(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.CreateRelationshipType(w.ctx, cmdb.CreateRelationshipType{
			Code: "depends_on", ForwardLabel: "", ReverseLabel: "r", ImpactDirection: "SIDEWAYS", AllowedPairs: []cmdb.ClassPair{{Source: "server", Target: "serve"}},
		})
		w.refused(err, "REQUIRED forwardLabel", "INVALID impactDirection", "ALREADY_EXISTS code", "NOT_FOUND allowedPairs.0.target server?")
		_, err = w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "no_such"})
		w.refused(err, "NOT_FOUND code")
		got := must[*ent.RelationshipType](w)(w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "depends_on", Description: set("new"), Strength: set(domain.Soft)}))
		if got.Version != 2 || got.Strength != domain.Soft || got.Description != "new" {
			w.Errorf("got %+v", got)
		}
	})
}
