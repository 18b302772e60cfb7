package store_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// TestSnapshotsAtOnceAreOpenedOneAfterTheOther opens snapshots that each take several connections of a pool that has
// not enough for all.
func TestSnapshotsAtOnceAreOpenedOneAfterTheOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		bounded, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		g, ctx := errgroup.WithContext(bounded)
		for range 12 {
			g.Go(func() error {
				for range 5 {
					snapshot, err := s.Snapshot(ctx, 4)
					if err != nil {
						return err
					}
					_, err = s.Revision(ctx) // there are connections left
					snapshot.Close()
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
	})
}
