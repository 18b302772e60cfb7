package server

import (
	"net/http"
	"net/http/pprof"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// Admin returns the handler for operators, which belongs on an address of its own: metrics, profiles, health. This
// machine asks without sign-in, but no page of another site does; others bring the API token of an admin, and need none
// for health.
func Admin(c Config, metrics prometheus.Gatherer) http.Handler {
	c.bearers = newBearers()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	health(c, mux)
	return identify(c, recovered(c.Log, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
			http.Error(w, "requests from pages of other sites are refused", http.StatusForbidden)
			return
		}
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		switch {
		case isHealth(r):
		case err == nil && peer.Addr().Unmap().IsLoopback():
			if !namesLoopback(r.Host) { // a page let its own name point here
				http.Error(w, "operators of this machine ask under localhost and loopback addresses only", http.StatusMisdirectedRequest)
				return
			}
		case !c.isAdmins(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "operators of other machines bring the API token of an admin: Authorization: Bearer", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})))
}

// isAdmins reports whether a request brings the API token of an admin.
func (c Config) isAdmins(r *http.Request) bool {
	if c.IsDev || c.Doors == nil {
		return false
	}
	actor, ok, err := c.caller(withNetwork(r.Context(), r.RemoteAddr), r.Header)
	if err != nil {
		c.Log.Error("which operator asks could not be found out", "request", requestID(r.Context()), "error", err)
	}
	return err == nil && ok && actor.Via == domain.ViaToken && actor.Has(auth.Admin)
}
