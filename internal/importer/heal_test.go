package importer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/ent/owner"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// waiting returns a source whose references all dangle.
func waiting() rows {
	s := cis(importer.CI{
		ExternalID: "shop", Name: "shop", Class: "application_service",
		Service: &importer.Service{Tier: "tier-1", SupportTeam: "ops"},
		Owners:  []importer.Owner{{Team: "ops", Role: "operator"}, {Person: "ada"}},
		Relationships: []importer.Relationship{
			{Type: "depends_on", Target: "db", Evidence: "config"},
			{Type: "managed_by", Target: "system", IsReverse: true},
			{Type: "depends_on", Target: "db-2", Evidence: "config"},
		},
		Groups: []importer.Group{{Name: "dbs", Mode: "ANY", Members: []importer.GroupMember{{Type: "depends_on", Target: "db"}, {Type: "depends_on", Target: "db-2"}}}},
	})
	s.all = append(s.all,
		importer.Row{Team: &importer.Team{ExternalID: "web", Name: "Web", Parent: "ops"}},
		importer.Row{Person: &importer.Person{ExternalID: "bob", Name: "Bob", Teams: []string{"ops", "web"}}},
	)
	return s
}

// arriving returns a source of the records that waiting refers to.
func arriving() rows {
	s := cis(
		importer.CI{ExternalID: "db", Name: "db", Class: "database"}, importer.CI{ExternalID: "system", Name: "system", Class: "system"},
		importer.CI{ExternalID: "db-2", Name: "db-2", Class: "database"},
	)
	s.all = append(s.all,
		importer.Row{Team: &importer.Team{ExternalID: "ops", Name: "Operations"}},
		importer.Row{Person: &importer.Person{ExternalID: "ada", Name: "Ada"}},
	)
	return s
}

func TestADanglingReferenceIsKeptAndHealsWhenItsTargetArrives(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, waiting())
		if diff := cmp.Diff([]string{
			"bob MEMBER  ops", "shop OWNER operator ops", "shop OWNER owner ada", "shop RELATIONSHIP depends_on db", "shop RELATIONSHIP depends_on db-2",
			"shop RELATIONSHIP managed_by system", "shop SUPPORT_TEAM  ops", "web PARENT  ops",
		}, danglingReferences(t, s)); diff != "" {
			t.Error(diff)
		}
		changesNothing(t, s, waiting())

		p := load(t, s, arriving())
		if n := p.Summary.Total(importer.Heal); n != 8 {
			t.Errorf("%d references heal, planned %v", n, steps(p))
		}
		isHealed(t, s)
		changesNothing(t, s, arriving())

		// The group has to be imported again: its members have arrived.
		if diff := cmp.Diff(importer.Summary{
			importer.KindTeam: {importer.Unchanged: 1}, importer.KindPerson: {importer.Unchanged: 1}, importer.KindCI: {importer.Unchanged: 1},
			importer.KindRelationship: {importer.Unchanged: 3}, importer.KindGroup: {importer.Create: 1},
		}, load(t, s, waiting()).Summary); diff != "" {
			t.Error(diff)
		}
		changesNothing(t, s, waiting())
	})
}

func TestReportingBothSidesTogetherHealsWithoutConflict(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, waiting())
		both := waiting()
		both.all = append(both.all, arriving().all...)
		both.all[0].CI.Description = "changed while its team arrives"
		load(t, s, both)
		isHealed(t, s)
		if got := ciOf(t, s, "shop").Description; got != "changed while its team arrives" {
			t.Error(got)
		}
		if n := s.Read.DependencyGroup.Query().CountX(t.Context()); n != 1 {
			t.Errorf("%d groups", n)
		}
		changesNothing(t, s, both)
	})
}

func isHealed(t *testing.T, s *store.Store) {
	t.Helper()
	if rest := danglingReferences(t, s); len(rest) > 0 {
		t.Errorf("still dangling: %v", rest)
	}
	shop, ops := ciOf(t, s, "shop"), record(t, s, "test", "ops")
	if shop.SupportTeamID == nil || *shop.SupportTeamID != ops {
		t.Errorf("supported by %v", shop.SupportTeamID)
	}
	primary := s.Read.Owner.Query().Where(owner.CiID(shop.ID), owner.IsPrimary(true)).OnlyX(t.Context())
	if n := s.Read.Owner.Query().Where(owner.CiID(shop.ID)).CountX(t.Context()); n != 2 || primary.TeamID == nil || *primary.TeamID != ops {
		t.Errorf("%d owners, %+v is primary", n, primary)
	}
	if web := s.Read.Team.GetX(t.Context(), record(t, s, "test", "web")); web.ParentID == nil || *web.ParentID != ops {
		t.Errorf("%+v", web)
	}
	if n := s.Read.Membership.Query().CountX(t.Context()); n != 2 {
		t.Errorf("%d memberships", n)
	}
	for _, rel := range s.Read.Relationship.Query().WithType().AllX(t.Context()) {
		isReverse := rel.Edges.Type.Code == "managed_by"
		if rel.ReportedBy != "test" || (rel.TargetID == shop.ID) != isReverse || (rel.Evidence == "config") == isReverse {
			t.Errorf("%+v", rel)
		}
	}
	if n := s.Read.Relationship.Query().CountX(t.Context()); n != 3 {
		t.Errorf("%d relationships", n)
	}
}

func TestAReportedStrengthIsWrittenUnlessAPersonMadeTheRelationship(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := cis(
			importer.CI{ExternalID: "a", Name: "a", Class: "application", Relationships: []importer.Relationship{{Type: "depends_on", Target: "b", Evidence: "first"}}},
			importer.CI{ExternalID: "b", Name: "b", Class: "database"},
		)
		load(t, s, source)
		source.all[0].CI.Relationships[0].Strength = "SOFT"
		source.all[0].CI.Relationships[0].Evidence = "second"
		load(t, s, source)
		rel := s.Read.Relationship.Query().OnlyX(t.Context())
		if rel.Strength == nil || *rel.Strength != domain.Soft || rel.Evidence != "second" || rel.Version != 2 {
			t.Errorf("%+v", rel)
		}
		// Another source reports the relationship too: the evidence of the first one stays.
		other := rows{name: "other", all: source.all}
		load(t, s, other)
		changesNothing(t, s, source)
	})
}
