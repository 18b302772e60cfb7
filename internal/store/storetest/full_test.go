package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// fill writes a hundred CIs, some 200 kB.
func fill(t testing.TB, s *store.Store) error {
	t.Helper()
	return fillAnd(t, s, func() {})
}

// fillAnd does what fill does, and something else before the commit.
func fillAnd(t testing.TB, s *store.Store, last func()) error {
	t.Helper()
	_, err := store.Write(t.Context(), s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
		for i := range 100 {
			if _, err := ci(fmt.Sprint(i), func(c *ent.CICreate) { c.SetDescription(strings.Repeat("x", 1000)) })(ctx, tx); err != nil {
				return nil, err
			}
		}
		last()
		return nil, nil
	})
	return err
}
