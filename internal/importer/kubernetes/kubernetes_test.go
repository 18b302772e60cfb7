package kubernetes

import (
	"context"
	"encoding/json"
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

func (r result) told() []string {
	var list []string
	for _, p := range r.notices {
		list = append(list, string(p.Kind)+" "+p.Error())
	}
	for _, row := range r.rows {
		for _, n := range row.Notices {
			list = append(list, "notice "+n.ExternalID+" "+n.Error())
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
	t.Fatalf("no CI %s among %d rows; %v", id, len(r.rows), r.told())
	return nil
}

// edges lists all relationships as "source type target (evidence)".
func (r result) edges() []string {
	var list []string
	for _, row := range r.rows {
		for _, rel := range row.CI.Relationships {
			list = append(list, fmt.Sprintf("%s %s %s (%s)", row.CI.ExternalID, rel.Type, rel.Target, rel.Evidence))
		}
	}
	return list
}

// from imports files, given as name and content by turns. The messages have the short names.
func from(t testing.TB, files ...string) result {
	t.Helper()
	t.Chdir(t.TempDir())
	var paths []string
	for i := 0; i < len(files); i += 2 {
		if err := os.MkdirAll(filepath.Dir(files[i]), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[i], []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, files[i])
	}
	return collect(t, New(paths))
}

func deployment(name, rest string) string {
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers:
      - name: main
        image: %[1]s:1
        %[2]s
`, name, rest)
}

func serviceOf(name, app string) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {selector: {app: %s}, ports: [{port: 80}]}\n", name, app)
}

func TestAServiceRunsOnItsWorkload(t *testing.T) {
	r := from(t, "a.yaml", `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  namespace: data
  labels: {app: db, tier: "1"}
spec:
  replicas: 3
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db, part: x}}
    spec:
      serviceAccountName: db-user
      containers:
      - image: postgres:15
        ports: [{containerPort: 5432}, {containerPort: 9187, name: metrics}]
        env:
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: p}}}
        - {name: PEER_ADDR, value: db-headless}
      - image: exporter
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data, labels: {app: db}}
spec: {type: NodePort, selector: {app: db}, ports: [{port: 5432, targetPort: pg}, {port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db-headless, namespace: data}
spec: {clusterIP: None, selector: {app: db}}
---
apiVersion: v1
kind: Service
metadata: {name: far, namespace: data}
spec: {type: ExternalName, externalName: db.example.com}
---
apiVersion: v1
kind: Service
metadata: {name: lonely}
spec: {selector: {app: db}}
`)
	service := func(id, name, namespace string, line int, labels map[string]string, attributes map[string]any, rels []importer.Relationship) importer.Row {
		return importer.Row{Origin: importer.Origin{File: "a.yaml", Line: line}, CI: &importer.CI{
			ExternalID: id, Class: "application_service", Name: name, Lifecycle: "LIVE", Environment: "PRODUCTION", Labels: labels, Attributes: attributes,
			Service: &importer.Service{}, Relationships: rels,
		}}
	}
	runs := []importer.Relationship{{Type: "runs_on", Target: "statefulset:data/db", Evidence: "selector app=db"}}
	want := []importer.Row{
		{Origin: importer.Origin{File: "a.yaml", Line: 1}, CI: &importer.CI{
			ExternalID: "statefulset:data/db", Class: "workload", Name: "db", Lifecycle: "LIVE", Environment: "PRODUCTION", Labels: map[string]string{"app": "db", "tier": "1"},
			Attributes: map[string]any{
				"kind": "StatefulSet", "image": "postgres:15", "images": []any{"postgres:15", "exporter"}, "replicas": int64(3),
				"ports": []any{int64(5432), int64(9187)}, "serviceAccount": "db-user",
			},
		}},
		service("service:data/db", "db", "data", 22, map[string]string{"app": "db"}, map[string]any{"serviceType": "NodePort", "ports": []any{int64(5432), int64(80)}}, runs),
		service("service:data/db-headless", "db-headless", "data", 27, nil, nil, runs),
		service("service:data/far", "far", "data", 32, nil, map[string]any{"serviceType": "ExternalName", "externalName": "db.example.com"}, nil),
		service("service:default/lonely", "lonely", "default", 37, nil, nil, nil),
	}
	want[4].Notices = []importer.Notice{{
		Origin: importer.Origin{File: "a.yaml", Line: 37}, Kind: importer.Warning, ExternalID: "service:default/lonely",
		Reason: "service:default/lonely selects app=db, which no workload read here has on its pods",
	}}
	if diff := cmp.Diff(want, r.rows); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(r.notices) > 0 {
		t.Error(r.told())
	}
}

func TestAServiceOverSeveralWorkloadsNeedsAnyOfThem(t *testing.T) {
	r := from(t, "a.yaml", deployment("a", "")+strings.ReplaceAll(deployment("b", ""), "{app: b}", "{app: a}")+serviceOf("s", "a"))
	ci := r.ci(t, "service:default/s")
	if diff := cmp.Diff([]importer.Group{{Name: "workloads", Mode: "ANY", Members: []importer.GroupMember{
		{Type: "runs_on", Target: "deployment:default/a"}, {Type: "runs_on", Target: "deployment:default/b"},
	}}}, ci.Groups); diff != "" || len(ci.Relationships) != 2 {
		t.Error(diff, ci.Relationships)
	}
}

func TestEnvironmentVariablesShowDependencies(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        string // the Service, "" for none
	}{
		{"CART_ADDR", "cart:7070", "service:default/cart"},
		{"CART_HOST", "cart", "service:default/cart"},
		{"cart_host", "cart.", "service:default/cart"},
		{"CART_ADDR", "gone:80", "service:default/gone"},
		{"X", "http://cart:80/path", "service:default/cart"},
		{"X", "postgres://me:se@cret@cart:5432/db", "service:default/cart"},
		{"X", "jdbc:postgresql://cart:5432/db?ssl=1", "service:default/cart"},
		{"CART_ADDR", "cart.shop:80", "service:shop/cart"},
		{"CART_ADDR", "other.shop:80", "service:shop/other"},
		{"CART_ADDR", "other.default:80", "service:default/other"},
		{"CART_ADDR", "cart.far.svc:80", "service:far/cart"},
		{"CART_ADDR", "cart.far.svc.cluster.local.:80", "service:far/cart"},
		{"CART_ADDR", "pod-0.cart.far.svc.cluster.local", "service:far/cart"},
		{"CART_ADDR", "pod-0.cart:80", "service:default/cart"},
		{"CART_ADDR", "example.com:443", ""},
		{"CART_ADDR", "cart.example.com", ""},
		{"CART_ADDR", "svc.cluster.local", ""},
		{"CART_ADDR", "10.0.0.1:80", ""},
		{"CART_ADDR", "0x7f000001", ""},
		{"CART_ADDR", "[::1]:80", ""},
		{"CART_ADDR", "::1", ""},
		{"CART_ADDR", "localhost:80", ""},
		{"CART_ADDR", ":8080", ""},
		{"CART_ADDR", "", ""},
		{"CART_ADDR", "8080", ""},
		{"CART_ADDR", "REDIS_CONNECTION_STRING", ""},
		{"CART_ADDR", "$(POD_IP):80", ""},
		{"CART_ADDR", "kubernetes.default.svc", ""},
		{"CART_ADDR", strings.Repeat("a", 64), ""},
		{"CART_ADDR", "me:geheim@cart:80", "service:default/cart"},
		{"X", "postgres://me:se/cret@cart:5432/db", ""},
		{"X", "redis://geheim/x@cart", ""},
		{"X", "redis://me:geheim", ""},
		{"X", "http://", ""},
		{"X", "http://%zz/", ""},
		{"CART", "cart:80", ""},
		{"PORT", "8080", ""},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			env := fmt.Sprintf("env: [{name: %s, value: %q}]", c.name, c.value)
			r := from(t, "a.yaml", deployment("web", env)+serviceOf("cart", "cart")+deployment("cart", "")+"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
			var want []importer.Relationship
			if c.want != "" {
				want = []importer.Relationship{{Type: "depends_on", Target: c.want, Evidence: "env " + c.name}}
			}
			if diff := cmp.Diff(want, r.ci(t, "deployment:default/web").Relationships); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			text, err := json.Marshal(r.rows)
			if err != nil || strings.Contains(string(text)+fmt.Sprint(r.told()), "geheim") {
				t.Errorf("a password got out: %s, %v", text, err)
			}
		})
	}
}

func TestSeveralHostsInOneVariableAreSeveralEdges(t *testing.T) {
	r := from(t, "a.yaml", deployment("web", `env: [{name: A, value: "mongodb://u:p@a:1,b:2/x"}, {name: B_ADDR, value: "b:2, c"}]`))
	if diff := cmp.Diff([]string{
		"deployment:default/web depends_on service:default/a (env A)",
		"deployment:default/web depends_on service:default/b (env A; env B_ADDR)",
		"deployment:default/web depends_on service:default/c (env B_ADDR)",
	}, r.edges()); diff != "" {
		t.Error(diff)
	}
}

func TestAWorkloadDoesNotDependOnItself(t *testing.T) {
	r := from(t, "a.yaml", deployment("a", `env: [{name: A_ADDR, value: "a:1"}]`)+serviceOf("a", "a")+policyFor("a", "a"))
	if diff := cmp.Diff([]string{"service:default/a runs_on deployment:default/a (selector app=a)"}, r.edges()); diff != "" {
		t.Error(diff)
	}
}

func TestTheTwoHalvesOfAServiceDoNotDependOnIt(t *testing.T) {
	r := from(t, "a.yaml", deployment("a", "")+strings.ReplaceAll(deployment("b", ""), "{app: b}", "{app: a}")+serviceOf("a", "a")+policyFor("a", "a"))
	if diff := cmp.Diff([]string{"service:default/a runs_on deployment:default/a (selector app=a)", "service:default/a runs_on deployment:default/b (selector app=a)"}, r.edges()); diff != "" {
		t.Error(diff)
	}
}

func policyFor(app string, from ...string) string {
	var peers strings.Builder
	for _, f := range from {
		if !strings.HasPrefix(f, "{") {
			f = "{podSelector: {matchLabels: {app: " + f + "}}}"
		}
		peers.WriteString("\n    - " + f)
	}
	return fmt.Sprintf("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p-%[1]s}\nspec:\n  podSelector: {matchLabels: {app: %[1]s}}\n  ingress:\n  - from:%s\n", app, peers.String())
}

func TestNetworkPoliciesShowDependencies(t *testing.T) {
	both := deployment("web", `env: [{name: CART_ADDR, value: "cart:80"}]`) + deployment("cart", "") + serviceOf("cart", "cart")
	inShop := strings.ReplaceAll(deployment("far", ""), "{name: far}", "{name: far, namespace: shop}") + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: x}}\n"
	runs := "service:default/cart runs_on deployment:default/cart (selector app=cart)"
	env := "deployment:default/web depends_on service:default/cart (env CART_ADDR)"
	for _, c := range []struct {
		name, content string
		want          []string
		notices       []string
	}{
		{"an edge that is known gets both evidences", both + policyFor("cart", "web"), []string{
			"deployment:default/web depends_on service:default/cart (env CART_ADDR; NetworkPolicy p-cart)", runs,
		}, nil},
		{"a new edge", both + deployment("job", "") + policyFor("cart", "job"), []string{
			env, runs, "deployment:default/job depends_on service:default/cart (NetworkPolicy p-cart)",
		}, nil},
		{"several Services: the one that is named", both + strings.Replace(serviceOf("cart-out", "cart"), "spec: {", "spec: {type: LoadBalancer, ", 1) + serviceOf("cart-two", "cart") + policyFor("cart", "web"), []string{
			"deployment:default/web depends_on service:default/cart (env CART_ADDR; NetworkPolicy p-cart)", runs,
			"service:default/cart-out runs_on deployment:default/cart (selector app=cart)", "service:default/cart-two runs_on deployment:default/cart (selector app=cart)",
		}, nil},
		{"several Services: those inside", both + strings.Replace(serviceOf("cart-out", "cart"), "spec: {", "spec: {type: LoadBalancer, ", 1) + deployment("job", "") + policyFor("cart", "job"), []string{
			env, runs, "service:default/cart-out runs_on deployment:default/cart (selector app=cart)",
			"deployment:default/job depends_on service:default/cart (NetworkPolicy p-cart)",
		}, nil},
		{"no Service: the workload itself", deployment("a", "") + deployment("b", "") + policyFor("a", "b"), []string{"deployment:default/b depends_on deployment:default/a (NetworkPolicy p-a)"}, nil},
		{"expressions", both + deployment("job", "") + policyFor("cart", "{podSelector: {matchExpressions: [{key: app, operator: In, values: [job, x]}, {key: no, operator: DoesNotExist}]}}"), []string{
			env, runs, "deployment:default/job depends_on service:default/cart (NetworkPolicy p-cart)",
		}, nil},
		{
			"an operator nobody knows", both + policyFor("cart", "{podSelector: {matchExpressions: [{key: app, operator: Gt, values: [1]}]}}"),
			[]string{env, runs},
			[]string{`dangling a.yaml:40: networkpolicy:default/p-cart lets in pods with app Gt 1, which no workload read here has`},
		},
		{"another namespace by name", both + inShop + policyFor("cart", "{podSelector: {matchLabels: {app: far}}, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}"), []string{
			env, runs, "deployment:shop/far depends_on service:default/cart (NetworkPolicy p-cart)",
		}, nil},
		{"another namespace by label", both + inShop + policyFor("cart", "{podSelector: {matchLabels: {app: far}}, namespaceSelector: {matchLabels: {team: x}}}"), []string{
			env, runs, "deployment:shop/far depends_on service:default/cart (NetworkPolicy p-cart)",
		}, nil},
		{
			"own namespace only", both + inShop + policyFor("cart", "far"),
			[]string{env, runs},
			[]string{`dangling a.yaml:57: networkpolicy:default/p-cart lets in pods with app=far, which no workload read here has`},
		},
		{"nobody in particular", both + policyFor("cart", "{podSelector: {}}", "{namespaceSelector: {}}", "{ipBlock: {cidr: 10.0.0.0/8}}"), []string{env, runs}, nil},
		{"everybody", both + strings.Replace(policyFor("cart", "web"), "podSelector: {matchLabels: {app: cart}}", "podSelector: {}", 1), []string{env, runs}, nil},
		{"egress only", both + strings.Replace(policyFor("cart", "web"), "spec:", "spec:\n  policyTypes: [Egress]", 1), []string{env, runs}, nil},
		{
			"of what is not there", both + policyFor("gone", "web"),
			[]string{env, runs},
			[]string{`dangling a.yaml:33: networkpolicy:default/p-gone protects pods with app=gone, which no workload read here has`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from(t, "a.yaml", c.content)
			if diff := cmp.Diff(c.want, r.edges()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if diff := cmp.Diff(c.notices, r.told()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestAListIsItsItems(t *testing.T) {
	r := from(t, "a.json", `{"apiVersion": "v1", "kind": "List", "items": [
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": []}},
{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}},
7]}`)
	r.ci(t, "service:default/a")
	if diff := cmp.Diff([]string{
		`skipped a.json:3: kind "Secret" of apiVersion "v1" has no place in the CMDB`,
		`rejected a.json:4: the document is a number; a map with apiVersion, kind and metadata is expected`,
	}, r.told()); diff != "" {
		t.Error(diff)
	}
}
