package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Front is how clients reach a server.
type Front struct {
	Public  *url.URL       // where they find it; nil: on this machine alone
	Proxies []netip.Prefix // through which they come; none: they come by themselves
	Origins []string       // of pages of other sites that may ask, as Origin reads them
}

// Origin returns the origin of the server's own pages, or "" if they are only on this machine.
func (f Front) Origin() string {
	if f.Public == nil {
		return ""
	}
	return f.Public.Scheme + "://" + f.Public.Host
}

// names reports whether a Host header means this server.
func (f Front) names(host string) bool {
	return namesLoopback(host) || f.Public != nil && hostOf(host, f.Public.Scheme) == hostOf(f.Public.Host, f.Public.Scheme)
}

// hostOf returns a host in one spelling: in lower case, without the port that the scheme has by itself.
func hostOf(host, scheme string) string {
	usual := map[string]string{"https": ":443", "http": ":80"}[scheme]
	return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), usual), ".")
}

// PublicURL reads where clients find a server: a scheme and a host, and no path.
func PublicURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no public URL: it is a scheme and a host, such as https://cmdb.example.org", text)
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// admits reports whether a socket may be opened by the page that asks for it. With a public URL, that is a page of its
// origin or of this machine. Accepting the socket looks at whether the page is of the host that it asks.
func (f Front) admits(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if slices.Contains(f.Origins, origin) {
		_, r.Host, _ = strings.Cut(origin, "://") // that of the page, which may ask
		return true
	}
	if origin == "" || f.Public == nil {
		return true
	}
	if origin == f.Origin() {
		r.Host = f.Public.Host // whatever the proxy has made of it
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && namesLoopback(u.Host)
}

// isHealth reports whether a request asks how the server is, as balancers and orchestrators do by its address.
func isHealth(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// hosted refuses requests that name another host, but for health. A page from elsewhere could let its own name point
// here and act as the user of this machine or network (DNS rebinding).
func hosted(c Config, next http.Handler) http.Handler {
	if !c.IsLocal {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case isHealth(r) || c.Front.names(r.Host):
			next.ServeHTTP(w, r)
		case c.Front.Public == nil:
			http.Error(w, "this server answers under localhost and loopback addresses only, such as http://127.0.0.1", http.StatusMisdirectedRequest)
		default:
			http.Error(w, "this server answers under "+c.Front.Origin()+" only", http.StatusMisdirectedRequest)
		}
	})
}

// behind takes requests from the trusted proxies alone, but for health, and says of which client each is: the last one
// that they name, read from the right. Nothing else that is forwarded is believed.
func behind(c Config, next http.Handler) http.Handler {
	if len(c.Front.Proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !c.Front.trusts(peer.Addr()) {
			if isHealth(r) {
				next.ServeHTTP(w, r)
				return
			}
			http.Error(w, "this server answers to its proxies only", http.StatusForbidden)
			return
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			if !c.Front.trusts(hop) {
				r.RemoteAddr = net.JoinHostPort(hop.Unmap().WithZone("").String(), "0")
				break
			}
		}
		next.ServeHTTP(w, r)
	})
}

// trusts reports whether an address is that of a trusted proxy.
func (f Front) trusts(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range f.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// strict tells browsers to come by TLS alone, where the public URL says so.
func strict(c Config, next http.Handler) http.Handler {
	if c.Front.Public == nil || c.Front.Public.Scheme != "https" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// OwnPages returns what refuses requests of other sites and ports, of a server with a front.
func OwnPages(f Front) *http.CrossOriginProtection {
	own := http.NewCrossOriginProtection()
	if origin := f.Origin(); origin != "" {
		if err := own.AddTrustedOrigin(origin); err != nil {
			panic(err) // PublicURL has read it
		}
	}
	return own
}
