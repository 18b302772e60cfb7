package storetest_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

var byTest = store.By{Actor: "test", Verb: "lease.test"}

func TestOfManyServersOneTakesALease(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var taken atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				l, err := s.TakeLease(t.Context(), byTest, "work", "a server", time.Minute)
				if err != nil {
					t.Error(err)
				}
				if l != nil {
					taken.Add(1)
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 {
			t.Errorf("%d servers have the lease", taken.Load())
		}
	})
}

func TestALeaseIsGivenBackAndDueAgainLater(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		take := func(after time.Duration) *store.Lease {
			t.Helper()
			l, err := s.TakeLease(store.At(t.Context(), now.Add(after)), byTest, "work", "a server", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		first := take(0)
		if first == nil {
			t.Fatal("nobody takes what was never done")
		}
		if err := first.End(store.At(t.Context(), now), time.Hour, errs.New(errs.Invalid, "no such table")); err != nil {
			t.Fatal(err)
		}
		states, err := s.Leases(t.Context())
		if err != nil || len(states) != 1 || states[0].Failure != "no such table" || states[0].Holder != "" || states[0].Ended == nil {
			t.Errorf("%+v, %v", states, err)
		}
		if take(59*time.Minute) != nil {
			t.Error("it is taken before it is due")
		}
		if err := s.PauseLease(t.Context(), byTest, "work", true); err != nil {
			t.Fatal(err)
		}
		if take(2*time.Hour) != nil {
			t.Error("it is taken although it is paused")
		}
		if err := s.PauseLease(t.Context(), byTest, "work", false); err != nil {
			t.Fatal(err)
		}
		if take(5*time.Hour) == nil {
			t.Error("nobody takes what is due since hours")
		}
		if err := s.PauseLease(t.Context(), byTest, "nothing", true); errs.CodeOf(err) != errs.NotFound {
			t.Error(err)
		}
	})
}

func TestAHolderThatSleptWritesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		write := func(l *store.Lease) error {
			_, err := store.Write(l.Fence(t.Context()), s, byTest, func(context.Context, *store.Tx) (struct{}, error) { return struct{}{}, nil })
			return err
		}
		slept, err := s.TakeLease(store.At(t.Context(), now), byTest, "work", "sleeper", time.Minute)
		if err != nil || slept == nil {
			t.Fatal(slept, err)
		}
		if err := write(slept); err != nil {
			t.Errorf("a holder is refused: %v", err)
		}
		if ok, err := slept.Keep(store.At(t.Context(), now.Add(30*time.Second)), time.Minute); err != nil || !ok {
			t.Errorf("a holder cannot keep it: %v", err)
		}
		if l, err := s.TakeLease(store.At(t.Context(), now.Add(80*time.Second)), byTest, "work", "other", time.Minute); err != nil || l != nil {
			t.Errorf("it is taken from a holder that keeps it: %v", err)
		}
		other, err := s.TakeLease(store.At(t.Context(), now.Add(2*time.Minute)), byTest, "work", "other", time.Minute)
		if err != nil || other == nil {
			t.Fatal("nobody takes it from a holder that sleeps", err)
		}
		if err := write(slept); errs.CodeOf(err) != errs.Stale {
			t.Errorf("a holder that slept writes: %v", err)
		}
		if ok, err := slept.Keep(t.Context(), time.Minute); err != nil || ok {
			t.Errorf("a holder that slept keeps it: %v", err)
		}
		if err := slept.End(t.Context(), time.Hour, nil); err != nil {
			t.Error(err)
		}
		if err := write(other); err != nil {
			t.Errorf("the end of one that slept ends the other: %v", err)
		}
	})
}
