// Package issuer knows callers by tokens that others sign for them: access tokens, and those of workloads and of
// proxies, from issuers that a file names. It refuses to ask anybody whom the file does not name, and to know what a
// caller may do.
package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Profile is what kind of tokens an issuer signs.
type Profile string

// The profiles.
const (
	AccessToken Profile = "access-token" // of an authorization server, as RFC 9068 has them: a person's or a program's
	Workload    Profile = "workload"     // of a cluster or a CI system, for what runs there
	Proxy       Profile = "proxy"        // of a proxy that signs people in, in a header of its own
)

// Trusted is an issuer, as the file names it.
type Trusted struct {
	Issuer      string          `json:"issuer"`
	Profile     Profile         `json:"profile"`
	Audience    string          `json:"audience"` // "": the public URL, for access tokens with /graphql
	Keys        json.RawMessage `json:"keys"`     // a JSON Web Key Set
	JWKS        string          `json:"jwks"`     // the address of one
	Header      string          `json:"header"`   // of a proxy
	GroupsClaim string          `json:"groupsClaim"`
	Bindings    []Binding       `json:"bindings"` // of workloads
	keys        *keySet
}

// Binding says as which account a workload acts.
type Binding struct {
	Subject string   `json:"subject"` // whole: there are no patterns
	Account ident.ID `json:"account"` // a service account
}

// Issuers are all that are trusted.
type Issuers struct {
	all     []*Trusted
	headers []string // of proxies: each request is looked at for them
}

// Read reads the file of trusted issuers, for a server at a public URL. The issuers of the sign-in may not sign for
// workloads, since their ID tokens would pass for theirs. An error names the entry and what would be right.
func Read(path, public string, signIn ...string) (*Issuers, error) {
	text, err := os.ReadFile(path) //nolint:gosec // it is named by whoever starts the program
	if err != nil {
		return nil, err
	}
	from := json.NewDecoder(bytes.NewReader(text))
	from.DisallowUnknownFields()
	i := &Issuers{}
	if err := from.Decode(&i.all); err != nil {
		return nil, fmt.Errorf(`%s: %w: it holds a list, such as [{"issuer": "https://id.example.org", "profile": "access-token", "jwks": "https://id.example.org/keys"}]`, path, err)
	}
	if from.More() {
		return nil, fmt.Errorf("%s: there is something behind the list", path)
	}
	for n, t := range i.all {
		err := t.check(public, signIn)
		if again := slices.IndexFunc(i.all[:n], func(o *Trusted) bool { return o.Issuer == t.Issuer && o.Profile == t.Profile }); again >= 0 && err == nil {
			err = fmt.Errorf("entry %d has the same issuer and profile", again+1)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: entry %d (%s): %w", path, n+1, t.Issuer, err)
		}
	}
	for _, t := range i.all {
		if t.Header != "" {
			i.headers = append(i.headers, http.CanonicalHeaderKey(t.Header))
		}
	}
	slices.Sort(i.headers)
	i.headers = slices.Compact(i.headers)
	return i, nil
}

// check returns an error if an entry cannot be meant, and completes it.
func (t *Trusted) check(public string, signIn []string) error {
	switch t.Profile {
	case AccessToken, Workload, Proxy:
	default:
		return fmt.Errorf("the profile %q is unknown: it is %s, %s or %s", t.Profile, AccessToken, Workload, Proxy)
	}
	if t.Audience == "" {
		if t.Audience = public; t.Profile == AccessToken && public != "" {
			t.Audience += "/graphql"
		}
	}
	switch isProxy := t.Profile == Proxy; {
	case t.Issuer == "":
		return errors.New("issuer is missing: it is the claim iss of the tokens")
	case t.Audience == "":
		return errors.New("audience is missing: it is the claim aud of the tokens, by default the one of --public-url")
	case (t.Header != "") != isProxy:
		return errors.New("header names the one in which a proxy brings its token: it belongs to that profile, and to no other")
	case isProxy && slices.Contains([]string{"Authorization", "Cookie"}, textproto.CanonicalMIMEHeaderKey(t.Header)):
		return fmt.Errorf("header %s: clients send that one themselves; name one of the proxy's own", t.Header)
	case (len(t.Bindings) > 0) != (t.Profile == Workload):
		return errors.New("bindings say as which account each subject acts: a workload has them, and no other profile")
	case t.Profile == Workload && slices.Contains(signIn, t.Issuer):
		return errors.New("people sign in by this issuer: their ID tokens would pass for those of workloads")
	}
	for _, b := range t.Bindings {
		if b.Subject == "" || strings.ContainsAny(b.Subject, "*?") || b.Account.Kind() != ident.Account {
			return fmt.Errorf(`the binding of %q: it is {"subject": a whole one, without patterns, "account": such as acc_1}`, b.Subject)
		}
	}
	return t.open()
}

// open makes the set of keys of an entry.
func (t *Trusted) open() error {
	switch {
	case (len(t.Keys) > 0) == (t.JWKS != ""):
		return errors.New("keys holds a JSON Web Key Set, and jwks its address: give one of them")
	case t.JWKS != "":
		u, err := url.Parse(t.JWKS)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
			return fmt.Errorf("jwks %q: it is a URL that begins with https://", t.JWKS)
		}
		t.keys = newKeySet(t.JWKS)
		return nil
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(t.Keys, &set); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	t.keys = &keySet{known: public(set.Keys)}
	if len(t.keys.known) == 0 {
		return errors.New("keys: there is no public key among them")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Headers returns the headers in which proxies bring their tokens.
func (i *Issuers) Headers() []string {
	if i == nil {
		return nil
	}
	return i.headers
}
