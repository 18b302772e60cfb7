// Package signin serves the pages where people sign in: plain forms, answered by this server alone. It refuses scripts
// and styles of others, and to say why a name and a password do not belong together.
package signin

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
)

// Cookie is the name of the cookie that has a session's secret. Browsers take it from this host alone.
const Cookie = "__Host-linchpin"

const (
	formLimit = 8 << 10 // bytes of a form
	signInFor = 10 * time.Second
)

// Doors are the ways in.
type Doors interface {
	SignIn(ctx context.Context, name, password, network string) (session string, err error)
	Claim(ctx context.Context, c identity.Claim) (session string, err error)
	SignOut(ctx context.Context, session string) (issuer string, err error)
	SignInBy(ctx context.Context, who provider.Person, network, before string) (session string, err error)
	Ended(ctx context.Context, issuer string, e provider.Ended) error

	AskIn(ctx context.Context, d identity.Device) (identity.AskedDevice, error)
	Device(ctx context.Context, code string) (identity.Device, error)
	LetIn(ctx context.Context, code string) (*ent.APIToken, error)
	Refuse(ctx context.Context, code string) error
	IsIn(ctx context.Context, token string) (a auth.Actor, isIn, isWaiting bool, err error)
	EndOwnToken(ctx context.Context) error
}

// Pages are what the pages are made of.
type Pages struct {
	Doors     Doors
	Own       *http.CrossOriginProtection // what refuses forms of other sites
	Providers []*provider.Provider        // by which people sign in, too
	Devices   bool                        // people let command lines in
	Local     identity.LocalSignIn        // who signs in by a password
	Log       *slog.Logger
}

