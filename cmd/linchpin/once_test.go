package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// eachDatabase runs a test with the address of a fresh database of each sort.
func eachDatabase(t *testing.T, test func(t *testing.T, address string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.PostgresAddress(t)) })
}

const twoServers = `mutation($name: String!) {
	a: createCI(input: {class: "server", name: $name}) { ci { id name version updatedAt } userErrors { code } }
	b: createCI(input: {class: "nowhere", name: $name}) { ci { id } userErrors { code field } }
	c: createCI(input: {class: "server", name: $name}) { ci { id name version updatedAt } userErrors { code } } }`

// named returns the ids of the CIs that have a name.
func (p *process) named(t *testing.T, name string) (ids []string) {
	t.Helper()
	var found struct {
		CIs struct{ Nodes []struct{ ID string } }
	}
	p.ask(t, &found, `query($name: String!) { cis(filter: {name: {eq: $name}}, first: 100) { nodes { id } } }`, map[string]any{"name": name})
	for _, n := range found.CIs.Nodes {
		ids = append(ids, n.ID)
	}
	return ids
}

func TestAnAnswerIsGivenAgainAfterARestart(t *testing.T) {
	eachDatabase(t, func(t *testing.T, address string) {
		p := serve(t, "--database", address)
		ask := func(query string, variables map[string]any, headers ...string) answer {
			t.Helper()
			a, err := post(t.Context(), http.DefaultClient, p.url, query, variables, headers...)
			if err != nil {
				t.Fatalf("%v\n%s", err, p.said())
			}
			return a
		}
		web := map[string]any{"name": "web"}
		var mu sync.Mutex
		answers := map[string]int{}
		var senders sync.WaitGroup
		for range 8 {
			senders.Go(func() {
				a := ask(twoServers, web, `Idempotency-Key: "k-1"`) // as a structured header
				mu.Lock()
				defer mu.Unlock()
				answers[fmt.Sprint(string(a.Data), a.Errors, a.Extensions)]++
			})
		}
		senders.Wait()
		first := ask(twoServers, web, "Idempotency-Key: k-1")
		if len(answers) != 1 || answers[fmt.Sprint(string(first.Data), first.Errors, first.Extensions)] != 8 || first.Extensions.Revision == 0 {
			t.Errorf("8 senders got %v", answers)
		}
		ids := p.named(t, "web")
		if len(ids) != 2 {
			t.Fatalf("%v\n%s", ids, first.Data)
		}
		ask(`mutation($id: ID!) { updateCI(input: {id: $id, expectedVersion: 1, name: "renamed"}) { ci { name } } }`, map[string]any{"id": ids[0]})
		if code, err := p.stop(); code != 0 || err != nil {
			t.Fatal(code, err)
		}
		p = serve(t, "--database", address)
		if again := ask(twoServers, web, "Idempotency-Key: k-1"); string(again.Data) != string(first.Data) {
			t.Errorf("first %s\nagain %s", first.Data, again.Data)
		}
		for _, c := range []struct {
			why, query string
			variables  map[string]any
			headers    []string
			code       string
		}{
			{"another body", twoServers, map[string]any{"name": "mail"}, []string{"Idempotency-Key: k-1"}, "IDEMPOTENCY_KEY_REUSED"},
			{"another document", strings.ReplaceAll(twoServers, "updatedAt", ""), web, []string{"Idempotency-Key: k-1"}, "IDEMPOTENCY_KEY_REUSED"},
			{"a key of blanks", twoServers, web, []string{"Idempotency-Key: a b"}, "BAD_USER_INPUT"},
			{"a long key", twoServers, web, []string{"Idempotency-Key: " + strings.Repeat("k", 256)}, "BAD_USER_INPUT"},
			{"no key within quotes", twoServers, web, []string{`Idempotency-Key: ""`}, "BAD_USER_INPUT"},
			{"a query", "{ viewer { name } }", nil, []string{"Idempotency-Key: k-1"}, ""},
		} {
			a := ask(c.query, c.variables, c.headers...)
			got := ""
			if len(a.Errors) > 0 {
				got = a.Errors[0].Extensions.Code
			}
			if got != c.code {
				t.Errorf("%s: %+v", c.why, a)
			}
		}
		two := operation(t, `mutation A { createTeam(input: {name: "a"}) { team { id } } } mutation B { createTeam(input: {name: "b"}) { team { id } } }`)
		for name, code := range map[string]string{"A": "", "B": "IDEMPOTENCY_KEY_REUSED"} {
			send(t, http.MethodPost, p.url+"/graphql", strings.Replace(two, "{", `{"operationName":"A",`, 1), "Idempotency-Key: k-2")
			e := send(t, http.MethodPost, p.url+"/graphql", strings.Replace(two, "{", `{"operationName":"`+name+`",`, 1), "Idempotency-Key: k-2")
			if codes := e.codes(t); strings.Join(codes, "") != code {
				t.Errorf("the operation %s of a document whose A has the key: %s", name, e.body)
			}
		}
		if n := len(p.named(t, "web")); n != 1 {
			t.Errorf("%d CIs are left with the name", n)
		}
		ask(twoServers, web, "Idempotency-Key: k-1", "Linchpin-Actor: somebody-else")
		if n := len(p.named(t, "web")); n != 3 {
			t.Errorf("%d CIs after somebody else used a key of the same name", n)
		}
		ask(twoServers, web)
		ask(twoServers, web)
		if n := len(p.named(t, "web")); n != 7 {
			t.Errorf("%d CIs after two requests without a key", n)
		}
	})
}

