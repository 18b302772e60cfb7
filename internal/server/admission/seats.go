// Package admission lets work begin as far as it can be done in time: it takes seats by its weight, waits for a moment
// if there are none, and is refused at once if it would wait for long. It refuses to know what the work is.
package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrFull says that there are no seats, and will be none in time.
var ErrFull = errors.New("there is more to do than can be done in time")

// Rules say how many seats there are, and how long they are waited for.
type Rules struct {
	// Least and Most bound the number of seats, which begins at First and follows how long seats are held: while that is
	// longer than Goal they become fewer, and while somebody waits and it is shorter than half of Goal they become more.
	Least, First, Most int
	Goal               time.Duration
	// Queue is the expected wait from which work is refused at once (0: nobody waits); so is all that comes while
	// somebody has waited for longer. Patience is the longest wait if the expectation was wrong. Once somebody has
	// waited for half of it, the newest is served first: the oldest will be late anyway.
	Queue, Patience time.Duration
}

// For returns the rules for a number of processors: one that computes and one that waits for the database, for each, at
// least; with the goal of answers within a second.
func For(processors int) Rules {
	return Rules{Least: 2 * processors, First: 4 * processors, Most: 8 * processors, Goal: 250 * time.Millisecond, Queue: 300 * time.Millisecond, Patience: time.Second}
}

const (
	waitersPerSeat = 64       // so many may wait, whatever is expected
	memory         = 1.0 / 64 // weight of the newest in how long seats are held
	lowering       = 0.9
)

// Seats admit work of one kind. No holder has more than half of them, beyond one piece of work.
type Seats struct {
	rules Rules

	mu      sync.Mutex
	limit   float64
	taken   int
	wanted  int // by those that wait
	holders map[string]*holder
	waiting []*waiter // in the order in which they came
	held    time.Duration
	lowered time.Time
}

type holder struct{ taken, wanted int }

type waiter struct {
	by     string
	weight int
	since  time.Time
	seated chan struct{}
}

// New returns seats by rules.
func New(r Rules) *Seats {
	return &Seats{rules: r, limit: float64(r.First), holders: map[string]*holder{}}
}

// Enter takes seats for work of a holder and returns what gives them back; it may be called twice. Work that weighs
// more than half of the seats takes that many. Errors: ErrFull, or that of ctx.
func (s *Seats) Enter(ctx context.Context, by string, weight int) (leave func(), err error) {
	w := &waiter{by: by, weight: weight, since: time.Now(), seated: make(chan struct{})}
	if !s.join(w) {
		return nil, ErrFull
	}
	select {
	case <-w.seated:
		return s.leave(w), nil
	default:
	}
	late := time.NewTimer(s.rules.Patience)
	defer late.Stop()
	select {
	case <-w.seated:
		return s.leave(w), nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late.C:
		err = ErrFull
	}
	if s.withdraw(w) {
		return nil, err
	}
	return s.leave(w), nil // it was seated meanwhile
}

// join seats a waiter or lets it wait. If it would wait too long, it returns false.
func (s *Seats) join(w *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.weight = max(1, min(w.weight, s.half()))
	h := s.holders[w.by]
	if h == nil {
		h = &holder{}
		s.holders[w.by] = h
	}
	h.wanted += w.weight
	s.wanted += w.weight
	s.waiting = append(s.waiting, w)
	s.seat()
	select {
	case <-w.seated:
		return true
	default:
	}
	share := max(float64(s.wanted)/s.limit, float64(h.wanted)/float64(s.half()))
	if len(s.waiting) <= waitersPerSeat*int(s.limit) && share*float64(s.held) < float64(s.rules.Queue) && !s.isBehind(w) {
		return true
	}
	s.forget(len(s.waiting) - 1)
	return false
}

// isBehind reports whether somebody that w has to wait for has waited for longer than anybody was expected to.
func (s *Seats) isBehind(w *waiter) bool {
	for _, old := range s.waiting {
		if time.Since(old.since) <= s.rules.Queue {
			return false
		}
		if h := s.holders[old.by]; old.by == w.by || h.taken == 0 || h.taken+old.weight <= s.half() {
			return true
		}
	}
	return false
}

// half returns how many seats one holder may have.
func (s *Seats) half() int { return max(1, int(s.limit)/2) }

// seat seats whoever can be: in their order, or the newest first if the oldest has waited for long. A waiter that
// waits for its holder's share holds nobody up.
func (s *Seats) seat() {
	isLate := len(s.waiting) > 0 && time.Since(s.waiting[0].since) > s.rules.Patience/2
	at := func(i int) int {
		if isLate {
			return len(s.waiting) - 1 - i
		}
		return i
	}
	for i := 0; i < len(s.waiting); {
		place := at(i)
		w := s.waiting[place]
		if s.taken > 0 && s.taken+w.weight > int(s.limit) {
			return
		}
		h := s.holders[w.by]
		if h.taken > 0 && h.taken+w.weight > s.half() {
			i++
			continue
		}
		h.taken += w.weight
		s.taken += w.weight
		s.forget(place)
		w.since = time.Now()
		close(w.seated)
	}
}

// forget takes a waiter out of the queue.
func (s *Seats) forget(place int) {
	w := s.waiting[place]
	s.waiting = slices.Delete(s.waiting, place, place+1)
	s.wanted -= w.weight
	s.holders[w.by].wanted -= w.weight
	s.drop(w.by)
}

// drop forgets a holder that has and wants nothing.
func (s *Seats) drop(by string) {
	if h := s.holders[by]; h.taken == 0 && h.wanted == 0 {
		delete(s.holders, by)
	}
}

// withdraw takes a waiter out of the queue. If it has been seated, it returns false.
func (s *Seats) withdraw(w *waiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := slices.Index(s.waiting, w)
	if place < 0 {
		return false
	}
	s.forget(place)
	return true
}

// leave returns what gives the seats of w back.
func (s *Seats) leave(w *waiter) func() {
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken -= w.weight
		s.holders[w.by].taken -= w.weight
		s.drop(w.by)
		s.adapt(time.Since(w.since), w.weight)
		s.seat()
	})
}

// adapt changes the number of seats by how long some were held. Work that weighs more may take longer.
func (s *Seats) adapt(held time.Duration, weight int) {
	s.held += time.Duration(float64(held-s.held) * memory)
	switch each := held / time.Duration(weight); {
	case each > s.rules.Goal && time.Since(s.lowered) > s.rules.Goal: // once for all that were seated together
		s.limit, s.lowered = max(float64(s.rules.Least), s.limit*lowering), time.Now()
	case each < s.rules.Goal/2 && len(s.waiting) > 0:
		s.limit = min(float64(s.rules.Most), s.limit+float64(weight)/s.limit)
	}
}

// Load is how full seats are.
type Load struct{ Seats, Taken, Waiting int }

// Load returns how full the seats are now.
func (s *Seats) Load() Load {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Load{int(s.limit), s.taken, len(s.waiting)}
}