//go:embed pages
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages/*.html"))

// page is what a page shows.
type page struct {
	Return, Name, Problem, Link string
	Providers                   []button // the providers, if there are any
	Local                       identity.LocalSignIn
	Code, Host, Network, At     string // of a command line that asks to be let in
	Roles                       []string
}

// button leads to a provider.
type button struct{ Alias, Host string }

type site struct {
	doors     Doors
	providers []*provider.Provider
	local     identity.LocalSignIn
	log       *slog.Logger
}

// New returns the handler of everything below /auth/. It takes forms of own pages alone.
func New(p Pages) http.Handler {
	s, own := site{p.Doors, p.Providers, p.Local, p.Log}, p.Own
	forms := "'self'"
	for _, by := range p.Providers {
		forms += " " + by.Origin() // where signing out may lead
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/sign-in", func(w http.ResponseWriter, r *http.Request) {
		s.show(w, http.StatusOK, "sign-in.html", page{Return: Within(r.URL.Query().Get("return"))})
	})
	mux.HandleFunc("POST /auth/sign-in", s.signIn)
	mux.HandleFunc("GET /auth/link", func(w http.ResponseWriter, _ *http.Request) { s.show(w, http.StatusOK, "link.html", page{}) })
	mux.HandleFunc("POST /auth/link", s.claim)
	mux.HandleFunc("GET /auth/sign-out", func(w http.ResponseWriter, _ *http.Request) { s.show(w, http.StatusOK, "sign-out.html", page{}) })
	mux.HandleFunc("POST /auth/sign-out", s.signOut)
	if len(s.providers) > 0 {
		mux.HandleFunc("GET /auth/login", s.begin)
	}
	for _, by := range s.providers { // each has its own, so that no answer of one passes for another's
		mux.HandleFunc("GET "+CallbackPath(by.Alias()), func(w http.ResponseWriter, r *http.Request) { s.finish(w, r, by) })
		mux.HandleFunc("POST "+within("/auth/backchannel-logout", by.Alias()), func(w http.ResponseWriter, r *http.Request) { s.ended(w, r, by) })
	}
	if p.Devices {
		s.devices(mux)
	}
	for _, file := range []string{"style.css", "link.js"} {
		mux.HandleFunc("GET /auth/"+file, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "pages/"+file) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; form-action "+forms+"; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if own.Check(r) != nil {
			http.Error(w, "forms of other sites and ports are refused", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, formLimit)
		mux.ServeHTTP(w, r)
	})
}

func (s site) show(w http.ResponseWriter, status int, name string, p page) {
	for _, by := range s.providers {
		p.Providers = append(p.Providers, button{by.Alias(), strings.TrimPrefix(strings.TrimPrefix(by.Origin(), "https://"), "http://")})
	}
	p.Local = s.local
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages.ExecuteTemplate(w, name, p); err != nil {
		s.log.Warn("a page was not written", "page", name, "error", err)
	}
}

func (s site) signIn(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), signInFor)
	defer cancel()
	f, ok := form(w, r)
	if !ok {
		return
	}
	back := Within(f.Get("return"))
	made, err := s.doors.SignIn(ctx, f.Get("name"), f.Get("password"), network(r.RemoteAddr))
	tooMany := identity.TooManyError{}
	switch {
	case err == nil:
		s.log.Info("signed in", "event", "sign_in", "method", "PASSWORD")
		enter(w, r, made, back)
	case errors.As(err, &tooMany):
		w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.Wait.Seconds())+1))
		s.show(w, http.StatusTooManyRequests, "sign-in.html", page{Return: back, Name: f.Get("name"), Problem: fmt.Sprintf("Too many attempts. Wait %s, then try again.", tooMany.Wait.Round(time.Second))})
	case errs.CodeOf(err) == errs.Unauthenticated:
		s.log.Info("refused", "event", "sign_in", "method", "PASSWORD")
		s.show(w, http.StatusUnauthorized, "sign-in.html", page{Return: back, Name: f.Get("name"), Problem: "Name and password do not belong together."})
	default:
		s.failed(w, err)
	}
}

func (s site) claim(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), signInFor)
	defer cancel()
	f, ok := form(w, r)
	if !ok {
		return
	}
	made, err := s.doors.Claim(ctx, identity.Claim{Link: f.Get("link"), Name: f.Get("name"), LocalName: f.Get("name"), Password: f.Get("password")})
	status := http.StatusNotFound
	switch {
	case err == nil:
		s.log.Info("a link was used", "event", "sign_in", "method", "LINK")
		enter(w, r, made, "/")
		return
	case errors.Is(err, identity.ErrSetUp):
		status = http.StatusConflict
	case errors.Is(err, identity.ErrNoLink):
	case errors.Is(err, identity.ErrNotLocal):
		status = http.StatusForbidden
	case errs.CodeOf(err).Mendable():
		status = http.StatusUnprocessableEntity
	default:
		s.failed(w, err)
		return
	}
	s.show(w, status, "link.html", page{Name: f.Get("name"), Problem: said(err), Link: f.Get("link")})
}

// said returns what a person reads of an error.
func said(err error) string {
	all, _ := errs.All(err)
	texts := make([]string, len(all))
	for i, e := range all {
		texts[i] = strings.ToUpper(e.Message[:1]) + e.Message[1:] + "."
	}
	return strings.Join(texts, " ")
}

func (s site) signOut(w http.ResponseWriter, r *http.Request) {
	to := "/auth/sign-in"
	if cookies := r.CookiesNamed(Cookie); len(cookies) == 1 && secret.IsWhole(secret.Session, cookies[0].Value) {
		issuer, err := s.doors.SignOut(r.Context(), cookies[0].Value)
		if err != nil {
			s.failed(w, err)
			return
		}
		for _, by := range s.providers {
			if by.Issuer() != issuer {
				continue
			}
			if there := by.SignOutURL(r.Context()); there != "" {
				to = there
			}
		}
	}
	http.SetCookie(w, &http.Cookie{Name: Cookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s site) failed(w http.ResponseWriter, err error) {
	s.log.Error("signing in failed", "error", err)
	w.Header().Set("Retry-After", "1")
	http.Error(w, "signing in does not work at the moment: try again", http.StatusServiceUnavailable)
}

// enter gives the browser its session in place of the one it had.
func enter(w http.ResponseWriter, r *http.Request, session, to string) {
	http.SetCookie(w, &http.Cookie{Name: Cookie, Value: session, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// Within returns where to go after signing in: a path of this server. In place of one that could lead elsewhere, or
// back to these pages, but for the one of command lines, it returns /.
func Within(to string) string {
	if to == DevicePath {
		return to
	}
	if len(to) == 0 || len(to) > 2000 || to[0] != '/' || strings.HasPrefix(to, "/auth/") || len(to) > 1 && (to[1] == '/' || to[1] == '\\') {
		return "/"
	}
	for _, c := range to {
		if c <= ' ' || c == 0x7f || c == '\\' {
			return "/"
		}
	}
	return to
}

// network returns what the addresses of one subscriber have in common, so that no address of a person is kept.
func network(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		sum := sha256.Sum256([]byte(address))
		return fmt.Sprintf("%x", sum[:8])
	}
	ip, bits := at.Addr().Unmap().WithZone(""), 56
	if ip.Is4() {
		bits = 24
	}
	prefix, _ := ip.Prefix(bits)
	return prefix.String()
}