// TestAWriteWhoseAnswerWasLostIsFoundByARetry kills the server with kill -9 between the commit and the answer: a
// trigger holds it there.
func TestAWriteWhoseAnswerWasLostIsFoundByARetry(t *testing.T) {
	address := storetest.PostgresAddress(t)
	db, err := pgconn.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	execute(t, db, `CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$`,
		`CREATE TRIGGER hold BEFORE UPDATE ON x_once FOR EACH ROW WHEN (NEW.answer IS NOT NULL) EXECUTE FUNCTION hold()`)
	p := serve(t, "--database", address)
	web := map[string]any{"name": "web"}
	lost := make(chan error, 1)
	go func() {
		_, err := post(context.Background(), http.DefaultClient, p.url, twoServers, web, "Idempotency-Key: k-1")
		lost <- err
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var outcomes string
		err := db.QueryRowContext(t.Context(), "SELECT outcomes FROM x_once").Scan(&outcomes)
		if err == nil && strings.Contains(outcomes, `"c":`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing was committed: %v\n%s", err, p.said())
		}
	}
	p.kill()
	if err := <-lost; err == nil {
		t.Fatal("there was an answer: the server was not killed between the commit and the answer")
	}
	execute(t, db, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
		`DROP TRIGGER hold ON x_once`)
	p = serve(t, "--database", address)
	before := p.named(t, "web")
	a, err := post(t.Context(), http.DefaultClient, p.url, twoServers, web, "Idempotency-Key: k-1")
	if err != nil || len(a.Errors) > 0 || len(before) != 2 {
		t.Fatal(a, err, before)
	}
	var data map[string]struct {
		CI         *struct{ ID string }
		UserErrors userErrors
	}
	if err := json.Unmarshal(a.Data, &data); err != nil {
		t.Fatal(err)
	}
	if data["a"].CI == nil || data["c"].CI == nil || data["b"].CI != nil || len(data["b"].UserErrors) != 1 {
		t.Fatalf("%s", a.Data)
	}
	for _, id := range before {
		if id != data["a"].CI.ID && id != data["c"].CI.ID {
			t.Errorf("%s is not told of: %s", id, a.Data)
		}
	}
	if after := p.named(t, "web"); len(after) != 2 {
		t.Errorf("the retry made more: %v", after)
	}
	// Without the key it does.
	if _, err := post(t.Context(), http.DefaultClient, p.url, twoServers, web); err != nil {
		t.Fatal(err)
	}
	if after := p.named(t, "web"); len(after) != 4 {
		t.Errorf("without a key: %v", after)
	}
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
