package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/chain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// An export is a line of JSON for each revision, from the first that the journal has whole, which has all that its link
// is made of: it verifies without a database.
type exported struct {
	Revision int64           `json:"revision"`
	Previous []byte          `json:"previous,omitempty"` // the link before, of a first line that is not of revision 1
	Link     []byte          `json:"link"`
	Entries  []exportedEntry `json:"entries"`
}

type exportedEntry struct {
	ID        ident.ID        `json:"id"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor"`
	ActorID   ident.ID        `json:"actorId,omitempty"`
	Via       string          `json:"via"`
	ViaID     ident.ID        `json:"viaId,omitempty"`
	Verb      string          `json:"verb"`
	Operation string          `json:"operation"`
	Record    ident.ID        `json:"record"`
	Subject   ident.ID        `json:"subject"`
	Before    json.RawMessage `json:"before,omitempty"`
	After     json.RawMessage `json:"after,omitempty"`
	Salt      []byte          `json:"salt,omitempty"`     // absent: it was redacted
	Replaced  bool            `json:"replaced,omitempty"` // a name was taken out of the content, which is not the one that the digest is of
	Digest    []byte          `json:"digest"`
}

// Export writes the revisions before one as NDJSON, and returns the checkpoint of the last of them. Errors: those of
// the database, and those that name a revision without a link or say that no revision comes before.
func Export(ctx context.Context, from *store.Snapshot, before int64, w io.Writer) (last Checkpoint, err error) {
	floor, err := from.Floor(ctx)
	if err != nil {
		return last, err
	}
	to := min(before-1, from.Revision)
	if to < floor.Revision {
		return last, fmt.Errorf("the journal has revisions %d to %d: none of them is before %d", floor.Revision, from.Revision, before)
	}
	previous, err := from.LinkOf(ctx, floor.Revision-1)
	if err != nil {
		return last, err
	}
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	err = from.Read(ctx, 1, func(ctx context.Context, tx *sql.Tx, _ int) error {
		for first := floor.Revision; first <= to; first += revisionsAtOnce {
			if err := exportSome(ctx, tx, exported{Revision: first, Previous: previous}, min(first+revisionsAtOnce-1, to), lines, &last); err != nil {
				return err
			}
			previous = nil
		}
		return nil
	})
	return last, err
}

// exportSome writes the revisions up to one, of which e is the first.
func exportSome(ctx context.Context, tx *sql.Tx, e exported, to int64, into *json.Encoder, last *Checkpoint) error {
	from := e.Revision
	links, err := linksOf(ctx, tx, from, to)
	if err != nil {
		return err
	}
	end := func(before int64) error {
		for ; e.Revision < before; e = (exported{Revision: e.Revision + 1, Entries: e.Entries[:0]}) {
			e.Link = links[e.Revision].chain
			if e.Link == nil {
				return fmt.Errorf("revision %d has no link: linchpin journal verify tells more", e.Revision)
			}
			if err := into.Encode(e); err != nil {
				return err
			}
			*last = Checkpoint{e.Revision, e.Link}
		}
		return nil
	}
	var digester chain.Digester
	err = store.Lines(ctx, tx, from, to, (revisionsAtOnce+1)*store.MostEntries, func(l *store.Line) error {
		if err := end(store.RevisionOf(l.ID)); err != nil {
			return err
		}
		isReplaced := false
		if l.Salt != nil {
			digest, err := digester.Of(l.Salt, l.Before, l.After)
			isReplaced = err != nil || !hmac.Equal(digest, l.Digest)
		}
		e.Entries = append(e.Entries, exportedEntry{
			Replaced: isReplaced,
			ID:       l.ID, At: time.UnixMicro(l.At).UTC(), Actor: l.Actor, ActorID: ident.ID(l.ActorID), Via: l.Via, ViaID: ident.ID(l.ViaID), Verb: l.Verb,
			Operation: l.Operation, Record: ident.ID(l.Record), Subject: ident.ID(l.Subject),
			Before: bytes.Clone(l.Before), After: bytes.Clone(l.After), Salt: bytes.Clone(l.Salt), Digest: bytes.Clone(l.Digest),
		})
		return nil
	})
	if err != nil {
		return err
	}
	return end(to + 1)
}

// VerifyExport works the chain of an export out again, and compares it with checkpoints. Errors: those of r; a line
// that is no revision.
func VerifyExport(r io.Reader, kept ...Checkpoint) (Report, error) {
	v := &verifier{Report: Report{First: 1}}
	var digester chain.Digester
	links := map[int64][]byte{}
	lines := json.NewDecoder(r)
	for {
		var e exported
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return v.Report, fmt.Errorf("line %d: %w", v.Revision+1, err)
		}
		if v.Revision == 0 && e.Previous != nil { // what comes before was purged, and is in another export
			v.First, v.Revision, v.Link = e.Revision, e.Revision-1, e.Previous
			for _, c := range kept {
				if c.Revision == v.Revision {
					links[v.Revision] = v.Link
				}
			}
		}
		if e.Revision != v.Revision+1 {
			v.fault(v.Revision+1, "it is missing: revision %d follows revision %d", e.Revision, v.Revision)
		}
		if why := e.verify(&digester, v.Link, &v.Report); why != "" {
			v.fault(e.Revision, "%s", why)
		}
		v.Revision, v.Link = e.Revision, e.Link
		for _, c := range kept {
			if c.Revision == e.Revision {
				links[e.Revision] = e.Link
			}
		}
	}
	for _, c := range kept {
		v.compare(c, links[c.Revision], "")
	}
	return v.Report, nil
}

// verify returns what is wrong with a revision, or "".
func (e *exported) verify(digester *chain.Digester, previous []byte, r *Report) string {
	var leaf chain.Leaf
	for place, l := range e.Entries {
		r.Entries++
		if l.ID != store.EntryID(e.Revision, place) {
			return fmt.Sprintf("%s is in the place of %s", l.ID, store.EntryID(e.Revision, place))
		}
		if l.Salt == nil {
			r.Redacted++
			if l.Before != nil || l.After != nil {
				return fmt.Sprintf("%s has a content and no salt", l.ID)
			}
		} else if digest, err := digester.Of(l.Salt, l.Before, l.After); l.Replaced {
			r.Redacted++
		} else if err != nil || !hmac.Equal(digest, l.Digest) {
			return fmt.Sprintf("the content of %s is not the one that was written", l.ID)
		}
		leaf.Add(chain.Line{
			At: l.At.UnixMicro(), Actor: l.Actor, ActorID: int64(l.ActorID), ViaID: int64(l.ViaID), Via: l.Via, Verb: l.Verb, Operation: l.Operation,
			Record: int64(l.Record), Subject: int64(l.Subject), Digest: l.Digest,
		})
	}
	if !bytes.Equal(chain.Next(previous, e.Revision, leaf.Sum()), e.Link) {
		return fmt.Sprintf("its %d entries are not those that were written, or its link does not follow from the one before", len(e.Entries))
	}
	return ""
}
