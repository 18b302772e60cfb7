package main

import (
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
)

// restored puts the demo of a version from before there were accounts into an empty database. Its callers named
// themselves: grace, Grace and Mallory Ö have opened an incident each, and grace has made the person Grace.
func restored(t *testing.T, database string) {
	t.Helper()
	path, isFile := strings.CutPrefix(database, "sqlite:")
	name := "demo-postgres.sql.gz"
	if isFile {
		name = "demo-sqlite.db.gz"
	}
	f, err := os.Open(filepath.Join("testdata", "upgrade", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	if isFile {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	db, err := sql.Open("postgres", database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), string(content)); err != nil {
		t.Fatal(err)
	}
}

// askBy asks a server by a cookie, wants no errors, and decodes the data into v.
func (p *process) askBy(t *testing.T, cookie string, v any, query string) {
	t.Helper()
	a, err := post(t.Context(), http.DefaultClient, p.url, query, nil, "Cookie: "+cookie)
	if err != nil || len(a.Errors) > 0 {
		t.Fatalf("%s: %v %+v", query, err, a.Errors)
	}
	if err := json.Unmarshal(a.Data, v); err != nil {
		t.Fatalf("%v: %s", err, a.Data)
	}
}

func TestADemoFromBeforeThereWereAccountsIsUpgraded(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		restored(t, database)
		c := newTerminal(t)
		keys := []string{"--database", database}
		if strings.HasPrefix(database, "postgres") {
			keys = append(keys, "--key-file", keyFile(t))
		}
		if code, _, problems := c.says("impact", "orders-db-primary", "--database", database); code != 1 || !strings.Contains(problems, "linchpin migrate") {
			t.Errorf("a question to the older database: %d %s", code, problems)
		}
		for _, args := range [][]string{{"migrate"}, {"verify"}, {"journal", "verify"}} {
			if code, out, problems := c.says(append(args, keys...)...); code != 0 {
				t.Fatalf("%v: %d %s%s", args, code, out, problems)
			}
		}
		var impact struct{ AffectedCount int }
		if _, out, problems := c.says("impact", "orders-db-primary", "--json", "--database", database); json.Unmarshal([]byte(out), &impact) != nil || impact.AffectedCount != 17 {
			t.Errorf("after it: %s%s", out, problems)
		}
		p := serve(t, append(keys, "--dev=false")...)
		cookie := signedIn(t, p)
		type account struct {
			ID, Name, Kind, State string
			LocalName             *string
			Person                *struct{ Name string }
			RoleBindings          []struct{ Role string }
		}
		var all struct{ Accounts struct{ Nodes []account } }
		const accounts = `{ accounts(first: 100) { nodes { id name kind state localName person { name } roleBindings { role } } } }`
		p.askBy(t, cookie, &all, accounts)
		byName := map[string][]account{}
		for _, a := range all.Accounts.Nodes {
			byName[strings.ToLower(a.Name)] = append(byName[strings.ToLower(a.Name)], a)
			if a.Name != "root" && (a.LocalName != nil || len(a.RoleBindings) > 0 || a.Kind != "PERSON" || a.State != "ACTIVE") {
				t.Errorf("an account of a name may do something: %+v", a)
			}
		}
		for _, name := range []string{"grace", "mallory ö", "dev", "adaeze.nwosu", "joost.verbeek", "tala.ramos"} {
			if name != "dev" && len(byName[name]) != 1 {
				t.Errorf("%d accounts are called %s", len(byName[name]), name)
			}
		}
		grace := byName["grace"][0]
		if grace.Person == nil || grace.Person.Name != "Grace" {
			t.Errorf("got %+v", grace)
		}
		// Both spellings were one caller, and what they wrote is the account's.
		type by struct {
			Actor string
			By    struct{ Account *struct{ ID string } }
		}
		var journal struct{ Journal struct{ Nodes []by } }
		read := func() (spellings []string) {
			t.Helper()
			p.askBy(t, cookie, &journal, `{ journal(last: 60) { nodes { actor by { account { id } } } } }`)
			for _, e := range journal.Journal.Nodes {
				if strings.EqualFold(e.Actor, "grace") {
					spellings = append(spellings, e.Actor)
					if e.By.Account == nil || e.By.Account.ID != grace.ID {
						t.Errorf("%s wrote as %v, not as %s", e.Actor, e.By.Account, grace.ID)
					}
				}
			}
			slices.Sort(spellings)
			return slices.Compact(spellings)
		}
		if got := read(); !slices.Equal(got, []string{"Grace", "grace"}) {
			t.Errorf("the journal has the spellings %q", got)
		}
		// Nobody signs in as the name, until an admin invites the person.
		if status, _ := sendForm(t, p.url+"/auth/sign-in", url.Values{"name": {"grace"}, "password": {""}}, ""); status != http.StatusUnauthorized {
			t.Errorf("a name signs in: %d", status)
		}
		var invited struct{ InviteAccount struct{ Secret string } }
		p.askBy(t, cookie, &invited, fmt.Sprintf(`mutation { inviteAccount(input: {account: %q, roles: [OPERATOR]}) { secret userErrors { message } } }`, grace.ID))
		_, link, _ := strings.Cut(invited.InviteAccount.Secret, "#")
		_, cookies := sendForm(t, p.url+"/auth/link", url.Values{"link": {link}, "name": {"grace"}, "password": {"correct horse battery staple"}}, "")
		if len(cookies) != 1 {
			t.Fatal(cookies, invited)
		}
		var viewer struct {
			Viewer struct {
				Roles   []string
				Account struct{ ID string }
				Person  struct{ Name string }
			}
		}
		p.askBy(t, signin.Cookie+"="+cookies[0].Value, &viewer, `{ viewer { roles account { id } person { name } } }`)
		if got := fmt.Sprint(viewer.Viewer); got != fmt.Sprint("{[OPERATOR] {", grace.ID, "} {Grace}}") {
			t.Errorf("she is %s", got)
		}
		if got := read(); !slices.Equal(got, []string{"Grace", "grace"}) {
			t.Errorf("afterwards the journal has the spellings %q", got)
		}
		if code, _ := p.stop(); code != 0 {
			t.Error(code)
		}
		if _, err := launch(t.TempDir(), c.env, keys...); err == nil || !strings.Contains(err.Error(), "it has accounts") {
			t.Errorf("dev mode with accounts: %v", err)
		}
		if code, out, _ := c.says(append([]string{"verify"}, keys...)...); code != 0 {
			t.Errorf("at the end: %s", out)
		}
	})
}
