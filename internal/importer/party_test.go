package importer_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func teams(all ...importer.Team) rows {
	s := rows{name: "test"}
	for i := range all {
		s.all = append(s.all, importer.Row{Origin: importer.Origin{File: "teams.yaml", Line: i + 1}, Team: &all[i]})
	}
	return s
}

func TestTeamsAreImportedWithTheirTree(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := teams(
			importer.Team{ExternalID: "c", Name: "C", Parent: "b"}, importer.Team{ExternalID: "b", Name: "B", Parent: "a"}, importer.Team{ExternalID: "a", Name: "A"},
		)
		load(t, s, source)
		parent := func(name string) string {
			own := s.Read.Team.Query().Where(team.Name(name)).WithParent().OnlyX(t.Context())
			if own.Edges.Parent == nil {
				return ""
			}
			return own.Edges.Parent.Name
		}
		if got := []string{parent("A"), parent("B"), parent("C")}; !slices.Equal(got, []string{"", "A", "B"}) {
			t.Errorf("parents %q", got)
		}
		changesNothing(t, s, source)
		// A new team comes between, and another one is renamed.
		source.all[1].Team.Parent, source.all[2].Team.Name = "new", "A2"
		source.all = append(source.all, teams(importer.Team{ExternalID: "new", Name: "New", Parent: "a"}).all...)
		load(t, s, source)
		if got := []string{parent("B"), parent("New")}; !slices.Equal(got, []string{"New", "A2"}) {
			t.Errorf("parents %q", got)
		}
		changesNothing(t, s, source)
	})
}

func TestTeamsWithMistakesAreReported(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		mine, err := catalog.New(s).CreateTeam(admin(t), catalog.CreateTeam{Name: "Known"})
		if err != nil {
			t.Fatal(err)
		}
		source := teams(
			importer.Team{ExternalID: "k", Name: "Known", Email: "known@example.com"},
			importer.Team{ExternalID: "twice", Name: "Known"},
			importer.Team{ExternalID: "e", Name: "E", Email: "nobody"},
			importer.Team{ExternalID: "x", Name: "X", Parent: "y"},
			importer.Team{ExternalID: "y", Name: "Y", Parent: "x"},
		)
		p := load(t, s, source)
		if diff := cmp.Diff([]string{
			`duplicate teams.yaml:2: there is a team "Known" at teams.yaml:1 already, and names of teams are unique: rename one of them`,
			`rejected teams.yaml:3: email is "nobody": write an address such as ada@example.com`,
			`rejected teams.yaml:5: team "x" is part of "y" and cannot stand above it: the team was imported without it`,
		}, notices(p)); diff != "" {
			t.Error(diff)
		}
		if got := s.Read.Team.GetX(t.Context(), mine.ID); got.Email != "known@example.com" || record(t, s, "test", "k") != mine.ID {
			t.Errorf("%+v", got)
		}
		changesNothing(t, s, source)
	})
}

func TestOwnersFollowTheirSourceAndThePrimaryIsFirst(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := cis(importer.CI{ExternalID: "a", Name: "a", Class: "server", Owners: []importer.Owner{{Team: "t"}, {Person: "p", Role: "technical"}}})
		source.all = append(source.all,
			importer.Row{Team: &importer.Team{ExternalID: "t", Name: "T"}}, importer.Row{Person: &importer.Person{ExternalID: "p", Name: "P", Teams: []string{"t", "t"}}})
		load(t, s, source)
		if v := ciOf(t, s, "a").Version; v != 1 {
			t.Errorf("a new CI has version %d", v)
		}
		owners := func() (all []string) {
			for _, o := range s.Read.Owner.Query().AllX(t.Context()) {
				all = append(all, fmt.Sprintf("%t %s %t", o.TeamID != nil, o.Role, o.IsPrimary))
			}
			slices.Sort(all)
			return all
		}
		if diff := cmp.Diff([]string{"false technical false", "true owner true"}, owners()); diff != "" {
			t.Error(diff)
		}
		source.all[0].CI.Owners = []importer.Owner{{Person: "p", Role: "technical"}}
		load(t, s, source)
		if diff := cmp.Diff([]string{"false technical true"}, owners()); diff != "" {
			t.Error(diff)
		}
		changesNothing(t, s, source)
		source.all[0].CI.Owners = nil // not reported
		changesNothing(t, s, source)
	})
}

func TestATypeWithRoomForOneTargetTakesOne(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		one := domain.ManyToOne
		if _, err := cmdb.New(s).CreateRelationshipType(admin(t), cmdb.CreateRelationshipType{
			Code: "lives_in", ForwardLabel: "lives in", ReverseLabel: "houses", ImpactDirection: domain.TargetToSource, Cardinality: &one,
		}); err != nil {
			t.Fatal(err)
		}
		source := cis(
			importer.CI{ExternalID: "a", Name: "a", Class: "server", Relationships: []importer.Relationship{{Type: "lives_in", Target: "r1"}, {Type: "lives_in", Target: "r2"}}},
			importer.CI{ExternalID: "r1", Name: "r1", Class: "rack"}, importer.CI{ExternalID: "r2", Name: "r2", Class: "rack"},
		)
		for range 2 {
			p := load(t, s, source)
			if n := count(p, importer.Rejected); n != 1 || s.Read.Relationship.Query().CountX(t.Context()) != 1 {
				t.Errorf("%v", notices(p))
			}
		}
		changesNothing(t, s, source)
	})
}

func TestAKeyOfAnotherKindOfRecordIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, teams(importer.Team{ExternalID: "x", Name: "X"}))
		p := load(t, s, cis(
			importer.CI{ExternalID: "x", Name: "x", Class: "server"},
			importer.CI{ExternalID: "y", Name: "y", Class: "server", Relationships: []importer.Relationship{{Type: "depends_on", Target: "x"}}},
		))
		if diff := cmp.Diff([]string{
			`rejected test.yaml:1: "x" is the key of a team in the database and cannot be a CI's: give one of them another id`,
			`rejected test.yaml:2: relationship y depends_on x: "x" is a team and not a CI; the rest of the row was imported`,
		}, notices(p)); diff != "" {
			t.Error(diff)
		}
	})
}
