package journal

import (
	"context"
	"errors"
)

// keptDigests is the number of the newest revisions whose digest is known: enough for the writes while the tables are
// read.
const keptDigests = 1 << 14

var errDiffers = errors.New("the graph's digest is not that of the tables: something was written past the journal, or was not understood")

// Verify compares the graph with the tables of one revision by their digests. If they differ, it logs and counts that,
// and the graph is built anew. It takes the time and, until it ends, the memory of reading all facts: O(facts).
// Failures: those of the store, and context.DeadlineExceeded if the graph does not get to the revision of the tables.
func (f *Feed) Verify(ctx context.Context) error {
	from, err := f.store.Snapshot(ctx, connections)
	if err != nil {
		return err
	}
	want, err := DigestOf(ctx, f.store, from)
	from.Close() // the graph needs connections to get there
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	if _, err := f.digests.wait(bounded, from.Revision, 0); err != nil {
		return err
	}
	got := f.digests.from(from.Revision, 1)
	if len(got) == 0 || got[0] == want {
		return nil
	}
	f.mismatches.Add(1)
	f.suspect()
	f.stir()
	return nil
}

// suspect makes the feed build the graph anew the next time it looks at the journal.
func (f *Feed) suspect() {
	select {
	case f.doubt <- struct{}{}:
	default: // it will be
	}
}

// Mismatches returns how often the graph differed from the tables.
func (f *Feed) Mismatches() int64 { return f.mismatches.Load() }
