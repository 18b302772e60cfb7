package server

import (
	"context"
	"errors"
	"fmt"
	"net"
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
		return nil, fmt.Errorf("listen address %q is reachable from other machines, and connections are not encrypted: use 127.0.0.1 or [::1]; or, where people sign in, give --public-url https://… and either --tls-cert with --tls-key, or --trusted-proxy with the network of a proxy that ends TLS", address)
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
