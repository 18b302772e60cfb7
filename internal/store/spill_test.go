package store_test

import (
	"context"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestARevisionBeyondTheLastIsRefused(t *testing.T) {
	fresh(t, func(t *testing.T, address string) {
		s := open(t, address)
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		write := func(name string) error {
			_, err := store.Write(t.Context(), s, store.By{Actor: "ada", Verb: "test"}, func(ctx context.Context, tx *store.Tx) (int, error) {
				return 0, tx.Team.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
			})
			return err
		}
		raw(t, s, "UPDATE head SET revision = $1, chained = $1", int64(store.MostRevision-1))
		if err := write("the last"); err != nil {
			t.Fatal(err)
		}
		if err := write("one more"); errs.CodeOf(err) != errs.Unavailable {
			t.Errorf("it is written: %v", err)
		}
		if n, err := s.Revision(t.Context()); n != store.MostRevision || err != nil || s.Read.Team.Query().CountX(t.Context()) != 1 {
			t.Errorf("revision %d, %v", n, err)
		}
	})
}
