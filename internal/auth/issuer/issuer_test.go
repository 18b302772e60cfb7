package issuer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/linchpin-cmdb/linchpin/internal/auth/issuer"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider/providertest"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

const public = "https://cmdb.example.org"

// trust reads a file of issuers with a text in it.
func trust(t *testing.T, text string) (*issuer.Issuers, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "issuers.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return issuer.Read(path, public, "https://people.example.org")
}

// all trusts a provider for tokens of each profile.
func all(t *testing.T, p *providertest.Provider) *issuer.Issuers {
	t.Helper()
	i, err := trust(t, fmt.Sprintf(`[
		{"issuer": %q, "profile": "access-token", "jwks": %q},
		{"issuer": %[1]q, "profile": "workload", "jwks": %[2]q, "bindings": [{"subject": "system:serviceaccount:ops:importer", "account": "acc_7"}]},
		{"issuer": %[1]q, "profile": "proxy", "jwks": %[2]q, "header": "X-Signed", "groupsClaim": "groups"}
	]`, p.URL, p.URL+"/keys"))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

type set map[string]any

// with returns claims with others in their place; nil takes a claim away.
func (s set) with(others set) []byte {
	all := maps.Clone(s)
	for name, value := range others {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return text
}

func TestATokenHoldsForWhomItsIssuerSignedItAndForNothingElse(t *testing.T) {
	p := providertest.New(t)
	i, now := all(t, p), time.Now()
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	access := set{"iss": p.URL, "aud": public + "/graphql", "sub": "ada", "client_id": "ci", "iat": in(0), "exp": in(time.Hour), "scope": "openid OPERATOR"}
	workload := set{"iss": p.URL, "aud": []string{"other", public}, "sub": "system:serviceaccount:ops:importer", "exp": in(time.Hour)}
	proxy := set{"iss": p.URL, "aud": public, "sub": "grace", "name": "Grace", "exp": in(time.Minute), "groups": []string{"ops"}, "auth_time": in(-time.Minute)}
	for name, c := range map[string]struct {
		token, header string
		want          string // whom it is about, or what is wrong
	}{
		"access":                    {token: p.Sign(access.with(nil), "at+jwt"), want: "ada acc_0 [openid OPERATOR] []"},
		"access, long type":         {token: p.Sign(access.with(nil), "application/at+jwt"), want: "ada acc_0 [openid OPERATOR] []"},
		"workload":                  {token: p.Sign(workload.with(nil), "JWT"), want: "system:serviceaccount:ops:importer acc_7 [] []"},
		"workload without a type":   {token: p.Sign(workload.with(nil), ""), want: "system:serviceaccount:ops:importer acc_7 [] []"},
		"proxy":                     {token: p.Sign(proxy.with(nil), "JWT"), header: "X-Signed", want: "grace acc_0 [] [ops]"},
		"an ID token for access":    {token: p.Sign(access.with(nil), "JWT"), want: "it is for"},
		"access for a workload":     {token: p.Sign(workload.with(nil), "at+jwt"), want: "it is for"},
		"a logout token":            {token: p.Sign(workload.with(nil), "logout+jwt"), want: "no issuer"},
		"proxy's as a bearer":       {token: p.Sign(proxy.with(nil), "JWT"), want: "bound to no account"},
		"bearer's by a proxy":       {token: p.Sign(access.with(nil), "at+jwt"), header: "X-Signed", want: "it is for"},
		"by another header":         {token: p.Sign(proxy.with(nil), "JWT"), header: "X-Other", want: "no issuer"},
		"none":                      {token: providertest.Unsigned(workload.with(nil)), want: "cannot be read"},
		"by the public key":         {token: p.SignByPublicKey(workload.with(nil)), want: "cannot be read"},
		"signed by another":         {token: providertest.New(t).Sign(workload.with(nil), "JWT"), want: "no key"},
		"another issuer":            {token: p.Sign(workload.with(set{"iss": "https://evil.example"}), "JWT"), want: "no issuer"},
		"another audience":          {token: p.Sign(workload.with(set{"aud": public + ".evil.example"}), "JWT"), want: "it is for"},
		"no audience":               {token: p.Sign(workload.with(set{"aud": nil}), "JWT"), want: "it is for"},
		"another audience, access":  {token: p.Sign(access.with(set{"aud": public}), "at+jwt"), want: "it is for"},
		"expired":                   {token: p.Sign(workload.with(set{"exp": in(-time.Minute)}), "JWT"), want: "expired"},
		"just expired":              {token: p.Sign(workload.with(set{"exp": in(-10 * time.Second)}), "JWT"), want: "system:serviceaccount:ops:importer acc_7 [] []"},
		"never expires":             {token: p.Sign(workload.with(set{"exp": nil}), "JWT"), want: "exp is missing"},
		"for too long":              {token: p.Sign(workload.with(set{"exp": in(25 * time.Hour)}), "JWT"), want: "more than 24 hours"},
		"by no calendar":            {token: p.Sign(workload.with(set{"exp": 1e300}), "JWT"), want: "expired"},
		"not yet":                   {token: p.Sign(workload.with(set{"nbf": in(time.Minute)}), "JWT"), want: "does not hold yet"},
		"of a later time":           {token: p.Sign(access.with(set{"iat": in(time.Minute)}), "at+jwt"), want: "later time"},
		"of no client":              {token: p.Sign(access.with(set{"client_id": nil}), "at+jwt"), want: "client_id"},
		"nobody":                    {token: p.Sign(workload.with(set{"sub": ""}), "JWT"), want: "sub or exp"},
		"a stranger by its prefix":  {token: p.Sign(workload.with(set{"sub": "system:serviceaccount:ops:importer2"}), "JWT"), want: "bound to no account"},
		"another namespace":         {token: p.Sign(workload.with(set{"sub": "system:serviceaccount:ops2:importer"}), "JWT"), want: "bound to no account"},
		"a subject in other letter": {token: p.Sign(workload.with(set{"sub": "system:serviceaccount:ops:Importer"}), "JWT"), want: "bound to no account"},
		"claims that are no object": {token: p.Sign([]byte(`[]`), "JWT"), want: "its claims"},
		"noise":                     {token: "ey.ey.ey", want: "cannot be read"},
		"a long one":                {token: "ey" + strings.Repeat("a", 20_000) + ".a.a", want: "characters"},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := i.Know(t.Context(), c.token, c.header, now)
			got := fmt.Sprintf("%s %s %v %v", who.Subject, who.Account, who.Scope, who.Groups)
			if who.Account == 0 {
				got = fmt.Sprintf("%s acc_0 %v %v", who.Subject, who.Scope, who.Groups)
			}
			if err != nil {
				got = err.Error()
				if !errors.Is(err, issuer.ErrRefused) || who.Subject != "" {
					t.Errorf("%v about %+v", err, who)
				}
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	if who, err := i.Know(t.Context(), p.Sign(proxy.with(nil), "JWT"), "x-signed", now); err != nil || who.SignedIn.Unix() != in(-time.Minute) {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestStrangersKeysMakeNoFloodOfQuestionsAndANewKeyIsFoundThroughIt(t *testing.T) {
	p := providertest.New(t)
	i, now := all(t, p), time.Now()
	i.SetClock(func() time.Time { return now })
	claims := set{"iss": p.URL, "aud": public, "sub": "system:serviceaccount:ops:importer", "exp": time.Now().Add(time.Hour).Unix()}.with(nil)
	knows := func() error {
		_, err := i.Know(t.Context(), p.Sign(claims, "JWT"), "", time.Now())
		return err
	}
	if err := knows(); err != nil {
		t.Fatal(err)
	}
	stranger := providertest.New(t)
	flood := func() {
		for n := range 100 {
			stranger.Name(fmt.Sprintf("stranger %d", n))
			if _, err := i.Know(t.Context(), stranger.Sign(claims, "JWT"), "", time.Now()); !errors.Is(err, issuer.ErrRefused) {
				t.Fatal(err)
			}
		}
	}
	flood()
	if n := p.Asked(); n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
	if err := knows(); err != nil {
		t.Errorf("during the flood: %v", err)
	}
	p.Rotate("two")
	if err := knows(); err == nil {
		t.Error("a new key is known without asking")
	}
	now = now.Add(31 * time.Second)
	if err := knows(); err != nil {
		t.Errorf("the new key: %v", err)
	}
	flood()
	if n := p.Asked(); n != 2 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

func TestAFileOfIssuersSaysWhatIsWrongWithIt(t *testing.T) {
	key := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: []byte("a secret that both know"), KeyID: "s"}}}
	shared, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{}`:                                    "it holds a list",
		`[] []`:                                 "behind the list",
		`[{"isuer": "x"}]`:                      `unknown field "isuer"`,
		`[{"profile": "id-token"}]`:             "it is access-token, workload or proxy",
		`[{"profile": "workload"}]`:             "issuer is missing",
		`[{"profile": "proxy", "issuer": "x"}]`: "header names the one",
		`[{"profile": "access-token", "issuer": "x", "header": "X"}]`:                                                                                "header names the one",
		`[{"profile": "proxy", "issuer": "x", "header": "cookie"}]`:                                                                                  "clients send that one themselves",
		`[{"profile": "workload", "issuer": "x"}]`:                                                                                                   "bindings say",
		`[{"profile": "access-token", "issuer": "x"}]`:                                                                                               "give one of them",
		`[{"profile": "access-token", "issuer": "x", "jwks": "http://id.example/keys"}]`:                                                             "https://",
		`[{"profile": "access-token", "issuer": "x", "keys": ` + string(shared) + `}]`:                                                               "no public key",
		`[{"profile": "workload", "issuer": "x", "jwks": "https://x", "bindings": [{"subject": "repo:org/*", "account": "acc_1"}]}]`:                 "without patterns",
		`[{"profile": "workload", "issuer": "x", "jwks": "https://x", "bindings": [{"subject": "a", "account": "ci_1"}]}]`:                           "such as acc_1",
		`[{"profile": "workload", "issuer": "https://people.example.org", "jwks": "https://x", "bindings": [{"subject": "a", "account": "acc_1"}]}]`: "people sign in by this issuer",
		`[{"profile": "access-token", "issuer": "x", "jwks": "https://x"}, {"profile": "access-token", "issuer": "x", "jwks": "https://y"}]`:         "entry 1 has the same issuer",
	} {
		if _, err := trust(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	i, err := trust(t, `[{"profile": "proxy", "issuer": "x", "header": "x-signed", "jwks": "https://x"}]`)
	if err != nil || len(i.Headers()) != 1 || i.Headers()[0] != "X-Signed" {
		t.Errorf("%v %v", i, err)
	}
	if ident.New(ident.Account, 7).String() != "acc_7" {
		t.Error("accounts have another prefix than the file's")
	}
}

// TestTheAddressOfKeysLeadsNowhereElse lets it redirect into the network of the server.
func TestTheAddressOfKeysLeadsNowhereElse(t *testing.T) {
	p := providertest.New(t)
	var within atomic.Int64
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		within.Add(1)
		http.Redirect(w, r, p.URL+"/keys", http.StatusFound)
	}))
	defer inner.Close()
	outer := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusFound))
	defer outer.Close()
	i, err := trust(t, fmt.Sprintf(`[{"issuer": %q, "profile": "proxy", "jwks": %q, "header": "X-Signed"}]`, p.URL, outer.URL))
	if err != nil {
		t.Fatal(err)
	}
	claims := set{"iss": p.URL, "aud": public, "sub": "ada", "exp": time.Now().Add(time.Hour).Unix()}.with(nil)
	if _, err := i.Know(t.Context(), p.Sign(claims, "JWT"), "X-Signed", time.Now()); !errors.Is(err, issuer.ErrRefused) || within.Load() > 0 {
		t.Errorf("what lies within was asked %d times: %v", within.Load(), err)
	}
}
