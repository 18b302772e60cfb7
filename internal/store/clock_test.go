package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestAServerWhoseClockIsWrongWritesNothingAndForgetsNoKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		write := func() error {
			_, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (int, error) {
				return 0, tx.Team.Create().SetName("team " + time.Now().String()).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
			})
			return err
		}
		for name, c := range map[string]struct {
			ahead time.Duration
			want  string
		}{
			"right":       {0, ""},
			"a bit ahead": {20 * time.Second, ""},
			"ahead":       {25 * time.Hour, "25h0m0s ahead of"},
			"behind":      {-time.Hour, "1h0m0s behind"},
			"right again": {0, ""},
		} {
			s.SetClock(func() time.Time { return time.Now().Add(c.ahead) })
			if _, err := s.Pulse(ctx); err != nil {
				t.Fatal(err)
			}
			_, forgotten := s.ForgetKeys(ctx, 24*time.Hour)
			for what, err := range map[string]error{"a write": write(), "the check": s.Check(), "the keys": forgotten} {
				switch isWrong := c.want != "" && s.IsPostgres(); {
				case !isWrong && err != nil:
					t.Errorf("%s, %s: %v", name, what, err)
				case isWrong && (errs.CodeOf(err) != errs.Unavailable || !strings.Contains(err.Error(), c.want)):
					t.Errorf("%s, %s: %v, want %s", name, what, err, c.want)
				}
			}
			if _, err := s.Revision(ctx); err != nil {
				t.Errorf("%s: reads go on: %v", name, err)
			}
			if skew := s.Skew() - c.ahead; s.IsPostgres() && skew.Abs() > 5*time.Second {
				t.Errorf("%s: it is said to be %v", name, s.Skew())
			}
		}
	})
}
