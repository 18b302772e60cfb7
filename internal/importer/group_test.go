package importer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func grouped() rows {
	members := []importer.GroupMember{{Type: "depends_on", Target: "db-1"}, {Type: "depends_on", Target: "db-2"}}
	return cis(
		importer.CI{
			ExternalID: "shop", Name: "shop", Class: "application",
			Relationships: []importer.Relationship{{Type: "depends_on", Target: "db-1"}, {Type: "depends_on", Target: "db-2"}},
			Groups:        []importer.Group{{Name: "dbs", Mode: "ANY", Members: members}},
		},
		importer.CI{ExternalID: "db-1", Name: "db-1", Class: "database"}, importer.CI{ExternalID: "db-2", Name: "db-2", Class: "database"},
	)
}

func TestAGroupFollowsItsSource(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := grouped()
		load(t, s, source)
		g := &source.all[0].CI.Groups[0]
		g.Mode, g.Threshold = "WEIGHTED", 3
		g.Members[0].Weight = 3
		load(t, s, source)
		stored := s.Read.DependencyGroup.Query().OnlyX(t.Context())
		if stored.Mode != domain.Weighted || stored.Threshold != 3 || stored.Members[0].Weight+stored.Members[1].Weight != 4 || stored.Version != 2 {
			t.Errorf("%+v", stored)
		}
		changesNothing(t, s, source)
	})
}

func TestAGroupThatCannotBeIsLeftOutAlone(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, grouped())
		for reason, change := range map[string]func(*importer.CI){
			`dependency group "dbs" of "shop": a threshold of 3 does not fit AT_LEAST: 1 to 2; the rest of the row was imported`: func(c *importer.CI) {
				c.Groups[0].Mode, c.Groups[0].Threshold = "AT_LEAST", 3
			},
			`dependency group "dbs" of "shop": mode is "SOME": it is one of ALL, ANY, AT_LEAST, PERCENT, WEIGHTED; the rest of the row was imported`: func(c *importer.CI) {
				c.Groups[0].Mode = "SOME"
			},
			`dependency group "dbs" of "shop": member depends_on db-3 is none of the CI's relationships; the rest of the row was imported`: func(c *importer.CI) {
				c.Groups[0].Members[1].Target = "db-3"
			},
			`dependency group "stores" of "shop": member depends_on db-1 counts in the group "dbs" in the database, which the source does not report: remove that group first; ` +
				`member depends_on db-2 counts in the group "dbs" in the database, which the source does not report: remove that group first; the rest of the row was imported`: func(c *importer.CI) {
				c.Groups[0].Name = "stores"
			},
		} {
			source := grouped()
			change(source.all[0].CI)
			p := plan(t, s, source)
			if diff := cmp.Diff([]string{"rejected test.yaml:1: " + reason}, notices(p)); diff != "" || p.Writes() > 0 {
				t.Errorf("%d writes, %s", p.Writes(), diff)
			}
		}
	})
}

func TestAGroupThatLostAMemberIsImportedAgain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := grouped()
		g := &source.all[0].CI.Groups[0]
		g.Mode, g.Threshold = "AT_LEAST", 2
		load(t, s, source)
		gone := s.Read.Relationship.Query().Order(relationship.ByID()).FirstX(t.Context())
		if _, err := cmdb.New(s).UnrelateCIs(admin(t), cmdb.UnrelateCIs{ID: gone.ID}); err != nil {
			t.Fatal(err)
		}
		source.all[0].CI.Relationships, g.Members = source.all[0].CI.Relationships[1:], g.Members[1:]
		if p := plan(t, s, source); p.Writes() > 0 || count(p, importer.Rejected) > 0 {
			t.Errorf("%v %v", steps(p), notices(p))
		}
	})
}

func TestAMemberOfAGroupStaysHard(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := grouped()
		load(t, s, source)
		source.all[0].CI.Relationships[0].Strength = "SOFT"
		p := plan(t, s, source)
		if p.Writes() > 0 || count(p, importer.Rejected) == 0 {
			t.Errorf("%v %v", steps(p), notices(p))
		}
	})
}
