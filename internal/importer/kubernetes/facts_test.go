package kubernetes

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
)

func fixturePaths(t *testing.T) (manifests, kustomize string) {
	t.Helper()
	dir := filepath.Join(fixture.Dir(t), "microservices-demo")
	return filepath.Join(dir, "kubernetes-manifests"), filepath.Join(dir, "kustomize")
}

func TestTheFixturesHoldTheObjectsOfSOURCES(t *testing.T) {
	manifests, kustomize := fixturePaths(t)
	count := func(path string) map[string]int {
		kinds := map[string]int{}
		for d, err := range document.Read(t.Context(), []string{path}, document.Limits{}) {
			if err != nil {
				t.Error(err)
				continue
			}
			kinds[d.Root.Text("kind")]++
		}
		return kinds
	}
	if diff := cmp.Diff(map[string]int{"Deployment": 12, "Service": 12, "ServiceAccount": 11, "Kustomization": 1}, count(manifests)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"NetworkPolicy": 13, "Component": 2}, count(kustomize)); diff != "" {
		t.Error(diff)
	}
}

// dependencies returns the edges between services by their evidence.
func dependencies(r result) (byEnv, byPolicy map[string]bool) {
	byEnv, byPolicy = map[string]bool{}, map[string]bool{}
	for _, row := range r.rows {
		for _, rel := range row.CI.Relationships {
			if rel.Type != "depends_on" {
				continue
			}
			edge := row.CI.Name + "→" + strings.TrimPrefix(rel.Target, "service:default/")
			for _, evidence := range strings.Split(rel.Evidence, "; ") {
				if strings.HasPrefix(evidence, "env ") {
					byEnv[edge] = true
				}
				if strings.HasPrefix(evidence, "NetworkPolicy ") {
					byPolicy[edge] = true
				}
			}
		}
	}
	return byEnv, byPolicy
}

func TestTheFixturesImportAsSOURCESSays(t *testing.T) {
	manifests, kustomize := fixturePaths(t)
	for _, paths := range [][]string{{manifests, kustomize}, {kustomize, manifests}, {filepath.Dir(manifests)}} {
		r := collect(t, New(paths))
		classes := map[string]int{}
		for _, row := range r.rows {
			classes[row.CI.Class]++
		}
		if diff := cmp.Diff(map[string]int{"workload": 12, "application_service": 12}, classes); diff != "" {
			t.Error(diff)
		}
		skipped := map[string]int{}
		for _, p := range r.notices {
			if p.Kind != importer.Skipped {
				t.Errorf("%s: %v", p.Kind, p)
			}
			skipped[p.Reason]++
		}
		if diff := cmp.Diff(map[string]int{
			`kind "ServiceAccount" of apiVersion "v1" has no place in the CMDB`:                                    11,
			`a file for kustomize, not an object of a cluster`:                                                     2,
			`a file for kustomize with 3 patches, which were not applied; run kustomize and import what it prints`: 1,
		}, skipped); diff != "" {
			t.Error(diff)
		}

		byEnv, byPolicy := dependencies(r)
		if len(byEnv) != 17 || len(byPolicy) != 15 {
			t.Errorf("%d edges by environment, %d by policy", len(byEnv), len(byPolicy))
		}
		more := map[string]bool{}
		for edge := range byEnv {
			if !byPolicy[edge] {
				more[edge] = true
			}
		}
		for edge := range byPolicy {
			if !byEnv[edge] {
				t.Errorf("%s is known by policy only", edge)
			}
		}
		if diff := cmp.Diff(map[string]bool{"loadgenerator→frontend": true, "frontend→shoppingassistantservice": true}, more); diff != "" {
			t.Error(diff)
		}

		var dangling []string
		ids, runsOn := map[string]bool{}, 0
		for _, row := range r.rows {
			ids[row.CI.ExternalID] = true
		}
		for _, row := range r.rows {
			for _, rel := range row.CI.Relationships {
				if !ids[rel.Target] {
					dangling = append(dangling, row.CI.ExternalID+" "+rel.Type+" "+rel.Target)
				}
				if rel.Type == "runs_on" {
					runsOn++
				}
			}
		}
		if diff := cmp.Diff([]string{"deployment:default/frontend depends_on service:default/shoppingassistantservice"}, dangling); diff != "" {
			t.Error(diff)
		}
		if runsOn != 12 {
			t.Errorf("%d Services run on a workload", runsOn)
		}
	}
}

func TestTheFixturesGiveTheRowsAPersonWouldExpect(t *testing.T) {
	manifests, kustomize := fixturePaths(t)
	r := collect(t, New([]string{manifests, kustomize}))
	if diff := cmp.Diff(map[string]any{"kind": "Deployment", "image": "frontend", "ports": []any{int64(8080)}, "serviceAccount": "frontend"}, r.ci(t, "deployment:default/frontend").Attributes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]importer.Relationship{{Type: "depends_on", Target: "service:default/frontend", Evidence: "env FRONTEND_ADDR"}}, r.ci(t, "deployment:default/loadgenerator").Relationships); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]importer.Relationship{{Type: "depends_on", Target: "service:default/redis-cart", Evidence: "env REDIS_ADDR; NetworkPolicy redis-cart"}}, r.ci(t, "deployment:default/cartservice").Relationships); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]importer.Relationship{{Type: "runs_on", Target: "deployment:default/frontend", Evidence: "selector app=frontend"}}, r.ci(t, "service:default/frontend-external").Relationships); diff != "" {
		t.Error(diff)
	}
}

func TestPoliciesAloneReportTheSelectorsThatMatchNothing(t *testing.T) {
	_, kustomize := fixturePaths(t)
	r := collect(t, New([]string{kustomize}))
	n := 0
	for _, p := range r.notices {
		if p.Kind == importer.Dangling {
			n++
		}
	}
	if len(r.rows) != 0 || n != 10 {
		t.Errorf("%d rows, %d dangling", len(r.rows), n)
	}
}
