package importer_test

import (
	"bytes"
	"context"
	"iter"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// rows is a source made of rows.
type rows struct {
	name string
	all  []importer.Row
}

func (s rows) Name() string { return s.name }

func (s rows) Rows(context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		for _, r := range s.all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// cis returns a source named "test" of CIs, one a line of the file "test".
func cis(all ...importer.CI) rows {
	s := rows{name: "test"}
	for i := range all {
		s.all = append(s.all, importer.Row{Origin: importer.Origin{File: "test.yaml", Line: i + 1}, CI: &all[i]})
	}
	return s
}

func each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
}

func admin(t testing.TB) context.Context {
	return auth.With(t.Context(), auth.Dev("ada", auth.Admin))
}

func plan(t testing.TB, s *store.Store, source importer.Source) *importer.Plan {
	t.Helper()
	p, err := importer.NewPlan(t.Context(), s, source, importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// load imports a source and fails if there is a conflict.
func load(t testing.TB, s *store.Store, source importer.Source) *importer.Plan {
	t.Helper()
	p := plan(t, s, source)
	result, err := p.Apply(admin(t), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Conflicts) > 0 {
		t.Fatalf("conflicts: %+v", result.Conflicts)
	}
	return p
}

func revision(t testing.TB, s *store.Store) int64 {
	t.Helper()
	n, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// changesNothing imports a source again and fails if anything is written.
func changesNothing(t *testing.T, s *store.Store, source importer.Source) {
	t.Helper()
	before := revision(t, s)
	again := load(t, s, source)
	if n := again.Writes(); n > 0 {
		for _, i := range again.Steps {
			if i.Writes() {
				t.Errorf("the second run would write %+v", i)
			}
		}
	}
	if after := revision(t, s); after != before {
		t.Errorf("the second run wrote revision %d after %d", after, before)
	}
}

func summary(t testing.TB, p *importer.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := importer.WriteSummary(&b, p, importer.SummaryOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// record returns the id of the record that has an external id in a source.
func record(t testing.TB, s *store.Store, source, externalID string) ident.ID {
	t.Helper()
	key, err := s.Read.ExternalIdentity.Query().Where(externalidentity.Source(source), externalidentity.ExternalID(externalID)).Only(t.Context())
	if err != nil {
		t.Fatalf("%s %s: %v", source, externalID, err)
	}
	return key.RecordID
}
