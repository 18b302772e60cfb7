package audit_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// exported returns an export of the revisions before one.
func exported(t testing.TB, s *store.Store, before int64) string {
	t.Helper()
	from, err := s.Snapshot(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	var b bytes.Buffer
	if _, err := audit.Export(t.Context(), from, before, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var operator = store.By{Actor: "cli:root", Via: domain.ViaCLI}

// lived writes what journal writes, and records that went or were renamed.
func lived(t testing.TB, s *store.Store) {
	t.Helper()
	journal(t, s)
	var gone ident.ID
	write(t, s, ada, func(ctx context.Context, tx *store.Tx) error {
		olga := s.Read.Person.Query().Where(person.Name("Olga")).OnlyIDX(ctx)
		made, err := tx.Membership.Create().SetTeamID(s.Read.Team.Query().OnlyIDX(ctx)).SetPersonID(olga).Save(ctx)
		if err == nil {
			gone = made.ID
		}
		return err
	})
	write(t, s, ada, func(ctx context.Context, tx *store.Tx) error { return tx.Membership.DeleteOneID(gone).Exec(ctx) })
	write(t, s, ada, func(ctx context.Context, tx *store.Tx) error {
		return tx.Person.UpdateOneID(s.Read.Person.Query().Where(person.Name("Olga")).OnlyIDX(ctx)).SetEmail("olga@example.com").SetUpdatedAt(tx.Now).Exec(ctx)
	})
}

func TestAPurgedJournalStillVerifies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		lived(t, s)
		signer, keys := signed(t)
		early := latest(t, s)
		again(t, s)
		again(t, s)
		before := latest(t, s).Revision
		entries := s.Read.Entry.Query().CountX(t.Context())
		export := exported(t, s, before)
		p, err := audit.Purge(t.Context(), s, operator, signer, keys, before, strings.NewReader(export), nil)
		if err != nil {
			t.Fatal(err)
		}
		if left := s.Read.Entry.Query().Where(entry.RevisionLT(before)).CountX(t.Context()); int64(left) != p.Kept || p.Kept+p.Gone >= int64(entries) || p.Gone == 0 {
			t.Errorf("%+v, %d are left", p, left)
		}
		if s.Read.Entry.Query().Where(entry.OperationEQ(domain.Deleted)).CountX(t.Context()) > 0 {
			t.Error("what became of records that were gone is kept")
		}
		r := verify(t, s, keys, latest(t, s), early)
		if r.Fault != nil || r.First != before || r.Kept != p.Kept || r.Older != 1 || r.Unswept != 0 || r.Newest != latest(t, s).Revision {
			t.Errorf("%+v, %v", r, r.Fault)
		}
		again(t, s)
		next := latest(t, s).Revision
		text := exported(t, s, next)
		if strings.Contains(text, fmt.Sprintf(`"revision":%d,`, before-1)) {
			t.Error("an export has what was purged")
		}
		held, err := audit.VerifyExport(strings.NewReader(text), audit.Checkpoint{Revision: before - 1, Link: linkOf(t, export)})
		if err != nil || held.Fault != nil || held.First != before || held.Revision != next-1 {
			t.Errorf("%+v, %v", held, err)
		}
		if _, err := audit.Purge(t.Context(), s, operator, signer, keys, next, strings.NewReader(text), nil); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, s, keys); r.Fault != nil || r.First != next {
			t.Errorf("a second purge: %+v, %v", r, r.Fault)
		}
		if n := s.Read.Entry.Query().Where(entry.Verb(store.PurgeVerb)).CountX(t.Context()); n != 2 {
			t.Errorf("%d entries tell of two purges", n)
		}
	})
}

// linkOf returns the last link of an export.
func linkOf(t testing.TB, export string) []byte {
	t.Helper()
	r, err := audit.VerifyExport(strings.NewReader(export))
	if err != nil || r.Fault != nil {
		t.Fatal(err, r.Fault)
	}
	return r.Link
}

func TestNothingIsPurgedThatNoExportHolds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		lived(t, s)
		signer, keys := signed(t)
		last := latest(t, s).Revision
		export := exported(t, s, 6)
		lines := strings.SplitAfter(export, "\n")
		// As it is written where the first revisions were purged.
		later := strings.Replace(strings.Join(lines[3:], ""), "{", fmt.Sprintf(`{"previous":%q,`, base64.StdEncoding.EncodeToString(linkOf(t, strings.Join(lines[:3], "")))), 1)
		for what, c := range map[string]struct {
			before int64
			export string
			says   string
		}{
			"a revision too few": {7, export, "does not hold"},
			"another letter":     {6, strings.Replace(export, "Grace", "Grave", 1), "does not hold"},
			"no line":            {6, "", "does not hold"},
			"no export":          {6, "x", "cannot be read"},
			"the first is gone":  {6, strings.Join(lines[1:], ""), "does not hold"},
			"a later beginning":  {6, later, "begins with revision 4"},
			"the first revision": {1, export, "one after the first"},
			"all revisions":      {last + 1, export, "one after the first"},
		} {
			_, err := audit.Purge(t.Context(), s, operator, signer, keys, c.before, strings.NewReader(c.export), nil)
			if errs.CodeOf(err) != errs.Invalid || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", what, err)
			}
		}
		do(t, s, "UPDATE entry SET verb = 'other' WHERE revision = 3")
		if _, err := audit.Purge(t.Context(), s, operator, signer, keys, 6, strings.NewReader(export), nil); err == nil || !strings.Contains(err.Error(), "not as it was written") {
			t.Errorf("a journal that somebody changed is purged: %v", err)
		}
		if floor, err := s.Floor(t.Context()); floor != 1 || err != nil || latest(t, s).Revision != last {
			t.Errorf("the journal begins with %d, %v", floor, err)
		}
	})
}

