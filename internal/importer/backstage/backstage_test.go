package backstage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

var _ importer.Source = New(nil)

// result is all that a source yielded.
type result struct {
	rows    []importer.Row
	notices []*importer.Notice
}

func collect(t testing.TB, s importer.Source) result {
	t.Helper()
	var r result
	for row, err := range s.Rows(context.Background()) {
		var p *importer.Notice
		switch {
		case err == nil:
			r.rows = append(r.rows, row)
		case errors.As(err, &p):
			r.notices = append(r.notices, p)
		default:
			t.Fatal(err)
		}
	}
	return r
}

// of lists the notices of a kind as "file:line id > target: reason".
func (r result) of(kind importer.NoticeKind, dir string) []string {
	var list []string
	for _, p := range r.notices {
		if p.Kind == kind {
			list = append(list, strings.TrimPrefix(p.Error(), dir+string(filepath.Separator)))
		}
	}
	return list
}

func (r result) ci(t testing.TB, id string) *importer.CI {
	t.Helper()
	for _, row := range r.rows {
		if row.CI != nil && row.CI.ExternalID == id {
			return row.CI
		}
	}
	t.Fatalf("no CI %s", id)
	return nil
}

func (r result) team(t testing.TB, id string) *importer.Team {
	t.Helper()
	for _, row := range r.rows {
		if row.Team != nil && row.Team.ExternalID == id {
			return row.Team
		}
	}
	t.Fatalf("no team %s", id)
	return nil
}

func (r result) person(t testing.TB, id string) *importer.Person {
	t.Helper()
	for _, row := range r.rows {
		if row.Person != nil && row.Person.ExternalID == id {
			return row.Person
		}
	}
	t.Fatalf("no person %s", id)
	return nil
}

// from imports one file of the given content.
func from(t testing.TB, content string) result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	r := collect(t, New([]string{file}))
	for i := range r.rows {
		r.rows[i].Origin.File = "a.yaml"
		for n := range r.rows[i].Notices {
			r.rows[i].Notices[n].Origin.File = "a.yaml"
		}
	}
	for _, p := range r.notices {
		p.Origin.File = "a.yaml"
		p.Reason = strings.ReplaceAll(p.Reason, file, "a.yaml")
	}
	return r
}

func entityText(kind, name, rest string) string {
	return fmt.Sprintf("---\napiVersion: backstage.io/v1alpha1\nkind: %s\nmetadata:\n  name: %s\n%s\n", kind, name, rest)
}

func TestAComponentBecomesAServiceOrAnApplication(t *testing.T) {
	r := from(t, entityText("Component", "Shop", `  namespace: Sales
  title: The Shop
  description: |
    Sells things.
  labels: {team: blue, year: 2026}
  tags: [java]
  annotations: {github.com/project-slug: a/shop, backstage.io/techdocs-ref: dir:.}
  links:
    - {url: https://example.com/d, title: Load, type: Admin Dashboard}
    - {url: https://example.com/x, icon: dashboard}
    - {url: "javascript:alert(1)", title: evil}
spec:
  type: service
  lifecycle: production
  owner: Team-A
  system: web
  subcomponentOf: default/parent
  dependsOn: [resource:db, component:default/cart, Resource:DB]
  dependencyOf: [component:desk]
  providesApis: [shop-api]
  consumesApis: [api:default/pay]`)+entityText("Component", "lib", "  links: [{url: 'https://example.com'}]\nspec: {type: library, lifecycle: deprecated, owner: user:default/jane}"))
	want := []importer.Row{{
		Origin: importer.Origin{File: "a.yaml", Line: 2},
		CI: &importer.CI{
			ExternalID: "component:sales/shop", Class: "application_service", Name: "Shop", Description: "Sells things.", Lifecycle: "LIVE", Environment: "PRODUCTION",
			Labels: map[string]string{
				"team": "blue", "year": "2026", "tag:java": "true", "backstage.io/type": "service", "backstage.io/lifecycle": "production", "backstage.io/title": "The Shop",
			},
			Attributes: map[string]any{"annotations": map[string]any{"github.com/project-slug": "a/shop"}},
			Service: &importer.Service{Links: []importer.Link{
				{Kind: "DASHBOARD", Title: "Load", URL: "https://example.com/d"}, {Kind: "OTHER", URL: "https://example.com/x"},
			}},
			Owners: []importer.Owner{{Team: "group:sales/team-a"}},
			Relationships: []importer.Relationship{
				{Type: "depends_on", Target: "resource:sales/db", Evidence: "spec.dependsOn"},
				{Type: "depends_on", Target: "component:default/cart", Evidence: "spec.dependsOn"},
				{Type: "depends_on", Target: "component:sales/desk", IsReverse: true, Evidence: "spec.dependencyOf"},
				{Type: "provides_api", Target: "api:sales/shop-api", Evidence: "spec.providesApis"},
				{Type: "consumes_api", Target: "api:default/pay", Evidence: "spec.consumesApis"},
				{Type: "part_of", Target: "system:sales/web", Evidence: "spec.system"},
				{Type: "part_of", Target: "component:default/parent", Evidence: "spec.subcomponentOf"},
			},
		},
		Notices: []importer.Notice{{
			Origin: importer.Origin{File: "a.yaml", Line: 16}, Kind: importer.Warning, ExternalID: "component:sales/shop",
			Reason: `the link "javascript:alert(1)" was left out; an address of scheme http, https or mailto is expected`,
		}},
	}, {
		Origin: importer.Origin{File: "a.yaml", Line: 28},
		CI: &importer.CI{
			ExternalID: "component:default/lib", Class: "application", Name: "lib", Lifecycle: "DEPRECATED", Environment: "PRODUCTION",
			Labels:     map[string]string{"backstage.io/type": "library", "backstage.io/lifecycle": "deprecated"},
			Attributes: map[string]any{"links": []any{map[string]any{"kind": "OTHER", "title": "", "url": "https://example.com"}}},
			Owners:     []importer.Owner{{Person: "user:default/jane"}},
		},
	}}
	if diff := cmp.Diff(want, r.rows); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(r.notices) > 0 {
		t.Errorf("notices: %v", r.notices)
	}
}

