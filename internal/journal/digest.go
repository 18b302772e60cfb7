package journal

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// DigestOf returns the digest of the graph that the tables hold in the revision of a snapshot. O(facts), in time and
// memory.
func DigestOf(ctx context.Context, s *store.Store, from *store.Snapshot) (topology.Digest, error) {
	b, _, err := (&Feed{store: s, blockIDs: blockIDs}).readFacts(ctx, from)
	if err != nil {
		return topology.Digest{}, store.Translate(err)
	}
	return topology.DigestOf(b)
}
