package signin

import (
	"errors"
	"net/http"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/provider"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
)

// loginCookie has what a browser keeps while a person signs in at the provider, sealed.
const loginCookie = "__Host-linchpin_login"

// CallbackPath returns where a provider sends browsers back to.
func CallbackPath(alias string) string { return within("/auth/callback", alias) }

func within(path, alias string) string {
	if alias == "" {
		return path
	}
	return path + "/" + alias
}

// begin sends a browser to the provider that it names.
func (s site) begin(w http.ResponseWriter, r *http.Request) {
	at := slices.IndexFunc(s.providers, func(p *provider.Provider) bool { return p.Alias() == r.URL.Query().Get("provider") })
	if at < 0 {
		http.NotFound(w, r)
		return
	}
	_, isIn := auth.From(r.Context())
	to, kept, err := s.providers[at].Begin(r.Context(), Within(r.URL.Query().Get("return")), isIn)
	if err != nil {
		s.down(w, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: loginCookie, Value: kept, Path: "/", MaxAge: int(provider.Window.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// finish lets a person in whom a provider sends back.
func (s site) finish(w http.ResponseWriter, r *http.Request, by *provider.Provider) {
	kept := ""
	if cookies := r.CookiesNamed(loginCookie); len(cookies) == 1 {
		kept = cookies[0].Value
	}
	who, back, err := by.Finish(r.Context(), r.URL.Query(), kept)
	switch {
	case errors.Is(err, provider.ErrRefused):
		s.log.Warn("refused", "event", "sign_in", "method", "OIDC", "error", err)
		s.show(w, http.StatusBadRequest, "sign-in.html", page{Return: "/", Problem: "This sign-in was not begun here, or took too long. Begin again."})
		return
	case err != nil:
		s.down(w, err)
		return
	}
	if !who.HasGroups {
		s.log.Warn("the provider tells no groups, so that bindings of groups give nothing: see --oidc-groups-claim", "event", "sign_in", "method", "OIDC")
	}
	before := ""
	if cookies := r.CookiesNamed(Cookie); len(cookies) == 1 {
		before = cookies[0].Value
	}
	made, err := s.doors.SignInBy(r.Context(), who, network(r.RemoteAddr), before)
	http.SetCookie(w, &http.Cookie{Name: loginCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	switch {
	case errors.Is(err, identity.ErrNoRole):
		s.log.Info("refused", "event", "sign_in", "method", "OIDC")
		s.show(w, http.StatusForbidden, "no-role.html", page{})
	case err != nil:
		s.failed(w, err)
	default:
		s.log.Info("signed in", "event", "sign_in", "method", "OIDC")
		enter(w, r, made, Within(back))
	}
}

// ended hears from a provider that a person has signed out there.
func (s site) ended(w http.ResponseWriter, r *http.Request, by *provider.Provider) {
	f, ok := form(w, r)
	if !ok {
		return
	}
	said, err := by.Logout(r.Context(), f.Get("logout_token"))
	switch {
	case errors.Is(err, provider.ErrRefused):
		s.log.Warn("refused", "event", "provider_sign_out", "error", err)
		http.Error(w, "that is no logout token of the provider for this server", http.StatusBadRequest)
		return
	case err != nil:
		s.down(w, err)
		return
	}
	if err := s.doors.Ended(r.Context(), by.Issuer(), said); err != nil {
		s.failed(w, err)
		return
	}
	s.log.Info("signed out at the provider", "event", "provider_sign_out")
}

func (s site) down(w http.ResponseWriter, err error) {
	s.log.Error("the provider does not answer", "error", err)
	w.Header().Set("Retry-After", "5")
	s.show(w, http.StatusServiceUnavailable, "sign-in.html", page{Return: "/", Problem: "The provider does not answer at the moment: try again. Who has signed in stays signed in."})
}
