package importer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestAReleasedFieldHasWhatSourcesSayAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		set(t, s, source.Set{Code: "high", Priority: new(200)})
		teams := rows{name: "low", all: []importer.Row{{Team: &importer.Team{ExternalID: "web", Name: "Web"}}}}
		readAt(t, s, start, teams, importer.Options{})
		serial := map[string]any{"serialNumber": "S1", "vendor": "Dell"}
		readAt(t, s, start, named("low", importer.CI{
			ExternalID: "1", Name: "from low", Class: "server", Description: "of low", Attributes: serial, Labels: map[string]string{"zone": "a"}, Owners: []importer.Owner{{Team: "web"}},
		}), importer.Options{})
		readAt(t, s, start, named("high", importer.CI{ExternalID: "x", Name: "from high", Class: "server", Attributes: serial, Null: []string{"labels.zone"}}), full)
		id := record(t, s, "low", "1")
		people := cmdb.New(s)
		if _, err := people.UpdateCI(admin(t), cmdb.UpdateCI{ID: id, FieldsInput: cmdb.FieldsInput{Name: graphql.OmittableOf(new("of a person")), Description: graphql.OmittableOf(new("of a person"))}}); err != nil {
			t.Fatal(err)
		}
		if _, err := people.SetOwners(admin(t), cmdb.SetOwners{ID: id}); err != nil {
			t.Fatal(err)
		}
		practice := importer.New(s)
		before := revision(t, s)
		for field, want := range map[string]string{"name": "from high", "description": "of low"} {
			got, err := practice.ReleaseField(admin(t), importer.ReleaseField{ID: id, Field: field})
			if err != nil {
				t.Fatal(err)
			}
			is := map[string]string{"name": got.Name, "description": got.Description}[field]
			if is != want {
				t.Errorf("%s is %q after its release, not %q", field, is, want)
			}
		}
		if after := revision(t, s); after != before+2 {
			t.Errorf("two releases took %d revisions", after-before)
		}
		got, err := practice.ReleaseField(admin(t), importer.ReleaseField{ID: id, Field: "owners"})
		if err != nil || len(got.Locks) > 0 {
			t.Fatalf("%v: locked are %v", err, got.Locks)
		}
		if owners := s.Read.Owner.Query().AllX(t.Context()); len(owners) != 1 || owners[0].CiID != id || !owners[0].IsPrimary {
			t.Errorf("the owners are %v", owners)
		}
		readAt(t, s, start.Add(time.Minute), named("high", importer.CI{ExternalID: "x", Name: "from high", Class: "server", Attributes: serial, Null: []string{"labels.zone"}}), full)
		if again := revision(t, s); again != before+3 {
			t.Errorf("the next run wrote %d revisions though the field had its value", again-before-3)
		}
		if _, err := practice.ReleaseField(admin(t), importer.ReleaseField{ID: id, Field: "colour"}); err == nil || !strings.Contains(err.Error(), "attributes.NAME") {
			t.Errorf("a field that does not exist: %v", err)
		}
	})
}

func TestALockedFieldStandsAndTheClaimSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		readAt(t, s, start, named("low", importer.CI{ExternalID: "1", Name: "one", Class: "server", Attributes: map[string]any{"os": "Debian"}}), full)
		id := record(t, s, "low", "1")
		if _, err := cmdb.New(s).LockField(admin(t), cmdb.LockField{ID: id, Field: "attributes.os"}); err != nil {
			t.Fatal(err)
		}
		readAt(t, s, start.Add(time.Minute), named("low", importer.CI{ExternalID: "1", Name: "two", Class: "server", Attributes: map[string]any{"os": "NetBSD"}}), full)
		got := s.Read.CI.GetX(t.Context(), id)
		if got.Name != "two" || got.Attributes["os"] != "Debian" {
			t.Errorf("it is %q with %v", got.Name, got.Attributes)
		}
		claims, err := importer.ReadClaims(t.Context(), s, s.Read.CI.Query().AllX(t.Context()))
		if err != nil || len(claims[id]) != 1 {
			t.Fatal(claims, err)
		}
		for _, f := range claims[id][0].Fields {
			if isOS := f.Field == "attributes.os"; f.IsLocked != isOS || f.IsBelieved == isOS {
				t.Errorf("%+v", f)
			}
		}
	})
}
