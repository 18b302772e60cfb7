package compose

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
)

type result struct {
	rows    []importer.Row
	notices []importer.Notice
	err     error
}

func (r result) texts() (all []string) {
	for _, n := range r.notices {
		all = append(all, n.Error())
	}
	return all
}

func (r result) ci(t testing.TB, id string) *importer.CI {
	t.Helper()
	for _, row := range r.rows {
		if row.CI.ExternalID == id {
			return row.CI
		}
	}
	t.Fatalf("no row %q", id)
	return nil
}

func collect(t testing.TB, s importer.Source) (r result) {
	t.Helper()
	for row, err := range s.Rows(t.Context()) {
		var n *importer.Notice
		switch {
		case errors.As(err, &n):
			r.notices = append(r.notices, *n)
		case err != nil:
			r.err = err
		default:
			r.rows = append(r.rows, row)
		}
	}
	return r
}

// from reads a project named shop, of files by name; the first is the main one.
func from(t testing.TB, files ...string) result {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Dir(dir))
	return collect(t, New([]string{"shop"}))
}

func TestEachProjectOfAwesomeComposeIsRead(t *testing.T) {
	dir := filepath.Join(fixture.Dir(t), "compose", "awesome-compose")
	r := collect(t, New([]string{dir}))
	projects, classes, needs, secrets := map[string]bool{}, map[string]int{}, 0, 0
	ids := map[string]bool{}
	for _, row := range r.rows {
		projects[row.CI.Labels["project"]] = true
		classes[row.CI.Class]++
		ids[row.CI.ExternalID] = true
		if row.Origin.Line == 0 {
			t.Errorf("%s has no line", row.CI.ExternalID)
		}
		for _, rel := range row.CI.Relationships {
			if strings.HasPrefix(rel.Evidence, "depends_on") {
				needs++
			}
			if strings.Contains(rel.Evidence, "whalehello") {
				secrets++
			}
		}
	}
	services := len(r.rows) - classes["volume"]
	if len(projects) != 39 || services != 81 || classes["volume"] != 21 || needs != 26 || secrets != 0 || r.err != nil {
		t.Errorf("%d projects, %d services, %d volumes, %d depends_on, %d secrets, %v", len(projects), services, classes["volume"], needs, secrets, r.err)
	}
	if diff := cmp.Diff(map[string]int{"application": 50, "database": 20, "middleware": 6, "web_server": 5, "volume": 21}, classes); diff != "" {
		t.Error(diff)
	}
	for _, row := range r.rows {
		for _, rel := range row.CI.Relationships {
			if !ids[rel.Target] {
				t.Errorf("%s needs %s, which is not there", row.CI.ExternalID, rel.Target)
			}
		}
	}
	for _, n := range r.notices {
		if n.Kind != importer.Warning || !strings.HasPrefix(n.Reason, "variables that are not set: ") {
			t.Errorf("%s %v", n.Kind, &n)
		}
	}
	if len(r.notices) != 4 {
		t.Errorf("%q", r.texts())
	}
	plex := r.ci(t, "service:plex/plex")
	if plex.Attributes["image"] != "linuxserver/plex" || plex.Relationships != nil {
		t.Errorf("%+v", plex)
	}
	cloud := r.ci(t, "service:nextcloud-redis-mariadb/nc")
	if diff := cmp.Diff([]importer.Relationship{
		{Type: "depends_on", Target: "service:nextcloud-redis-mariadb/db", Evidence: "env MYSQL_HOST"},
		{Type: "depends_on", Target: "service:nextcloud-redis-mariadb/redis", Evidence: "env REDIS_HOST"},
		{Type: "depends_on", Target: "volume:nextcloud-redis-mariadb/nc_data", Evidence: "volume /var/www/html"},
	}, cloud.Relationships); diff != "" {
		t.Error(diff)
	}
	db := r.ci(t, "service:nextcloud-redis-mariadb/db")
	if diff := cmp.Diff(map[string]any{"image": "mariadb:10.5", "engine": "mariadb", "version": "10.5"}, db.Attributes); diff != "" || db.Class != "database" {
		t.Errorf("%s %s", db.Class, diff)
	}
}

