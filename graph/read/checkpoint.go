package read

import (
	"context"
	"time"
)

// JournalCheckpoint is a link of the journal's chain, as it was signed.
type JournalCheckpoint struct {
	Revision int64
	At       time.Time
	Note     string
}

// JournalCheckpoint returns the newest checkpoint. If none has been signed, it returns nil.
func (r *Reader) JournalCheckpoint(ctx context.Context) (*JournalCheckpoint, error) {
	c := &JournalCheckpoint{}
	var err error
	c.Revision, c.At, c.Note, err = r.store.NewestCheckpoint(ctx)
	if err != nil || c.Revision == 0 {
		return nil, err
	}
	return c, nil
}
