package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// numbers are what differs between two databases in which the same was done: how many revisions there were before.
var numbers = regexp.MustCompile(`"revision": \d+`)

// reported writes what sources report, for imports, and returns the folder.
func reported(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	var rows, fewer strings.Builder
	rows.WriteString("name,class,memory\n")
	fewer.WriteString("name,class,memory\n")
	for i := range 40 {
		line := strings.ReplaceAll("host-N,server,N\n", "N", string(rune('a'+i%26))+string(rune('a'+i/26)))
		line = strings.Replace(line, ",server,", ",server,1", 1)
		rows.WriteString(line)
		if i < 20 {
			fewer.WriteString(line)
		}
	}
	rows.WriteString("no-class,,1\n")
	for name, text := range map[string]string{
		"catalog/orders.yaml": `apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders, description: "Takes <orders> & keeps them"}
spec: {type: service, lifecycle: production, owner: shop, dependsOn: ['resource:orders-db', 'resource:nowhere']}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: orders-db}
spec: {type: database, owner: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: "${{ values.name }}"}
spec: {type: service}
`,
		"servers.csv":     rows.String(),
		"fewer.csv":       fewer.String(),
		"servers.yaml":    "version: 1\nsource: servers\nclass: {column: class, strict: true, map: {server: server}}\nkey: [name]\nfields:\n  name: name\n  attributes.memoryGiB: {column: memory, number: \".\"}\n",
		"rows.ndjson":     `{"run": {"scope": "lab", "kind": "FULL"}}` + "\n" + `{"ci": {"key": "a", "class": "server", "name": "a"}}` + "\n" + `{"end": {"rows": 1}}` + "\n",
		"estate.yaml":     "cis: {a: {class: server, attributes: {memoryGiB: 64}}, b: {class: server, relationships: {depends_on: a}}}\n",
		"broken/one.yaml": "cis: {c: {class: server}}\n",
		"empty.yaml":      "cis: {}\n",
		"broken/two.yaml": "cis: [\n",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestAnImportSaysTheSameOfAServerAndOfADatabase(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		folder := reported(t)
		p := serve(t, "--database", database)
		c := newTerminal(t)
		says := func(words []string, at ...string) (int, string, string) {
			t.Helper()
			var out, problems bytes.Buffer
			cmd := c.command(t.Context(), append(append([]string{"import"}, words...), at...)...)
			cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &out, &problems
			_ = cmd.Run()
			return cmd.ProcessState.ExitCode(), numbers.ReplaceAllString(out.String(), ""), problems.String()
		}
		here := "sqlite:" + filepath.Join(t.TempDir(), "here.db")
		if code, out, problems := c.says("migrate", "--database", here); code != 0 {
			t.Fatal(out, problems)
		}
		if code, out, problems := says(strings.Fields("estate estate.yaml --dry-run"), "--database", here); code != 0 || !strings.Contains(out, "CIs") || !strings.Contains(problems, "the plan for an empty database") {
			t.Errorf("of a database that is only migrated: %d %s%s", code, out, problems)
		}
		for _, at := range [][]string{{"--database", here}, {"--server", p.url}} { // the same number of runs
			if code, out, problems := says([]string{"estate", "empty.yaml"}, at...); code != 0 {
				t.Fatal(out, problems)
			}
		}
		for _, words := range []string{
			"backstage catalog --dry-run", "backstage catalog --dry-run --json", "backstage catalog --json", "backstage catalog", "backstage catalog --verbose",
			"csv servers.csv --mapping servers.yaml", "csv servers.csv --mapping servers.yaml --full --json", "csv servers.csv fewer.csv --mapping servers.yaml",
			"csv fewer.csv --mapping servers.yaml --full", "csv fewer.csv --mapping servers.yaml --full --retire-up-to 30", "csv fewer.csv --mapping servers.yaml --full",
			"estate estate.yaml", "estate estate.yaml --json", "estate estate.yaml --source other --scope part", "estate broken", "estate missing",
			"ndjson rows.ndjson --source lab", "ndjson rows.ndjson --source lab --json", "ndjson rows.ndjson",
		} {
			wantCode, want, wantProblems := says(strings.Fields(words), "--database", here)
			code, got, problems := says(strings.Fields(words), "--server", p.url)
			if code != wantCode || got != want || problems != wantProblems || got+problems == "" {
				t.Errorf("%s: of the database %d, of the server %d (- database, + server)\n%s\n%s", words, wantCode, code, cmp.Diff(want, got), cmp.Diff(wantProblems, problems))
			}
		}
		if code, _, problems := says(strings.Fields("estate estate.yaml"), "--server", p.url, "--database", here); code != exitUsage || !strings.Contains(problems, "two places") {
			t.Errorf("%d %s", code, problems)
		}
	})
}

