package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

const accessPause = 250 * time.Millisecond

// watch tells open sockets and streams that something was taken away from somebody. It asks the database only while
// there are any.
type watch struct {
	doors Doors
	log   *slog.Logger

	mu      sync.Mutex
	open    int
	changed chan struct{} // closed at a change
}

func newWatch(doors Doors, log *slog.Logger) *watch {
	return &watch{doors: doors, log: log, changed: make(chan struct{})}
}

// enter returns a function that returns the channel of the next change, and one that must be called at the end.
func (w *watch) enter() (next func() <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open++; w.open == 1 && w.doors != nil {
		safe.Go(w.log, "the watch of what is taken away", w.run)
	}
	return w.next, func() { w.mu.Lock(); w.open--; w.mu.Unlock() }
}

func (w *watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// run looks for changes until nothing is open. At its begin and after a failure it tells of one, since it may have
// missed it.
func (w *watch) run() {
	last, isKnown := int64(0), false
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		n, err := w.doors.Access(ctx)
		cancel()
		w.mu.Lock()
		if !isKnown && err == nil || n != last {
			close(w.changed)
			w.changed = make(chan struct{})
		}
		last, isKnown = n, err == nil
		if w.open == 0 {
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		time.Sleep(accessPause)
	}
}

// errRevoked and errExpired say why a caller is known no longer.
var (
	errRevoked = errors.New("the session or the token was ended, or its account may no longer act")
	errExpired = errors.New("the session or the token has expired, or the account has other roles: come again")
)

// stays returns when the caller of a stream, who came with some headers, is known no longer, and why: errRevoked, or
// errExpired if they may come again. It returns nil when ctx ends.
func (c Config) stays(ctx context.Context, w *watch, caller auth.Actor, header http.Header) error {
	if c.IsDev || c.Doors == nil {
		<-ctx.Done()
		return nil
	}
	next, leave := w.enter()
	defer leave()
	changed := next()
	for {
		expiry := time.NewTimer(time.Until(caller.Pass.Expires))
		select {
		case <-ctx.Done():
			expiry.Stop()
			return nil
		case <-expiry.C:
		case <-changed:
			expiry.Stop()
		}
		changed = next() // before it is asked who calls, so that no change is missed
		now, ok, err := c.caller(context.WithoutCancel(ctx), header)
		if err != nil { // it is asked again at the next change, and no longer than it held
			time.Sleep(accessPause)
			if time.Now().After(caller.Pass.Expires) {
				return errExpired
			}
			continue
		}
		switch {
		case !ok && !time.Now().Before(caller.Pass.Expires):
			return errExpired
		case !ok:
			return errRevoked
		case now.Key() != caller.Key() || now.Grants() != caller.Grants() || !same(now, caller):
			return errExpired
		}
		caller = now
	}
}

// same reports whether an actor is still the same person's.
func same(a, b auth.Actor) bool {
	return (a.Person == nil) == (b.Person == nil) && (a.Person == nil || *a.Person == *b.Person)
}
