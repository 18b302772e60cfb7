package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestAnExportVerifiesByItself(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		journal(t, s)
		olga := s.Read.Person.Query().Where(person.Name("Olga")).OnlyX(t.Context())
		write(t, s, store.By{Actor: "cli:root", Via: domain.ViaCLI, Verb: store.RedactVerb}, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Redact(ctx, olga.ID, "she asked")
			return err
		})
		whole := latest(t, s)
		export := func(before int64) (string, audit.Checkpoint, error) {
			from, err := s.Snapshot(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			defer from.Close()
			var b bytes.Buffer
			last, err := audit.Export(t.Context(), from, before, &b)
			return b.String(), last, err
		}
		verify := func(text string, kept ...audit.Checkpoint) audit.Report {
			t.Helper()
			r, err := audit.VerifyExport(strings.NewReader(text), kept...)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		text, last, err := export(whole.Revision + 5)
		if err != nil || last.Revision != whole.Revision || !bytes.Equal(last.Link, whole.Link) {
			t.Fatalf("%v, %v instead of %v", err, last, whole)
		}
		if r := verify(text, whole); r.Fault != nil || r.Revision != whole.Revision || r.Redacted != 1 || r.Newest != whole.Revision || strings.Contains(text, "Olga") {
			t.Errorf("%+v", r)
		}
		part, last, err := export(4)
		if err != nil || last.Revision != 3 || !strings.HasPrefix(text, part) {
			t.Errorf("%v, %v", last, err)
		}
		if r := verify(part, last); r.Fault != nil || r.Newest != 3 {
			t.Errorf("%+v", r)
		}
		if _, _, err := export(1); err == nil {
			t.Error("nothing was exported, and nobody is told")
		}
		lines := strings.SplitAfter(text, "\n")
		for _, c := range []struct {
			what, text   string
			revision     int64
			isCheckpoint bool
		}{
			{"a letter", strings.Replace(text, "Grace", "Grave", 1), 2, false},
			{"who", strings.Replace(text, "cli:root", "cli:eve", 1), 4, false},
			{"a line is gone", strings.Join(append(lines[:4:4], lines[5:]...), ""), 5, false},
			{"the first is gone", strings.Join(lines[1:], ""), 1, false},
			{"the end is gone", strings.Join(lines[:5], ""), whole.Revision, true},
			{"another export", func() string {
				do(t, s, "UPDATE entry SET verb = 'other' WHERE revision = 3")
				rewrite(t, s, 3)
				text, _, err := export(whole.Revision + 1)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}(), whole.Revision, true},
		} {
			r := verify(c.text, whole)
			if r.Fault == nil || r.Fault.Revision != c.revision || r.Fault.IsOfCheckpoint != c.isCheckpoint {
				t.Errorf("%s: %v", c.what, r.Fault)
			}
		}
		if _, err := audit.VerifyExport(strings.NewReader("{}\n{")); err == nil {
			t.Error("half a line passes")
		}
	})
}

// TestARoleThatOnlyInsertsMayWrite gives the role of servers no way to change the journal.
func TestARoleThatOnlyInsertsMayWrite(t *testing.T) {
	address := storetest.PostgresAddress(t)
	owner, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = owner.Close() }()
	journal(t, owner)
	name := fmt.Sprintf("runtime_%d", owner.Now(t.Context()).UnixNano())
	do(t, owner, "CREATE ROLE "+name+" LOGIN")
	defer do(t, owner, "DROP OWNED BY "+name, "DROP ROLE "+name)
	do(t, owner, audit.Grants(name)...)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Del("user")
	u.User, u.RawQuery = url.User(name), q.Encode()
	s, err := store.Open(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if n, err := s.Migrate(t.Context()); n != 0 || err != nil { // as each server does when it starts
		t.Errorf("%d, %v", n, err)
	}
	signer, _ := signed(t)
	again(t, s)
	if _, note, err := audit.Keep(t.Context(), s, signer); err != nil || note == "" {
		t.Errorf("%q, %v", note, err)
	}
	for _, refused := range []string{
		"UPDATE entry SET verb = 'x'", "DELETE FROM entry", "UPDATE x_revision SET leaf = chain", "DELETE FROM x_revision", "UPDATE x_checkpoint SET note = ''", "DELETE FROM x_checkpoint", "TRUNCATE entry",
	} {
		if _, err := s.Writer().ExecContext(t.Context(), refused); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: %v", refused, err)
		}
	}
	if r := verify(t, s, audit.Keys{}, latest(t, s)); r.Fault != nil {
		t.Error(r.Fault)
	}
}
