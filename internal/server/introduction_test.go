package server_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// claims are headers by which somebody might claim to be another caller, or that servers behind a proxy believe.
var claims = []string{
	"Cookie", "cookie", "Set-Cookie", "Host", "Origin", "Forwarded", "X-Forwarded-For", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups",
	"X-Forwarded-Access-Token", "X-Auth-Request-User", "X-Auth-Request-Email", "X-Remote-User", "Remote-User", "X-Real-Ip", "X-Goog-Iap-Jwt-Assertion",
	"Cf-Access-Jwt-Assertion", "X-Amzn-Oidc-Data", "Proxy-Authorization", "Authorization ", "\tAuthorization", "Authorization\r\nCookie", "X-Authorization",
	"Sec-Fetch-Site", "Idempotency-Key", "Last-Event-Id", "X-Request-Id", "Linchpin-View-As", "Linchpin-Cost", "linchpin-cost", "Linchpin-At-Least-Revision", "Linchpin-Max-Staleness",
	"Linchpin_Actor", "Linchpin_Roles", "Linchpin-Actor ", "Linchpin-Roleſ", "Lınchpin-Actor", "", "actor", "roles", "__proto__",
}

// spellings are spellings of the headers that say who calls.
var spellings = []string{"Authorization", "authorization", "AUTHORIZATION", "Linchpin-Actor", "linchpin-actor", "LINCHPIN-ROLES", "linchpin-Roles"}

// doors are the headers that say who calls, in dev mode and beyond it.
var doors = [][]string{server.Config{IsDev: true}.CallerHeaders(), server.Config{}.CallerHeaders()}

func FuzzNoTextOfAPayloadBecomesAnotherHeader(f *testing.F) {
	for _, name := range slices.Concat(claims, spellings) {
		f.Add(name, "linchpin")
		f.Add(name, "ada")
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if !utf8.ValidString(name + value) {
			t.Skip("the text is not valid UTF-8, so that no JSON payload can hold it")
		}
		payload, err := json.Marshal(map[string]string{name: value})
		if err != nil {
			t.Fatal(err)
		}
		for _, named := range doors {
			isNamed := slices.Contains(named, http.CanonicalHeaderKey(name))
			proxied := http.Header{"Cookie": {"__Host-linchpin=lps_a"}, "X-Forwarded-User": {"ada"}, named[0]: {"ada"}}
			switch header, err := server.Introduced(proxied, payload, named); {
			case err == nil && !reflect.DeepEqual(header, proxied):
				t.Errorf("%s makes of %v: %v", payload, proxied, header)
			case err != nil && (!isNamed || http.CanonicalHeaderKey(name) == named[0] && value == "ada"):
				t.Errorf("%s is refused: %v", payload, err)
			}
			bare := http.Header{"Cookie": {"theme=dark"}}
			header, err := server.Introduced(bare, payload, named)
			if err != nil {
				t.Errorf("%s is refused: %v", payload, err)
			}
			want := bare.Clone()
			if isNamed {
				want.Set(name, value)
			}
			if !reflect.DeepEqual(header, want) {
				t.Errorf("%s makes of %v: %v", payload, bare, header)
			}
		}
	})
}

func TestASocketStaysWithTheCallerOfItsUpgrade(t *testing.T) {
	w := sqliteWorld(t, nil)
	upgraded := []string{"Linchpin-Actor: ada", "Linchpin-Roles: VIEWER", "Cookie: theme=dark"}
	begin := func(t *testing.T, payload map[string]any) *client {
		t.Helper()
		text, err := json.Marshal(map[string]any{"type": "connection_init", "payload": payload})
		if err != nil {
			t.Fatal(err)
		}
		c := w.dial(t, protocol, upgraded...)
		c.send(string(text))
		return c
	}
	said := func(t *testing.T, payload map[string]any) string {
		t.Helper()
		c := begin(t, payload)
		c.expect("connection_ack")
		c.ask("1", "{ viewer { name roles } }")
		return string(c.expect("next").Payload)
	}
	want := `{"data":{"viewer":{"name":"ada","roles":["VIEWER"]}}}`
	all := map[string]any{"Linchpin-Actor": "ada", "linchpin-roles": "VIEWER", "Authorization": "Bearer x", "Linchpin-Cost": "1"}
	for _, name := range claims {
		all[name] = "1"
		if got := said(t, map[string]any{name: "1"}); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
	if got := said(t, all); got != want {
		t.Errorf("all together: %s", got)
	}
	for name, payload := range map[string]map[string]any{
		"another actor":         {"Linchpin-Actor": "linchpin"},
		"another spelling":      {"LINCHPIN-ACTOR": "linchpin"},
		"more roles":            {"Linchpin-Roles": "ADMIN"},
		"roles added":           {"linchpin-roles": "VIEWER,ADMIN"},
		"no roles":              {"Linchpin-Roles": ""},
		"one right, one wrong":  {"Linchpin-Actor": "ada", "linchpin-actor": "linchpin"},
		"a list":                {"Linchpin-Roles": []string{"ADMIN"}},
		"roles of someone else": {"Linchpin-Actor": "linchpin", "Linchpin-Roles": "VIEWER"},
	} {
		if code := begin(t, payload).closed(); code != 4400 {
			t.Errorf("%s: closed with %d", name, code)
		}
	}
	if got := said(t, map[string]any{"Linchpin-Actor": nil, "linchpin-roles": nil}); got != want {
		t.Errorf("null: %s", got)
	}
	upgraded = []string{"Linchpin-Roles: VIEWER"} // a caller of whom only the roles were said
	if code := begin(t, map[string]any{"Linchpin-Actor": "linchpin"}).closed(); code != 4400 {
		t.Errorf("a name for roles of the upgrade: closed with %d", code)
	}
}

func TestABearerOfAPayloadDoesNotReplaceThatOfTheUpgrade(t *testing.T) {
	w := sqliteWorld(t, func(c *server.Config) { c.IsDev = false })
	for payload, want := range map[string]int{
		`{"Authorization":"Bearer b"}`: 4400, `{"authorization":"Bearer b"}`: 4400,
		`{"Authorization":"Bearer a"}`: 4403, `{"Linchpin-Actor":"ada"}`: 4403, `{"Linchpin-Roles":"ADMIN"}`: 4403, // nobody can sign in
	} {
		c := w.dial(t, protocol, "Authorization: Bearer a")
		c.send(`{"type":"connection_init","payload":` + payload + `}`)
		if code := c.closed(); int(code) != want {
			t.Errorf("%s: closed with %d, not %d", strings.ReplaceAll(payload, `"`, ""), code, want)
		}
	}
}
