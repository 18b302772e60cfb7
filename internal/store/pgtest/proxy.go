package pgtest

import (
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// Proxy stands before a server. Once it is told to be silent, what it has taken hears nothing more, as from a host that
// has vanished; what it takes afterwards is served, as by the one that took its address over.
type Proxy struct {
	mu   sync.Mutex
	hush chan struct{} // closed once the connections that are taken now hear nothing more
}

// NewProxy returns a proxy that stands until t ends, and the address of a database behind it.
func NewProxy(t testing.TB, dsn string) (p *Proxy, behind string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	name, dir := ".s.PGSQL."+query.Get("port"), t.TempDir()
	server := filepath.Join(query.Get("host"), name)
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	l, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p = &Proxy{hush: make(chan struct{})}
	go p.accept(l, server)
	return p, u.String()
}

// Silence lets the connections that were taken hear nothing more.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.hush)
	p.hush = make(chan struct{})
}

func (p *Proxy) accept(l net.Listener, server string) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("unix", server)
		if err != nil {
			_ = from.Close()
			continue
		}
		p.mu.Lock()
		hush := p.hush
		p.mu.Unlock()
		go pass(from, to, hush)
		go pass(to, from, hush)
	}
}

// pass hands on what comes, and drops it once hush is closed.
func pass(from, to net.Conn, hush <-chan struct{}) {
	defer func() { _ = to.Close() }()
	for text := make([]byte, 4096); ; {
		n, err := from.Read(text)
		if err != nil {
			return
		}
		select {
		case <-hush:
			continue
		default:
		}
		if _, err := to.Write(text[:n]); err != nil {
			return
		}
	}
}
