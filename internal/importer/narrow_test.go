package importer_test

import (
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// TestASourceOverwritesNoOtherByWhatLooksTheSame uses the stolen token of an importer: it reports a CI of another
// source under a key of its own, with what identifies the CI.
func TestASourceOverwritesNoOtherByWhatLooksTheSame(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		serial := func(n string) map[string]any { return map[string]any{"vendor": "Acme", "serialNumber": n} }
		load(t, s, cis(importer.CI{ExternalID: "1", Name: "theirs", Class: "server", Attributes: serial("S1")}))
		if _, err := cmdb.New(s).CreateCI(admin(t), cmdb.CreateCI{Class: "server", Name: "found", Attributes: serial("S2")}); err != nil {
			t.Fatal(err)
		}
		set(t, s, source.Set{Code: "other", Priority: new(200)})
		depends := []importer.Relationship{{Type: "depends_on", Target: "c"}}
		from := cis(
			importer.CI{ExternalID: "a", Name: "stolen", Class: "server", Attributes: serial("S1"), Relationships: append(depends, importer.Relationship{Type: "depends_on", Target: "nowhere"})},
			importer.CI{ExternalID: "b", Name: "found", Class: "server", Attributes: serial("S2"), Relationships: depends},
			importer.CI{ExternalID: "c", Name: "own", Class: "server", Attributes: serial("S3")},
		)
		from.name = "other"
		thief := auth.Actor{Name: "importer", Roles: []auth.Role{auth.Integrator}, Sources: []string{"other"}, IsService: true}
		result, err := plan(t, s, from).Apply(auth.With(t.Context(), thief), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Conflicts) != 3 || !strings.Contains(result.Conflicts[0].Reason, "is of the source test, and was found by what identifies it, not by a key of other") {
			t.Errorf("got %+v", result.Conflicts)
		}
		of := record(t, s, "test", "1")
		if c := s.Read.CI.GetX(t.Context(), of); c.Name != "theirs" || c.Version != 1 {
			t.Errorf("got %v", c)
		}
		if n := s.Read.ExternalIdentity.Query().CountX(t.Context()); n != 3 {
			t.Errorf("%d keys", n)
		}
		if n, m := s.Read.Relationship.Query().CountX(t.Context()), s.Read.DanglingReference.Query().CountX(t.Context()); n != 1 || m != 0 {
			t.Errorf("%d relationships, %d dangling references", n, m)
		}
		if found := s.Read.CI.Query().Where(ci.Name("found")).OnlyX(t.Context()); found.ID != record(t, s, "other", "b") {
			t.Errorf("what nobody has reported is not found: %v", found)
		}
		// Once an admin has said that they are the same, the source writes what is its own.
		load(t, s, from)
		if c := s.Read.CI.GetX(t.Context(), of); c.Name != "stolen" || record(t, s, "other", "a") != of {
			t.Errorf("got %v", c)
		}
		from.all[0].CI.Name = "again"
		if result, err := plan(t, s, from).Apply(auth.With(t.Context(), thief), s, nil); err != nil || len(result.Conflicts) > 0 {
			t.Errorf("got %+v, %v", result.Conflicts, err)
		}
	})
}
