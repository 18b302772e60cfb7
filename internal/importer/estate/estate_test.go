package estate_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/estate"
)

var _ importer.Source = (*estate.Source)(nil)

// folder turns name, text, name, text… into files.
func folder(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

func read(t *testing.T, s importer.Source) (rows []importer.Row, notices []string) {
	t.Helper()
	for row, err := range s.Rows(t.Context()) {
		p := (*importer.Notice)(nil)
		switch {
		case errors.As(err, &p):
			notices = append(notices, fmt.Sprintf("%s:%d %s %s: %s", p.Origin.File, p.Origin.Line, p.Kind, p.ExternalID, p.Reason))
		case err != nil:
			t.Fatal(err)
		default:
			rows = append(rows, row)
		}
	}
	return rows, notices
}

func TestARecordHoldsTheFieldsAsWritten(t *testing.T) {
	rows, notices := read(t, estate.New("shop", folder("shop.yaml", `
defaults:
  lifecycle: LIVE
  environment: PRODUCTION
  labels: {zone: north, app: shop}
  attributes: {vendor: Acme}
  owners: [team-platform: operator]
  relationships: {managed_by: desk}
teams:
  team-orders: {name: Orders, description: Keeps orders., email: orders@example.com, parent: team-shop}
people:
  mei.tanaka: {name: Mei Tanaka, email: mei@example.com, teams: [team-orders, team-shop]}
cis:
  orders:
    class: application_service
    name: Orders
    description: >
      Takes an order
      and keeps it.
    criticality: CRITICAL
    labels: {app: orders}
    attributes: {port: 5432, ratio: 0.5, replica: true, notAfter: 2027-01-31, tags: [a, {b: null}]}
    owners: [team-orders: operator, person/mei.tanaka: product, team-shop]
    service:
      tier: tier-1
      portfolio: CATALOG
      category: Commerce
      support: team-orders
      availability: 99.95
      links:
        - RUNBOOK: https://runbooks.example.com/orders
        - {kind: DASHBOARD, title: Orders per minute, url: "https://dashboards.example.com/orders"}
        - ON_CALL: https://oncall.example.com/orders
    groups:
      paths: {mode: WEIGHTED, threshold: 50, members: {depends_on: [fast: 40, slow: 10], ^provides_api: gateway}}
    relationships:
      depends_on: [db, mailer: SOFT, fast]
      runs_on: {vm-1: HARD}
      ^member_of: node-1
---
cis:
  bare: {class: server}
`)))
	if len(notices) > 0 {
		t.Fatal(notices)
	}
	want := []importer.Row{
		{Origin: importer.Origin{File: "shop.yaml", Line: 10}, Team: &importer.Team{
			ExternalID: "team-orders", Name: "Orders", Description: "Keeps orders.", Email: "orders@example.com", Parent: "team-shop",
		}},
		{Origin: importer.Origin{File: "shop.yaml", Line: 12}, Person: &importer.Person{
			ExternalID: "mei.tanaka", Name: "Mei Tanaka", Email: "mei@example.com", Teams: []string{"team-orders", "team-shop"},
		}},
		{Origin: importer.Origin{File: "shop.yaml", Line: 14}, CI: &importer.CI{
			ExternalID: "orders", Class: "application_service", Name: "Orders", Description: "Takes an order and keeps it.",
			Lifecycle: "LIVE", Environment: "PRODUCTION", Criticality: "CRITICAL",
			Labels: map[string]string{"zone": "north", "app": "orders"},
			Attributes: map[string]any{
				"vendor": "Acme", "port": 5432, "ratio": 0.5, "replica": true, "notAfter": "2027-01-31",
				"tags": []any{"a", map[string]any{"b": nil}},
			},
			Owners: []importer.Owner{{Team: "team-orders", Role: "operator"}, {Person: "mei.tanaka", Role: "product"}, {Team: "team-shop"}},
			Service: &importer.Service{
				Tier: "tier-1", Portfolio: "CATALOG", Category: "Commerce", SupportTeam: "team-orders", AvailabilityTarget: 99.95,
				Links: []importer.Link{
					{Kind: "RUNBOOK", Title: "Runbook", URL: "https://runbooks.example.com/orders"},
					{Kind: "DASHBOARD", Title: "Orders per minute", URL: "https://dashboards.example.com/orders"},
					{Kind: "ON_CALL", Title: "On call", URL: "https://oncall.example.com/orders"},
				},
			},
			Relationships: []importer.Relationship{
				{Type: "managed_by", Target: "desk"},
				{Type: "depends_on", Target: "db"},
				{Type: "depends_on", Target: "mailer", Strength: "SOFT"},
				{Type: "depends_on", Target: "fast"},
				{Type: "runs_on", Target: "vm-1", Strength: "HARD"},
				{Type: "member_of", Target: "node-1", IsReverse: true},
				{Type: "depends_on", Target: "slow"},
				{Type: "provides_api", Target: "gateway", IsReverse: true},
			},
			Groups: []importer.Group{{Name: "paths", Mode: "WEIGHTED", Threshold: 50, Members: []importer.GroupMember{
				{Type: "depends_on", Target: "fast", Weight: 40},
				{Type: "depends_on", Target: "slow", Weight: 10},
				{Type: "provides_api", Target: "gateway", IsReverse: true, Weight: 1},
			}}},
		}},
		{Origin: importer.Origin{File: "shop.yaml", Line: 42}, CI: &importer.CI{ExternalID: "bare", Class: "server", Name: "bare"}},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultsAreNotSharedBetweenCIs(t *testing.T) {
	rows, notices := read(t, estate.New("shop", folder("a.yaml", `
defaults: {class: server, labels: {a: "1"}, service: {tier: tier-1}, relationships: {depends_on: [x]}}
cis:
  one: {labels: {b: "2"}, service: {tier: tier-2}, relationships: {depends_on: [y]}}
  two:
`)))
	if len(notices) > 0 || len(rows) != 2 {
		t.Fatal(len(rows), notices)
	}
	two := rows[1].CI
	if len(two.Labels) != 1 || two.Service.Tier != "tier-1" || len(two.Relationships) != 1 {
		t.Errorf("the second CI has something of the first: %+v", two)
	}
}

func TestAMistakeIsNamedByFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown section":    {"cis: {}\nservers: {}", `a.yaml:2 rejected : unknown field "servers"; known here are cis, classes, defaults, people, teams`},
		"unknown field":      {"cis:\n  a: {class: server}\n  b:\n    class: server\n    colour: red", `a.yaml:5 rejected b: unknown field "colour"`},
		"unknown team field": {"teams:\n  a: {lead: b}", `a.yaml:2 rejected a: unknown field "lead"`},
		"no class":           {"cis:\n  a: {name: A}", `a.yaml:2 rejected a: "a" has no class`},
		"wrong shape":        {"cis:\n  - a", `a.yaml:2 rejected : expected fields (key: value), found a list`},
		"not a document":     {"hello", `a.yaml:1 rejected : expected fields (key: value), found "hello"`},
		"empty value":        {"cis:\n  a: {class: }", `a.yaml:2 rejected a: expected text, found nothing`},
		"key twice":          {"cis:\n  a: {class: server, class: rack}", `a.yaml:2 rejected a: "class" is written twice`},
		"id twice":           {"cis:\n  a: {class: server}\n  a: {class: server}", `a.yaml:3 rejected : "a" is written twice`},
		"relationship twice": {"cis:\n  a:\n    class: server\n    relationships:\n      runs_on: [b,\n        b]", `a.yaml:6 rejected a: runs_on b is written twice`},
		"member twice":       {"cis:\n  a: {class: server, groups: {g: {mode: ANY, members: {runs_on: [b, b]}}}}", `a.yaml:2 rejected a: runs_on b is a member of "g" already`},
		"weight":             {"cis:\n  a: {class: server, groups: {g: {mode: ANY, members: {runs_on: [b: x]}}}}", `a.yaml:2 rejected a: expected a whole number, found "x"`},
		"threshold":          {"cis:\n  a: {class: server, groups: {g: {mode: ANY, threshold: 1.5}}}", `a.yaml:2 rejected a: expected a whole number, found "1.5"`},
		"mode":               {"cis:\n  a: {class: server, groups: {g: {mode: SOME}}}", `a.yaml:2 rejected a: "SOME" is not one of ALL, ANY, AT_LEAST, PERCENT, WEIGHTED`},
		"strength":           {"cis:\n  a: {class: server, relationships: {runs_on: [b: WEAK]}}", `a.yaml:2 rejected a: "WEAK" is not one of HARD, SOFT`},
		"lifecycle":          {"cis:\n  a: {class: server, lifecycle: DEAD}", `a.yaml:2 rejected a: "DEAD" is not one of PLANNED`},
		"no threshold":       {"cis:\n  a: {class: server, groups: {g: {mode: AT_LEAST, members: {runs_on: b}}}}", `the group "g" needs a threshold from 1 to 1, found 0`},
		"heavy threshold":    {"cis:\n  a: {class: server, groups: {g: {mode: WEIGHTED, threshold: 9, members: {runs_on: [b: 4, c: 4]}}}}", `needs a threshold from 1 to 8, found 9`},
		"no weight":          {"cis:\n  a: {class: server, groups: {g: {mode: WEIGHTED, threshold: 1, members: {runs_on: [b: 0]}}}}", `gives b the weight 0`},
		"idle threshold":     {"cis:\n  a: {class: server, groups: {g: {mode: ANY, threshold: 1, members: {runs_on: b}}}}", `mode ANY takes none`},
		"link kind":          {"cis:\n  a: {class: server, service: {links: [WIKI: b]}}", `a.yaml:2 rejected a: "WIKI" is not one of REPOSITORY`},
		"no mode":            {"cis:\n  a: {class: server, groups: {g: {members: {runs_on: b}}}}", `a.yaml:2 rejected a: the group "g" has no mode`},
		"no members":         {"cis:\n  a: {class: server, groups: {g: {mode: ANY}}}", `a.yaml:2 rejected a: the group "g" has no members`},
		"no type":            {"cis:\n  a: {class: server, relationships: {^: b}}", `a.yaml:2 rejected a: "^" is not a relationship type`},
		"nobody":             {"cis:\n  a: {class: server, owners: [person/: operator]}", `a.yaml:2 rejected a: "person/" names nobody`},
		"link":               {"cis:\n  a: {class: server, service: {links: [{title: b}, {url: c}]}}", `a.yaml:2 rejected a: a link needs a kind and a URL`},
		"infinity":           {"cis:\n  a: {class: server, attributes: {b: .inf}}", `a.yaml:2 rejected a: expected a number, found ".inf"`},
		"alias":              {"cis:\n  a: &a {class: server}\n  b: *a", `a.yaml:2 rejected : anchors, aliases and merge keys are not read here`},
		"merge key":          {"cis:\n  a: {<<: {class: server}}", `a.yaml:2 rejected : anchors, aliases and merge keys are not read here`},
		"syntax":             {"cis:\n  a: {class: server}\n  b: [", `rejected : this is no valid YAML`},
		"binary":             {"\x00\x01\x02", `a.yaml:1 rejected : this is no valid YAML`},
		"defaults' name":     {"defaults:\n  name: x", `a.yaml:2 rejected : unknown field "name"`},
		"large file":         {"#" + strings.Repeat("x", 16<<20), `a.yaml:1 rejected : the file is larger than 16 MiB`},
	} {
		t.Run(name, func(t *testing.T) {
			_, notices := read(t, estate.New("shop", folder("a.yaml", c.text)))
			if len(notices) == 0 || !strings.Contains(notices[0], c.want) {
				t.Errorf("got %q, want %q", notices, c.want)
			}
		})
	}
}

func TestAMistakeLeavesTheOthersAlone(t *testing.T) {
	rows, notices := read(t, estate.New("shop", folder(
		"a.yaml", "cis:\n  a: {class: server}\n  b: {klass: server}\n---\nnonsense\n---\ncis:\n  c: {class: server}",
		"b.yaml", "cis: [",
		"c.yml", "cis:\n  d: {class: server}\n  a: {class: rack}",
		"notes.txt", "no estate",
	)))
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.CI.ExternalID)
	}
	if diff := cmp.Diff([]string{"a", "c", "d"}, ids); diff != "" {
		t.Error(diff)
	}
	if len(notices) != 4 || !strings.HasPrefix(notices[3], `c.yml:3 duplicate a: the CI "a" is already written at a.yaml:2`) {
		t.Errorf("notices: %q", notices)
	}
}