func TestAnOwnerOfAnotherNamespaceStaysInTheRow(t *testing.T) {
	r := from(t, entityText("Component", "a", "spec: {type: website, owner: backstage/maintainers}"))
	if diff := cmp.Diff([]importer.Owner{{Team: "group:backstage/maintainers"}}, r.ci(t, "component:default/a").Owners); diff != "" {
		t.Error(diff)
	}
}

func TestAResourceTakesItsClassFromItsType(t *testing.T) {
	var content strings.Builder
	types := map[string]string{"database": "database", "S3 Bucket": "bucket", "kafka_topic": "queue", "kubernetes-cluster": "k8s_cluster", "submarine": "application"}
	for kind := range types {
		content.WriteString(entityText("Resource", "r-"+normal(kind), fmt.Sprintf("spec: {type: %q, owner: a}", kind)))
	}
	r := from(t, content.String())
	for kind, class := range types {
		if ci := r.ci(t, "resource:default/r-"+normal(kind)); ci.Class != class || ci.Labels["backstage.io/type"] != kind {
			t.Errorf("%s: %s, labels %v", kind, ci.Class, ci.Labels)
		}
	}
	for _, row := range r.rows {
		if told := len(row.Notices) > 0; told != (row.CI.Class == "application") {
			t.Errorf("%s: notices %v", row.CI.ExternalID, row.Notices)
		}
	}
}

func TestSystemsDomainsAndAPIsAreParts(t *testing.T) {
	r := from(t, entityText("System", "s", "spec: {owner: a, domain: d}")+entityText("Domain", "d", "spec: {owner: a, subdomainOf: top}")+entityText("API", "x", "spec: {type: openapi, lifecycle: experimental, owner: a, system: s, definition: '{{ allowed }}'}"))
	for id, want := range map[string]importer.CI{
		"system:default/s": {Class: "system", Relationships: []importer.Relationship{{Type: "part_of", Target: "domain:default/d", Evidence: "spec.domain"}}},
		"domain:default/d": {Class: "domain", Relationships: []importer.Relationship{{Type: "part_of", Target: "domain:default/top", Evidence: "spec.subdomainOf"}}},
		"api:default/x":    {Class: "api", Lifecycle: "LIVE", Relationships: []importer.Relationship{{Type: "part_of", Target: "system:default/s", Evidence: "spec.system"}}},
	} {
		ci := r.ci(t, id)
		if diff := cmp.Diff(want, importer.CI{Class: ci.Class, Lifecycle: ci.Lifecycle, Relationships: ci.Relationships}); diff != "" {
			t.Errorf("%s: -want +got\n%s", id, diff)
		}
	}
}

