package graph_test

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

var alone = flag.Bool("alone", false, "measure Linchpin without its peers")

// besideBackstage are what a page asks, in the contract and of Backstage's catalogue. TEAM and GROUP are an owner, KEY
// and NAME a component.
var besideBackstage = []struct {
	name, operation, path string
	names                 func(answer []byte) ([]string, error) // of what Backstage shows; nil: they show different things
}{
	{
		"one", `{ ciByExternalId(source: "backstage", externalId: "component:default/$name") { name description lifecycle class { code } owner { name } labels { name value }
			relationships(first: 100) { nodes { type { code } source { id name } target { id name } } } } }`,
		"/entities/by-name/component/default/$name", nil,
	},
	{
		"owned", `{ cis(first: 50, filter: {ownerTeam: {eq: "$team"}, class: {eq: "application_service"}}, orderBy: [{field: NAME}]) { totalCount nodes { name description lifecycle class { code } owner { name } } } }`,
		"/entities/by-query?limit=50&orderField=metadata.name,asc&filter=kind=component,spec.type=service,relations.ownedBy=group:default/$group", namesOfQuery,
	},
	{
		"facets", `{ cis(first: 1) { facets(fields: [CLASS, LIFECYCLE, OWNER_TEAM, ENVIRONMENT, CRITICALITY, OPERATIONAL_STATE]) { field values { value count } } } }`,
		"/entity-facets?facet=kind&facet=spec.type&facet=spec.lifecycle&facet=relations.ownedBy&facet=metadata.namespace&facet=spec.system", nil,
	},
	{
		"page", `{ cis(first: 50, filter: {class: {eq: "application_service"}}, orderBy: [{field: NAME}]) { totalCount nodes { name description lifecycle class { code } owner { name } } } }`,
		"/entities/by-query?limit=50&orderField=metadata.name,asc&filter=kind=component,spec.type=service", namesOfQuery,
	},
	{
		"search", `{ search(query: "component-77", first: 20) { nodes { name description lifecycle class { code } owner { name } } } }`,
		"/entities/by-query?limit=20&fullTextFilterTerm=component-77&fullTextFilterFields=metadata.name", nil,
	},
}

// BenchmarkBesideBackstage asks `linchpin serve` over both databases, and npm's Backstage over PostgreSQL, for the same
// 10,000 entities, in turns: processor time of a request, server and database together. Without `npm ci` in
// clients/backstage, Linchpin is alone.
func BenchmarkBesideBackstage(b *testing.B) {
	folder := b.TempDir()
	program, file := filepath.Join(folder, "linchpin"), filepath.Join(folder, "entities.yaml")
	if err := os.WriteFile(file, []byte(catalogOfEntities()), 0o600); err != nil {
		b.Fatal(err)
	}
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "../cmd/linchpin").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	postgres, lite := pgtest.Database(b, "empty", nil), "sqlite:"+filepath.Join(folder, "linchpin.db")
	type serving struct {
		address string
		pid     int
	}
	ours := map[string]serving{}
	var imported []float64
	for _, database := range []string{postgres, lite} {
		began := time.Now()
		if out, err := exec.CommandContext(b.Context(), program, "import", "backstage", file, "--database", database).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		imported = append(imported, time.Since(began).Seconds())
		address, pid := start(b, program, "serve", "--dev", "--refuse-overload=false", "--database", database, "--listen", "127.0.0.1:0")
		ours[database] = serving{address, pid}
	}
	s, err := store.Open(b.Context(), postgres)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	postmaster := postmasterOf(b, s)
	b.Logf("imported in %.1f and %.1f s", imported[0], imported[1])
	catalog, node := "", 0
	if _, err := os.Stat("../clients/backstage/node_modules"); err == nil && !*alone {
		theirs, began := pgtest.Database(b, "empty", nil), time.Now()
		catalog, node = start(b, "node", "../clients/backstage/serve.mjs", nodeAddress(b, theirs), "0", file)
		relations := stitched(b, theirs, strings.Count(catalogOfEntities(), "\n---\n")+1)
		b.Logf("Backstage was ready after %.1f s, with %d relations", time.Since(began).Seconds(), relations)
	} else {
		b.Log("without Backstage: npm ci in clients/backstage")
	}
	if _, err := s.Writer().ExecContext(b.Context(), "VACUUM ANALYZE"); err != nil {
		b.Fatal(err)
	}

	for _, c := range besideBackstage {
		b.Run(c.name, func(b *testing.B) {
			fill := func(text string, at serving) string {
				return strings.NewReplacer("$team", teamAt(b, at.address, "team-7"), "$name", "component-777").Replace(text)
			}
			contenders := []*contender{
				overHTTP("postgres", ours[postgres].address, ours[postgres].pid, fill(c.operation, ours[postgres])),
				overHTTP("sqlite", ours[lite].address, ours[lite].pid, fill(c.operation, ours[lite])),
			}
			if node != 0 {
				contenders = append(contenders, byRequests("backstage", node, func(client *http.Client) (*http.Response, error) {
					return client.Get(catalog + strings.NewReplacer("$group", "team-7", "$name", "component-777").Replace(c.path)) //nolint:noctx // it lasts as long as the benchmark
				}))
			}
			answers := make([][]byte, len(contenders))
			for i, one := range contenders {
				if answers[i] = one.once(b); len(answers[i]) < 200 {
					b.Fatalf("%s answers %s", one.name, answers[i])
				}
			}
			if c.names != nil && node != 0 {
				shown, err := c.names(answers[2])
				for _, own := range answers[:2] {
					if got := namesIn(b, own); err != nil || len(got) == 0 || !slices.Equal(got, shown) {
						b.Fatalf("%v: they show different records:\n%q\n%q", err, got, shown)
					}
				}
			}
			spent, answered := map[string]time.Duration{}, map[string]int{}
			for b.Loop() {
				for _, one := range contenders {
					before := spentBy(postmaster) + stat(one.server).cpu
					answered[one.name] += one.many(b)
					spent[one.name] += spentBy(postmaster) + stat(one.server).cpu - before
				}
			}
			each := func(name string) float64 {
				return float64(spent[name].Microseconds()) / 1000 / float64(max(1, answered[name]))
			}
			b.ReportMetric(0, "ns/op")
			for _, one := range contenders {
				b.ReportMetric(each(one.name), one.name+"-cpu-ms")
				if one.name != "backstage" && node != 0 {
					b.ReportMetric(each(one.name)/each("backstage"), one.name+"÷")
				}
			}
		})
	}
}

