package importer_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/consent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// guarded runs a test on databases whose writes are judged by what they take DOWN.
func guarded(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	each(t, func(t *testing.T, s *store.Store) {
		feed, err := journal.Follow(t.Context(), s, topology.New(), slog.New(slog.NewTextHandler(t.Output(), nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { <-feed.Done() })
		consent.Guard(s, feed)
		test(t, s)
	})
}

func needs(targets ...string) (all []importer.Relationship) {
	for _, target := range targets {
		all = append(all, importer.Relationship{Type: "depends_on", Target: target})
	}
	return all
}

func retired(source rows, keys ...string) rows {
	now := rows{name: source.name}
	for _, row := range source.all {
		c := *row.CI
		for _, key := range keys {
			if c.ExternalID == key {
				c.Lifecycle = string(domain.Retired)
			}
		}
		row.CI = &c
		now.all = append(now.all, row)
	}
	return now
}

func TestANeededCIStaysAsItWas(t *testing.T) {
	guarded(t, func(t *testing.T, s *store.Store) {
		source := cis(
			importer.CI{ExternalID: "db", Name: "db", Class: "database"},
			importer.CI{ExternalID: "host", Name: "host", Class: "server"},
			importer.CI{ExternalID: "alone", Name: "alone", Class: "server"},
			importer.CI{ExternalID: "shop", Name: "shop", Class: "application", Relationships: needs("db")},
			importer.CI{ExternalID: "old", Name: "old", Class: "application", Relationships: needs("host")},
		)
		load(t, s, source)
		// CIs that need each other go together, in whatever order the source reports them.
		result, err := plan(t, s, retired(source, "db", "host", "alone", "old")).Apply(admin(t), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]domain.Lifecycle{"db": domain.Live, "shop": domain.Live, "host": domain.Retired, "old": domain.Retired, "alone": domain.Retired} {
			if got := ciOf(t, s, key).Lifecycle; got != want {
				t.Errorf("%s is %s, want %s", key, got, want)
			}
		}
		if n := result.Written.Total(importer.IsNeeded); n != 1 || len(result.Conflicts) != 1 {
			t.Fatalf("%d needed, %+v", n, result.Conflicts)
		}
		if c := result.Conflicts[0]; c.Kind != importer.Needed || c.ExternalID != "db" || !strings.Contains(c.Reason, `ci "db" stays as it was: this would take 1 CI DOWN though nothing failed: shop (ci_`) {
			t.Errorf("got %+v", c)
		}
		// Nothing is lost by asking again.
		again, err := plan(t, s, retired(source, "db", "host", "alone", "old")).Apply(admin(t), s, nil)
		if diff := cmp.Diff(result.Conflicts, again.Conflicts); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

func TestARelationshipThatOnlyItsGroupMakesBearableIsWrittenWithIt(t *testing.T) {
	guarded(t, func(t *testing.T, s *store.Store) {
		source := cis(
			importer.CI{ExternalID: "db-1", Name: "db-1", Class: "database", Lifecycle: string(domain.Retired)},
			importer.CI{ExternalID: "db-2", Name: "db-2", Class: "database"},
			importer.CI{
				ExternalID: "shop", Name: "shop", Class: "application", Relationships: needs("db-1", "db-2"),
				Groups: []importer.Group{{Name: "dbs", Mode: "ANY", Members: []importer.GroupMember{{Type: "depends_on", Target: "db-1"}, {Type: "depends_on", Target: "db-2"}}}},
			},
			importer.CI{ExternalID: "web", Name: "web", Class: "application", Relationships: needs("db-1")},
		)
		result, err := plan(t, s, source).Apply(admin(t), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if g := s.Read.DependencyGroup.Query().OnlyX(t.Context()); len(g.Members) != 2 {
			t.Errorf("got %+v", g)
		}
		if n := s.Read.Relationship.Query().CountX(t.Context()); n != 2 {
			t.Errorf("%d relationships: that of web takes it DOWN", n)
		}
		var said []string
		for _, c := range result.Conflicts {
			said = append(said, string(c.Kind)+" "+c.ExternalID)
		}
		if diff := cmp.Diff([]string{"needed web"}, said); diff != "" {
			t.Error(diff)
		}
		if n := result.Written[importer.KindRelationship][importer.Create]; n != 2 {
			t.Errorf("%d relationships counted", n)
		}
		again := plan(t, s, source)
		if n := again.Writes(); n != 1 { // that of web
			t.Errorf("a second run would write %v", steps(again))
		}
	})
}

func TestAReportedRelationshipIsWrittenWhileItsEndHasFailed(t *testing.T) {
	guarded(t, func(t *testing.T, s *store.Store) {
		source := cis(
			importer.CI{ExternalID: "db", Name: "db", Class: "database"},
			importer.CI{ExternalID: "shop", Name: "shop", Class: "application"},
			importer.CI{ExternalID: "spare", Name: "spare", Class: "database"},
		)
		load(t, s, source)
		_, err := incident.New(s, topology.New()).Open(admin(t), incident.Open{Title: "db is dead", CIs: []incident.CI{{ID: ciOf(t, s, "db").ID, Role: domain.RootRole}}})
		if err != nil {
			t.Fatal(err)
		}
		source.all[1].CI.Relationships = needs("db")
		load(t, s, source)
		kept := s.Read.Consequence.Query().OnlyX(t.Context())
		if kept.CiID != ciOf(t, s, "shop").ID || !kept.IsNow || kept.Reason != "Reported by test." {
			t.Errorf("kept %+v", kept)
		}
	})
}
