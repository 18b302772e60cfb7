package audit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/chain"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func write(t testing.TB, s *store.Store, by store.By, decide func(context.Context, *store.Tx) error) {
	t.Helper()
	if _, err := store.Write(t.Context(), s, by, func(ctx context.Context, tx *store.Tx) (int, error) { return 0, decide(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

var ada = store.By{Actor: "Ada", Via: domain.ViaDev, Verb: "test"}

// journal writes revisions of many kinds: by ent and in bulk, with records that change, move and go.
func journal(t testing.TB, s *store.Store) {
	t.Helper()
	var team *ent.Team
	var people []*ent.Person
	write(t, s, store.By{Actor: "linchpin", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (err error) {
		team, err = tx.Team.Create().SetName("Ünïcödé <b>&\u2028 𝄞").SetDescription("a \"team\"\n").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		return err
	})
	write(t, s, ada, func(ctx context.Context, tx *store.Tx) error {
		people = nil
		for _, name := range []string{"Grace", "Olga"} {
			p, err := tx.Person.Create().SetName(name).SetEmail(name + "@example.org").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
			if err != nil {
				return err
			}
			people = append(people, p)
		}
		return nil
	})
	var class *ent.CIClass
	write(t, s, ada, func(ctx context.Context, tx *store.Tx) (err error) {
		class, err = tx.CIClass.Create().SetCode("host").SetLabel("Host").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		return err
	})
	write(t, s, store.By{Actor: "cli:root", Via: domain.ViaCLI, Verb: "bulk"}, func(ctx context.Context, tx *store.Tx) error {
		var all []*ent.CI
		for i := range 120 { // by COPY
			all = append(all, &ent.CI{
				ClassID: class.ID, Name: fmt.Sprint("host ", i), Lifecycle: domain.Live, Environment: domain.Staging, Criticality: domain.CriticalityHigh,
				Visibility: domain.Everyone, Labels: map[string]string{"zz": "a", "y": "<b>"}, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
				Attributes: map[string]any{"n": 1e21, "small": 1.5e-9, "list": []any{"é", nil, false, map[string]any{"bb": 1, "a": 2.50}}},
			})
		}
		return store.Insert(ctx, tx, all)
	})
	for i := range 4 {
		write(t, s, ada, func(ctx context.Context, tx *store.Tx) error {
			return tx.Team.UpdateOneID(team.ID).SetDescription(fmt.Sprint("changed ", i)).SetUpdatedAt(tx.Now).Exec(ctx)
		})
	}
	write(t, s, ada, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Membership.Create().SetTeamID(team.ID).SetPersonID(people[0].ID).Save(ctx)
		return err
	})
}

func verify(t testing.TB, s *store.Store, keys audit.Keys, kept ...audit.Checkpoint) audit.Report {
	t.Helper()
	from, err := s.Snapshot(t.Context(), audit.Connections())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	r, err := audit.Verify(t.Context(), from, keys, kept...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func do(t testing.TB, s *store.Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.Writer().ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func latest(t testing.TB, s *store.Store) audit.Checkpoint {
	t.Helper()
	c, err := audit.Latest(t.Context(), s)
	if err != nil || c == nil {
		t.Fatalf("%v, %v", c, err)
	}
	return *c
}

// rewrite makes the chain anew from a revision on, as somebody would who may write all tables and knows this program.
func rewrite(t *testing.T, s *store.Store, from int64) {
	t.Helper()
	do(t, s, fmt.Sprintf("DELETE FROM x_revision WHERE revision >= %d", from), fmt.Sprintf("UPDATE entry SET digest = NULL, salt = NULL WHERE revision >= %d", from),
		fmt.Sprintf("UPDATE head SET chained = %d, chain = (SELECT chain FROM x_revision WHERE revision = %[1]d)", from-1))
	if err := s.LinkAll(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTheChainHoldsWhateverWasWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if r := verify(t, s, audit.Keys{}); r.Fault != nil || r.Revision != 0 {
			t.Errorf("an empty journal: %v", r)
		}
		journal(t, s)
		r := verify(t, s, audit.Keys{}, latest(t, s))
		if r.Fault != nil {
			t.Fatal(r.Fault)
		}
		if r.Revision < 9 || r.Entries < r.Revision+120 || r.Newest != r.Revision || len(r.Link) != chain.Size {
			t.Errorf("%+v", r)
		}
	})
}

func Test14EveryTamperingIsSeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		journal(t, s)
		kept := latest(t, s)
		last := kept.Revision
		isPostgres := s.IsPostgres()
		text := func(column string) string { // the text of a JSON column
			if isPostgres {
				return column + "::text"
			}
			return "CAST(" + column + " AS text)"
		}
		as := func(expression string) string { // a JSON value made of text
			if isPostgres {
				return "(" + expression + ")::jsonb"
			}
			return "CAST(" + expression + " AS blob)"
		}
		const second = 2
		restore := keep(t, s)
		one := fmt.Sprintf("id = %d", int64(store.EntryID(second, 1)))
		other := fmt.Sprintf("id = %d", int64(store.EntryID(second, 2)))
		for _, c := range []struct {
			what         string
			do           []string
			revision     int64
			says         string
			isCheckpoint bool
		}{
			{"a letter of what was written", []string{"UPDATE entry SET after = " + as("replace("+text("after")+", 'Grace', 'Grave')") + " WHERE revision = 2"}, second, "content", false},
			{"a letter of what was before", []string{"UPDATE entry SET before = " + as("replace("+text("before")+", 'changed 0', 'changed 7')") + " WHERE revision = 6"}, 6, "content", false},
			{"the content and its digest", []string{"UPDATE entry SET after = (SELECT after FROM entry WHERE " + other + "), salt = (SELECT salt FROM entry WHERE " + other + "), digest = (SELECT digest FROM entry WHERE " + other + ") WHERE " + one}, second, "entries", false},
			{"the content, with nothing told", []string{"UPDATE entry SET before = NULL, after = NULL, salt = NULL WHERE " + one}, second, "no entry tells", false},
			{"the last of several entries is gone", []string{fmt.Sprintf("DELETE FROM entry WHERE id = (SELECT max(id) FROM entry WHERE revision = %d)", second)}, second, "entries", false},
			{"a revision is gone", []string{"DELETE FROM entry WHERE revision = 5"}, 5, "0 entries", false},
			{"two revisions changed places", []string{
				"UPDATE entry SET id = id + 65536 * 1000, revision = revision + 1000 WHERE revision = 5", "UPDATE entry SET id = id - 65536, revision = 5 WHERE revision = 6",
				"UPDATE entry SET id = id - 65536 * 999, revision = 6 WHERE revision = 1005",
			}, 5, "entries", false},
			{"who did it", []string{"UPDATE entry SET actor_id = (SELECT max(id) FROM account) + 1 WHERE revision = 6"}, 6, "entries", false},
			{"the name of who did it", []string{"UPDATE entry SET actor = 'Eve' WHERE revision = 6"}, 6, "Eve", false},
			{"the name of a command", []string{"UPDATE entry SET actor = 'cli:eve' WHERE via = 'CLI'"}, 4, "entries", false},
			{"by which door", []string{"UPDATE entry SET via = 'SESSION' WHERE revision = 6"}, 6, "entries", false},
			{"what was done", []string{"UPDATE entry SET verb = 'team.delete' WHERE revision = 6"}, 6, "entries", false},
			{"when", []string{"UPDATE entry SET at = (SELECT min(at) FROM entry) WHERE revision = 6"}, 6, "entries", false},
			{"another link", []string{"UPDATE x_revision SET chain = leaf WHERE revision = 5"}, 5, "follow", false},
			{"another link, at the end", []string{fmt.Sprintf("UPDATE x_revision SET chain = leaf WHERE revision = %d", last)}, last, "link", false},
			{"a link is gone", []string{"DELETE FROM x_revision WHERE revision = 5"}, 5, "no link", false},
			{"a journal that was cut", []string{fmt.Sprintf("DELETE FROM entry WHERE revision = %d", last), fmt.Sprintf("UPDATE head SET revision = %d", last-1)}, last, "cut", false},
			{"a journal that was cut with its chain", []string{
				fmt.Sprintf("DELETE FROM entry WHERE revision = %d", last), fmt.Sprintf("DELETE FROM x_revision WHERE revision = %d", last),
				fmt.Sprintf("UPDATE head SET revision = %d, chained = %[1]d, chain = (SELECT chain FROM x_revision WHERE revision = %[1]d)", last-1),
			}, last, "ahead", true},
		} {
			do(t, s, c.do...)
			r := verify(t, s, audit.Keys{}, kept)
			if r.Fault == nil || r.Fault.Revision != c.revision || r.Fault.IsOfCheckpoint != c.isCheckpoint || !strings.Contains(r.Fault.Why, c.says) {
				t.Errorf("%s: found %v, not revision %d: …%s…", c.what, r.Fault, c.revision, c.says)
			}
			restore()
		}
		if r := verify(t, s, audit.Keys{}, kept); r.Fault != nil {
			t.Errorf("all of it was taken back, and %v is left", r.Fault)
		}
	})
}

// keep returns a function that brings the tables of the journal back as they are now.
func keep(t *testing.T, s *store.Store) (restore func()) {
	t.Helper()
	tables := []string{"entry", "head", "x_revision", "x_checkpoint"}
	for _, table := range tables {
		do(t, s, "CREATE TABLE x_kept_"+table+" AS SELECT * FROM "+table)
	}
	return func() {
		t.Helper()
		for _, table := range tables {
			do(t, s, "DELETE FROM "+table, "INSERT INTO "+table+" SELECT * FROM x_kept_"+table)
		}
	}
}

func Test14AJournalThatWasWrittenAnewIsNotTheOneThatWasSigned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		signer, keys := signed(t)
		journal(t, s)
		_, note, err := audit.Keep(t.Context(), s, signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, again, err := audit.Keep(t.Context(), s, signer); again != "" || err != nil {
			t.Errorf("the same revision was signed twice: %q, %v", again, err)
		}
		kept, err := keys.Open([]byte(note))
		if err != nil || kept.Revision != latest(t, s).Revision {
			t.Fatalf("%v, %v", kept, err)
		}
		if r := verify(t, s, keys, kept); r.Fault != nil || r.Newest != kept.Revision {
			t.Fatalf("%+v", r)
		}
		restore := keep(t, s)
		wants := func(what string, revision int64, says string, r audit.Report) {
			t.Helper()
			if r.Fault == nil || !r.Fault.IsOfCheckpoint || r.Fault.Revision != revision || !strings.Contains(r.Fault.Why, says) {
				t.Errorf("%s: %v", what, r.Fault)
			}
		}
		do(t, s, "UPDATE entry SET verb = 'team.delete' WHERE revision = 6")
		rewrite(t, s, 6)
		wants("the database keeps a checkpoint", kept.Revision, "written anew", verify(t, s, keys))
		wants("without the key", kept.Revision, "written anew", verify(t, s, audit.Keys{}))
		do(t, s, "DELETE FROM x_checkpoint")
		if r := verify(t, s, keys); r.Fault != nil {
			t.Errorf("the chain that was made anew does not hold: %v", r.Fault)
		}
		wants("a checkpoint was kept elsewhere", kept.Revision, "written anew", verify(t, s, keys, kept))
		restore()

		forged := strings.Replace(note, fmt.Sprintf("\n%d\n", kept.Revision), "\n5\n", 1)
		if _, err := keys.Open([]byte(forged)); err == nil {
			t.Error("a checkpoint that was changed passes")
		}
		do(t, s, "UPDATE x_checkpoint SET note = replace(note, '"+audit.Origin+"', 'another')")
		wants("a checkpoint in the database was changed", kept.Revision, "not the one that was signed", verify(t, s, audit.Keys{}))
		restore()

		other, _ := signed(t)
		do(t, s, "DELETE FROM x_checkpoint")
		if _, _, err := audit.Keep(t.Context(), s, other); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, s, keys); r.Fault != nil || r.Newest != 0 {
			t.Errorf("another key signed a checkpoint, which tells nothing: %+v", r)
		}
		do(t, s, "UPDATE x_checkpoint SET revision = revision - 1")
		wants("a checkpoint in the place of another", kept.Revision-1, "not the one that was signed", verify(t, s, audit.Keys{}))
	})
}

