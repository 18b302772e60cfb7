package admission

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fixed returns rules of a number of seats that stays.
func fixed(seats int) Rules {
	return Rules{Least: seats, First: seats, Most: seats, Goal: time.Hour, Queue: time.Hour, Patience: time.Hour}
}

// enter takes seats that have to be free.
func enter(t *testing.T, s *Seats, by string, weight int) (leave func()) {
	t.Helper()
	leave, err := s.Enter(t.Context(), by, weight)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

// line lets work wait in the background, and notes in which order it was seated.
type line struct {
	t     *testing.T
	seats *Seats
	mu    sync.Mutex
	order []string
	leave map[string]func()
	left  []func() // in that order, too
}

func (l *line) wait(by string, weight int) {
	go func() {
		leave, err := l.seats.Enter(l.t.Context(), by, weight)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			by, leave = by+": "+err.Error(), func() {}
		}
		l.order = append(l.order, by)
		l.leave[by] = leave
		l.left = append(l.left, leave)
	}()
	synctest.Wait()
}

func (l *line) is(want ...string) {
	l.t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := fmt.Sprint(l.order); got != fmt.Sprint(want) {
		l.t.Errorf("seated: %s, not %s", got, want)
	}
}

func inBubble(t *testing.T, r Rules, test func(t *testing.T, s *Seats, l *line)) {
	synctest.Test(t, func(t *testing.T) {
		s := New(r)
		test(t, s, &line{t: t, seats: s, leave: map[string]func(){}})
		if load := s.Load(); load.Taken != 0 || load.Waiting != 0 || s.wanted != 0 || len(s.holders) != 0 {
			t.Errorf("in the end %+v, %d wanted, %v", load, s.wanted, s.holders)
		}
	})
}

func TestWorkWaitsForASeatInItsTurn(t *testing.T) {
	inBubble(t, fixed(2), func(t *testing.T, s *Seats, l *line) {
		a, b := enter(t, s, "a", 1), enter(t, s, "b", 1)
		l.wait("c", 1)
		l.wait("d", 1)
		l.is()
		a()
		a() // once is enough
		l.is("c")
		b()
		l.is("c", "d")
		l.leave["c"]()
		l.leave["d"]()
	})
}

func TestNobodyHasMoreThanHalfOfTheSeats(t *testing.T) {
	inBubble(t, fixed(4), func(t *testing.T, s *Seats, l *line) {
		first, second := enter(t, s, "greedy", 1), enter(t, s, "greedy", 1)
		l.wait("greedy", 1)
		l.is()
		other := enter(t, s, "other", 1) // whoever waits for their share holds nobody up
		first()
		l.is("greedy")
		heavy := enter(t, s, "heavy", 1)
		l.wait("heavy", 100) // more than half is half
		second()
		l.is("greedy")
		heavy()
		other()
		l.is("greedy", "heavy")
		if load := s.Load(); load.Taken != 3 {
			t.Errorf("%+v", load)
		}
		l.leave["greedy"]()
		l.leave["heavy"]()
	})
}

func TestLightWorkDoesNotKeepHeavyWorkWaiting(t *testing.T) {
	inBubble(t, fixed(4), func(t *testing.T, s *Seats, l *line) {
		a, b, c := enter(t, s, "a", 1), enter(t, s, "b", 1), enter(t, s, "c", 1)
		l.wait("heavy", 2)
		l.wait("light", 1) // a seat is free
		l.is()
		a()
		l.is("heavy")
		b()
		l.is("heavy", "light")
		c()
		l.leave["heavy"]()
		l.leave["light"]()
	})
}

