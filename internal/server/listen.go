package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// Listen listens on an address. If isLocal, it allows only loopback.
func Listen(ctx context.Context, address string, isLocal bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: it is HOST:PORT, such as 127.0.0.1:8080", address)
	}
	if isLocal && !isLoopback(ctx, host) {
		return nil, fmt.Errorf("listen address %q is reachable from other machines, and connections are not encrypted: use 127.0.0.1 or [::1]", address)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen address %q is taken: another program listens there. Choose another, such as 127.0.0.1:0 for any free port", address)
	case err != nil:
		return nil, fmt.Errorf("listen address %q: %w", address, err)
	}
	if at, ok := l.Addr().(*net.TCPAddr); isLocal && (!ok || !at.IP.IsLoopback()) {
		return nil, errors.Join(fmt.Errorf("listen address %q turned out to be no loopback address", address), l.Close())
	}
	return l, nil
}

func isLoopback(ctx context.Context, host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	found, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil || len(found) == 0 {
		return false
	}
	for _, a := range found {
		if !a.IP.IsLoopback() {
			return false
		}
	}
	return true
}

// local refuses requests that name another host, if the server is for this machine only. Otherwise a page from
// elsewhere could let its own name point to 127.0.0.1 and act as the user of this machine (DNS rebinding).
func local(c Config, next http.Handler) http.Handler {
	if !c.IsLocal {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !namesLoopback(r.Host) {
			http.Error(w, "this server answers under localhost and loopback addresses only, such as http://127.0.0.1", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// namesLoopback reports whether a Host header can only mean this machine. It asks no name server.
func namesLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if ip := net.ParseIP(strings.Trim(name, "[]")); ip != nil {
		return ip.IsLoopback()
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
