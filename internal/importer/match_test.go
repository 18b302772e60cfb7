package importer_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func server(key, name, serial, vendor string) importer.CI {
	return importer.CI{ExternalID: key, Name: name, Class: "server", Attributes: map[string]any{"serialNumber": serial, "vendor": vendor}}
}

func TestAPlaceholderMakesNoOneMachineOfTwo(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, rows{name: "first", all: cis(server("1", "one", "Default string", "Dell")).all})
		second := rows{name: "second", all: cis(server("x", "two", "Default string", "Dell"), server("y", "three", "To be filled by O.E.M.", "Dell")).all}
		if p := load(t, s, second); !slices.Equal(steps(p), []string{"ci create x", "ci create y"}) {
			t.Errorf("%v", steps(p))
		}
		changesNothing(t, s, second)
	})
}

func TestSpellingsOfASerialNumberAreOneMachine(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, rows{name: "first", all: cis(server("1", "one", "S1-aB", "Dell")).all})
		second := rows{name: "second", all: cis(server("x", "one", " s1-Ab", "DELL")).all}
		load(t, s, second)
		if record(t, s, "first", "1") != record(t, s, "second", "x") || s.Read.CI.Query().CountX(t.Context()) != 1 {
			t.Error("they are two machines")
		}
	})
}

func TestAValueThatManyRowsShareIdentifiesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := cis(server("a", "a", "IMAGE-7", "Dell"), server("b", "b", "IMAGE-7", "Dell"), server("c", "c", "image-7", "Dell"), server("d", "d", "S4", "Dell"))
		p := load(t, s, source)
		if diff := cmp.Diff([]string{"ci create a", "ci create b", "ci create c", "ci create d"}, steps(p)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{
			`warning test.yaml:1: 3 rows of test have the serialNumber IMAGE-7, "a" and "b" among them: it identifies nothing and was left out of them`,
		}, notices(p)); diff != "" {
			t.Error(diff)
		}
		if got := ciOf(t, s, "a"); got.Attributes["serialNumber"] != nil || got.Attributes["vendor"] != "Dell" {
			t.Errorf("%v", got.Attributes)
		}
		changesNothing(t, s, source)
	})
}

func TestTheSameRowsInAnotherOrderWriteNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		shows := func(target string, evidence ...string) (all []importer.Relationship) {
			for i, e := range evidence {
				all = append(all, importer.Relationship{Type: "depends_on", Target: target, Evidence: e, Strength: []string{"SOFT", "HARD", ""}[i%3]})
			}
			return all
		}
		source := cis(
			importer.CI{ExternalID: "a", Name: "a", Class: "server", Relationships: shows("b", "env X", "env Y", "a file")},
			importer.CI{ExternalID: "b", Name: "b", Class: "server", Relationships: append(shows("c", "one", "two"), importer.Relationship{Type: "depends_on", Target: "a", IsReverse: true, Evidence: "seen by b"})},
			importer.CI{ExternalID: "c", Name: "c", Class: "server", Labels: map[string]string{"x": "1", "y": "2"}},
		)
		load(t, s, source)
		r := rand.New(rand.NewPCG(1, 2))
		for range 10 {
			r.Shuffle(len(source.all), func(i, j int) { source.all[i], source.all[j] = source.all[j], source.all[i] })
			for _, row := range source.all {
				rels := row.CI.Relationships
				r.Shuffle(len(rels), func(i, j int) { rels[i], rels[j] = rels[j], rels[i] })
			}
			changesNothing(t, s, source)
		}
	})
}

func TestARowNamesACIOfAnotherSourceAlsoBeforeItArrives(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		apps := rows{name: "apps", all: cis(importer.CI{
			ExternalID: "shop", Name: "shop", Class: "application", Owners: []importer.Owner{{Team: "web", Space: "people"}},
			Relationships: []importer.Relationship{{Type: "runs_on", Target: "vm-1", Space: "vms"}, {Type: "depends_on", Target: "vm-1"}},
		}).all}
		vms := rows{name: "vms", all: cis(importer.CI{ExternalID: "vm-1", Name: "vm-1", Class: "virtual_machine"}).all}
		p := load(t, s, apps)
		if n := count(p, importer.Dangling); n != 3 || !strings.Contains(strings.Join(notices(p), "\n"), `"vm-1" of vms is named as the target of runs_on of "shop"`) {
			t.Errorf("%d: %v", n, notices(p))
		}
		load(t, s, vms)
		load(t, s, rows{name: "people", all: teams(importer.Team{ExternalID: "web", Name: "Web"}).all})
		rels := s.Read.Relationship.Query().AllX(t.Context())
		if len(rels) != 1 || rels[0].TargetID != record(t, s, "vms", "vm-1") || rels[0].SourceID != record(t, s, "apps", "shop") {
			t.Errorf("%v", rels)
		}
		if n := s.Read.Owner.Query().CountX(t.Context()); n != 1 {
			t.Errorf("%d owners", n)
		}
		changesNothing(t, s, apps)
		changesNothing(t, s, vms)
	})
}

func TestANullIsWrittenLikeAValue(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, rows{name: "test", all: append(teams(importer.Team{ExternalID: "web", Name: "Web"}).all, cis(importer.CI{
			ExternalID: "a", Name: "a", Class: "business_service", Description: "first", Labels: map[string]string{"zone": "north", "rack": "1"},
			Attributes: map[string]any{"note": "x", "cost": 8}, Owners: []importer.Owner{{Team: "web"}},
			Service: &importer.Service{Tier: "tier-1", Category: "Shop", SupportTeam: "web", AvailabilityTarget: 99.9, Links: []importer.Link{{Kind: "RUNBOOK", Title: "r", URL: "https://example.com"}}},
		}).all...)})
		source := cis(importer.CI{ExternalID: "a", Null: []string{
			"description", "labels.zone", "labels.none", "attributes.note", "owners", "tier", "category", "links", "supportTeam", "availabilityTarget",
		}})
		load(t, s, source)
		got := ciOf(t, s, "a")
		if got.Description != "" || got.TierID != nil || got.Category != "" || len(got.Links) > 0 || got.SupportTeamID != nil || got.AvailabilityTarget != nil || s.Read.Owner.Query().CountX(t.Context()) != 0 {
			t.Errorf("%+v", got)
		}
		if diff := cmp.Diff(map[string]string{"rack": "1"}, got.Labels); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{"cost": 8.0}, got.Attributes); diff != "" {
			t.Error(diff)
		}
		if got.Lifecycle != domain.Live || got.Name != "a" {
			t.Errorf("%+v", got)
		}
		changesNothing(t, s, source)
		p := plan(t, s, cis(importer.CI{ExternalID: "a", Null: []string{"name"}}))
		if got := notices(p); len(got) != 1 || !strings.HasPrefix(got[0], `rejected test.yaml:1: "name" cannot be null`) {
			t.Errorf("%v", got)
		}
	})
}
