// Package audit shows that nobody changed the journal: it works the chain of revisions out again, and compares it with
// checkpoints that were signed. It refuses to mend what it finds.
package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"database/sql"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/chain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Report is what the chain of a journal says.
type Report struct {
	First    int64 // the first revision that the journal has whole
	Revision int64 // the last one
	Link     []byte
	Entries  int64
	Redacted int64  // entries whose content was taken out, as the journal says
	Newest   int64  // the revision of the newest checkpoint that was compared, or 0
	Kept     int64  // entries of purged revisions that tell how records stood when they were purged
	Unswept  int64  // other entries of purged revisions that are still there
	Older    int    // checkpoints of purged revisions, which can be compared with exports alone
	Fault    *Fault // the first one, or nil if the journal is intact
}

// Fault is the first thing in a journal that is not as it was written.
type Fault struct {
	Revision int64
	Why      string
	// IsOfCheckpoint says that the chain holds in itself, and is not the one that was signed.
	IsOfCheckpoint bool
}

func (f *Fault) String() string { return fmt.Sprintf("revision %d: %s", f.Revision, f.Why) }

const revisionsAtOnce = 2_000

// Verify works the chain of one revision of a database out again, over the connections of a snapshot, and compares it
// with checkpoints, those in the database among them. If keys are given, only theirs count. Errors: those of the
// database. O(entries) time.
func Verify(ctx context.Context, from *store.Snapshot, keys Keys, kept ...Checkpoint) (Report, error) {
	v := &verifier{said: map[ident.ID]bool{}, names: newNames(), replaced: newReplaced()}
	v.Revision = from.Revision
	if err := v.below(ctx, from, keys); err != nil {
		return v.Report, err
	}
	if err := v.head(ctx, from); err != nil {
		return v.Report, err
	}
	ranges := int((from.Revision - v.First + revisionsAtOnce) / revisionsAtOnce)
	err := from.Read(ctx, ranges, func(ctx context.Context, tx *sql.Tx, i int) error {
		first := int64(i)*revisionsAtOnce + v.First
		return v.span(ctx, tx, first, min(first+revisionsAtOnce-1, from.Revision))
	})
	if err != nil {
		return v.Report, err
	}
	if v.First > 1 && !v.isPurgeTold {
		v.fault(v.First, "it is the first that the journal has whole, and no entry tells who purged those before")
	}
	for _, id := range v.redacted {
		if !v.said[id] {
			v.fault(store.RevisionOf(id), "the content of %s is gone, and no entry tells who took it out", id)
		}
	}
	v.Redacted = int64(len(v.redacted))
	for id, digest := range v.found {
		if !hmac.Equal(digest, v.told[id].digest) {
			v.fault(store.RevisionOf(id), "the content of %s is not the one that was written", id)
			continue
		}
		v.Redacted++
	}
	if err := v.compareNames(ctx, from); err != nil {
		return v.Report, err
	}
	return v.Report, v.compareCheckpoints(ctx, from, keys, kept)
}

// Connections returns the number of connections that Verify makes use of.
func Connections() int { return runtime.GOMAXPROCS(0) }

type verifier struct {
	Report
	before      []byte // the link before the first revision
	isPurgeTold bool

	mu       sync.Mutex
	redacted []ident.ID
	said     map[ident.ID]bool // entries that the journal says were redacted
	replaced                   // contents
	names    names
}

// fault notes what is wrong with a revision, if it is the first one.
func (v *verifier) fault(revision int64, why string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.Fault == nil || revision < v.Fault.Revision {
		v.Fault = &Fault{Revision: revision, Why: fmt.Sprintf(why, args...)}
	}
}

// head looks at where the chain ends.
func (v *verifier) head(ctx context.Context, from *store.Snapshot) error {
	var chained, links, last int64
	var link, atEnd []byte
	if err := from.Row(ctx, "SELECT chained, chain FROM head", &chained, &link); err != nil {
		return err
	}
	if err := from.Row(ctx, fmt.Sprintf("SELECT count(*), coalesce(max(revision), 0) FROM x_revision WHERE revision >= %d", v.First), &links, &last); err != nil {
		return err
	}
	v.Link = link
	switch {
	case chained < v.Revision:
		v.fault(chained+1, "it has no link: a program that knows no chain wrote it, or its link was taken away; linchpin migrate links what such programs wrote")
	case chained > v.Revision || last > v.Revision:
		v.fault(v.Revision+1, "it has a link, and the journal ends before it: it was cut")
	case links != last-v.First+1:
		return nil // some range misses its link
	case last > 0:
		if err := from.Row(ctx, "SELECT chain FROM x_revision ORDER BY revision DESC LIMIT 1", &atEnd); err != nil {
			return err
		}
		if !bytes.Equal(link, atEnd) {
			v.fault(last, "its link is not the one at which the journal goes on")
		}
	}
	return nil
}

