package importer_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/backstage"
	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
	"github.com/linchpin-cmdb/linchpin/internal/importer/kubernetes"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestTheDemoIsImportedAndASecondRunChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		p := load(t, s, demo.Estate())
		if len(p.Notices) > 0 {
			t.Errorf("the demo has problems: %q", notices(p))
		}
		if n := s.Read.CI.Query().CountX(t.Context()); n != p.Summary[importer.KindCI][importer.Create] || n < 300 {
			t.Errorf("%d CIs, planned %v", n, p.Summary)
		}
		if n := s.Read.Relationship.Query().CountX(t.Context()); n != p.Summary[importer.KindRelationship][importer.Create] {
			t.Errorf("%d relationships, planned %v", n, p.Summary)
		}
		if n := s.Read.DependencyGroup.Query().CountX(t.Context()); n != p.Summary[importer.KindGroup][importer.Create] || n == 0 {
			t.Errorf("%d groups, planned %v", n, p.Summary)
		}
		changesNothing(t, s, demo.Estate())
	})
}

func backstageFixtures(t *testing.T) importer.Source {
	dir := filepath.Join(fixture.Dir(t), "backstage")
	return backstage.New([]string{filepath.Join(dir, "catalog-info.yaml"), filepath.Join(dir, "create-app-0.9.2"), filepath.Join(dir, "packages")})
}

func TestTheBackstageFixturesAreImportedAsSOURCESSays(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		p := load(t, s, backstageFixtures(t))
		// SOURCES.md counts 12 Components, one of them the unexpanded template; the one owned by backstage/maintainers
		// is missing from the folder.
		components := 0
		for _, i := range p.Steps {
			if strings.HasPrefix(i.ExternalID, "component:") && i.Kind == importer.KindCI {
				components++
			}
		}
		if components != 10 && components != 11 {
			t.Errorf("%d components", components)
		}
		want := importer.Summary{
			importer.KindTeam: {importer.Create: 8}, importer.KindPerson: {importer.Create: 15},
			importer.KindCI: {importer.Create: components + 4 + 3 + 2 + 1},
		}
		for kind, by := range want {
			if diff := cmp.Diff(by, p.Summary[kind]); diff != "" {
				t.Errorf("%s: %s", kind, diff)
			}
		}
		dangling := danglingReferences(t, s)
		if components == 11 {
			dangling = slices.DeleteFunc(dangling, func(d string) bool { return strings.HasSuffix(d, " group:backstage/maintainers") })
		}
		if diff := cmp.Diff([]string{
			"component:default/backstage OWNER owner group:default/cncf",
			"component:default/playback-order OWNER owner group:default/guest",
		}, dangling); diff != "" {
			t.Error(diff)
		}
		for _, part := range []string{"group:default/team-d", "team-d-group.yaml", "team-e-big-name-group.yaml", "group:default/cncf", "group:default/guest"} {
			if !slices.ContainsFunc(p.Notices, func(f importer.Notice) bool {
				return f.Kind == importer.Dangling && strings.Contains(f.Target+f.Reason, part) && f.Origin.Line > 0
			}) {
				t.Errorf("no problem says that %s dangles", part)
			}
		}
		for kind, said := range map[importer.NoticeKind]string{importer.Duplicate: "user:default/guest", importer.Rejected: "unexpanded template"} {
			if n := count(p, kind); n != 1 || !strings.Contains(summary(t, p), said) {
				t.Errorf("%d problems of kind %s; one about %s is expected", n, kind, said)
			}
		}
		if team := record(t, s, "backstage", "group:default/boxoffice"); s.Read.Team.GetX(t.Context(), team).ParentID == nil {
			t.Error("boxoffice is part of no team")
		}
		changesNothing(t, s, backstageFixtures(t))
	})
}

func kubernetesFixtures(t *testing.T) importer.Source {
	dir := filepath.Join(fixture.Dir(t), "microservices-demo")
	return kubernetes.New([]string{filepath.Join(dir, "kubernetes-manifests"), filepath.Join(dir, "kustomize")})
}

func TestTheKubernetesFixturesAreImportedAsSOURCESSays(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		load(t, s, kubernetesFixtures(t))
		edges := s.Read.Relationship.Query().
			Where(relationship.HasTypeWith(relationshiptype.Code("depends_on")), relationship.ReportedBy("kubernetes")).AllX(t.Context())
		byEnv, byPolicy := 0, 0
		for _, e := range edges {
			if strings.Contains(e.Evidence, "env ") {
				byEnv++
			}
			if strings.Contains(e.Evidence, "NetworkPolicy ") {
				byPolicy++
			}
		}
		dangling := danglingReferences(t, s)
		if diff := cmp.Diff([]string{"deployment:default/frontend RELATIONSHIP depends_on service:default/shoppingassistantservice"}, dangling); diff != "" {
			t.Error(diff)
		}
		if len(edges)+len(dangling) != 17 || byEnv != 16 || byPolicy != 15 {
			t.Errorf("%d edges and %d dangling, %d by environment, %d by policy; want 17 of which one dangling, 15 by policy", len(edges), len(dangling), byEnv, byPolicy)
		}
		if n := s.Read.CI.Query().CountX(t.Context()); n != 24 {
			t.Errorf("%d CIs", n)
		}
		changesNothing(t, s, kubernetesFixtures(t))
	})
}

func count(p *importer.Plan, kind importer.NoticeKind) (n int) {
	for _, f := range p.Notices {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

// danglingReferences returns the rows of the table as text: the record, the kind of reference, the target.
func danglingReferences(t testing.TB, s *store.Store) (all []string) {
	t.Helper()
	for _, d := range s.Read.DanglingReference.Query().AllX(t.Context()) {
		of := s.Read.ExternalIdentity.Query().Where(externalidentity.RecordID(d.RecordID)).OnlyX(t.Context())
		all = append(all, of.ExternalID+" "+string(d.Kind)+" "+d.Detail+" "+d.ExternalID)
	}
	slices.Sort(all)
	return all
}

func ciOf(t testing.TB, s *store.Store, externalID string) *ent.CI {
	t.Helper()
	return s.Read.CI.GetX(t.Context(), record(t, s, "test", externalID))
}
