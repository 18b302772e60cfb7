package server

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth/issuer"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
)

// Bounds of bearers that nobody knows.
const (
	bearerWindow  = time.Minute
	mostBearers   = 60     // of a network within the window, before it waits
	mostNetworks  = 10_000 // that are counted at once
	mostFamiliars = 10_000 // bearers that are known to have held
)

// bearers bounds how often a network may bring a bearer that is nobody's, so that guessing costs no statement of the
// database and no signature. A bearer that held not long ago is looked up all the same: whoever shares a network with
// somebody who guesses is not shut out. Nothing of who it was is remembered.
type bearers struct {
	now func() time.Time

	mu       sync.Mutex
	failed   map[string]*failures // by network
	familiar map[[sha256.Size]byte]struct{}
}

type failures struct {
	since time.Time
	count int
}

func newBearers() *bearers {
	return &bearers{now: time.Now, failed: map[string]*failures{}, familiar: map[[sha256.Size]byte]struct{}{}}
}

// isSound reports whether a bearer may be somebody's by its form alone: one with a typing error is refused for nothing.
func isSound(text string) bool { return secret.IsWhole(secret.Token, text) || issuer.IsToken(text) }

// wait returns how long a network waits before this bearer of it is looked at; 0 for at once.
func (b *bearers) wait(network, text string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.failed[network]
	if f == nil || f.count < mostBearers {
		return 0
	}
	left := f.since.Add(bearerWindow).Sub(b.now())
	if left <= 0 {
		delete(b.failed, network)
		return 0
	}
	if _, ok := b.familiar[sha256.Sum256([]byte(text))]; ok {
		return 0
	}
	return left
}

// note counts what came of a bearer of a network.
func (b *bearers) note(network, text string, held bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if held {
		if len(b.familiar) >= mostFamiliars {
			clear(b.familiar)
		}
		b.familiar[sha256.Sum256([]byte(text))] = struct{}{}
		return
	}
	delete(b.familiar, sha256.Sum256([]byte(text)))
	now := b.now()
	f := b.failed[network]
	if f == nil || now.Sub(f.since) >= bearerWindow {
		if len(b.failed) >= mostNetworks {
			b.forget(now)
		}
		f = &failures{since: now}
		b.failed[network] = f
	}
	f.count++
}

// forget makes room: for the networks whose window is over or, if there are none, for all.
func (b *bearers) forget(now time.Time) {
	for network, f := range b.failed {
		if now.Sub(f.since) >= bearerWindow {
			delete(b.failed, network)
		}
	}
	if len(b.failed) >= mostNetworks {
		clear(b.failed)
	}
}

type networkKey struct{}

// withNetwork returns a context that knows from which network a request comes.
func withNetwork(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, networkKey{}, network(address))
}

// networkOf returns the network of a request, or "" if nobody has said.
func networkOf(ctx context.Context) string {
	of, _ := ctx.Value(networkKey{}).(string)
	return of
}
