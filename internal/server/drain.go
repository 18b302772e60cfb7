package server

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// drain ends the streams of a server that stops. They end one by one over drainSpread, so that their clients do not all
// come back to the next server at once.
type drain struct {
	log   *slog.Logger
	begun chan struct{}
	once  sync.Once
	live  sync.WaitGroup
}

const drainSpread = 3 * time.Second

type drainKey struct{}

func newDrain(log *slog.Logger) *drain { return &drain{log: log, begun: make(chan struct{})} }

// base returns the context of all connections of a server that drains with d.
func (d *drain) base(net.Listener) context.Context {
	return context.WithValue(context.Background(), drainKey{}, d)
}

// begin tells the streams to end.
func (d *drain) begin() { d.once.Do(func() { close(d.begun) }) }

// wait returns when all streams have ended, or ctx has.
func (d *drain) wait(ctx context.Context) {
	ended := make(chan struct{})
	safe.Go(d.log, "waiting for streams", func() { d.live.Wait(); close(ended) })
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// stream registers a stream that is served by a request of ctx. It returns a context that ends within drainSpread after
// the server begins to drain, and a function to call at the end of the stream. If the server drains already, admitted
// is false.
func stream(ctx context.Context) (draining context.Context, done func(), admitted bool) {
	d, ok := ctx.Value(drainKey{}).(*drain)
	if !ok {
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
	safe.Go(d.log, "the draining of a stream", func() {
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
	})
	return draining, sync.OnceFunc(func() { close(ended); d.live.Done() }), true
}
