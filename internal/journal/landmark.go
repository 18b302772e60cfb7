package journal

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

var errAnotherHistory = errors.New("the database has another history than the one that was followed: it was restored, or a standby was promoted that lacked the last writes")

// landmark is the newest revision that the graph shows, by the first line that the journal had of it. A journal that
// has another line there tells another history: revisions are numbers, and both have them.
type landmark struct {
	revision int64
	sum      [sha256.Size]byte
	isKnown  bool   // not before the first write, nor if the journal lacks the revision
	mark     uint64 // of its token
}

// landmarkOf returns the landmark of a revision. A content that was taken out of the journal, and a name that was, make
// no other history: the digest of the content tells it.
func landmarkOf(first *ent.Entry) (landmark, error) {
	told := *first
	if told.Digest != nil {
		told.Before, told.After, told.Salt, told.Actor = nil, nil, nil, ""
	}
	text, err := json.Marshal(&told)
	return landmark{first.Revision, sha256.Sum256(text), true, domain.MarkOf(first.Digest)}, err
}

// landmarkAt returns the landmark that a database has at a revision.
func landmarkAt(ctx context.Context, c *ent.Client, revision int64) (landmark, error) {
	first, err := c.Entry.Get(ctx, store.EntryID(revision, 0))
	switch {
	case ent.IsNotFound(err):
		return landmark{revision: revision}, nil
	case err != nil:
		return landmark{}, store.Translate(err)
	}
	return landmarkOf(first)
}

// token returns the token of the landmark's revision.
func (l landmark) token() domain.RevisionToken {
	return domain.RevisionToken{Revision: l.revision, Mark: l.mark}
}

// isHistory reports whether the journal still has what the graph was told last, or still lacks it.
func (f *Feed) isHistory(ctx context.Context) (bool, error) {
	found, err := landmarkAt(ctx, f.store.Follow, f.landmark.revision)
	return found == f.landmark, err
}
