package provider_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
)

func TestAnIssuerIsOneAndIsAskedEncrypted(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://id.example.org": "", "https://id.example.org/realms/staff": "", "http://127.0.0.1:8080": "", "http://localhost": "", "http://[::1]": "",
		"http://id.example.org": "https://", "http://169.254.169.254/latest": "https://", "http://10.0.0.1": "https://", "http://127.0.0.1.example.org": "https://",
		"ftp://id.example.org": "https://", "file:///etc/passwd": "it is a URL", "": "it is a URL", "https://id.example.org?x=y": "it is a URL", "https://id.example.org#x": "it is a URL",
		"https://login.example.com/common/v2.0": "many organisations", "https://login.example.com/{tenantid}/v2.0": "many organisations", "https://login.example.com/organizations": "many organisations",
	} {
		err := provider.Config{Issuer: issuer, ClientID: "x"}.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", issuer, err, want)
		}
	}
	if err := (provider.Config{Issuer: "https://id.example.org"}).Check(); err == nil {
		t.Error("nobody knows the client")
	}
}

// TestAProviderLeadsNowhereElse lets the metadata redirect into the network of the server, and be without an end.
func TestAProviderLeadsNowhereElse(t *testing.T) {
	var within atomic.Int64
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { within.Add(1) }))
	defer inner.Close()
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner.URL, http.StatusFound) },
		"another issuer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": %[1]q, "token_endpoint": %[1]q, "jwks_uri": %[1]q}`, inner.URL)
		},
		"no end": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"issuer": "http://%s", "padding": "`, r.Host)
			for range 1 << 10 {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 4<<10)); err != nil {
					return
				}
			}
			_, _ = fmt.Fprintf(w, `", "authorization_endpoint": %q}`, inner.URL)
		},
	} {
		outer := httptest.NewServer(answer)
		p := provider.New(provider.Config{Issuer: outer.URL, ClientID: "x"}, keys)
		if to, _, err := p.Begin(t.Context(), "/", false); !errors.Is(err, provider.ErrDown) || to != "" {
			t.Errorf("%s: it leads to %q, %v", name, to, err)
		}
		outer.Close()
	}
	if n := within.Load(); n > 0 {
		t.Errorf("what lies within was asked %d times", n)
	}
}