func TestWorkThatWouldWaitForLongIsRefusedAtOnce(t *testing.T) {
	r := fixed(2)
	r.Queue = 240 * time.Millisecond
	inBubble(t, r, func(t *testing.T, s *Seats, l *line) {
		for range 1000 { // it learns that seats are held for 100 ms
			leave := enter(t, s, "a", 1)
			time.Sleep(100 * time.Millisecond)
			leave()
		}
		a, b := enter(t, s, "a", 1), enter(t, s, "b", 1)
		began := time.Now()
		for i := range 4 { // two seats: the fifth would wait for about 250 ms
			l.wait(fmt.Sprint(i), 1)
		}
		l.is()
		if _, err := s.Enter(t.Context(), "late", 1); !errors.Is(err, ErrFull) || time.Since(began) > 0 {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		a()
		l.is("0")
		b()
		for i := range 4 {
			synctest.Wait()
			l.leave[fmt.Sprint(i)]()
		}
		l.is("0", "1", "2", "3")
	})
}

func TestOneHolderAloneIsRefusedByItsShare(t *testing.T) {
	r := fixed(4)
	r.Queue = 240 * time.Millisecond
	inBubble(t, r, func(t *testing.T, s *Seats, l *line) {
		for range 1000 {
			leave := enter(t, s, "a", 1)
			time.Sleep(100 * time.Millisecond)
			leave()
		}
		first, second := enter(t, s, "a", 1), enter(t, s, "a", 1)
		for range 4 {
			l.wait("a", 1)
		}
		if _, err := s.Enter(t.Context(), "a", 1); !errors.Is(err, ErrFull) {
			t.Errorf("the fifth of one: %v", err)
		}
		enter(t, s, "b", 1)()
		first()
		second()
		for range 4 {
			synctest.Wait()
			l.mu.Lock()
			leave := l.left[0]
			l.left = l.left[1:]
			l.mu.Unlock()
			leave()
		}
	})
}

func TestTheNewestIsServedFirstOnceTheOldestIsLate(t *testing.T) {
	r := fixed(1)
	r.Patience = time.Second
	inBubble(t, r, func(t *testing.T, s *Seats, l *line) {
		for _, late := range []bool{false, true} {
			l.order = nil
			held := enter(t, s, "held", 1)
			l.wait("old", 1)
			if late {
				time.Sleep(r.Patience/2 + time.Millisecond)
			}
			l.wait("new", 1)
			held()
			first, second := "old", "new"
			if late {
				first, second = second, first
			}
			l.is(first)
			l.leave[first]()
			l.is(first, second)
			l.leave[second]()
		}
	})
}

func TestWorkThatComesWhileAnotherIsLateIsRefused(t *testing.T) {
	r := fixed(4)
	r.Queue = 100 * time.Millisecond
	inBubble(t, r, func(t *testing.T, s *Seats, l *line) {
		first, second := enter(t, s, "greedy", 1), enter(t, s, "greedy", 1)
		l.wait("greedy", 1) // for its share
		time.Sleep(r.Queue + time.Millisecond)
		if _, err := s.Enter(t.Context(), "greedy", 1); !errors.Is(err, ErrFull) {
			t.Errorf("another one of the same holder: %v", err)
		}
		a, b := enter(t, s, "a", 1), enter(t, s, "b", 1)
		l.wait("c", 1) // nobody that it waits for is late
		time.Sleep(r.Queue + time.Millisecond)
		if _, err := s.Enter(t.Context(), "d", 1); !errors.Is(err, ErrFull) {
			t.Errorf("while c is late: %v", err)
		}
		a()
		l.is("c")
		l.leave["c"]()
		enter(t, s, "d", 1)()
		first()
		second()
		b()
		l.is("c", "greedy")
		l.leave["greedy"]()
	})
}

func TestNobodyWaitsLongerThanPatience(t *testing.T) {
	r := fixed(1)
	r.Patience = time.Second
	inBubble(t, r, func(t *testing.T, s *Seats, l *line) {
		held := enter(t, s, "held", 1)
		l.wait("one", 1)
		time.Sleep(r.Patience + time.Millisecond)
		l.is("one: " + ErrFull.Error())
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := s.Enter(ctx, "gone", 1)
			gone <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		held()
		enter(t, s, "another", 1)()
	})
}

func TestSeatsFollowHowLongTheyAreHeld(t *testing.T) {
	r := Rules{Least: 4, First: 8, Most: 16, Goal: 100 * time.Millisecond, Queue: time.Hour, Patience: time.Hour}
	inBubble(t, r, func(t *testing.T, s *Seats, l *line) {
		work := func(rounds int, held time.Duration) int {
			for i := range 32 {
				go func() {
					for range rounds {
						leave, err := s.Enter(context.Background(), fmt.Sprint(i), 1)
						if err != nil {
							t.Error(err)
							return
						}
						time.Sleep(held)
						leave()
					}
				}()
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			return s.Load().Seats
		}
		if n := work(20, 300*time.Millisecond); n != r.Least {
			t.Errorf("held for too long: %d seats", n)
		}
		if n := work(2, 80*time.Millisecond); n != r.Least {
			t.Errorf("held for about as long as they may be: %d seats", n)
		}
		if n := work(50, time.Millisecond); n != r.Most {
			t.Errorf("held shortly: %d seats", n)
		}
		for range 100 { // nobody waits
			enter(t, s, "a", 1)()
		}
		heavy := enter(t, s, "a", 8)
		time.Sleep(500 * time.Millisecond) // less than the goal for each seat
		heavy()
		if n := s.Load().Seats; n != r.Most {
			t.Errorf("after heavy work: %d seats", n)
		}
	})
}

func TestSeatsAreNeverTakenTwice(t *testing.T) {
	r := For(2)
	r.Goal, r.Queue, r.Patience = time.Microsecond, time.Millisecond, time.Millisecond // everything happens
	s := New(r)
	var taken, most atomic.Int64
	var done sync.WaitGroup
	for i := range 16 {
		done.Go(func() {
			for n := range 300 {
				weight := 1 + (i+n)%3
				leave, err := s.Enter(context.Background(), fmt.Sprint(i%5), weight)
				if err != nil {
					continue
				}
				now := taken.Add(1) // of weight 1 at least
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				time.Sleep(time.Duration(rand.IntN(20)) * time.Microsecond) //nolint:gosec // so that they meet
				taken.Add(-1)
				leave()
			}
		})
	}
	done.Wait()
	if load := s.Load(); load.Taken != 0 || load.Waiting != 0 || len(s.holders) != 0 || most.Load() > int64(r.Most) {
		t.Errorf("%+v, %v, %d at once", load, s.holders, most.Load())
	}
}
