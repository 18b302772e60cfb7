package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// wholeEstate has one of everything that an estate file can say.
const wholeEstate = `classes:
  turbine: {label: Wind turbine, parent: hardware, description: "It turns.\nIn the wind.", icon: fan, attributes: {properties: {rotor: {type: string}, metres: {type: number}}, required: [rotor]}, identity: [[rotor]]}
  offshore_turbine: {label: Offshore turbine, parent: turbine, attributes: {properties: {depth: {type: integer}}, additionalProperties: {type: string}}}
teams:
  wind: {name: Wind, description: "  they blow ", email: wind@example.com}
  sub: {name: Below, parent: wind}
people:
  mei: {name: Mei Tanaka, email: mei@example.com, teams: [wind, sub]}
cis:
  "no": {class: server, name: "yes", lifecycle: RETIRED}
  planned: {class: server, lifecycle: PLANNED, environment: STAGING, criticality: LOW, labels: {"1": "", zone: "- a: b #c"}}
  hidden: {class: database, visibility: OWNERS, owners: [person/mei: owner, wind: operator, sub: operator], description: "a\n  b: 'c'\t\"d\"\u2028é 🌬\n"}
  spin: {class: turbine, attributes: {rotor: "007", metres: 1.50, more: {a: [1, -2.5e-7, true, null, "x: y"]}}, keys: {servers: A-1, dns: [a.example, b.example]}}
  deep: {class: offshore_turbine, attributes: {rotor: r9, depth: 30}, relationships: {powered_by: [p1, p2], connects_to: [spin: HARD, planned]}, groups: {feeds: {mode: ANY, members: {powered_by: [p1, p2]}}}}
  p1: {class: pdu}
  p2: {class: ups}
  cluster: {class: cluster, groups: {quorum: {mode: AT_LEAST, threshold: 2, members: {^member_of: [n1, n2, n3]}}}}
  n1: {class: hypervisor}
  n2: {class: hypervisor}
  n3: {class: hypervisor}
  shop:
    class: business_service
    service: {tier: tier-1, portfolio: PIPELINE, category: Shop, support: sub, availability: 99.95, links: [{kind: RUNBOOK, title: "Run: it", url: "https://example.com/?a=b&c"}]}
    relationships: {depends_on: [hidden, deep: SOFT]}
    groups: {weights: {mode: WEIGHTED, threshold: 50, members: {depends_on: [hidden: 40, cluster: 10]}}}
`

// otherSource has CIs, a team and a person that the source of the estate does not know.
const otherSource = `{"team": {"key": "t-1", "name": "Tide"}}
{"person": {"key": "p-1", "name": "Ada", "teams": ["t-1"]}}
{"ci": {"key": "A-1", "keys": [{"space": "estate", "key": "spin"}], "labels": {"from": "servers"}}}
{"ci": {"key": "A-2", "class": "server", "name": "alone", "owners": [{"team": "t-1", "role": "owner"}], "relationships": [{"type": "depends_on", "target": "A-1"}]}}
{"end": {"rows": 4}}
`

func TestAnExportedEstateIsTheSameFileOnceItWasImported(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": func() string { return pgtest.Database(t, "empty", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			c := commandLine{t, t.TempDir()}
			first := database()
			c.run(0, first, "source", "set", "estate", "--trust", "servers,dns")
			c.run(0, first, "source", "set", "servers", "--trust", "estate")
			c.run(0, first, "import", "estate", c.file("whole.yaml", wholeEstate))
			c.run(0, first, "import", "ndjson", "--source", "servers", c.file("servers.ndjson", otherSource))
			exported := c.run(0, first, "export", "estate")
			for _, want := range []string{"visibility: OWNERS", "lifecycle: RETIRED", "offshore_turbine:", `"servers:A-2":`, "^member_of"} {
				if !strings.Contains(exported, want) {
					t.Errorf("the export lacks %s:\n%s", want, exported)
				}
			}

			second := database()
			file := c.file("estate.yaml", exported)
			c.run(0, second, "source", "set", "estate") // which begins the database
			if plan := c.run(0, second, "import", "estate", file, "--dry-run"); !strings.Contains(plan, "not trusted") || strings.Contains(plan, "rejected") {
				t.Errorf("a dry run of classes that are not there yet:\n%s", plan)
			}
			c.run(0, second, "source", "set", "estate", "--trust", "dns,servers")
			c.run(0, second, "import", "estate", file)
			if diff := cmp.Diff(exported, c.run(0, second, "export", "estate")); diff != "" {
				t.Errorf("exported, imported and exported again:\n%s", diff)
			}
			if again := c.run(0, second, "import", "estate", file); !strings.Contains(again, "Nothing had to be written") {
				t.Errorf("a second import writes:\n%s", again)
			}

			third := database()
			classes, _, _ := strings.Cut(exported, "\nteams:")
			c.run(0, third, "source", "set", "estate", "--trust", "dns,servers")
			c.run(0, third, "import", "estate", c.file("classes.yaml", classes))
			c.run(0, third, "import", "ndjson", "--source", "estate", c.file("rows.ndjson", c.run(0, first, "export", "ndjson")))
			if diff := cmp.Diff(exported, c.run(0, third, "export", "estate")); diff != "" {
				t.Errorf("exported as lines, imported and exported as an estate:\n%s", diff)
			}
		})
	}
}

func TestTheDemoIsTheSameFileOnceItWasExportedAndImported(t *testing.T) {
	t.Parallel()
	c := commandLine{t, t.TempDir()}
	first, second := "sqlite:"+filepath.Join(c.dir, "1.db"), "sqlite:"+filepath.Join(c.dir, "2.db")
	c.run(0, first, "import", "estate", filepath.Join("..", "..", "internal", "demo", "estate"))
	exported := c.run(0, first, "export", "estate")
	c.run(0, second, "import", "estate", c.file("demo.yaml", exported))
	if again := c.run(0, second, "export", "estate"); again != exported {
		t.Errorf("they differ:\n%s", cmp.Diff(exported, again))
	}
	part := c.run(0, first, "export", "estate", "--class", "service", "--filter", `{"lifecycle": {"eq": "LIVE"}}`)
	if strings.Contains(part, "class: server") || !strings.Contains(part, "class: business_service") {
		t.Error("a filter is not heeded")
	}
	third := "sqlite:" + filepath.Join(c.dir, "3.db")
	c.run(0, third, "import", "estate", c.file("part.yaml", part))
	if drift := c.run(0, third, "drift", "--kind", "DANGLING"); strings.Contains(drift, "ci_") {
		t.Errorf("what a part refers to is not in it:\n%s", drift)
	}
}

// commandLine runs commands in this process.
type commandLine struct {
	t   *testing.T
	dir string
}

func (c commandLine) file(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// run runs a command on a database, and returns what it prints. It must end with a code.
func (c commandLine) run(want int, database string, args ...string) string {
	c.t.Helper()
	var out, wrong bytes.Buffer
	if code := run(c.t.Context(), append(args, "--database", database), func(string) string { return "" }, strings.NewReader(""), &out, &wrong); code != want {
		c.t.Fatalf("%s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), wrong.String())
	}
	return out.String()
}
