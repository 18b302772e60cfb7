package journal

import (
	"context"
	"sync"
)

// window keeps the content of the newest revisions, one item a revision without gaps, and wakes callers that wait for
// more.
type window[T any] struct {
	weigh func(T) int
	limit int // of all weights together; the newest item stays whatever it weighs

	mu     sync.Mutex
	era    int64 // one more for each restart
	first  int64 // the revision of items[0]
	items  []T
	weight int
	grown  chan struct{} // closed by the next push
}

func newWindow[T any](limit int, weigh func(T) int) *window[T] {
	return &window[T]{weigh: weigh, limit: limit, grown: make(chan struct{})}
}

// reset forgets everything: the next revision is the one after newest.
func (w *window[T]) reset(newest int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first, w.items, w.weight = newest+1, nil, 0
	w.wake()
}

// restart forgets everything as reset does, and begins an era: the revisions up to newest are others than those before.
func (w *window[T]) restart(newest int64) {
	w.reset(newest)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.era++
	w.wake()
}

// now returns the era.
func (w *window[T]) now() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.era
}

// push adds the next revision.
func (w *window[T]) push(item T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.items = append(w.items, item)
	w.weight += w.weigh(item)
	for w.weight > w.limit && len(w.items) > 1 {
		var none T
		w.weight -= w.weigh(w.items[0])
		w.items[0] = none // a slice keeps alive what lies before it
		w.items = w.items[1:]
		w.first++
	}
	w.wake()
}

func (w *window[T]) wake() {
	close(w.grown)
	w.grown = make(chan struct{})
}

// newest returns the last revision that was pushed.
func (w *window[T]) newest() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first + int64(len(w.items)) - 1
}

// wait returns the newest revision as soon as it is at least the given one, or as soon as the era is another.
func (w *window[T]) wait(ctx context.Context, revision, era int64) (int64, error) {
	for {
		w.mu.Lock()
		newest, now, grown := w.first+int64(len(w.items))-1, w.era, w.grown
		w.mu.Unlock()
		if newest >= revision || now != era {
			return newest, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// from returns at most n items from a revision on. If it no longer has that one, or not yet, it returns none.
func (w *window[T]) from(revision int64, n int) []T {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := revision - w.first
	if at < 0 || at >= int64(len(w.items)) {
		return nil
	}
	return append([]T(nil), w.items[at:min(at+int64(n), int64(len(w.items)))]...)
}
