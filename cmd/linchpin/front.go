package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/spf13/pflag"

	"github.com/linchpin-cmdb/linchpin/internal/server"
)

// front are the flags that say how clients reach a server.
type front struct {
	public, cert, key string
	proxies, origins  []string
	server.Front
}

// flags adds the flags to a set.
func (f *front) flags(set *pflag.FlagSet) {
	set.StringVar(&f.public, "public-url", "", "where clients find the server, such as https://cmdb.example.org (default $LINCHPIN_PUBLIC_URL)")
	set.StringVar(&f.cert, "tls-cert", "", "certificate by which connections are encrypted, a PEM file; read again when it changes")
	set.StringVar(&f.key, "tls-key", "", "private key of the certificate, a PEM file")
	set.StringSliceVar(&f.proxies, "trusted-proxy", nil, "network of a proxy that ends TLS, such as 10.0.0.0/8; others are refused; may be repeated")
	set.StringSliceVar(&f.origins, "cors-origin", nil, "origin of another site whose pages may ask as the user, such as https://portal.example.org; may be repeated")
}

// check reads the values, and returns an error if they cannot be meant.
func (f *front) check(getenv func(string) string) (err error) {
	if f.public == "" {
		f.public = getenv("LINCHPIN_PUBLIC_URL")
	}
	if f.public != "" {
		if f.Public, err = server.PublicURL(f.public); err != nil {
			return fmt.Errorf("--public-url: %w", err)
		}
	}
	for _, text := range f.origins {
		origin, err := server.Origin(text)
		if err != nil {
			return fmt.Errorf("--cors-origin: %w", err)
		}
		f.Origins = append(f.Origins, origin)
	}
	for _, text := range f.proxies {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			one, notOne := netip.ParseAddr(text)
			if notOne != nil {
				return fmt.Errorf("--trusted-proxy %q: it is a network, such as 10.0.0.0/8, or an address", text)
			}
			network = netip.PrefixFrom(one, one.BitLen())
		}
		f.Proxies = append(f.Proxies, network.Masked())
	}
	switch isPublic := f.Public != nil; {
	case (f.cert == "") != (f.key == ""):
		return errors.New("--tls-cert and --tls-key belong together: give both")
	case (f.cert != "" || len(f.Proxies) > 0) && !isPublic:
		return errors.New("--tls-cert and --trusted-proxy need --public-url, by which requests for other hosts are told")
	case f.cert != "" && f.Public.Scheme != "https":
		return fmt.Errorf("--public-url %s: with --tls-cert it begins with https://", f.public)
	}
	return nil
}

// isSafe reports whether what goes between clients and the server is encrypted.
func (f *front) isSafe() bool {
	return f.Public != nil && f.Public.Scheme == "https" && (f.cert != "" || len(f.Proxies) > 0)
}

// listen listens on an address: beyond this machine only if that is safe and people sign in.
func (f *front) listen(ctx context.Context, address string, isDev bool, log *slog.Logger) (net.Listener, error) {
	return f.encrypted(ctx, address, isDev || !f.isSafe(), log)
}

// listenForOperators listens on the address for operators: beyond this machine only by TLS.
func (f *front) listenForOperators(ctx context.Context, address string, isDev bool, log *slog.Logger) (net.Listener, error) {
	return f.encrypted(ctx, address, isDev || f.cert == "", log)
}

func (f *front) encrypted(ctx context.Context, address string, isLocal bool, log *slog.Logger) (net.Listener, error) {
	var config *tls.Config
	if f.cert != "" {
		var err error
		if config, err = server.TLS(f.cert, f.key, log); err != nil {
			return nil, err
		}
	}
	l, err := server.Listen(ctx, address, isLocal)
	if err != nil || config == nil {
		return l, err
	}
	return tls.NewListener(l, config), nil
}

// url returns where clients find a server that listens on an address.
func (f *front) url(at net.Addr) string {
	if f.Public != nil {
		return f.Origin()
	}
	return "http://" + at.String()
}
