package pgconn

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// wire is the socket of a connection, below TLS if there is TLS. It knows things that lib/pq does not: how long the
// peer has been silent, whether anything was sent, and whether the socket ever failed.
type wire struct {
	net.Conn
	longest time.Duration // for which the peer may ever be silent; no limit if not positive
	silent  *Silence

	sent      atomic.Int64 // bytes
	heard     atomic.Int64 // Unix nanoseconds of the last byte that came
	lastWrite atomic.Int64 // Unix nanoseconds
	failure   atomic.Pointer[error]

	mu      sync.Mutex
	silence time.Duration // for which the peer may be silent now
	fixed   time.Time     // set by lib/pq while it connects
	expiry  time.Time     // set when a context has ended and the cancel request should have had its effect
	turn    int           // the number of the statement, so that the end of one context does not hit the next one
}

// Read reads from the peer, and waits for it no longer than the limit. A COPY sends for a long time and hears nothing,
// so silence counts from the last write.
func (w *wire) Read(p []byte) (int, error) {
	began := time.Now()
	for {
		w.mu.Lock()
		_ = w.SetReadDeadline(w.limit(began))
		w.mu.Unlock()
		n, err := w.Conn.Read(p)
		if err == nil {
			w.heard.Store(time.Now().UnixNano())
			return n, nil
		}
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			w.mu.Lock()
			limit := w.limit(began)
			w.mu.Unlock()
			if limit.IsZero() || time.Now().Before(limit) {
				continue // a write has moved it
			}
			w.silent.note()
		}
		w.fail(err)
		return n, err
	}
}

func (w *wire) Write(p []byte) (int, error) {
	now := time.Now()
	w.lastWrite.Store(now.UnixNano())
	w.mu.Lock()
	_ = w.SetWriteDeadline(w.limit(now))
	w.mu.Unlock()
	n, err := w.Conn.Write(p)
	w.sent.Add(int64(n))
	if err != nil {
		w.fail(err)
	}
	return n, err
}

// limit returns the time at which a read or write that began then has taken too long; zero means never. The caller
// holds w.mu.
func (w *wire) limit(began time.Time) time.Time {
	var t time.Time
	if w.silence > 0 {
		t = began
		if last := time.Unix(0, w.lastWrite.Load()); last.After(t) {
			t = last
		}
		t = t.Add(w.silence)
	}
	for _, other := range []time.Time{w.fixed, w.expiry} {
		if !other.IsZero() && (t.IsZero() || other.Before(t)) {
			t = other
		}
	}
	return t
}

// tolerate sets for how long the peer may be silent from now on.
func (w *wire) tolerate(limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silence = limit
}

// SetDeadline sets a fixed deadline, by which lib/pq bounds the handshake.
func (w *wire) SetDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fixed = t
	return w.Conn.SetDeadline(t)
}

// next begins a statement and returns its number.
func (w *wire) next() (turn int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn++
	w.expiry = time.Time{}
	return w.turn
}

// expire lets the statement of that turn wait for its answer until t.
func (w *wire) expire(turn int, t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if turn == w.turn {
		w.expiry = t
		_ = w.SetReadDeadline(w.limit(time.Now()))
		_ = w.SetWriteDeadline(w.limit(time.Now()))
	}
}

func (w *wire) fail(err error) { w.failure.CompareAndSwap(nil, &err) }

// err returns the first failure of the socket.
func (w *wire) err() error {
	if p := w.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// dialer opens wires. lib/pq also uses it for cancel requests.
type dialer struct {
	net     net.Dialer
	longest time.Duration
	silent  *Silence
}

func newDialer(longest time.Duration, w waits, silent *Silence) *dialer {
	return &dialer{longest: longest, silent: silent, net: net.Dialer{
		Timeout: dialTimeout, KeepAliveConfig: w.keepAlive,
		Control: func(network, _ string, raw syscall.RawConn) error { return confirmWithin(raw, network, w.user) },
	}}
}

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: c, longest: d.longest, silence: d.longest, silent: d.silent}
	w.heard.Store(time.Now().UnixNano())
	if to, ok := ctx.Value(wireKey{}).(**wire); ok {
		*to = w // of several hosts, the last one dialled is the one that lib/pq stays with
	}
	return w, nil
}

type wireKey struct{}

// withWire makes a dial under ctx leave its wire in *to.
func withWire(ctx context.Context, to **wire) context.Context {
	return context.WithValue(ctx, wireKey{}, to)
}
