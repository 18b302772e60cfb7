package backstage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

func TestADocumentThatIsNoEntityIsNotARow(t *testing.T) {
	entity := func(rest string) string { return "apiVersion: backstage.io/v1alpha1\n" + rest }
	for _, c := range []struct {
		name, content string
		kind          importer.NoticeKind
		want          string
	}{
		{"another system's", "apiVersion: v1\nkind: Component\n", importer.Skipped, `a.yaml:1: apiVersion "v1", kind "Component": no entity of apiVersion backstage.io/…`},
		{"no kind at all", "version: 2\n", importer.Skipped, `a.yaml:1: apiVersion "", kind "": no entity of apiVersion backstage.io/…`},
		{"an unknown kind", entity("kind: AiResource\nmetadata: {name: a}\nspec: {}\n"), importer.Skipped, `a.yaml:1: kind "AiResource" has no place in the CMDB`},
		{"a list", "- a\n", importer.Rejected, `a.yaml:1: the document is a list; a map with apiVersion, kind and metadata is expected`},
		{"a text", "hello\n", importer.Rejected, `a.yaml:1: the document is text; a map with apiVersion, kind and metadata is expected`},
		{"no metadata", entity("kind: User\nspec: {}\n"), importer.Rejected, `a.yaml:1: metadata is nothing; a map is expected`},
		{"a list as metadata", entity("kind: User\nmetadata:\n - a\nspec: {}\n"), importer.Rejected, `a.yaml:4: metadata is a list; a map is expected`},
		{"null spec", entity("kind: User\nmetadata: {name: a}\nspec:\n"), importer.Rejected, `a.yaml:4: spec is null; a map is expected`},
		{"a text as spec", entity("kind: User\nmetadata: {name: a}\nspec: x\n"), importer.Rejected, `a.yaml:4: spec is text; a map is expected`},
		{"no name", entity("kind: User\nmetadata: {}\nspec: {}\n"), importer.Rejected, `a.yaml:3: metadata.name is ""; 1 to 63 letters, digits, dashes, underscores and dots are expected`},
		{"a list as name", entity("kind: User\nmetadata: {name: [a]}\nspec: {}\n"), importer.Rejected, `a.yaml:3: metadata.name is ""; 1 to 63 letters, digits, dashes, underscores and dots are expected`},
		{"a name that is a path", entity("kind: User\nmetadata: {name: a/b}\nspec: {}\n"), importer.Rejected, `a.yaml:3: metadata.name is "a/b"; 1 to 63 letters, digits, dashes, underscores and dots are expected`},
		{"a namespace that is a path", entity("kind: User\nmetadata: {name: a, namespace: ../x}\nspec: {}\n"), importer.Rejected, `a.yaml:3: metadata.namespace is "../x"; 1 to 63 letters, digits, dashes, underscores and dots are expected`},
		{"a template as kind", entity("kind: ${{ values.kind }}\n"), importer.Rejected, `a.yaml:2: an unexpanded template: "${{ values.kind }}"; expand it and import the result, or leave this file out`},
		{"a template as owner", entity("kind: Component\nmetadata: {name: a}\nspec:\n  type: service\n  owner: ${{ values.owner }}\n"), importer.Rejected, `a.yaml:6: spec.owner is an unexpanded template: "${{ values.owner }}"; expand it and import the result, or leave this file out`},
		{"a YAML bomb", "a: &a [x]\nb: [*a, *a]\n", importer.Rejected, `a.yaml:1: aliases are not allowed, nor the anchors they point to: remove &a`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from(t, c.content+entityText("Group", "kept", "spec: {type: team}"))
			if diff := cmp.Diff([]string{c.want}, r.of(c.kind, "")); diff != "" || len(r.notices) != 1 {
				t.Errorf("%s%v", diff, r.notices)
			}
			r.team(t, "group:default/kept")
		})
	}
}

