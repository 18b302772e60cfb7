package kubernetes

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/address"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

func TestAPatchIsNotImported(t *testing.T) {
	full := deployment("a", "")
	for _, c := range []struct {
		name  string
		files []string
		rows  int
		want  []string
	}{
		{
			"a partial Deployment",
			[]string{"p.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: x, env: []}]}}}\n", "a.yaml", full},
			1,
			[]string{`skipped p.yaml:1: this Deployment is only a part of one, such as a patch for kustomize; run kustomize and import what it prints`},
		},
		{
			"a Deployment without spec",
			[]string{"p.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n", "a.yaml", full},
			1,
			[]string{`skipped p.yaml:1: this Deployment is only a part of one, such as a patch for kustomize; run kustomize and import what it prints`},
		},
		{
			"a deletion",
			[]string{"p.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n$patch: delete\n"},
			0,
			[]string{`skipped p.yaml:1: this Service is only a part of one, such as a patch for kustomize; run kustomize and import what it prints`},
		},
		{
			"a Service's type alone",
			[]string{"p.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: NodePort}\n"},
			0,
			[]string{`skipped p.yaml:1: this Service is only a part of one, such as a patch for kustomize; run kustomize and import what it prints`},
		},
		{"a whole document that is named as a patch", []string{
			"o/patch.yaml", full, "o/kustomization.yaml", "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\npatches:\n- path: patch.yaml\n- patch: |\n    kind: x\n", "a.yaml", full,
		}, 1, []string{
			`skipped o/kustomization.yaml:1: a file for kustomize with 2 patches, which were not applied; run kustomize and import what it prints`,
			`skipped o/patch.yaml:2: this Deployment is a patch, as o/kustomization.yaml:4 says; run kustomize and import what it prints`,
		}},
		{"the old ways to name one", []string{"o/kustomization.yml", "patchesStrategicMerge: [./p.yaml, \"a: 1\\nb: 2\"]\n", "o/p.yaml", full}, 0, []string{
			`skipped o/kustomization.yml:1: a file for kustomize with 2 patches, which were not applied; run kustomize and import what it prints`,
			`skipped o/p.yaml:2: this Deployment is a patch, as o/kustomization.yml:1 says; run kustomize and import what it prints`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from(t, c.files...)
			if diff := cmp.Diff(c.want, r.told()); diff != "" || len(r.rows) != c.rows {
				t.Errorf("%d rows\n%s", len(r.rows), diff)
			}
		})
	}
}

