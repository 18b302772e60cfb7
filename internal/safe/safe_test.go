package safe_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// tells fails the test if the log lacks the panic or its place, or one of the words.
func tells(t *testing.T, said string, words ...string) {
	t.Helper()
	for _, word := range append(words, "boom", "safe_test.go") {
		if !strings.Contains(said, word) {
			t.Errorf("%q is lacking: %s", word, said)
		}
	}
}

func TestAPanicEndsItsGoroutineAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		safe.Go(slog.New(slog.NewTextHandler(&said, nil)), "a test", func() { panic("boom") })
		synctest.Wait()
		tells(t, said.String(), "a test")
	})
}

func TestPanicsOfAfterFuncAndTimerAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		log := slog.New(slog.NewTextHandler(&said, nil))
		ctx, end := context.WithCancel(t.Context())
		safe.AfterFunc(ctx, log, "an end", func() { panic("boom") })
		stop := safe.AfterFunc(ctx, log, "nothing", func() { panic("boom") })
		if !stop() {
			t.Error("it cannot be stopped")
		}
		end()
		synctest.Wait()
		tells(t, said.String(), "an end")
		said.Reset()
		safe.Timer(log, "a timer", time.Minute, func() { panic("boom") })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		tells(t, said.String(), "a timer")
		if strings.Contains(said.String(), "nothing") {
			t.Error("a function ran after it was stopped")
		}
	})
}

func TestAMeasurementThatPanicsIsNaN(t *testing.T) {
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	if v := safe.Measure(log, "seven", func() float64 { return 7 })(); v != 7 || said.Len() > 0 {
		t.Errorf("%g: %s", v, said.String())
	}
	if v := safe.Measure(log, "a metric", func() float64 { panic("boom") })(); !math.IsNaN(v) {
		t.Errorf("%g", v)
	}
	tells(t, said.String(), "a metric")
}

func TestEveryGoesOnAfterPanicsAndErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		ctx, end := context.WithCancel(t.Context())
		runs := 0
		safe.Every(ctx, slog.New(slog.NewTextHandler(&said, nil)), "a test", func() time.Duration { return time.Minute }, func(context.Context) error {
			switch runs++; runs {
			case 1:
				panic("boom")
			case 2:
				return errors.New("no luck")
			}
			return nil
		})
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		end()
		synctest.Wait()
		if got := said.String(); runs != 5 || strings.Count(got, "a test") != 2 || !strings.Contains(got, "boom") || !strings.Contains(got, "no luck") {
			t.Errorf("%d runs: %s", runs, got)
		}
	})
}

func TestAPanicInACrewReachesTheCallerAfterAllHaveEnded(t *testing.T) {
	var ended atomic.Int64
	err := safe.Call(func() error {
		safe.Crew(8, func(member int) {
			defer ended.Add(1)
			if member == 3 {
				panic("boom")
			}
		})
		return nil
	})
	tells(t, fmt.Sprint(err))
	if ended.Load() != 8 {
		t.Errorf("%d ended", ended.Load())
	}
}
