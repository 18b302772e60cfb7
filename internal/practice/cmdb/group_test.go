package cmdb_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// redundant makes a service with three databases that it depends on.
func (w *world) redundant() (*ent.CI, []*ent.Relationship) {
	w.Helper()
	svc := w.ci("application_service", "shop")
	var rels []*ent.Relationship
	for i := range 3 {
		rels = append(rels, w.relate("depends_on", svc, w.ci("database", fmt.Sprint("db", i))))
	}
	return svc, rels
}

func members(rels ...*ent.Relationship) []cmdb.GroupMember {
	all := []cmdb.GroupMember{}
	for _, rel := range rels {
		all = append(all, cmdb.GroupMember{Relationship: rel.ID})
	}
	return all
}

func (w *world) group(of *ent.CI, mode domain.GroupMode, threshold int, rels ...*ent.Relationship) *ent.DependencyGroup {
	w.Helper()
	return must[*ent.DependencyGroup](w)(w.CreateDependencyGroup(w.ctx, cmdb.CreateDependencyGroup{
		CI: of.ID.As(ident.Service), Name: "databases", Mode: mode, Threshold: &threshold, Members: members(rels...),
	}))
}

func (w *world) groupNamed(of *ent.CI, name string, rels ...*ent.Relationship) {
	w.Helper()
	must[*ent.DependencyGroup](w)(w.CreateDependencyGroup(w.ctx, cmdb.CreateDependencyGroup{CI: of.ID, Name: name, Mode: domain.Any, Members: members(rels...)}))
}

func (w *world) planned(class, name string, stage domain.Lifecycle) *ent.CI {
	w.Helper()
	return must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: class, Name: name, Fields: cmdb.Fields{Lifecycle: &stage}}))
}

func TestAThresholdHasToMakeSense(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		try := func(mode domain.GroupMode, threshold int, weights ...int) error {
			in := cmdb.CreateDependencyGroup{CI: svc.ID, Name: fmt.Sprint(mode, threshold), Mode: mode, Threshold: &threshold, Members: members(rels...)}
			for i := range weights {
				in.Members[i].Weight = &weights[i]
			}
			g, err := w.CreateDependencyGroup(w.ctx, in)
			if err == nil {
				_, err = w.DeleteDependencyGroup(w.ctx, cmdb.DeleteDependencyGroup{ID: g.ID, ExpectedVersion: &g.Version})
			}
			return err
		}
		for _, fine := range []error{
			try(domain.All, 0), try(domain.Any, 0), try(domain.AtLeast, 1), try(domain.AtLeast, 3), try(domain.Percent, 1), try(domain.Percent, 100),
			try(domain.Weighted, 1, 5, 1, 1), try(domain.Weighted, 7, 5, 1, 1),
		} {
			if fine != nil {
				w.Error(fine)
			}
		}
		for _, wrong := range []error{
			try(domain.All, 1), try(domain.Any, 2), try(domain.AtLeast, 0), try(domain.AtLeast, 4), try(domain.Percent, 0), try(domain.Percent, 101),
			try(domain.Weighted, 0, 5, 1, 1), try(domain.Weighted, 8, 5, 1, 1),
		} {
			w.refused(wrong, "INVALID threshold")
		}
		w.refused(try(domain.Weighted, 1, 0, -1), "INVALID members.0.weight", "INVALID members.1.weight")
		w.refused(try(domain.Any, 0, 2), "INVALID members.0.weight WEIGHTED")
	})
}

func TestMembersAreHardDependenciesThatArriveAtTheCI(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		other := w.ci("server", "other")
		away := w.relate("depends_on", other, svc)
		cluster := w.relate("member_of", other, svc)
		none := w.relate("managed_by", svc, other)
		soft := w.relate("connects_to", svc, other)
		hardened := must[*ent.Relationship](w)(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "connects_to", Source: other.ID, Target: svc.ID, Strength: pointer(domain.Hard)}))
		_, err := w.CreateDependencyGroup(w.ctx, cmdb.CreateDependencyGroup{
			CI: svc.ID, Name: "", Mode: domain.Any,
			Members: append(members(rels[0], away, cluster, none, soft, hardened, rels[0]), cmdb.GroupMember{Relationship: number(ident.Relationship, 99)}, cmdb.GroupMember{Relationship: svc.ID}),
		})
		w.refused(err,
			"REQUIRED name",
			"INVALID members.1.relationship arrives at "+other.ID.String(),
			"INVALID members.3.relationship carries no impact",
			"INVALID members.4.relationship SOFT",
			"ALREADY_EXISTS members.6.relationship twice",
			"NOT_FOUND members.7.relationship",
			"INVALID members.8.relationship rel_",
		)
		_, err = w.CreateDependencyGroup(w.ctx, cmdb.CreateDependencyGroup{CI: svc.ID, Name: "x", Mode: domain.Any})
		w.refused(err, "REQUIRED members at least one")
		w.group(svc, domain.Any, 0, cluster, hardened)
	})
}