func TestAFieldOfTheWrongShapeIsANoticeAndTheRestIsKept(t *testing.T) {
	r := from(t, entityText("Component", "a", `  tags: java
  labels: [x]
  links: {url: x}
  annotations: {a: [b]}
  description: {en: x}
spec:
  type: [service]
  lifecycle: 3
  owner: [team-a]
  system: {name: x}
  dependsOn: db
  dependencyOf: [{kind: Component}, "component:a b", nokind, ~, component:a]
  providesApis: {}
  consumesApis: ["a:b:c", ""]`))
	var notices []string
	for _, n := range r.rows[0].Notices {
		notices = append(notices, fmt.Sprintf("%d %s", n.Origin.Line, n.Reason))
	}
	if diff := cmp.Diff([]string{
		`12 spec.type is a list; text is expected, so it was left out`,
		`10 metadata.description is a map; text is expected, so it was left out`,
		`7 metadata.labels is a list; a map is expected, so it was left out`,
		`6 metadata.tags is text; a list is expected, so it was left out`,
		`14 spec.owner is a list; text is expected, so it was left out`,
		`13 lifecycle "3" is not production, experimental or deprecated; the lifecycle was left alone`,
	}, notices[:6]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	ci := r.ci(t, "component:default/a")
	if ci.Class != "application" || len(ci.Relationships) != 0 || ci.Owners != nil || ci.Lifecycle != "" {
		t.Errorf("%+v", ci)
	}
	all := strings.Join(notices, "\n")
	for _, part := range []string{
		`spec.dependsOn is text; a list is expected`, `"component:a b" is not an entity reference`, `"nokind" names no kind`, `names the entity itself`,
		`"a:b:c" is not an entity reference`, `spec.dependencyOf is a map; text is expected`, `spec.providesApis is a map; a list is expected`, `metadata.links is a map; a list is expected`,
		`metadata.annotations.a is a list; text is expected`,
	} {
		if !strings.Contains(all, part) {
			t.Errorf("no notice says %s in\n%s", part, all)
		}
	}
}

func TestAPathThatDoesNotExistEndsTheSource(t *testing.T) {
	n := 0
	for _, err := range New([]string{filepath.Join(t.TempDir(), "gone")}).Rows(t.Context()) {
		n++
		if !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d answers", n)
	}
}

func FuzzRows(f *testing.F) {
	f.Add([]byte(entityText("Component", "a", "spec: {type: service, dependsOn: [component:b], owner: x}") + entityText("Location", "a", "spec: {targets: [./a]}") + entityText("Group", "g", "spec: {children: [g], members: [u]}")))
	f.Add([]byte(entityText("API", "a", "  links: [{url: 'http://%zz'}, 3]\nspec: {definition: {$text: x}, lifecycle: ~}") + entityText("User", "u", "spec: {memberOf: [g, 3, [x]]}")))
	f.Fuzz(func(t *testing.T, content []byte) {
		seen := map[string]bool{}
		for row, err := range rows(document.Parse("fuzz.yaml", content, document.Limits{Nodes: 2000})) {
			if err != nil {
				var p *importer.Notice
				if !errors.As(err, &p) || p.Kind == "" || p.Origin.File == "" || p.Reason == "" {
					t.Fatalf("%#v", err)
				}
				continue
			}
			checkRow(t, row, seen)
		}
	})
}

// checkRow fails if a row breaks a promise that holds for every row.
func checkRow(t testing.TB, row importer.Row, seen map[string]bool) {
	t.Helper()
	var id, name string
	set := 0
	if row.CI != nil {
		set, id, name = set+1, row.CI.ExternalID, row.CI.Name
	}
	if row.Team != nil {
		set, id, name = set+1, row.Team.ExternalID, row.Team.Name
	}
	if row.Person != nil {
		set, id, name = set+1, row.Person.ExternalID, row.Person.Name
	}
	if set != 1 || id == "" || name == "" || seen[id] || row.Origin.Line < 1 {
		t.Fatalf("%q seen %v: %+v", id, seen[id], row)
	}
	seen[id] = true
	if _, err := json.Marshal(row); err != nil {
		t.Fatal(err)
	}
}