func TestNeedsOfAServiceAreFoundWhereverTheyAreSaid(t *testing.T) {
	r := from(t, "compose.yaml", `
services:
  web:
    image: registry.example.com:5000/shop/web:1.2@sha256:`+strings.Repeat("0", 64)+`
    deploy: {replicas: 3}
    ports: ["80:8080", "8081:8080", {target: 9090}]
    depends_on:
      db: {condition: service_healthy}
      cache: {condition: service_started, required: false}
      mail: {condition: service_started, required: false}
    links: [search:finder, cache]
    network_mode: service:proxy
    volumes_from: [files, "container:other"]
    environment:
      FINDER_HOST: finder:9200
      QUEUE_URL: amqp://user:secret@jobs:5672/v
      DB_ADDR: database
      SELF_HOST: web
      LONELY: db
      ELSE_HOST: example.com
      PASSWORD: secret
    volumes: ["data:/data", "./here:/here", "/anonymous", {type: tmpfs, target: /tmp}, "shared:/shared"]
    extra_hosts: ["a:1.2.3.4"]
  db: {image: "postgres:16-alpine", container_name: database}
  cache: {image: redis}
  mail: {build: ./mail, profiles: [debug]}
  search: {image: "docker.elastic.co/elasticsearch/elasticsearch:8.1.0"}
  proxy: {image: traefik}
  files: {image: mcr.microsoft.com/mssql/server}
  jobs-1: {image: rabbitmq, networks: {default: {aliases: [jobs]}}}
volumes:
  data:
  shared: {external: true, name: everyone}
`)
	if r.notices != nil || r.err != nil {
		t.Fatal(r.texts(), r.err)
	}
	web := r.ci(t, "service:shop/web")
	want := &importer.CI{
		ExternalID: "service:shop/web", Class: "application", Name: "web", Labels: map[string]string{"project": "shop"},
		Attributes: map[string]any{"image": "registry.example.com:5000/shop/web:1.2@sha256:" + strings.Repeat("0", 64), "replicas": int64(3), "ports": []any{int64(8080), int64(9090)}},
		Relationships: []importer.Relationship{
			{Type: "depends_on", Target: "service:shop/cache", Evidence: "depends_on; links"},
			{Type: "depends_on", Target: "service:shop/db", Evidence: "depends_on service_healthy; env DB_ADDR"},
			{Type: "depends_on", Target: "service:shop/files", Evidence: "volumes_from"},
			{Type: "depends_on", Target: "service:shop/jobs-1", Evidence: "env QUEUE_URL"},
			{Type: "depends_on", Target: "service:shop/mail", Evidence: "depends_on", Strength: "SOFT"},
			{Type: "depends_on", Target: "service:shop/proxy", Evidence: "network_mode"},
			{Type: "depends_on", Target: "service:shop/search", Evidence: "env FINDER_HOST; links"},
			{Type: "depends_on", Target: "volume:everyone", Evidence: "volume /shared"},
			{Type: "depends_on", Target: "volume:shop/data", Evidence: "volume /data"},
		},
	}
	if diff := cmp.Diff(want, web); diff != "" {
		t.Error(diff)
	}
	for id, class := range map[string]string{
		"service:shop/db": "database", "service:shop/cache": "middleware", "service:shop/mail": "application", "service:shop/search": "database", "service:shop/proxy": "middleware",
		"service:shop/files": "database", "service:shop/jobs-1": "middleware", "volume:shop/data": "volume", "volume:everyone": "volume",
	} {
		if got := r.ci(t, id).Class; got != class {
			t.Errorf("%s is a %s", id, got)
		}
	}
	if db := r.ci(t, "service:shop/db").Attributes; db["engine"] != "postgres" || db["version"] != "16" {
		t.Errorf("%+v", db)
	}
}

