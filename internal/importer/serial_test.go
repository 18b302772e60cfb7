package importer_test

import (
	"context"
	"iter"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// numbered is a source of one part.
type numbered int64

func (numbered) Name() string { return "numbered" }

func (n numbered) Serials() []importer.Serial {
	return []importer.Serial{{Part: "p", File: "p.tfstate", Number: int64(n)}}
}

func (numbered) Rows(context.Context) iter.Seq2[importer.Row, error] {
	return func(func(importer.Row, error) bool) {}
}

func TestAPartThatIsOlderThanWhatWasAppliedIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		ctx := auth.With(t.Context(), auth.System)
		apply := func(of importer.Source, o importer.Options) error {
			plan, err := importer.NewPlan(ctx, s, of, o)
			if err != nil {
				return err
			}
			_, err = plan.Apply(ctx, s, nil)
			return err
		}
		for i, c := range []struct {
			serial numbered
			older  bool
			code   errs.Code
		}{{5, false, ""}, {5, false, ""}, {4, false, errs.Stale}, {6, false, ""}, {5, false, errs.Stale}, {2, true, ""}, {3, false, ""}} {
			var got errs.Code
			if err := apply(c.serial, importer.Options{TakeOlder: c.older}); err != nil {
				got = errs.CodeOf(err)
			}
			if got != c.code {
				t.Errorf("step %d, serial %d: %q, want %q", i, c.serial, got, c.code)
			}
		}
		if err := apply(importer.Named(numbered(1), "other"), importer.Options{}); err != nil {
			t.Errorf("another source is concerned: %v", err)
		}
		if err := apply(importer.Named(numbered(0), "other"), importer.Options{}); errs.CodeOf(err) != errs.Stale {
			t.Errorf("a source under another name is not concerned: %v", err)
		}
	})
}
