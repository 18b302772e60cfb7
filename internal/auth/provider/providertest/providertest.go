// Package providertest is an OpenID provider for tests that need one which misbehaves. It signs in whom it is told to,
// and keeps to the protocol until it is told not to.
package providertest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// ClientID and ClientSecret are those of the one client.
const (
	ClientID     = "linchpin"
	ClientSecret = "a secret that both know"
)

// Provider is a provider that is served.
type Provider struct {
	*httptest.Server

	mu     sync.Mutex
	key    *rsa.PrivateKey
	keyID  string
	asked  int // for keys
	told   int // codes, whosever they are
	person map[string]any
	alter  func(claims map[string]any)
	sign   func(claims []byte) string
	codes  map[string]url.Values // the questions that they answer
}

// New serves a provider until the test ends.
func New(t testing.TB) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{key: key, keyID: "one", codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"end_session_endpoint": p.URL + "/end", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked++
		write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: p.keyID, Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /auth", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	return p
}

// SignsIn says who signs in from now on, by their claims, and how the ID token is altered; nil for not at all.
func (p *Provider) SignsIn(person map[string]any, alter func(claims map[string]any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person, p.alter, p.sign = person, alter, nil
}

// Told returns how many codes it was told, its own and others.
func (p *Provider) Told() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told
}

// SignsBy says how ID tokens are signed from now on.
func (p *Provider) SignsBy(sign func(claims []byte) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sign = sign
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" {
		http.Error(w, "that is no code flow with PKCE", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	answer := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.URL}}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told++
	asked, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || id != ClientID || secret != url.QueryEscape(ClientSecret) && secret != ClientSecret || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		write(w, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{"iss": p.URL, "aud": ClientID, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "nonce": asked.Get("nonce")}
	for name, value := range p.person {
		claims[name] = value
	}
	if p.alter != nil {
		p.alter(claims)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	sign := p.sign
	if sign == nil {
		sign = func(claims []byte) string { return p.signed(claims, "JWT") }
	}
	write(w, map[string]any{"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": sign(text)})
}

// Sign signs claims as a token of a type; "" for none.
func (p *Provider) Sign(claims []byte, kind jose.ContentType) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signed(claims, kind)
}

func (p *Provider) signed(claims []byte, kind jose.ContentType) string {
	return sign(claims, jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: p.keyID}}, kind)
}

// Rotate puts a new key of a name in the place of the old one.
func (p *Provider) Rotate(name string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, p.keyID = key, name
}

// Name gives the key another name.
func (p *Provider) Name(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keyID = name
}

// Asked returns how often the keys were asked for.
func (p *Provider) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// SignByPublicKey signs claims by HMAC with the public key for a secret, which everybody knows.
func (p *Provider) SignByPublicKey(claims []byte) string {
	public, err := x509.MarshalPKIXPublicKey(p.key.Public())
	if err != nil {
		panic(err)
	}
	return sign(claims, jose.SigningKey{Algorithm: jose.HS256, Key: public}, "JWT")
}

// Unsigned returns claims as a token of the algorithm none.
func Unsigned(claims []byte) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
}

func sign(claims []byte, key jose.SigningKey, kind jose.ContentType) string {
	options := &jose.SignerOptions{}
	if kind != "" {
		options = options.WithType(kind)
	}
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		panic(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

func write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}