func TestAVariableWithoutAValueLeavesOutWhatNeedsItAndNothingElse(t *testing.T) {
	r := from(t, "compose.yaml", `
services:
  web:
    image: "web:${TAG}"
    ports: ["${PORT}:80"]
    volumes: ["${MEDIA}:/media", "${NAMED:-data}:/data"]
    environment: {DB_HOST: "${DB}", COST: "$$5", ODD: "${", PASSWORD: "${SECRET:?must be set}"}
    deploy: {replicas: "${COPIES}"}
  db:
    image: "postgres:${VERSION:-16}"
    ports: ["${DB_PORT-5432}:5432"]
    deploy: {replicas: "${COPIES:-2}"}
  other: {image: "web:1"}
volumes: {data: }
`)
	if diff := cmp.Diff([]string{
		`shop/compose.yaml: variables that are not set: COPIES, DB, MEDIA, PORT, SECRET, TAG; images and ports that need them were left out; set them in shop/.env`,
	}, r.texts()); diff != "" || r.err != nil {
		t.Fatal(diff, r.err)
	}
	web, db := r.ci(t, "service:shop/web"), r.ci(t, "service:shop/db")
	if diff := cmp.Diff([]importer.Relationship{{Type: "depends_on", Target: "volume:shop/data", Evidence: "volume /data"}}, web.Relationships); diff != "" || web.Attributes != nil {
		t.Errorf("%s%+v", diff, web.Attributes)
	}
	if diff := cmp.Diff(map[string]any{"image": "postgres:16", "engine": "postgres", "version": "16", "ports": []any{int64(5432)}, "replicas": int64(2)}, db.Attributes); diff != "" {
		t.Error(diff)
	}
	if got := r.ci(t, "service:shop/other").Attributes["image"]; got != "web:1" {
		t.Errorf("%v", got)
	}
}

func TestTheProjectsOwnVariablesAreReadAndThoseOfTheProcessAreNot(t *testing.T) {
	t.Setenv("TAG", "process")
	const file = "services: {web: {image: \"web:${TAG}\"}}\n"
	if r := from(t, "compose.yaml", file, ".env", "TAG=7\nSECRET=x\n"); r.notices != nil || r.ci(t, "service:shop/web").Attributes["image"] != "web:7" {
		t.Errorf("%+v %q", r.rows, r.texts())
	}
	if r := from(t, "compose.yaml", file); len(r.notices) != 1 || r.ci(t, "service:shop/web").Attributes != nil {
		t.Errorf("%+v %q", r.rows, r.texts())
	}
	r := from(t, "compose.yaml", file, ".env", "A=\"secret\n")
	if len(r.notices) != 2 || strings.Contains(strings.Join(r.texts(), ""), "secret") {
		t.Errorf("%q", r.texts())
	}
}

