package safe_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

func TestAPanicEndsItsGoroutineAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		safe.Go(slog.New(slog.NewTextHandler(&said, nil)), "a test", func() { panic("boom") })
		synctest.Wait()
		for _, word := range []string{"boom", "a test", "safe_test.go"} {
			if !strings.Contains(said.String(), word) {
				t.Errorf("the log lacks %q: %s", word, said.String())
			}
		}
	})
}

func TestWhatRunsEverySoOftenOutlivesItsPanicsAndErrors(t *testing.T) {
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
