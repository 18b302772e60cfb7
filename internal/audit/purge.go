package audit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/chain"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// StartVerb is the verb of entries that are kept whatever was purged: they tell in which revision a change was applied.
const StartVerb = "change.start"

// floor is the checkpoint of the last revision that was purged, and what was kept of the entries up to it.
type floor struct {
	Checkpoint
	kept   int64
	digest []byte
}

// Text returns what is signed: the checkpoint, with a line more, as C2SP's tlog-checkpoint has room for.
func (f floor) Text() string {
	return fmt.Sprintf("%skept %d %s\n", f.Checkpoint.Text(), f.kept, base64.StdEncoding.EncodeToString(f.digest))
}

func parseFloor(text string) (f floor, err error) {
	if f.Checkpoint, err = parse(text); err != nil {
		return f, err
	}
	line, encoded := strings.Split(text, "\n")[3], ""
	if _, err := fmt.Sscanf(line, "kept %d %s", &f.kept, &encoded); err != nil {
		return f, fmt.Errorf("its fourth line is %q, and does not say what was kept", line)
	}
	f.digest, err = base64.StdEncoding.DecodeString(encoded)
	return f, err
}

// Purged is what a purge took away, and what it kept.
type Purged struct {
	From, To   int64 // revisions
	Gone, Kept int64 // entries
}

// Purge takes the revisions before one out of the journal, for good: all of their entries but those that tell how
// records stood then, so that questions about later revisions have their answers; versions that ended before; and their
// links. An export has to hold them. The rest, and the link before, are signed, and the journal goes on from there: its
// chain still verifies. Others read and write meanwhile. A purge that was cut short goes on if it is asked
// for again. Say is told what begins; nil: nobody is. Failures: errs.Invalid if the revision is not one to begin with,
// or the export does not hold them; those of the database; that of a journal that is not as it was written.
func Purge(ctx context.Context, s *store.Store, by store.By, signer *Signer, keys Keys, before int64, export io.Reader, say func(string)) (p Purged, err error) {
	if say == nil {
		say = func(string) {}
	}
	by.Verb = store.PurgeVerb
	from, err := s.Snapshot(ctx, Connections())
	if err != nil {
		return p, err
	}
	defer from.Close()
	say("Verifying the journal")
	now, err := Verify(ctx, from, keys)
	switch {
	case err != nil:
		return p, err
	case now.Fault != nil:
		return p, fmt.Errorf("the journal is not as it was written, and nothing is purged: %s", now.Fault)
	case before == now.First && before > 1: // the sweep was cut short
	case before <= now.First || before > now.Revision:
		return p, errs.New(errs.Invalid, "the journal has revisions %d to %d: one after the first can become the first, not %d", now.First, now.Revision, before)
	}
	link, err := from.LinkOf(ctx, before-1)
	if err != nil {
		return p, err
	}
	say("Verifying the export")
	sum := sha256.New()
	held, err := VerifyExport(io.TeeReader(export, sum), Checkpoint{before - 1, link})
	switch {
	case err != nil:
		return p, errs.New(errs.Invalid, "the export cannot be read: %v", err)
	case held.Fault != nil:
		return p, errs.New(errs.Invalid, "the export does not hold the revisions up to %d as the journal has them: %s; write one by linchpin journal export --before %d", before-1, held.Fault, before)
	case held.First > now.First:
		return p, errs.New(errs.Invalid, "the export begins with revision %d, and the journal with %d: write one by linchpin journal export --before %d", held.First, now.First, before)
	}
	say("Choosing what is kept")
	var kept []ident.ID
	f := floor{Checkpoint: Checkpoint{before - 1, link}}
	err = from.Read(ctx, 1, func(ctx context.Context, tx *sql.Tx, _ int) (err error) {
		if kept, p.Gone, err = standing(ctx, tx, before); err == nil {
			f.digest, err = digestOf(ctx, tx, kept, nil)
		}
		return err
	})
	if err != nil {
		return p, err
	}
	from.Close() // it would keep what is deleted from making room
	f.kept = int64(len(kept))
	p.From, p.To, p.Kept = now.First, before-1, f.kept
	if before > now.First {
		signed, err := signer.sign(f.Text())
		if err != nil {
			return p, err
		}
		told := map[string]any{"kept": f.kept, "purged": p.Gone, "export": hex.EncodeToString(sum.Sum(nil)), "note": signed}
		if _, err := store.Write(ctx, s, by, func(ctx context.Context, tx *store.Tx) (int, error) {
			return 0, tx.RaiseFloor(ctx, store.Floor{Revision: before, Note: signed}, told)
		}); err != nil {
			return p, err
		}
	}
	say(fmt.Sprintf("Deleting %d entries", p.Gone))
	if err := sweep(ctx, s, before, kept); err != nil {
		return p, err
	}
	return p, s.Sweep(ctx)
}

// linesAtOnce is the number of lines that are read, or deleted, by one statement.
const linesAtOnce = 2_000

