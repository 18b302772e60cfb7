package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/issuer"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
)

// Doors knows callers by the secrets they bring.
type Doors interface {
	// Find returns who brings a secret, and reports false if nobody does.
	Find(ctx context.Context, kind secret.Kind, text string) (auth.Actor, bool, error)
	// FindSigned returns whom a token is about that a trusted issuer signed: a bearer's or, if header is not empty, that of
	// a proxy in that header.
	FindSigned(ctx context.Context, text, header string) (auth.Actor, bool, error)
	// Headers returns the headers in which proxies bring such tokens.
	Headers() []string
	// ViewAs returns the account of an id as an actor that reads, for an admin who wants to see what it sees.
	ViewAs(ctx context.Context, by auth.Actor, id string) (auth.Actor, error)
	// Access returns the number of the last change that took something away from somebody.
	Access(ctx context.Context) (int64, error)
}

// refusals are the statuses of what is wrong with how a caller comes.
var refusals = map[errs.Code]int{errs.BadUserInput: http.StatusBadRequest, errs.Forbidden: http.StatusForbidden, errs.RateLimited: http.StatusTooManyRequests}

// signIn puts the caller into the context of each request. Requests by the cookie of a session come from pages of this
// server and no others.
func signIn(c Config, next http.Handler) http.Handler {
	own := OwnPages(c.Front)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(withNetwork(r.Context(), r.RemoteAddr))
		actor, ok, err := c.caller(r.Context(), r.Header)
		if tooMany := (tooManyError{}); errors.As(err, &tooMany) {
			w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.wait.Seconds())+1))
		}
		if status, ok := refusals[errs.CodeOf(err)]; ok && err != nil {
			answer{transport: transport{}, w: w, r: r}.fail(status, gqlerror.List{guard.Refuse(errs.CodeOf(err), nil, "%s", err.Error())})
			return
		}
		if err != nil {
			c.Log.Error("who calls could not be found out", "request", requestID(r.Context()), "error", err)
			w.Header().Set("Retry-After", "1")
			http.Error(w, "who calls could not be found out: ask again", http.StatusServiceUnavailable)
			return
		}
		if actor.Via == domain.ViaSession && own.Check(r) != nil && !c.Front.shares(r) {
			http.Error(w, "requests from pages of other sites and ports are refused", http.StatusForbidden)
			return
		}
		if ok {
			r = r.WithContext(auth.With(r.Context(), actor))
		}
		next.ServeHTTP(w, r)
	})
}

// caller returns who the headers name, or as whom they want to see, and reports whether that is anybody. Failures:
// errs.Forbidden if they may not.
func (c Config) caller(ctx context.Context, header http.Header) (a auth.Actor, ok bool, err error) {
	a, ok, err = c.comes(ctx, header)
	if as := header.Get(viewAsHeader); ok && as != "" && c.Doors != nil && !c.IsDev && err == nil {
		a, err = c.Doors.ViewAs(ctx, a, as)
	}
	return a, ok && err == nil, err
}

// comes returns who the headers name, and reports whether that is anybody. In dev mode everyone has the name and the
// roles they give themselves; by default they are an admin. Without doors, the context says who calls.
func (c Config) comes(ctx context.Context, header http.Header) (a auth.Actor, ok bool, err error) {
	if c.IsDev {
		a, err = named(header)
		return a, err == nil, err
	}
	if c.Doors == nil {
		a, ok = auth.From(ctx)
		return a, ok, nil
	}
	kind, text := brought(header)
	if kind == secret.Session {
		for _, name := range c.Doors.Headers() {
			if given := header.Values(name); given != nil {
				if len(given) > 1 { // of two, one is a client's own
					return a, false, nil
				}
				return c.Doors.FindSigned(ctx, given[0], name)
			}
		}
	}
	switch {
	case text == "" || kind == secret.Token && !isSound(text):
		return a, false, nil
	case kind == secret.Token:
		return c.bearer(ctx, text)
	default:
		return c.Doors.Find(ctx, kind, text)
	}
}

// bearer returns whose a bearer is. A network that has brought too many that are nobody's waits.
func (c Config) bearer(ctx context.Context, text string) (a auth.Actor, ok bool, err error) {
	from := networkOf(ctx)
	if wait := c.bearers.wait(from, text); wait > 0 {
		return a, false, errs.New(errs.RateLimited, "too many tokens of this network are nobody's: wait %s", max(wait.Round(time.Second), time.Second)).Because(tooManyError{wait})
	}
	if issuer.IsToken(text) {
		a, ok, err = c.Doors.FindSigned(ctx, text, "")
	} else {
		a, ok, err = c.Doors.Find(ctx, secret.Token, text)
	}
	if err == nil {
		c.bearers.note(from, text, ok)
	}
	return a, ok, err
}

// tooManyError says how long to wait.
type tooManyError struct{ wait time.Duration }

func (e tooManyError) Error() string { return "wait " + e.wait.String() }

// brought returns the secret in a request's headers: a bearer's or, if there is none, that of the cookie. A bearer that
// fails is nobody, whatever the cookie or a proxy says.
func brought(header http.Header) (kind secret.Kind, text string) {
	if given := header.Values("Authorization"); given != nil {
		scheme, text, _ := strings.Cut(given[0], " ")
		if len(given) != 1 || !strings.EqualFold(scheme, "Bearer") {
			return secret.Token, ""
		}
		return secret.Token, strings.TrimSpace(text)
	}
	cookies := (&http.Request{Header: header}).CookiesNamed(signin.Cookie)
	if len(cookies) != 1 { // of two, one is planted
		return secret.Session, ""
	}
	return secret.Session, cookies[0].Value
}

const longestActor = 100

// named returns who a caller says they are. Nobody acts under another name than they give.
func named(header http.Header) (a auth.Actor, err error) {
	name := defaultDevName
	if given := strings.Join(header.Values(actorHeader), ","); given != "" {
		if name, err = valid.Text(actorHeader, given, 1, longestActor); err != nil || !printable(name) || auth.IsReserved(name) {
			return a, errs.New(errs.BadUserInput, "%s is a name of 1 to %d characters that can be seen, in UTF-8, and not one of the program's own", actorHeader, longestActor)
		}
	}
	roles := []auth.Role{auth.Admin}
	if given := header.Values(rolesHeader); given != nil {
		roles = auth.Roles(strings.Join(given, ","))
	}
	return auth.Dev(name, roles...), nil
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// welcome leads a browser that nobody has signed in from GraphiQL to the page where people sign in.
func welcome(c Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := auth.From(r.Context()); ok || c.Doors == nil || r.URL.Path != "/" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Vary", "Accept, Authorization, Cookie")
		w.Header().Set("Cache-Control", "no-store")
		if strings.Contains(r.Header.Get("Accept"), plainJSON) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "nobody is signed in", http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, "/auth/sign-in?return=/", http.StatusSeeOther)
	})
}