func TestChildrenAndMembersAreToldByTheirOwnRows(t *testing.T) {
	r := from(t, entityText("Group", "top", "spec: {type: team, children: [mid, gone, other], members: [jane, nobody]}")+
		entityText("Group", "mid", "spec: {type: team, children: []}")+
		entityText("Group", "other", "spec: {type: team, parent: mid, children: [], profile: {displayName: The Others, email: o@example.com}}")+
		entityText("User", "jane", "spec: {memberOf: [mid, group:default/mid], profile: {displayName: Jane}}")+
		entityText("User", "joe", "spec: {memberOf: null}"))
	if got := r.team(t, "group:default/mid").Parent; got != "group:default/top" {
		t.Errorf("mid: parent %q", got)
	}
	if diff := cmp.Diff(&importer.Team{ExternalID: "group:default/other", Name: "The Others", Email: "o@example.com", Parent: "group:default/mid"}, r.team(t, "group:default/other")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&importer.Person{ExternalID: "user:default/jane", Name: "Jane", Teams: []string{"group:default/mid", "group:default/top"}}, r.person(t, "user:default/jane")); diff != "" {
		t.Error(diff)
	}
	if got := r.person(t, "user:default/joe").Teams; got != nil {
		t.Errorf("joe: %v", got)
	}
	if diff := cmp.Diff([]string{
		"a.yaml:6: spec.children of group:default/top names group:default/gone, which is not among what was read",
		"a.yaml:6: spec.members of group:default/top names user:default/nobody, which is not among what was read",
	}, r.of(importer.Dangling, "")); diff != "" {
		t.Error(diff)
	}
	var notices []string
	for _, row := range r.rows {
		for _, n := range row.Notices {
			notices = append(notices, n.ExternalID+": "+n.Error())
		}
	}
	if diff := cmp.Diff([]string{"group:default/other: a.yaml:6: group:default/top claims group:default/other as a child, which itself names group:default/mid as parent; that counts"}, notices); diff != "" {
		t.Error(diff)
	}
}

func TestARelationshipStatedFromBothEndsIsOne(t *testing.T) {
	for _, content := range []string{
		entityText("Component", "a", "spec: {type: service, dependsOn: [component:b]}") + entityText("Component", "b", "spec: {type: service, dependencyOf: [component:a, component:c]}"),
		entityText("Component", "b", "spec: {type: service, dependencyOf: [component:a, component:c]}") + entityText("Component", "a", "spec: {type: service, dependsOn: [component:b]}"),
	} {
		r := from(t, content)
		if diff := cmp.Diff([]importer.Relationship{{Type: "depends_on", Target: "component:default/b", Evidence: "spec.dependsOn; spec.dependencyOf"}}, r.ci(t, "component:default/a").Relationships); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]importer.Relationship{{Type: "depends_on", Target: "component:default/c", IsReverse: true, Evidence: "spec.dependencyOf"}}, r.ci(t, "component:default/b").Relationships); diff != "" {
			t.Error(diff)
		}
	}
}

func TestALocationIsFineWhereItsTargetsAre(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"all.yaml":    entityText("Location", "all", "spec:\n  targets: [./here.yaml, ./gone.yaml, 'https://example.com/x.yaml', /etc/passwd, './*.yml', 'here.yaml']\n  target: ./unread.txt"),
		"here.yaml":   entityText("Group", "here", "spec: {type: team}"),
		"unread.txt":  "",
		"broken.yaml": entityText("Location", "broken", "spec: {targets: x}"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := collect(t, New([]string{dir}))
	if diff := cmp.Diff([]string{
		`all.yaml:7: location:default/all leads to "./gone.yaml", where there is no file`,
		`all.yaml:7: location:default/all leads to "/etc/passwd"; a path relative to its file is expected`,
	}, r.of(importer.Dangling, dir)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`all.yaml:7: location:default/all leads to "https://example.com/x.yaml", which is not fetched; download it and name it as a path`}, r.of(importer.Skipped, dir)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`broken.yaml:6: spec.targets is text; a list is expected, so it was left out`}, r.of(importer.Warning, dir)); diff != "" {
		t.Error(diff)
	}
	if len(r.rows) != 1 || len(r.notices) != 4 {
		t.Errorf("%d rows, %d notices", len(r.rows), len(r.notices))
	}
}

func TestReferencesAreReadAsBackstageReadsThem(t *testing.T) {
	for _, c := range []struct{ text, kind, want string }{
		{"a", "group", "group:ns/a"},
		{"User:A.b", "group", "user:ns/a.b"},
		{"default/a", "group", "group:default/a"},
		{"user:default/A", "", "user:default/a"},
		{"a", "", ""},
		{"", "group", ""},
		{":a", "group", ""},
		{"user:", "group", ""},
		{"user:/a", "group", ""},
		{"a/", "group", ""},
		{"a/b:c", "group", ""},
		{"a/b/c", "group", ""},
		{"a b", "group", ""},
		{"a\x00b", "group", ""},
		{strings.Repeat("a", 64), "group", ""},
	} {
		got, err := parseRef(c.text, c.kind, "ns")
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("%q: %q, %v", c.text, got, err)
		}
	}
}