// TestTamperingWithWhatAPurgeKeptIsSeen takes each thing back after it.
func TestTamperingWithWhatAPurgeKeptIsSeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		lived(t, s)
		signer, keys := signed(t)
		before := latest(t, s).Revision
		if _, err := audit.Purge(t.Context(), s, operator, signer, keys, before, strings.NewReader(exported(t, s, before)), nil); err != nil {
			t.Fatal(err)
		}
		other, _ := signed(t)
		forged, err := other.Sign(audit.Checkpoint{Revision: before - 1, Link: latest(t, s).Link})
		if err != nil {
			t.Fatal(err)
		}
		note := func(s *store.Store) (note string) {
			if err := s.Writer().QueryRowContext(t.Context(), "SELECT note FROM x_floor").Scan(&note); err != nil {
				t.Fatal(err)
			}
			return note
		}(s)
		const kept = "(SELECT min(id) FROM entry)"
		for _, c := range []struct{ what, do, undo string }{
			{"a verb", "UPDATE entry SET verb = 'x-' || verb WHERE id = " + kept, "UPDATE entry SET verb = substr(verb, 3) WHERE id = " + kept},
			{"a content", "UPDATE entry SET salt = digest WHERE id = " + kept, ""},
			{"an entry is gone", "DELETE FROM entry WHERE id = " + kept, ""},
			{"the floor goes up", fmt.Sprintf("UPDATE x_floor SET revision = %d", before+1), fmt.Sprintf("UPDATE x_floor SET revision = %d", before)},
			{"the floor is gone", "DELETE FROM x_floor", ""},
			{"a note of somebody else", "UPDATE x_floor SET note = '" + forged + "'", "UPDATE x_floor SET note = '" + note + "'"},
			{"no entry tells of it", "UPDATE entry SET verb = 'x' WHERE verb = 'journal.purge'", ""},
		} {
			if r := verify(t, s, keys); r.Fault != nil {
				t.Fatalf("before %s: %v", c.what, r.Fault)
			}
			if c.undo != "" {
				do(t, s, c.do)
				if r := verify(t, s, keys); r.Fault == nil {
					t.Errorf("%s is not seen", c.what)
				}
				do(t, s, c.undo)
				continue
			}
			within(t, s, c.do, func() {
				if r := verify(t, s, keys); r.Fault == nil {
					t.Errorf("%s is not seen", c.what)
				}
			})
		}
	})
}

// TestAPurgeOfWhichNothingTellsIsSeen makes the chain anew without the entry that tells of it.
func TestAPurgeOfWhichNothingTellsIsSeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		lived(t, s)
		signer, keys := signed(t)
		before := latest(t, s).Revision
		if _, err := audit.Purge(t.Context(), s, operator, signer, keys, before, strings.NewReader(exported(t, s, before)), nil); err != nil {
			t.Fatal(err)
		}
		do(t, s, "UPDATE entry SET verb = 'other' WHERE verb = 'journal.purge'")
		rewrite(t, s, before+1)
		if r := verify(t, s, keys); r.Fault == nil || !strings.Contains(r.Fault.Why, "no entry tells") {
			t.Error(r.Fault)
		}
	})
}

// within runs a test after a statement on the tables that it may change, and puts these back.
func within(t *testing.T, s *store.Store, statement string, test func()) {
	t.Helper()
	do(t, s, "CREATE TABLE x_kept_entry AS SELECT * FROM entry", "CREATE TABLE x_kept_floor AS SELECT * FROM x_floor", statement)
	test()
	do(t, s, "DELETE FROM entry", "DELETE FROM x_floor", "INSERT INTO entry SELECT * FROM x_kept_entry", "INSERT INTO x_floor SELECT * FROM x_kept_floor",
		"DROP TABLE x_kept_entry", "DROP TABLE x_kept_floor")
}

// TestAPurgeThatWasCutShortGoesOn cuts it between the floor and the deleting, and amid it.
func TestAPurgeThatWasCutShortGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		lived(t, s)
		signer, keys := signed(t)
		before := latest(t, s).Revision
		export := exported(t, s, before)
		oldest := s.Read.Entry.Query().Order(ent.Asc(entry.FieldID)).FirstIDX(t.Context()) // of a team that has changed since
		cut, cancel := context.WithCancel(t.Context())
		if _, err := audit.Purge(cut, s, operator, signer, keys, before, strings.NewReader(export), func(begins string) {
			if strings.HasPrefix(begins, "Deleting") {
				cancel()
			}
		}); err == nil {
			t.Fatal("it was not cut short")
		}
		r := verify(t, s, keys)
		if r.Fault != nil || r.First != before || r.Unswept == 0 {
			t.Errorf("%+v, %v", r, r.Fault)
		}
		if err := s.DropEntries(t.Context(), []int64{int64(oldest)}); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, s, keys); r.Fault != nil {
			t.Errorf("amid it: %v", r.Fault)
		}
		if _, err := audit.Purge(t.Context(), s, operator, signer, keys, before, strings.NewReader(export), nil); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, s, keys); r.Fault != nil || r.Unswept != 0 {
			t.Errorf("%+v, %v", r, r.Fault)
		}
	})
}
