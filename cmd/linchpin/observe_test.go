package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// operators returns the address for operators that a server has printed.
func (p *process) operators(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`Metrics    (http://\S+)/metrics`).FindStringSubmatch(p.said())
	if found == nil {
		t.Fatal(p.said())
	}
	return found[1]
}

func TestNothingSecretIsLoggedOrMeasured(t *testing.T) {
	const canary = "canary-7f3a91"
	address := strings.Replace(storetest.PostgresAddress(t), "postgres@/", "postgres:"+canary+"-password@/", 1)
	if !strings.Contains(address, canary) {
		t.Fatal("the address has no place for a password: ", address)
	}
	p := serve(t, "--database", address, "--admin-listen", "127.0.0.1:0")
	var answers strings.Builder
	for _, c := range []struct {
		query     string
		variables map[string]any
	}{
		{createCI, nil},
		{`query Q($name: String!) { cis(filter: {name: {eq: $name}}) { totalCount } }`, map[string]any{"name": canary}},
		{`query Q($n: Int!) { cis(first: $n) { totalCount } }`, map[string]any{"n": canary}},
		{`query Q($id: ID!) { ci(id: $id) { id } }`, map[string]any{"id": canary}},
		{`{ cis(filter: {name: {eq: "` + canary + `"}}) { totalCount } }`, nil},
		{`{ ` + strings.ReplaceAll(canary, "-", "_") + ` }`, nil},
		{`mutation M($i: CreateCIInput!) { createCI(input: $i) { ci { id } userErrors { code } } }`, map[string]any{"i": map[string]any{"class": canary, "name": canary}}},
		{
			`mutation M($i: CreateCIInput!) { createCI(input: $i) { ci { id } userErrors { code } } }`,
			map[string]any{"i": map[string]any{"class": "server", "name": canary, "description": canary + "\x00", "attributes": map[string]any{canary: canary}}},
		},
		{`query Q($f: CIFilter!) { cis(filter: $f) { totalCount } }`, map[string]any{"f": map[string]any{"attributes": []any{map[string]any{"path": canary, "eq": canary + "\x00"}}}}},
	} {
		body, err := json.Marshal(map[string]any{"query": c.query, "variables": c.variables})
		if err != nil {
			t.Fatal(err)
		}
		e := send(t, "POST", p.url+"/graphql", string(body), "Idempotency-Key: "+canary, "Authorization: Bearer "+canary, "X-Request-Id: req-1")
		answers.WriteString(e.body)
		if got := e.header.Get("X-Request-Id"); got != "req-1" {
			t.Errorf("the request's id became %q", got)
		}
	}
	db, err := pgconn.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	// A fault of the database, whose words hold values.
	execute(t, db, "ALTER TABLE ci ADD CONSTRAINT odd CHECK (name NOT LIKE 'canary%')")
	e := send(t, "POST", p.url+"/graphql", `{"query":"mutation { createCI(input: {class: \"server\", name: \"`+canary+`\"}) { ci { id } } }"}`)
	if codes := e.codes(t); len(codes) != 1 || codes[0] != "INTERNAL" || strings.Contains(e.body, canary) {
		t.Errorf("%s", e.body)
	}
	metrics := send(t, "GET", p.operators(t)+"/metrics", "").body
	for where, text := range map[string]string{"log": p.said(), "metrics": metrics} {
		if at := strings.Index(text, "canary"); at >= 0 {
			t.Errorf("the %s tells: %s", where, text[max(0, at-200):min(len(text), at+100)])
		}
	}
	if strings.Contains(answers.String(), "password") {
		t.Error(answers.String())
	}
	for _, line := range []string{
		`linchpin_operations_total{code="OK",field="createCI",type="mutation"}`, `code="GRAPHQL_VALIDATION_FAILED",field="refused"`,
		"linchpin_operation_duration_seconds_bucket", "linchpin_statement_duration_seconds_count", "go_sql_wait_count_total", "linchpin_feed_lag_seconds ",
		"linchpin_topology_revision ", "linchpin_outcome_unknown_total 0", "go_goroutines", "linchpin_topology_rebuilds_total 0",
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %s in the metrics", line)
		}
	}
	logged := regexp.MustCompile(`"level":"INFO","msg":"operation","request":"req-1","actor":"dev","type":"mutation","field":"createCI","name":"M","hash":"[0-9a-f]{16}","took_ms":[0-9.]+,"statements":[1-9]`)
	eventually(t, p, "a line of the log about the operation", func() bool { return logged.MatchString(p.said()) })
}