func TestFilesAreLaidOverOneAnother(t *testing.T) {
	const main, over = "services:\n  web: {image: a, depends_on: [db]}\n  db: {image: mysql}\n", "services:\n  web: {image: b}\n  cache: {image: redis}\n"
	want := func(r result, id, image, file string, line int) {
		t.Helper()
		for _, row := range r.rows {
			if row.CI.ExternalID == id && (row.CI.Attributes["image"] != image || row.Origin != importer.Origin{File: file, Line: line}) {
				t.Errorf("%+v %v", row.CI, row.Origin)
			}
		}
		r.ci(t, id)
	}
	r := from(t, "compose.yaml", main, "compose.override.yaml", over)
	want(r, "service:shop/web", "b", "shop/compose.yaml", 2)
	want(r, "service:shop/cache", "redis", "shop/compose.override.yaml", 3)
	prod := filepath.Join("shop", "compose.yaml") + string(filepath.ListSeparator) + filepath.Join("shop", "prod.yaml")
	if err := os.WriteFile(filepath.Join("shop", "prod.yaml"), []byte("name: prod\nservices: {web: {image: c}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(collect(t, New([]string{prod})), "service:prod/web", "c", "shop/compose.yaml", 2)
}

func TestIncludedAndExtendedFilesBelongToTheProject(t *testing.T) {
	r := from(t, "compose.yaml", "include: [db/db.yaml]\nservices: {web: {extends: {file: base.yaml, service: base}}}\n",
		"db/db.yaml", "services: {db: {image: \"postgres:${UNSET}\"}}\n", "base.yaml", "services: {base: {image: web, depends_on: [db]}}\n")
	if diff := cmp.Diff([]importer.Relationship{{Type: "depends_on", Target: "service:shop/db", Evidence: "depends_on"}}, r.ci(t, "service:shop/web").Relationships); diff != "" {
		t.Error(diff)
	}
	if a := r.ci(t, "service:shop/db").Attributes; a != nil || len(r.notices) != 1 {
		t.Errorf("%+v %q", a, r.texts())
	}
}

func TestAProjectThatCannotBeReadLeavesTheOthersAndTellsNoSecret(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"no YAML", "services: [", `shop/compose.yaml: the project cannot be loaded: `},
		{"empty", "", `shop/compose.yaml: the project cannot be loaded: empty compose file`},
		{"a list", "- hunter2\n", `shop/compose.yaml: the project cannot be loaded: top-level object must be a mapping`},
		{"a wrong shape", "services: {web: {image: [hunter2]}}\n", `shop/compose.yaml: the project cannot be loaded: `},
		{"a wrong environment", "services: {web: {image: a, environment: {A: {B: hunter2}}}}\n", `shop/compose.yaml: the project cannot be loaded: `},
		{"a wrong port", "services: {web: {image: a, ports: [\"x\"]}}\n", `shop/compose.yaml: the project cannot be loaded: `},
		{"an unknown word", "services: {web: {image: a, hunter2: b}}\n", `shop/compose.yaml: the project cannot be loaded: `},
		{"a missing include", "include: [gone.yaml]\n", `shop/compose.yaml: the project cannot be loaded: `},
		{"a bomb", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n", `shop/compose.yaml: the project cannot be loaded: `},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := from(t, "compose.yaml", c.content, "zz/compose.yaml", "services: {web: {image: a}}\n")
			if len(r.notices) != 1 || !strings.HasPrefix(r.notices[0].Error(), c.want) || r.notices[0].Kind != importer.Rejected {
				t.Errorf("%q", r.texts())
			}
			if strings.Contains(strings.Join(r.texts(), ""), "hunter2") && c.name != "an unknown word" {
				t.Errorf("a value is told: %q", r.texts())
			}
			r.ci(t, "service:zz/web")
		})
	}
}

func TestTwoProjectsOfOneNameAreNotMixed(t *testing.T) {
	r := from(t, "a/app/compose.yaml", "services: {web: {image: a}}\n", "b/app/compose.yaml", "services: {web: {image: b}}\n", ".git/compose.yaml", "services: {no: {image: b}}\n")
	if diff := cmp.Diff([]string{`shop/b/app/compose.yaml: the project "app" is also that of shop/a/app/compose.yaml: give one of them another name by the field name`}, r.texts()); diff != "" || len(r.rows) != 1 {
		t.Errorf("%s%+v", diff, r.rows)
	}
}

func TestAVolumeOfSeveralProjectsIsReportedOnce(t *testing.T) {
	const project = "services: {web: {image: a, volumes: [\"v:/v\"]}}\nvolumes: {v: {external: true}}\n"
	r := from(t, "a/compose.yaml", project, "b/compose.yaml", project)
	if len(r.rows) != 3 || r.notices != nil {
		t.Errorf("%+v %q", r.rows, r.texts())
	}
}

func TestPathsThatLeadNowhereEndTheSource(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "gone.yaml"): "no such file or folder", dir: "holds no Compose project", dir + string(filepath.ListSeparator) + dir: "several paths of one project are files",
	} {
		if r := collect(t, New([]string{path})); r.err == nil || !strings.Contains(r.err.Error(), want) {
			t.Errorf("%s: %v", path, r.err)
		}
	}
}
