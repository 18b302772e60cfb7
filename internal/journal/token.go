package journal

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// keptTokens is the number of the newest revisions whose tokens are in memory.
const keptTokens = 1 << 14

// Token returns the token of a revision. If the database does not say what it was, the number alone is the token.
func (f *Feed) Token(ctx context.Context, revision int64) domain.RevisionToken {
	if kept := f.tokens.from(revision, 1); len(kept) > 0 {
		return kept[0]
	}
	t := domain.RevisionToken{Revision: revision}
	if first, err := f.firstEntry(ctx, revision); err == nil && first != nil {
		t.Mark = domain.MarkOf(first.Digest)
	}
	return t
}

// Recognise returns errs.HistoryChanged if a token is of another history than the database's, and errs.TooOld if its
// revision was purged, so that nobody can tell. A token without a mark is of any.
func (f *Feed) Recognise(ctx context.Context, t domain.RevisionToken) error {
	if t.Mark == 0 {
		return nil
	}
	var mark uint64
	if kept := f.tokens.from(t.Revision, 1); len(kept) > 0 {
		mark = kept[0].Mark
	} else {
		first, err := f.firstEntry(ctx, t.Revision)
		if err != nil {
			return err
		}
		floor, err := f.store.Floor(ctx)
		switch {
		case err != nil:
			return err
		case t.Revision < floor:
			return TooOld("the revision of the token "+t.String(), floor)
		case first == nil:
			return AnotherHistory(t.String())
		}
		mark = domain.MarkOf(first.Digest)
	}
	if mark != 0 && mark != t.Mark {
		return AnotherHistory(t.String())
	}
	return nil
}

// AnotherHistory returns the failure of what names a place in a history that the database does not have.
func AnotherHistory(what string) error {
	return errs.New(errs.HistoryChanged, "%s is of another history than the database's, which was restored, or lost its last writes in a failover: read anew what you keep, and go on from there", what)
}

// TooOld returns the failure of what names a place in the journal that was purged.
func TooOld(what string, floor int64) error {
	return errs.New(errs.TooOld, "%s was purged from the journal, which begins with revision %d: read anew what you keep, and go on from there", what, floor)
}

// firstEntry returns the first entry of a revision, with its digest alone. If there is none, it returns nil.
func (f *Feed) firstEntry(ctx context.Context, revision int64) (*ent.Entry, error) {
	if revision <= 0 || revision > store.MostRevision {
		return nil, nil
	}
	found, err := f.store.Read.Entry.Query().Where(entry.ID(store.EntryID(revision, 0))).Select(entry.FieldDigest).All(ctx)
	if err != nil || len(found) == 0 {
		return nil, store.Translate(err)
	}
	return found[0], nil
}
