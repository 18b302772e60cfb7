package safe_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

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