func TestARelationshipCountsInOneGroupOfACIAtMost(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		g := w.group(svc, domain.Any, 0, rels[0], rels[1])
		_, err := w.CreateDependencyGroup(w.ctx, cmdb.CreateDependencyGroup{CI: svc.ID, Name: "databases", Mode: domain.Any, Members: members(rels[1], rels[2])})
		w.refused(err, "IN_USE members.0.relationship "+g.ID.String(), "ALREADY_EXISTS name")
		// A relationship whose impact arrives at both ends may count in a group of each.
		a, b := w.ci("server", "a"), w.ci("server", "b")
		both := must[*ent.Relationship](w)(w.RelateCIs(w.ctx, cmdb.RelateCIs{Type: "connects_to", Source: a.ID, Target: b.ID, Strength: pointer(domain.Hard)}))
		w.group(a, domain.All, 0, both)
		w.group(b, domain.All, 0, both)
	})
}

func TestOfConcurrentGroupsWithOneMemberOneWins(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		won := 0
		failures := make(chan error, 6)
		for i := range 6 {
			go func() {
				_, err := w.CreateDependencyGroup(w.ctx, cmdb.CreateDependencyGroup{CI: svc.ID, Name: fmt.Sprint("g", i), Mode: domain.Any, Members: members(rels[i%2], rels[2])})
				failures <- err
			}()
		}
		for range 6 {
			switch err := <-failures; errs.CodeOf(err) {
			case "":
				won++
			case errs.InUse:
			default:
				w.Error(err)
			}
		}
		if n := w.s.Read.DependencyGroup.Query().CountX(w.ctx); won != 1 || n != 1 {
			w.Errorf("%d won, %d groups", won, n)
		}
	})
}

func TestAGroupIsUpdatedByTheSameRules(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		g := w.group(svc, domain.AtLeast, 2, rels...)
		_, err := w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, Members: graphql.OmittableOf(members(rels[0]))})
		w.refused(err, "INVALID threshold 1 to 1")
		got := must[*ent.DependencyGroup](w)(w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, Name: set("dbs"), Mode: set(domain.Any), Members: graphql.OmittableOf(members(rels[0], rels[2]))}))
		if got.Threshold != 0 || got.Name != "dbs" || len(got.Members) != 2 || got.Version != 2 {
			w.Errorf("got %+v", got)
		}
		before := w.revision()
		must[*ent.DependencyGroup](w)(w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, Members: graphql.OmittableOf(members(rels[0], rels[2]))}))
		if w.revision() != before {
			w.Error("a revision was taken")
		}
		_, err = w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, ExpectedVersion: pointer(1), Name: null[string]()})
		w.refused(err, "REQUIRED name")
		_, err = w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, ExpectedVersion: pointer(1)})
		w.refused(err, "STALE expectedVersion")
		_, err = w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, Members: graphql.OmittableOf[[]cmdb.GroupMember](nil)})
		w.refused(err, "REQUIRED members")
		_, err = w.DeleteDependencyGroup(w.ctx, cmdb.DeleteDependencyGroup{ID: number(ident.DependencyGroup, 99)})
		w.refused(err, "NOT_FOUND id")
	})
}

func TestARelationshipThatGoesLeavesItsGroups(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		g := w.group(svc, domain.AtLeast, 3, rels...)
		before := w.revision()
		for i, rel := range rels {
			must[ident.ID](w)(w.UnrelateCIs(w.ctx, cmdb.UnrelateCIs{ID: rel.ID}))
			left := w.s.Read.DependencyGroup.Query().AllX(w.ctx)
			if i == 2 && len(left) != 0 {
				w.Errorf("an empty group stays: %v", left)
			}
			if i < 2 && (len(left) != 1 || left[0].ID != g.ID || len(left[0].Members) != 2-i || left[0].Threshold != 3) {
				w.Errorf("after %d went: %v", i+1, left)
			}
		}
		if got := w.revision() - before; got != 3 {
			w.Errorf("%d revisions for 3 removals", got)
		}
	})
}