// sweep deletes the entries before a revision that are not kept, the oldest first: as long as the last one of a record
// is there, it tells that the record was deleted.
func sweep(ctx context.Context, s *store.Store, before int64, kept []ident.ID) error {
	for after := ident.ID(0); ; {
		ids, err := s.Read.Entry.Query().Where(entry.IDGT(after), entry.IDLT(store.EntryID(before, 0))).Order(ent.Asc(entry.FieldID)).Limit(linesAtOnce).IDs(ctx)
		if err != nil || len(ids) == 0 {
			return store.Translate(err)
		}
		after = ids[len(ids)-1]
		var gone []int64
		for _, id := range ids {
			for len(kept) > 0 && kept[0] < id {
				kept = kept[1:]
			}
			if len(kept) == 0 || kept[0] != id {
				gone = append(gone, int64(id))
			}
		}
		if len(gone) == 0 {
			continue
		}
		if err := s.DropEntries(ctx, gone); err != nil {
			return err
		}
	}
}

// standing returns the entries before a revision that tell how records stood when it came, in order: the last one of
// each record that was there, and those of StartVerb. It counts the others. O(entries) time, O(records) memory.
func standing(ctx context.Context, tx *sql.Tx, before int64) (kept []ident.ID, others int64, err error) {
	seen := map[int64]struct{}{}
	for end := store.EntryID(before, 0); ; {
		n := 0
		err := func() (err error) {
			rows, err := tx.QueryContext(ctx, "SELECT id, record_id, operation, verb FROM entry WHERE id < $1 ORDER BY id DESC LIMIT $2", int64(end), linesAtOnce)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, rows.Close()) }()
			for ; rows.Next(); n++ {
				var record int64
				var operation, verb string
				if err := rows.Scan((*int64)(&end), &record, &operation, &verb); err != nil {
					return err
				}
				_, ok := seen[record]
				seen[record] = struct{}{}
				if !ok && operation != string(domain.Deleted) || verb == StartVerb {
					kept = append(kept, end)
				} else {
					others++
				}
			}
			return rows.Err()
		}()
		if err != nil || n == 0 {
			slices.Reverse(kept)
			return kept, others, err
		}
	}
}

// digestOf returns the digest of some entries, in order: SHA-256 of their ids and leaves. It calls visit with each, if
// there is one.
func digestOf(ctx context.Context, tx *sql.Tx, ids []ident.ID, visit func(*store.Line)) ([]byte, error) {
	sum := sha256.New()
	var leaf chain.Leaf
	for some := range slices.Chunk(ids, linesAtOnce) {
		first, last := store.RevisionOf(some[0]), store.RevisionOf(some[len(some)-1])
		err := store.Lines(ctx, tx, first, last, math.MaxInt32, func(l *store.Line) error {
			if len(some) == 0 || l.ID != some[0] {
				return nil
			}
			some = some[1:]
			leaf.Add(l.Line)
			of := leaf.Sum()
			sum.Write(binary.BigEndian.AppendUint64(nil, uint64(l.ID)))
			sum.Write(of[:])
			if visit != nil {
				visit(l)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return sum.Sum(nil), nil
}

// below compares what is left of the revisions before the first that the journal has whole with the note that was
// signed when they were purged.
func (v *verifier) below(ctx context.Context, from *store.Snapshot, keys Keys) error {
	of, err := from.Floor(ctx)
	v.First = of.Revision
	if err != nil || of.Revision == 1 {
		return err
	}
	f, err := keys.openFloor(of.Note)
	switch {
	case err != nil:
		v.mismatch(of.Revision, "what was purged before it is told by a note that is not the one that was signed: %v", err)
		return nil
	case f.Revision != of.Revision-1:
		v.mismatch(of.Revision, "what was purged before it is told by a note about the revisions up to %d", f.Revision)
	}
	v.before = f.Link
	return from.Read(ctx, 1, func(ctx context.Context, tx *sql.Tx, _ int) error {
		kept, others, err := standing(ctx, tx, of.Revision)
		if err != nil {
			return err
		}
		v.Kept, v.Unswept = int64(len(kept)), others
		s := &span{verifier: v, names: newNames(), replaced: newReplaced()}
		sum, err := digestOf(ctx, tx, kept, func(l *store.Line) {
			s.content(store.RevisionOf(l.ID), l)
			s.note(l)
		})
		if err == nil && (v.Kept != f.kept || !slices.Equal(sum, f.digest)) {
			v.fault(of.Revision-1, "the %d entries that were kept of the revisions up to it are not the %d that were", v.Kept, f.kept)
		}
		s.end()
		return err
	})
}

// openFloor returns the floor of a note, if one of the keys has signed it, or there are none.
func (k Keys) openFloor(text string) (floor, error) {
	if k.list == nil {
		return parseFloor(text)
	}
	n, err := note.Open([]byte(text), k.list)
	if err != nil {
		return floor{}, err
	}
	return parseFloor(n.Text)
}