func TestAnUnsoundRequestIDIsReplaced(t *testing.T) {
	p := serve(t)
	for _, id := range []string{"a b", "a\"b", strings.Repeat("x", 101), "é"} {
		if got := send(t, "GET", p.url+"/healthz", "", "X-Request-Id: "+id).header.Get("X-Request-Id"); got == id || len(got) < 20 {
			t.Errorf("%q became %q", id, got)
		}
	}
}

// eventually waits until something holds.
func eventually(t *testing.T, p *process, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s\n%s", what, p.said())
		}
	}
}

// TestAStoppingServerIsNotReadyAndFinishesWhatItHas checks that a server that is told to stop says at once that it is
// not ready, and finishes the request that it has.
func TestAStoppingServerIsNotReadyAndFinishesWhatItHas(t *testing.T) {
	address := storetest.PostgresAddress(t)
	db, err := pgconn.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	p := serve(t, "--database", address, "--admin-listen", "127.0.0.1:0")
	operators := p.operators(t)
	if e := send(t, "GET", operators+"/readyz", ""); e.status != http.StatusOK {
		t.Fatalf("%+v", e)
	}
	execute(t, db, `CREATE TABLE held AS SELECT 1`,
		`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN WHILE EXISTS (SELECT FROM held) LOOP PERFORM pg_sleep(0.05); END LOOP; RETURN NEW; END $$`,
		`CREATE TRIGGER hold BEFORE INSERT ON ci FOR EACH ROW EXECUTE FUNCTION hold()`)
	slow := make(chan string, 1)
	go func() {
		a, err := post(t.Context(), http.DefaultClient, p.url, createCI, nil)
		slow <- string(a.Data)
		if err != nil {
			t.Error(err)
		}
	}()
	eventually(t, p, "the request waits", func() bool {
		var n int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`).Scan(&n)
		return err == nil && n == 1
	})
	stopped := make(chan int, 1)
	go func() {
		code, err := p.stop()
		if err != nil {
			t.Error(err)
		}
		stopped <- code
	}()
	eventually(t, p, "it is not ready", func() bool { return send(t, "GET", operators+"/readyz", "").status == http.StatusServiceUnavailable })
	if healthy := send(t, "GET", operators+"/healthz", ""); healthy.status != http.StatusOK {
		t.Errorf("while it drains: healthz %d", healthy.status)
	}
	execute(t, db, `DELETE FROM held`)
	if data := <-slow; !strings.Contains(data, `"id":"ci_1"`) {
		t.Errorf("the request in flight got %s", data)
	}
	if code := <-stopped; code != 0 {
		t.Errorf("it ended with %d\n%s", code, p.said())
	}
}

// TestALostDatabaseIsUnavailable checks that a connection to PostgreSQL that breaks under a statement is UNAVAILABLE,
// and that nothing has happened.
func TestALostDatabaseIsUnavailable(t *testing.T) {
	address := storetest.PostgresAddress(t)
	db, err := pgconn.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	p := serve(t, "--database", address)
	execute(t, db, `CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$`,
		`CREATE TRIGGER hold BEFORE INSERT ON ci FOR EACH ROW EXECUTE FUNCTION hold()`)
	got := make(chan answer, 1)
	go func() {
		a, err := post(t.Context(), http.DefaultClient, p.url, createCI, nil)
		if err != nil {
			t.Error(err)
		}
		got <- a
	}()
	eventually(t, p, "a statement was broken", func() bool {
		var n int
		row := db.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'`)
		if err := row.Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n > 0
	})
	if a := <-got; len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "UNAVAILABLE" || !strings.Contains(a.Errors[0].Message, "try again") {
		t.Errorf("%+v", a)
	}
	if ids := p.named(t, "srv-new"); len(ids) != 0 {
		t.Errorf("it was said not to have happened: %v", ids)
	}
}