// signed returns a signer with a key of its own, and that key.
func signed(t *testing.T) (*audit.Signer, audit.Keys) {
	t.Helper()
	seed := make([]byte, 32)
	_, _ = rand.Read(seed)
	signer, err := audit.NewSigner(seed)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := audit.ParseKeys(signer.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return signer, keys
}

func Test15RedactedContentIsGoneAndTheChainHolds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		journal(t, s)
		kept := latest(t, s)
		grace := s.Read.Person.Query().Where(person.Name("Grace")).OnlyX(t.Context())
		redact := func(of ident.ID, reason string) (n int, err error) {
			return store.Write(t.Context(), s, store.By{Actor: "cli:root", Via: domain.ViaCLI, Verb: store.RedactVerb}, func(ctx context.Context, tx *store.Tx) (int, error) {
				return tx.Redact(ctx, of, reason)
			})
		}
		for range 2 { // the second time nothing is left to do
			if _, err := redact(grace.ID, "she left"); err != nil {
				t.Fatal(err)
			}
		}
		for _, refused := range []struct {
			of     ident.ID
			reason string
			code   errs.Code
		}{{grace.ID, "", errs.Invalid}, {ident.New(ident.CI, 1), "x", errs.Invalid}, {ident.New(ident.Person, 99), "x", errs.NotFound}} {
			if _, err := redact(refused.of, refused.reason); errs.CodeOf(err) != refused.code {
				t.Errorf("%v: %v", refused, err)
			}
		}
		if r := verify(t, s, audit.Keys{}, kept); r.Fault != nil || r.Redacted != 1 || r.Revision != kept.Revision+1 {
			t.Errorf("%+v", r)
		}
		for _, e := range s.Read.Entry.Query().AllX(t.Context()) {
			switch {
			case strings.Contains(fmt.Sprint(e.Before, e.After), "Grace"):
				t.Errorf("%s still has her name", e.ID)
			case e.RecordID == grace.ID && e.Salt != nil:
				t.Errorf("%s has its salt", e.ID)
			case e.Verb == store.RedactVerb && (e.After["reason"] != "she left" || e.SubjectID != grace.ID):
				t.Errorf("the journal does not say why: %v", e)
			}
		}
		do(t, s, fmt.Sprintf("UPDATE entry SET after = '{}' WHERE record_id = %d", int64(grace.ID)))
		if r := verify(t, s, audit.Keys{}); r.Fault == nil || !strings.Contains(r.Fault.Why, "no salt") {
			t.Errorf("a content in the place of what was redacted: %v", r.Fault)
		}
	})
}

