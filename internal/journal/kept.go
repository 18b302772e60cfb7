package journal

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// How much of the past is kept.
const (
	maxKept     = 8                // snapshots
	maxKeptSize = 256 << 20        // bytes beside the newest snapshot; the last one asked for is kept whatever its size
	keptFor     = 10 * time.Minute // after the last use
)

// kept holds the past snapshots that were asked for last. Each is made once, however many callers ask for it.
type kept struct {
	graph   *topology.Graph
	making  singleflight.Group
	maxSize int64

	mu        sync.Mutex
	era       int // changes when the journal's past did
	snapshots []*topology.Snapshot
	idle      *time.Timer
}

func newKept(g *topology.Graph) *kept {
	return &kept{graph: g, maxSize: maxKeptSize}
}

// at returns the snapshot of a revision, kept or made.
func (k *kept) at(ctx context.Context, revision int64, build func() (*topology.Snapshot, error)) (*topology.Snapshot, error) {
	s, era := k.find(revision)
	if s != nil {
		return s, nil
	}
	made := k.making.DoChan(strconv.Itoa(era)+"/"+strconv.FormatInt(revision, 10), func() (any, error) {
		if s, now := k.find(revision); s != nil && now == era { // made since it was not found
			return s, nil
		}
		s := (*topology.Snapshot)(nil)
		err := safe.Call(func() (err error) { s, err = build(); return err })
		if err == nil {
			k.keep(s, era)
		}
		return s, err
	})
	select {
	case r := <-made:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*topology.Snapshot), nil
	case <-ctx.Done():
		return nil, errs.New(errs.Timeout, "the graph of revision %d is still being made: try again", revision).Because(ctx.Err())
	}
}

// find returns a kept snapshot, or nil, and the era. It moves the snapshot to the end of the list, the last used.
func (k *kept) find(revision int64) (*topology.Snapshot, int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.idle == nil {
		k.idle = safe.Timer(nil, "forgetting graphs of the past", keptFor, k.forget)
	} else {
		k.idle.Reset(keptFor)
	}
	at := slices.IndexFunc(k.snapshots, func(s *topology.Snapshot) bool { return s.Revision() == revision })
	if at < 0 {
		return nil, k.era
	}
	s := k.snapshots[at]
	k.snapshots = append(slices.Delete(k.snapshots, at, at+1), s)
	return s, k.era
}

// keep adds a snapshot, and drops the least recently used until the rest fits.
func (k *kept) keep(s *topology.Snapshot, era int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if era != k.era {
		return
	}
	k.snapshots = append(k.snapshots, s)
	for len(k.snapshots) > 1 && (len(k.snapshots) > maxKept || k.size() > k.maxSize) {
		k.snapshots = slices.Delete(k.snapshots, 0, 1)
	}
}

// bytes returns about how much memory the kept snapshots take.
func (k *kept) bytes() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.size()
}

func (k *kept) size() (bytes int64) {
	now := k.graph.Snapshot()
	for _, s := range k.snapshots {
		bytes += s.Beside(now)
	}
	return bytes
}

// forget drops all.
func (k *kept) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.era++
	k.snapshots = nil
}

// close drops all for good.
func (k *kept) close() {
	k.forget()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.idle != nil {
		k.idle.Stop()
	}
}
