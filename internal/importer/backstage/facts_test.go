package backstage

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
)

// facts are the numbers of SOURCES.md. The folder may lack the Component that is owned by backstage/maintainers, which
// SOURCES.md mentions; then there is one document less, and the test logs that.
type facts struct{ documents, references, valid, components int }

func known(t *testing.T, documents []*document.Document) (f facts, hasMaintainers bool) {
	t.Helper()
	f = facts{documents: 48, references: 47, valid: 46, components: 12}
	for _, d := range documents {
		if d.Root.Text("spec", "owner") == "backstage/maintainers" {
			return f, true
		}
	}
	t.Log("the fixtures hold no document owned by backstage/maintainers, which SOURCES.md names: one Component less is expected")
	return facts{f.documents - 1, f.references - 1, f.valid - 1, f.components - 1}, false
}

func fixtureDocuments(t *testing.T) (dir string, documents []*document.Document) {
	t.Helper()
	dir = filepath.Join(fixture.Dir(t), "backstage")
	for d, err := range document.Read(t.Context(), yamlOf(dir), document.Limits{}) {
		if err != nil {
			t.Errorf("every document can be read: %v", err)
			continue
		}
		documents = append(documents, d)
	}
	return dir, documents
}

// yamlOf lists the files of a folder without the schemas, which are JSON.
func yamlOf(dir string) []string {
	return []string{filepath.Join(dir, "catalog-info.yaml"), filepath.Join(dir, "create-app-0.9.2"), filepath.Join(dir, "packages")}
}

func TestTheFixturesHoldTheDocumentsOfSOURCES(t *testing.T) {
	_, documents := fixtureDocuments(t)
	want, _ := known(t, documents)
	kinds, refs := map[string]int{}, map[string]int{}
	for _, d := range documents {
		kind, namespace := d.Root.Text("kind"), d.Root.Text("metadata", "namespace")
		if namespace == "" {
			namespace = "default"
		}
		kinds[kind]++
		refs[newRef(kind, namespace, d.Root.Text("metadata", "name")).String()]++
	}
	if len(documents) != want.documents || len(refs) != want.references {
		t.Errorf("%d documents, %d references; want %+v", len(documents), len(refs), want)
	}
	if refs["user:default/guest"] != 2 {
		t.Error("user:default/guest is not there twice")
	}
	if diff := cmp.Diff(map[string]int{"User": 16, "Component": want.components, "Group": 8, "System": 4, "Domain": 3, "API": 2, "Location": 1, "Resource": 1, "Template": 1}, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestAllDocumentsButThePlaceholderAndTheTemplateFitTheSchemas(t *testing.T) {
	dir, documents := fixtureDocuments(t)
	want, _ := known(t, documents)
	schemas := compile(t, filepath.Join(dir, "schema-catalog-model-1.10.1"))
	valid := 0
	var invalid []string
	for _, d := range documents {
		id := d.Root.Text("kind") + " " + d.Root.Text("metadata", "name")
		schema := schemas[d.Root.Text("kind")]
		switch {
		case schema == nil:
			invalid = append(invalid, id+": no schema")
		case schema.Validate(d.Root.Value()) != nil:
			invalid = append(invalid, id)
		default:
			valid++
		}
	}
	slices.Sort(invalid)
	if diff := cmp.Diff([]string{"API wayback-archive", "Template example-nodejs-template: no schema"}, invalid); diff != "" || valid != want.valid {
		t.Errorf("%d are valid, want %d\n%s", valid, want.valid, diff)
	}
}

// compile returns the draft-07 schema of each kind. The files refer to one another by $id, without a folder.
func compile(t *testing.T, dir string) map[string]*jsonschema.Schema {
	t.Helper()
	const base = "https://backstage.test/"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	kinds := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		schema, err := jsonschema.UnmarshalJSON(strings.NewReader(string(content)))
		if err != nil {
			return err
		}
		var head struct {
			ID string `json:"$id"`
		}
		if err := json.Unmarshal(content, &head); err != nil {
			return err
		}
		if kind, rest, _ := strings.Cut(e.Name(), "."); rest == "v1alpha1.schema.json" {
			kinds[kind] = base + head.ID
		}
		return compiler.AddResource(base+head.ID, schema)
	})
	if err != nil {
		t.Fatal(err)
	}
	schemas := map[string]*jsonschema.Schema{}
	for kind, id := range kinds {
		schema, err := compiler.Compile(id)
		if err != nil {
			t.Fatal(err)
		}
		schemas[kind] = schema
	}
	return schemas
}

