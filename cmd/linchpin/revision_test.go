package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// shown asks a server for the revision of its graph, and whether it finds a CI.
func (p *process) shown(t *testing.T, id string, headers ...string) (revision int64, isFound bool) {
	t.Helper()
	a, err := post(t.Context(), http.DefaultClient, p.url, `query($id: ID!) { ci(id: $id) { id } impact(failed: [{id: "ci_1"}]) { revision } }`, map[string]any{"id": id}, headers...)
	if err != nil || len(a.Errors) > 0 {
		t.Fatalf("%v %+v\n%s", err, a.Errors, p.said())
	}
	var data struct {
		CI     *struct{ ID string }
		Impact struct{ Revision int64 }
	}
	if err := json.Unmarshal(a.Data, &data); err != nil {
		t.Fatal(err)
	}
	if a.Extensions.Revision > data.Impact.Revision {
		t.Errorf("the answer says that it knew of revision %d, and its impact is of revision %d", a.Extensions.Revision, data.Impact.Revision)
	}
	return data.Impact.Revision, data.CI != nil
}

func TestATokenShowsAWriteOnAnotherServer(t *testing.T) {
	address := storetest.PostgresAddress(t)
	db, err := pgconn.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	servers := []*process{serve(t, "--database", address), serve(t, "--database", address)}
	write := func(n int) (answer, error) {
		return post(t.Context(), http.DefaultClient, servers[n%2].url, `mutation($name: String!) { createCI(input: {class: "server", name: $name}) { ci { id } userErrors { code } } }`, map[string]any{"name": fmt.Sprint("srv-", n)})
	}
	first, err := write(0)
	if err != nil {
		t.Fatal(err)
	}
	servers[1].shown(t, "ci_1", fmt.Sprint("Linchpin-At-Least-Revision: ", first.Extensions.Revision))
	behind := 0
	for n := range 150 {
		if n%3 == 0 { // nobody listens
			execute(t, db, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
		}
		a, err := write(n)
		if err != nil || len(a.Errors) > 0 {
			t.Fatalf("%v %+v", err, a.Errors)
		}
		var data struct {
			CreateCI struct{ CI struct{ ID string } }
		}
		if err := json.Unmarshal(a.Data, &data); err != nil {
			t.Fatal(err)
		}
		token := a.Extensions.Revision
		if token < int64(n) {
			t.Fatalf("write %d has revision %d", n, token)
		}
		other, id := servers[(n+1)%2], data.CreateCI.CI.ID
		if n%3 == 0 { // the control: without a token servers are behind at times
			if revision, _ := other.shown(t, id); revision < token {
				behind++
			}
			continue
		}
		if revision, isFound := other.shown(t, id, fmt.Sprint("Linchpin-At-Least-Revision: ", token)); revision < token || !isFound {
			t.Errorf("write %d: asked for revision %d and got %d; the CI is found: %t", n, token, revision, isFound)
		}
	}
	if behind == 0 {
		t.Error("no server was ever behind: the test shows nothing")
	}
	t.Logf("%d of 50 reads without a token were behind", behind)
}

func TestATokenThatNobodyGaveIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, address string) {
		p := serve(t, "--database", address)
		for token, code := range map[string]string{
			"0": "", "1": "", "+1": "", "2": "BAD_USER_INPUT", "9223372036854775807": "BAD_USER_INPUT", "9223372036854775808": "BAD_USER_INPUT",
			"-1": "BAD_USER_INPUT", "1.5": "BAD_USER_INPUT", "one": "BAD_USER_INPUT", strings.Repeat("1", 5000): "BAD_USER_INPUT",
		} {
			a, err := post(t.Context(), http.DefaultClient, p.url, "{ viewer { name } }", nil, "Linchpin-At-Least-Revision: "+token)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(a.Errors) > 0 {
				got = a.Errors[0].Extensions.Code
			}
			if got != code {
				t.Errorf("%.30s: %+v", token, a)
			}
		}
	})
}