func TestADocumentThatIsNoObjectIsNotARow(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"a list", "- a\n", `rejected a.yaml:1: the document is a list; a map with apiVersion, kind and metadata is expected`},
		{"no kind", "services: {}\n", `skipped a.yaml:1: no apiVersion and kind: this is no Kubernetes object`},
		{"another kind", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n", `skipped a.yaml:1: kind "ServiceAccount" of apiVersion "v1" has no place in the CMDB`},
		{"another's Service", "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n", `skipped a.yaml:1: kind "Service" of apiVersion "serving.knative.dev/v1" has no place in the CMDB`},
		{"no metadata", "apiVersion: v1\nkind: Service\n", `rejected a.yaml:1: metadata of this Service is missing or no map; a map with a name is expected`},
		{"a list as metadata", "apiVersion: v1\nkind: Service\nmetadata: [a]\n", `rejected a.yaml:1: metadata of this Service is missing or no map; a map with a name is expected`},
		{"no name", "apiVersion: v1\nkind: Service\nmetadata: {}\n", `rejected a.yaml:1: this Service has the name "" in namespace "default"; DNS names are expected`},
		{"a path as name", "apiVersion: v1\nkind: Service\nmetadata: {name: a/b}\n", `rejected a.yaml:1: this Service has the name "a/b" in namespace "default"; DNS names are expected`},
		{"a list as spec", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: [a]\n", `rejected a.yaml:1: spec of this Service is a list; a map is expected`},
		{"a text as spec", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: x\n", `rejected a.yaml:1: spec of this Deployment is text; a map is expected`},
		{"a template as name", "apiVersion: v1\nkind: Service\nmetadata:\n  name: '{{ .Values.name }}'\n", `rejected a.yaml:4: an unexpanded template: "{{ .Values.name }}"; expand it and import the result, or leave this file out`},
		{"a template as image", strings.ReplaceAll(deployment("a", ""), "a:1", "'{{ image }}'"), `rejected a.yaml:12: an unexpanded template: "{{ image }}"; expand it and import the result, or leave this file out`},
		{"a template as address", deployment("a", "env: [{name: X_URL, value: 'http://me:geheim@{{ x }}:80'}]"), `rejected a.yaml:13: an unexpanded template: "{{ x }}"; expand it and import the result, or leave this file out`},
		{"a Helm chart", "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ include \"x\" . }}\n", `rejected a.yaml:4: an unexpanded template: "{{ include \"x\" . }}"; expand it and import the result, or leave this file out`},
		{"a second of the same", deployment("kept", ""), `duplicate a.yaml:15: deployment:default/kept is described twice: the first, at a.yaml:2, counts; this one was left out`},
		{"a YAML bomb", "a: &a [x]\nb: [*a, *a]\n", `rejected a.yaml:1: aliases are not allowed, nor the anchors they point to: remove &a`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from(t, "a.yaml", c.content+deployment("kept", ""))
			if diff := cmp.Diff([]string{c.want}, r.told()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			r.ci(t, "deployment:default/kept")
		})
	}
}

func TestBracesInFreeTextAreAllowed(t *testing.T) {
	r := from(t, "a.yaml", deployment("a", "args: ['{{ x }}']\n        env: [{name: FORMAT, value: '{{.Time}}'}]"))
	r.ci(t, "deployment:default/a")
}

func TestAFieldOfTheWrongShapeIsANoticeAndTheRestIsKept(t *testing.T) {
	r := from(t, "a.yaml", `apiVersion: apps/v1
kind: Deployment
metadata: {name: a, labels: [x]}
spec:
  replicas: 99999999999999999999999
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      serviceAccountName: [x]
      initContainers: {a: b}
      containers:
      - image: a
        ports: [{containerPort: http}, 8080]
        env: {A_ADDR: x}
      - text
      - image: [x]
        env: [{name: B_ADDR, value: b}, {name: [x], value: {y: z}}, B_HOST]
`)
	ci := r.ci(t, "deployment:default/a")
	if diff := cmp.Diff(map[string]any{"kind": "Deployment", "image": "a"}, ci.Attributes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"deployment:default/a depends_on service:default/b (env B_ADDR)"}, r.edges()); diff != "" {
		t.Error(diff)
	}
	all := strings.Join(r.told(), "\n")
	for _, part := range []string{
		`a.yaml:3: metadata.labels is a list; a map is expected`, `a.yaml:5: spec.replicas is "99999999999999999999999"; a whole number`, `a.yaml:10: spec.serviceAccountName is a list`,
		`a.yaml:11: spec.initContainers is a map; a list is expected`, `a.yaml:14: containerPort is "http"; a whole number`, `a.yaml:15: env is a map; a list is expected`,
		`a.yaml:16: the value is text; a map is expected`, `a.yaml:17: image is a list; text is expected`, `a.yaml:18: value is a map; text is expected`,
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
	f.Add([]byte(deployment("a", `env: [{name: B_ADDR, value: "b.default:80"}]`) + deployment("b", "") + serviceOf("b", "b") + policyFor("b", "a")))
	f.Add([]byte("kind: List\nitems: [{apiVersion: v1, kind: Namespace, metadata: {name: a}}, {apiVersion: kustomize.config.k8s.io/v1, patches: [{path: x}, y]}]\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: ~}"))
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
			if row.CI == nil || row.CI.ExternalID == "" || row.CI.Name == "" || seen[row.CI.ExternalID] || row.Origin.Line < 1 {
				t.Fatalf("%+v", row)
			}
			seen[row.CI.ExternalID] = true
			edges := map[string]bool{}
			for _, r := range row.CI.Relationships {
				if r.Target == row.CI.ExternalID || r.Evidence == "" || edges[r.Type+r.Target] {
					t.Fatalf("%+v", r)
				}
				edges[r.Type+r.Target] = true
			}
			if _, err := json.Marshal(row); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzHosts(f *testing.F) {
	f.Add("a:80")
	f.Add("jdbc:x://u:p@h,[::1]:3/?q#f")
	f.Fuzz(func(t *testing.T, value string) {
		for _, h := range address.Hosts(value) {
			if id, ok := serviceAt(h, "default", func(string, string) bool { return true }); ok && strings.ContainsAny(id, " @\n\x00") {
				t.Fatalf("%q", id)
			}
		}
	})
}