func TestOpenNamesFilesAsTheyWereGiven(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"one.txt", "sub/two.yaml"} {
		p := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("cis:\n  "+filepath.Base(file)+": {class: server}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	s, err := estate.Open("shop", "one.txt", "./sub", filepath.Join(dir, "sub", "two.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rows, notices := read(t, s)
	if len(rows) != 2 || rows[0].Origin.File != "one.txt" || rows[1].Origin.File != "sub/two.yaml" {
		t.Errorf("rows: %+v", rows)
	}
	if len(notices) != 0 { // the file that is reached twice is read once
		t.Errorf("notices: %q", notices)
	}
	if _, err := estate.Open("shop", "absent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestAnUnreadableFileEndsTheSource(t *testing.T) {
	s, err := estate.Open("shop", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if rows, notices := read(t, s); len(rows) != 0 || len(notices) != 1 || !strings.HasSuffix(notices[0], "the folder holds no file that ends in .yaml or .yml") {
		t.Error("an empty folder has", rows, notices)
	}
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if s, err = estate.Open("shop", dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	failed := false
	for _, err := range s.Rows(t.Context()) {
		p := (*importer.Notice)(nil)
		failed = err != nil && !errors.As(err, &p)
	}
	if !failed {
		t.Error("a folder that is gone was read as empty")
	}
}

func TestPipesAndLinksThatLeaveAreRejectedAndTheRestIsRead(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write := func(path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("cis: {"+strings.TrimSuffix(filepath.Base(path), ".yaml")+": {class: server}}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "secret.yaml"))
	write(filepath.Join(dir, "z.yaml"))
	var listening net.ListenConfig
	socket, err := listening.Listen(t.Context(), "unix", filepath.Join(dir, "socket.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	if err := errors.Join(
		syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600),
		os.Symlink(filepath.Join(outside, "secret.yaml"), filepath.Join(dir, "link.yaml")),
		os.Symlink(outside, filepath.Join(dir, "folder")),
		os.Symlink("z.yaml", filepath.Join(dir, "again.yaml")),
	); err != nil {
		t.Fatal(err)
	}
	s, err := estate.Open("shop", dir)
	if err != nil {
		t.Fatal(err)
	}
	rows, notices := read(t, s)
	if len(rows) != 1 || rows[0].CI.ExternalID != "z" {
		t.Errorf("rows: %+v", rows)
	}
	said := strings.Join(notices, "\n")
	for _, want := range []string{"folder:1 rejected : the symbolic link is not followed", "link.yaml:1 rejected : the symbolic link is not followed", "pipe.yaml:1 rejected : not a regular file", "socket.yaml:1 rejected : not a regular file"} {
		if !strings.Contains(said, want) {
			t.Errorf("not told: %s\n%s", want, said)
		}
	}
	if len(notices) != 4 {
		t.Errorf("notices: %q", notices)
	}
}

func TestACanceledContextEndsTheRows(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []error
	for _, err := range estate.New("shop", folder("a.yaml", "cis: {a: {class: server}, b: {class: server}, c: {class: server}}")).Rows(ctx) {
		got = append(got, err)
		cancel()
	}
	if len(got) != 2 || got[0] != nil || !errors.Is(got[1], context.Canceled) {
		t.Error(got)
	}
}

// FuzzRows checks that any file yields rows, and notices that have a place and a reason.
func FuzzRows(f *testing.F) {
	for _, seed := range []string{
		"cis:\n  a: {class: server, owners: [x: y], groups: {g: {mode: ANY, members: {^b: [c: 1]}}}}",
		"defaults: {class: server}\ncis: {a: }\n---\n? [a]\n: b", "a: &a [*a]", "%YAML 1.2\n---\n!!map {}", "cis: {a: !!binary b}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for row, err := range estate.New("fuzz", folder("a.yaml", text)).Rows(t.Context()) {
			p := (*importer.Notice)(nil)
			switch {
			case errors.As(err, &p):
				if p.Origin.Line < 1 || p.Reason == "" {
					t.Errorf("a notice without a place or reason: %+v", p)
				}
			case err != nil:
				t.Fatal(err)
			case row.CI == nil && row.Team == nil && row.Person == nil || row.Origin.Line < 1:
				t.Errorf("an empty row: %+v", row)
			}
		}
	})
}