// catalogOfEntities returns 10,000 entities of Backstage with 16,800 references, each of which Backstage keeps twice.
func catalogOfEntities() string {
	var all strings.Builder
	document := func(kind, name, spec string) {
		if all.Len() > 0 {
			all.WriteString("\n---\n")
		}
		fmt.Fprintf(&all, `{"apiVersion": "backstage.io/v1alpha1", "kind": %q, "metadata": {"name": %q, "description": "What %s is for, in a sentence or two.", "tags": ["go", "t%d"], "labels": {"cost-center": "cc-%d"}}, "spec": {%s}}`,
			kind, name, name, all.Len()%40, all.Len()%90, spec)
	}
	owner := func(i int) string { return fmt.Sprintf(`"owner": "team-%d"`, i%100) }
	for i := range 100 {
		document("Group", fmt.Sprint("team-", i), `"type": "team", "children": []`)
	}
	for i := range 30 {
		document("Domain", fmt.Sprint("domain-", i), owner(i))
	}
	for i := range 270 {
		document("System", fmt.Sprint("system-", i), owner(i))
	}
	types, lifecycles := []string{"service", "service", "service", "service", "service", "service", "library"}, []string{"production", "experimental", "deprecated", "production", "production"}
	for i := range 2000 {
		document("Resource", fmt.Sprint("resource-", i), owner(i)+fmt.Sprintf(`, "type": %q`, []string{"database", "cache", "s3-bucket"}[i%3]))
	}
	for i := range 1600 {
		document("API", fmt.Sprint("api-", i), owner(i)+`, "type": "openapi", "lifecycle": "production", "definition": "openapi: 3.1.0"`)
	}
	for i := range 6000 {
		spec := owner(i) + fmt.Sprintf(`, "type": %q, "lifecycle": %q`, types[i/100%len(types)], lifecycles[i%len(lifecycles)])
		if i%2 == 1 {
			spec += fmt.Sprintf(`, "system": "system-%d"`, i%270)
		}
		if i < 3900 {
			spec += fmt.Sprintf(`, "dependsOn": ["resource:resource-%d"]`, i%2000)
		}
		document("Component", fmt.Sprint("component-", i), spec)
	}
	return all.String()
}

// stitching is how long Backstage may take for that.
const stitching = 10 * time.Minute

// stitched waits until Backstage has put all entities together, and returns how many relations it has.
func stitched(b *testing.B, address string, want int) (relations int) {
	b.Helper()
	db, err := sql.Open("postgres", address)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for began := time.Now(); ; {
		ready := 0
		err := db.QueryRowContext(b.Context(), `SELECT (SELECT count(*) FROM catalog.final_entities WHERE final_entity IS NOT NULL), (SELECT count(*) FROM catalog.relations)`).Scan(&ready, &relations)
		if err == nil && ready >= want && relations >= 33_600 {
			if _, err := db.ExecContext(b.Context(), "VACUUM ANALYZE"); err != nil {
				b.Fatal(err)
			}
			return relations
		}
		if time.Since(began) > stitching {
			b.Fatalf("%d of %d entities and %d relations after %s: %v", ready, want, relations, stitching, err)
		}
		time.Sleep(time.Second) // it says nowhere that it is done
	}
}

// teamAt returns the id of a team.
func teamAt(b *testing.B, address, name string) string {
	b.Helper()
	var found struct {
		Data struct {
			Teams struct{ Nodes []struct{ ID string } }
		}
	}
	text := overHTTP("linchpin", address, 0, fmt.Sprintf(`{ teams(first: 2, filter: {name: {eq: %q}}) { nodes { id } } }`, name)).once(b)
	if err := json.Unmarshal(text, &found); err != nil || len(found.Data.Teams.Nodes) != 1 {
		b.Fatalf("%v: %s", err, text)
	}
	return found.Data.Teams.Nodes[0].ID
}

// namesIn returns the names that a page of CIs shows.
func namesIn(b *testing.B, answer []byte) (names []string) {
	b.Helper()
	var shown struct {
		Data struct {
			Cis struct{ Nodes []struct{ Name string } }
		}
	}
	if err := json.Unmarshal(answer, &shown); err != nil {
		b.Fatal(err)
	}
	for _, n := range shown.Data.Cis.Nodes {
		names = append(names, n.Name)
	}
	return names
}

// namesOfQuery returns the names that a page of Backstage's entities shows.
func namesOfQuery(answer []byte) (names []string, err error) {
	var shown struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	err = json.Unmarshal(answer, &shown)
	for _, i := range shown.Items {
		names = append(names, i.Metadata.Name)
	}
	return names, err
}