// TestAnImportByATokenIsOfItsSource imports into a server where people sign in.
func TestAnImportByATokenIsOfItsSource(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		folder, key := reported(t), keyFile(t)
		c := newTerminal(t)
		on := []string{"--database", database, "--key-file", key}
		p := serve(t, append([]string{"--dev=false"}, on...)...)
		if code, out, problems := c.says(append([]string{"account", "service", "importer", "--role", "INTEGRATOR", "--source", "estate"}, on...)...); code != 0 {
			t.Fatal(out, problems)
		}
		_, token, _ := c.says(append([]string{"token", "create", "importer", "nightly", "--role", "INTEGRATOR"}, on...)...)
		estate := filepath.Join(folder, "estate.yaml")
		if code, _, problems := c.says("import", "estate", estate, "--server", p.url); code != exitFailed || !strings.Contains(problems, "wants to know who asks: linchpin login "+p.url) {
			t.Errorf("nobody: %d %s", code, problems)
		}
		c.env = append(c.env, "LINCHPIN_TOKEN="+strings.TrimSpace(token), "LINCHPIN_URL="+p.url)
		if code, out, problems := c.says("import", "estate", estate); code != 0 || !strings.Contains(out, "Written in ") {
			t.Errorf("its source: %d %s%s", code, out, problems)
		}
		if code, _, problems := c.says("import", "estate", estate, "--source", "others"); code != exitFailed || !strings.Contains(problems, "INTEGRATOR for its source") {
			t.Errorf("another source: %d %s", code, problems)
		}
		if code, _, problems := c.says("import", "estate", estate, "--full", "--retire-up-to", "5"); code != exitFailed || !strings.Contains(problems, "needs ADMIN") {
			t.Errorf("the guard is lifted by the one that it holds: %d %s", code, problems)
		}
		if code, out, problems := c.says("token", "list"); code != 0 || !strings.Contains(out, "nightly  importer  INTEGRATOR") {
			t.Errorf("its own token: %d %s%s", code, out, problems)
		}
		if _, err := os.Stat(filepath.Join(c.home, ".local")); err == nil {
			t.Error("a database was made beside the server")
		}
	})
}

// TestAServerThatEndsAnAnswerEarlyIsNoSuccess has a server break off.
func TestAServerThatEndsAnAnswerEarlyIsNoSuccess(t *testing.T) {
	c := newTerminal(t)
	estate := filepath.Join(reported(t), "estate.yaml")
	for answer, want := range map[string]string{`{"plan": {"summary"`: "the same import does the rest", "": "the same import does the rest"} {
		broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		if code, out, problems := c.says("import", "estate", estate, "--server", broken.URL); code != exitFailed || !strings.Contains(problems, want) {
			t.Errorf("%q: %d %s%s", answer, code, out, problems)
		}
		broken.Close()
	}
}

// TestAccountsTokensAndThePolicyAreTheSameOfAServerAndOfADatabase lists them of both.
func TestAccountsTokensAndThePolicyAreTheSameOfAServerAndOfADatabase(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		key, c := keyFile(t), newTerminal(t)
		on := []string{"--database", database, "--key-file", key}
		if code, _, problems := c.says("account", "list", "--database", "sqlite:"+filepath.Join(c.home, "none.db")); code != exitFailed || !strings.Contains(problems, "there is no such file") {
			t.Errorf("without a database: %d %s", code, problems)
		}
		if left, _ := os.ReadDir(c.home); len(left) > 0 {
			t.Errorf("listing makes %v", left)
		}
		p := serve(t, append([]string{"--dev=false"}, on...)...)
		cookie := signedIn(t, p)
		for _, words := range [][]string{
			{"account", "service", "importer", "--role", "INTEGRATOR", "--source", "kubernetes,estate"},
			{"account", "service", "robot", "--role", "VIEWER,OPERATOR"},
			{"token", "create", "importer", "nightly", "--role", "INTEGRATOR"},
			{"token", "create", "robot", "probe", "--role", "VIEWER", "--days", "5"},
			{"account", "group", "editors", "--issuer", "https://id.example.org", "--role", "CATALOG_EDITOR"},
			{"account", "service", "gone"},
			{"account", "disable", "gone"},
		} {
			if code, out, problems := c.says(append(words, on...)...); code != 0 {
				t.Fatalf("%v: %s%s", words, out, problems)
			}
		}
		if code, out := c.logsIn(p, cookie, "allow", "--role", "ADMIN"); code != 0 {
			t.Fatal(out)
		}
		for _, words := range [][]string{{"account", "list"}, {"token", "list"}, {"policy"}} {
			wantCode, want, wantProblems := c.says(append(words, on...)...)
			code, got, problems := c.says(append(words, "--server", p.url)...)
			if code != wantCode || got != want || problems != wantProblems || strings.Count(got, "\n") < 4 {
				t.Errorf("%v: of the database %d\n%s%s\nof the server %d\n%s%s", words, wantCode, want, wantProblems, code, got, problems)
			}
		}
		for _, words := range [][]string{{"account", "disable", "robot"}, {"token", "create", "robot", "more", "--role", "VIEWER"}, {"account", "link", "root"}} {
			if code, out, problems := c.says(append(words, "--server", p.url)...); code != exitUsage || !strings.Contains(problems, "no token does this") {
				t.Errorf("%v: %d %s%s", words, code, out, problems)
			}
		}
	})
}
