package journal_test

import (
	"context"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// lose takes the newest revision out of a database, as a standby is promoted that lacked it.
func lose(t *testing.T, s *store.Store) {
	t.Helper()
	tx, err := s.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"DELETE FROM version WHERE valid_from = (SELECT revision FROM head)",
		"DELETE FROM ci WHERE id IN (SELECT record_id FROM entry WHERE revision = (SELECT revision FROM head))",
		"DELETE FROM x_revision WHERE revision = (SELECT revision FROM head)",
		"DELETE FROM entry WHERE revision = (SELECT revision FROM head)",
		"UPDATE head SET revision = revision - 1, chained = revision - 1, chain = (SELECT r.chain FROM x_revision r WHERE r.revision = head.revision - 1)",
	} {
		if _, err := tx.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestATokenOfALostHistoryIsNotRecognised loses a write under a server and makes others in its place, and asks that
// server and one that starts afterwards.
func TestATokenOfALostHistoryIsNotRecognised(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		e := newEstate(t, s, 1)
		f := follow(t, open())
		oneMore(t, s, e)
		f.agrees(t, "before")
		kept := f.Token(t.Context(), f.Revision())
		oneMore(t, s, e)
		f.agrees(t, "what is lost")
		lost := f.Token(t.Context(), f.Revision())
		if kept.Mark == 0 || lost.Mark == 0 || kept == lost || lost.Revision != kept.Revision+1 {
			t.Fatalf("the tokens are %s and %s", kept, lost)
		}
		if err := f.Recognise(t.Context(), lost); err != nil {
			t.Errorf("%s: %v", lost, err)
		}
		next := listen(t, f, nil)
		lose(t, s)
		if got := next(); got.Resync != domain.HistoryChanged || got.Token() != kept {
			t.Errorf("a follower hears %s %s", got.Token(), got.Resync)
		}
		fresh := follow(t, open())
		for _, writes := range []string{"before another write", "once its number is another write's", "later"} {
			for _, server := range []*follower{f, fresh} {
				server.agrees(t, writes)
				ahead := domain.RevisionToken{Revision: server.Revision() + 1, Mark: 1}
				for _, token := range []domain.RevisionToken{lost, ahead, {Revision: 1 << 62, Mark: 1}} {
					if err := server.Recognise(t.Context(), token); errs.CodeOf(err) != errs.HistoryChanged {
						t.Errorf("%s: %s: %v", writes, token, err)
					}
				}
				for _, token := range []domain.RevisionToken{kept, {Revision: lost.Revision}, server.Token(t.Context(), server.Revision()), {}} {
					if err := server.Recognise(t.Context(), token); err != nil {
						t.Errorf("%s: %s: %v", writes, token, err)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				told, err := server.Commits(ctx, &lost)
				if err != nil {
					t.Fatal(err)
				}
				for first := range told {
					if first.Resync != domain.HistoryChanged || first.Token() != server.Token(ctx, server.Revision()) {
						t.Errorf("%s: after %s a follower hears %s %s", writes, lost, first.Token(), first.Resync)
					}
					break
				}
			}
			oneMore(t, s, e)
		}
		if rebuilds, histories := f.Rebuilds(), f.HistoryChanges(); rebuilds != 1 || histories != 1 {
			t.Errorf("%d rebuilds, %d histories", rebuilds, histories)
		}
	})
}

// TestEveryServerGivesARevisionTheSameToken compares a server that was told of revisions with one that reads them.
func TestEveryServerGivesARevisionTheSameToken(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		told := follow(t, s)
		head := teams(t, s, 5, 3)
		told.wait(t, head)
		read := follow(t, open())
		for revision := range head + 2 {
			if a, b := told.Token(t.Context(), revision), read.Token(t.Context(), revision); a != b || (a.Mark != 0) != (revision > 0 && revision <= head) {
				t.Errorf("revision %d is %s and %s", revision, a, b)
			}
		}
		next := listen(t, read, new(int64))
		for revision := int64(1); revision <= head; revision++ {
			if got := next(); got.Token() != told.Token(t.Context(), revision) {
				t.Errorf("revision %d is told as %s", revision, got.Token())
			}
		}
	})
}