func TestAGroupThatLostMembersKeepsItsThresholdWhenItIsRenamed(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		g := w.group(svc, domain.AtLeast, 3, rels...)
		must[ident.ID](w)(w.UnrelateCIs(w.ctx, cmdb.UnrelateCIs{ID: rels[0].ID}))
		got := must[*ent.DependencyGroup](w)(w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, Name: set("renamed"), Threshold: set(3), Members: graphql.OmittableOf(members(rels[1:]...))}))
		if got.Name != "renamed" || got.Threshold != 3 {
			w.Errorf("got %+v", got)
		}
		_, err := w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, Threshold: set(4)})
		w.refused(err, "INVALID threshold 1 to 2")
		_, err = w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, Members: graphql.OmittableOf(members(rels[1]))})
		w.refused(err, "INVALID threshold 1 to 1")
	})
}

func TestAPlanThatIsGivenUpLeavesNoRelationships(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		w.group(svc, domain.AtLeast, 2, rels[0], rels[1])
		w.groupNamed(svc, "spare", rels[2])
		below := w.ci("server", "rack")
		for i, rel := range rels[1:] {
			stage := []domain.Lifecycle{domain.Planned, domain.Build}[i]
			planned := w.planned("server", fmt.Sprint("planned ", i), stage)
			w.relate("depends_on", planned, below)
			w.relate("part_of", svc, w.ci("system", fmt.Sprint("s", i)))
			own := w.relate("depends_on", svc, planned)
			g := w.s.Read.DependencyGroup.Query().Order(ent.Asc("id")).AllX(w.ctx)[i]
			must[*ent.DependencyGroup](w)(w.UpdateDependencyGroup(w.ctx, cmdb.UpdateDependencyGroup{ID: g.ID, Members: graphql.OmittableOf(append(members(own), members(rel)[:1-i]...))}))
			before := w.revision()
			must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: planned.ID}))
			if w.revision() != before+1 {
				w.Errorf("%s took %d revisions to retire", stage, w.revision()-before)
			}
		}
		left := w.s.Read.DependencyGroup.Query().AllX(w.ctx)
		if len(left) != 1 || len(left[0].Members) != 1 || left[0].Members[0].Relationship != rels[1].ID || left[0].Threshold != 2 {
			w.Errorf("groups left: %v", left)
		}
		if n := w.s.Read.Relationship.Query().CountX(w.ctx); n != 5 { // three databases, two systems
			w.Errorf("%d relationships", n)
		}
		must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: rels[0].TargetID}))
		if n := w.s.Read.Relationship.Query().CountX(w.ctx); n != 5 {
			w.Errorf("%d relationships after what was LIVE retired: it has been a need", n)
		}
	})
}

func TestASourceGivesAPlanUpTheSameWay(t *testing.T) {
	each(t, func(w *world) {
		planned := w.planned("server", "planned", domain.Planned)
		w.relate("depends_on", w.ci("application", "app"), planned)
		retired := domain.Retired
		must[[]*ent.CI](w)(write(w, func(ctx context.Context, tx *store.Tx) ([]*ent.CI, error) {
			ref, err := cmdb.LoadReference(ctx, tx)
			if err != nil {
				return nil, err
			}
			return cmdb.UpdateCIsTx(ctx, tx, ref, []cmdb.CIChange{{ID: planned.ID, Fields: cmdb.Fields{Lifecycle: &retired}}})
		}))
		if n := w.s.Read.Relationship.Query().CountX(w.ctx); n != 0 {
			w.Errorf("%d relationships", n)
		}
	})
}

func TestAMemberCannotBecomeSoft(t *testing.T) {
	each(t, func(w *world) {
		svc, rels := w.redundant()
		g := w.group(svc, domain.Any, 0, rels[0], rels[1])
		_, err := w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: rels[0].ID, Strength: set(domain.Soft)})
		w.refused(err, `IN_USE strength "databases" (`+g.ID.String()+")")
		must[*ent.Relationship](w)(w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: rels[2].ID, Strength: set(domain.Soft)}))
		_, err = w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "depends_on", Strength: set(domain.Soft)})
		w.refused(err, `IN_USE strength "databases"`)
		_, err = w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "depends_on", ImpactDirection: set(domain.NoImpact)})
		w.refused(err, `IN_USE impactDirection "databases"`)
		must[*ent.RelationshipType](w)(w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "depends_on", ImpactDirection: set(domain.BothDirections)}))
		for _, rel := range rels[:2] { // hard by themselves, whatever the type says
			must[*ent.Relationship](w)(w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: rel.ID, Strength: set(domain.Hard)}))
		}
		must[*ent.RelationshipType](w)(w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "depends_on", Strength: set(domain.Soft)}))
		_, err = w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: rels[0].ID, Strength: null[domain.Strength]()})
		w.refused(err, "IN_USE strength")
	})
}