func TestTheFixturesImportAsSOURCESSays(t *testing.T) {
	dir, documents := fixtureDocuments(t)
	want, hasMaintainers := known(t, documents)
	r := collect(t, New(yamlOf(dir)))

	if rows := want.documents - len([]string{"Template", "unexpanded", "Location", "second guest"}); len(r.rows) != rows {
		t.Errorf("%d rows, want %d", len(r.rows), rows)
	}
	seen := map[string]bool{}
	for _, row := range r.rows {
		checkRow(t, row, seen)
	}
	got := map[importer.NoticeKind][]string{}
	for _, p := range r.notices {
		got[p.Kind] = append(got[p.Kind], strings.ReplaceAll(filepath.ToSlash(p.Error()), filepath.ToSlash(dir)+"/", ""))
	}
	if diff := cmp.Diff(map[importer.NoticeKind][]string{
		importer.Rejected: {
			`create-app-0.9.2/examples/template/content/catalog-info.yaml:4: metadata.name is an unexpanded template: "${{ values.name | dump }}"; expand it and import the result, or leave this file out`,
		},
		importer.Skipped: {
			`create-app-0.9.2/examples/template/template.yaml:1: apiVersion "scaffolder.backstage.io/v1beta3", kind "Template": no entity of apiVersion backstage.io/…`,
		},
		importer.Duplicate: {
			`packages/catalog-model/examples/acme/team-a-group.yaml:51: user:default/guest is described twice: the first, at create-app-0.9.2/examples/org.yaml:3, counts; this one was left out`,
		},
		importer.Dangling: {
			`packages/catalog-model/examples/acme/boxoffice-group.yaml:13: spec.children of group:default/boxoffice names group:default/team-d, which is not among what was read`,
			`packages/catalog-model/examples/acme/org.yaml:32: location:default/example-groups leads to "./team-d-group.yaml", where there is no file`,
			`packages/catalog-model/examples/acme/org.yaml:33: location:default/example-groups leads to "./team-e-big-name-group.yaml", where there is no file`,
		},
	}, got); diff != "" {
		t.Errorf("notices: -want +got\n%s", diff)
	}

	var notices []string
	for _, row := range r.rows {
		for _, n := range row.Notices {
			notices = append(notices, string(n.Kind)+" "+n.ExternalID+": "+n.Reason)
		}
	}
	if diff := cmp.Diff([]string{`warning api:default/wayback-archive: spec.definition is a "$text" placeholder, which Backstage replaces by the file it names; the definition itself was not seen`}, notices); diff != "" {
		t.Errorf("notices: -want +got\n%s", diff)
	}

	wantDangling := []string{
		"component:default/backstage owner group:default/cncf",
		"component:default/playback-order owner group:default/guest",
	}
	gotDangling := dangling(r, seen)
	if hasMaintainers {
		gotDangling = slices.DeleteFunc(gotDangling, func(s string) bool { return strings.HasSuffix(s, " owner group:backstage/maintainers") })
		if len(gotDangling) != len(wantDangling) {
			t.Error("the owner backstage/maintainers does not dangle")
		}
	}
	if diff := cmp.Diff(wantDangling, gotDangling); diff != "" {
		t.Errorf("references of rows to nothing: -want +got\n%s", diff)
	}
}

// dangling lists the references of rows to which no row answers, as the planner would find them.
func dangling(r result, seen map[string]bool) []string {
	var list []string
	check := func(id, what, target string) {
		if target != "" && !seen[target] {
			list = append(list, id+" "+what+" "+target)
		}
	}
	for _, row := range r.rows {
		switch {
		case row.CI != nil:
			for _, o := range row.CI.Owners {
				check(row.CI.ExternalID, "owner", o.Team+o.Person)
			}
			for _, rel := range row.CI.Relationships {
				check(row.CI.ExternalID, rel.Type, rel.Target)
			}
		case row.Team != nil:
			check(row.Team.ExternalID, "parent", row.Team.Parent)
		case row.Person != nil:
			for _, team := range row.Person.Teams {
				check(row.Person.ExternalID, "team", team)
			}
		}
	}
	return list
}

func TestTheFixturesGiveTheRowsAPersonWouldExpect(t *testing.T) {
	dir, _ := fixtureDocuments(t)
	r := collect(t, New(yamlOf(dir)))
	lookup := r.ci(t, "component:default/artist-lookup")
	if lookup.Class != "application_service" || lookup.Service == nil || len(lookup.Service.Links) != 7 || lookup.Lifecycle != "LIVE" {
		t.Errorf("%+v", lookup)
	}
	if db := r.ci(t, "resource:default/artists-db"); db.Class != "database" || db.Owners[0].Team != "group:default/team-a" || db.Relationships[0].Target != "system:default/artist-engagement-portal" {
		t.Errorf("%+v", db)
	}
	if library := r.ci(t, "component:default/backstage"); library.Class != "application" || library.Service != nil {
		t.Errorf("%+v", library)
	}
	if owner := r.ci(t, "component:default/searcher").Owners; len(owner) != 1 || owner[0].Person != "user:default/guest" {
		t.Errorf("%+v", owner)
	}
	archive := r.ci(t, "component:default/wayback-archive")
	if diff := cmp.Diff([]importer.Relationship{{Type: "provides_api", Target: "api:default/wayback-archive", Evidence: "spec.providesApis"}}, archive.Relationships); diff != "" {
		t.Error(diff)
	}
	if parent := r.team(t, "group:default/boxoffice").Parent; parent != "group:default/infrastructure" {
		t.Error(parent)
	}
	if artists := r.ci(t, "domain:default/artists"); artists.Relationships[0].Target != "domain:default/audio" {
		t.Errorf("%+v", artists)
	}
}

func TestTheSchemasBesideTheEntitiesDoNoHarm(t *testing.T) {
	dir, _ := fixtureDocuments(t)
	few, all := collect(t, New(yamlOf(dir))), collect(t, New([]string{dir}))
	if diff := cmp.Diff(few.rows, all.rows); diff != "" {
		t.Error(diff)
	}
	for _, kind := range []importer.NoticeKind{importer.Rejected, importer.Duplicate, importer.Dangling, importer.Warning} {
		if diff := cmp.Diff(few.of(kind, dir), all.of(kind, dir)); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestReadingTwiceSaysTheSame(t *testing.T) {
	dir, _ := fixtureDocuments(t)
	if diff := cmp.Diff(collect(t, New(yamlOf(dir))).rows, collect(t, New(yamlOf(dir))).rows); diff != "" {
		t.Error(diff)
	}
}