// span works out the links of some revisions.
func (v *verifier) span(ctx context.Context, tx *sql.Tx, from, to int64) error {
	links, err := linksOf(ctx, tx, from-1, to)
	if err != nil {
		return err
	}
	if from == v.First {
		links[from-1] = link{chain: v.before}
	}
	s := &span{verifier: v, links: links, next: from, names: newNames(), replaced: newReplaced()}
	if err := store.Lines(ctx, tx, from, to, (revisionsAtOnce+1)*store.MostEntries, s.line); err != nil {
		return err
	}
	s.endBefore(to + 1)
	s.end()
	return nil
}

// end adds what was found to the rest.
func (s *span) end() {
	v := s.verifier
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Entries += s.entries
	v.redacted = append(v.redacted, s.redacted...)
	for _, id := range s.said {
		v.said[id] = true
	}
	v.add(s.replaced)
	v.names.add(s.names)
	v.isPurgeTold = v.isPurgeTold || s.isPurgeTold
}

type link struct {
	leaf  [chain.Size]byte
	chain []byte
}

// linksOf returns the links of the revisions from…to that have one.
func linksOf(ctx context.Context, tx *sql.Tx, from, to int64) (_ map[int64]link, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT revision, leaf, chain FROM x_revision WHERE revision >= $1 AND revision <= $2", from, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	links := make(map[int64]link, to-from+1)
	for rows.Next() {
		var revision int64
		var l link
		var leaf sql.RawBytes
		if err := rows.Scan(&revision, &leaf, &l.chain); err != nil {
			return nil, err
		}
		copy(l.leaf[:], leaf)
		links[revision] = l
	}
	return links, rows.Err()
}

// span is the work on some revisions, in their order.
type span struct {
	*verifier
	links    map[int64]link
	next     int64 // the revision whose lines are being read
	place    int   // of the next line in it
	entries  int64
	redacted []ident.ID
	said     []ident.ID
	names    names
	replaced
	// isPurgeTold says that an entry tells who purged what lies before the first revision.
	isPurgeTold bool
	digester    chain.Digester
	leaf        chain.Leaf
}

func (s *span) line(l *store.Line) error {
	of := store.RevisionOf(l.ID)
	s.endBefore(of)
	if l.Revision != of || l.ID != store.EntryID(of, s.place) {
		s.fault(of, "%s says that it is of revision %d, and is in the place of %s", l.ID, l.Revision, store.EntryID(of, s.place))
	}
	s.place++
	s.entries++
	s.content(of, l)
	s.leaf.Add(l.Line)
	s.note(l)
	if l.ActorID != 0 {
		s.names.acted(ident.ID(l.ActorID), l.Actor, of)
	}
	return nil
}

// content compares the content of a line with its digest.
func (s *span) content(of int64, l *store.Line) {
	if l.Salt == nil {
		if l.Before != nil || l.After != nil {
			s.fault(of, "%s has a content and no salt", l.ID)
		}
		s.redacted = append(s.redacted, l.ID)
	} else if digest, err := s.digester.Of(l.Salt, l.Before, l.After); err != nil || !hmac.Equal(digest, l.Digest) {
		s.found[l.ID] = digest
	}
}

// endBefore ends the revisions before one, whose lines were all read.
func (s *span) endBefore(revision int64) {
	for ; s.next < revision; s.next++ {
		sum := s.leaf.Sum()
		found, ok := s.links[s.next]
		switch {
		case !ok:
			s.fault(s.next, "it has no link")
		case sum != found.leaf:
			s.fault(s.next, "its %d entries are not those that were written", s.place)
		case !bytes.Equal(chain.Next(s.links[s.next-1].chain, s.next, sum), found.chain):
			s.fault(s.next, "its link does not follow from the one before")
		}
		s.place = 0
	}
}

// note keeps what a line says of other lines: that they were redacted, and what accounts are called.
func (s *span) note(l *store.Line) {
	record := ident.ID(l.Record)
	switch {
	case store.IsRedaction(l.Verb) && record.Kind() == ident.Entry:
		s.said = append(s.said, record)
		if digest := store.ReplacedDigest(l.After); digest != nil {
			s.tell(record, told{l.ID, digest})
		}
	case l.Verb == store.PurgeVerb && record == store.EntryID(s.First, 0):
		s.isPurgeTold = true
	}
	if record.Kind() != ident.Account {
		return
	}
	if l.Salt == nil {
		s.names.erased[record] = true
	}
	for _, content := range []sql.RawBytes{l.Before, l.After} {
		var a struct{ Name string }
		if content != nil && json.Unmarshal(content, &a) == nil && a.Name != "" {
			s.names.called(record, a.Name)
		}
	}
}
