package server

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// drain ends the streams of a server that stops. They end one by one over drainSpread, so that their clients do not all
// come back to the next server at once.
type drain struct {
	begun chan struct{}
	once  sync.Once
	live  sync.WaitGroup
}

const drainSpread = 3 * time.Second

type drainKey struct{}

func newDrain() *drain { return &drain{begun: make(chan struct{})} }

// base is the context of all connections of a server that drains with d.
func (d *drain) base(net.Listener) context.Context {
	return context.WithValue(context.Background(), drainKey{}, d)
}

// begin tells the streams to end.
func (d *drain) begin() { d.once.Do(func() { close(d.begun) }) }

// wait returns when all streams have ended, or ctx has.
func (d *drain) wait(ctx context.Context) {
	ended := make(chan struct{})
	go func() { d.live.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// stream registers a stream that is served by a request of ctx. It gives a context that ends when the server drains, a
// while after it was told to; and what to call at the end. It refuses a stream that comes too late.
func stream(ctx context.Context) (draining context.Context, done func(), admitted bool) {
	d, is := ctx.Value(drainKey{}).(*drain)
	if !is {
		return context.Background(), func() {}, true
	}
	select {
	case <-d.begun:
		return nil, nil, false
	default:
	}
	d.live.Add(1)
	draining, drained := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer drained()
		select {
		case <-d.begun:
		case <-ended:
			return
		}
		select {
		case <-time.After(rand.N(drainSpread)):
		case <-ended:
		}
	}()
	return draining, sync.OnceFunc(func() { close(ended); d.live.Done() }), true
}