// TestRevisionsOfProgramsWithoutAChainAreLinked lets such a program write before, between and beside.
func TestRevisionsOfProgramsWithoutAChainAreLinked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		journal(t, s)
		before := latest(t, s)
		unchain := func(from int64) {
			t.Helper()
			do(t, s, fmt.Sprintf("DELETE FROM x_revision WHERE revision >= %d", from), fmt.Sprintf("UPDATE entry SET digest = NULL, salt = NULL WHERE revision >= %d", from),
				fmt.Sprintf("UPDATE head SET chained = %d, chain = (SELECT chain FROM x_revision WHERE revision = %[1]d)", from-1))
		}
		unchain(1)
		if r := verify(t, s, audit.Keys{}); r.Fault == nil || r.Fault.Revision != 1 || !strings.Contains(r.Fault.Why, "linchpin migrate") {
			t.Errorf("without a link: %v", r.Fault)
		}
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		after := latest(t, s)
		if r := verify(t, s, audit.Keys{}, after); r.Fault != nil || after.Revision != before.Revision || bytes.Equal(after.Link, before.Link) {
			t.Errorf("%+v", r)
		}
		unchain(before.Revision - 2)
		again(t, s)
		if r := verify(t, s, audit.Keys{}, latest(t, s)); r.Fault != nil || r.Revision <= before.Revision {
			t.Errorf("%+v", r)
		}
	})
}

func again(t *testing.T, s *store.Store) {
	t.Helper()
	write(t, s, ada, func(ctx context.Context, tx *store.Tx) error {
		return tx.Team.UpdateOneID(s.Read.Team.Query().OnlyIDX(ctx)).SetDescription("once more").SetUpdatedAt(tx.Now).Exec(ctx)
	})
}

func TestWritersAtOnceMakeOneChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const writers, each = 8, 15
		var at sync.WaitGroup
		for w := range writers {
			at.Go(func() {
				for i := range each {
					_, err := store.Write(t.Context(), s, store.By{Actor: "linchpin", Verb: "test"}, func(ctx context.Context, tx *store.Tx) (*ent.Team, error) {
						return tx.Team.Create().SetName(fmt.Sprint(w, " ", i)).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		at.Wait()
		if r := verify(t, s, audit.Keys{}, latest(t, s)); r.Fault != nil || r.Revision != writers*each {
			t.Errorf("%+v", r)
		}
	})
}
