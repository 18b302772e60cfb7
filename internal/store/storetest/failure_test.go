package storetest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// slow is a query that takes minutes on either database.
const slow = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n`

func TestFailuresHaveTheSameCodeOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		class := newClass(t, s, "server")
		one := write(t, s, ci("one", nil))
		write(t, s, func(ctx context.Context, tx *store.Tx) (*ent.Owner, error) {
			team := tx.Team.Create().SetName("t").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			return tx.Owner.Create().SetCiID(one.ID).SetTeamID(team.ID).Save(ctx)
		})
		in := func(decide func(context.Context, *store.Tx) error) func() error {
			return func() error {
				_, err := store.Write(t.Context(), s, by, func(ctx context.Context, tx *store.Tx) (any, error) { return nil, decide(ctx, tx) })
				return err
			}
		}
		for about, c := range map[string]struct {
			fails func() error
			want  errs.Code
		}{
			"unique": {in(func(ctx context.Context, tx *store.Tx) error {
				return tx.CIClass.Create().SetCode("server").SetLabel("x").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
			}), errs.AlreadyExists},
			"unique over two columns": {in(func(ctx context.Context, tx *store.Tx) error {
				for range 2 {
					if err := tx.PriorityRule.Create().SetImpact(1).SetUrgency(1).SetPriority(1).Exec(ctx); err != nil {
						return err
					}
				}
				return nil
			}), errs.AlreadyExists},
			"primary key": {in(func(ctx context.Context, tx *store.Tx) error {
				return tx.CI.Create().SetID(one.ID).SetName("x").SetClassID(class.ID).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
					SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
			}), errs.AlreadyExists},
			"foreign key": {in(func(ctx context.Context, tx *store.Tx) error {
				return tx.CI.UpdateOneID(one.ID).SetClassID(ident.New(ident.CIClass, 99)).Exec(ctx)
			}), errs.NotFound},
			"restricted": {func() error {
				_, err := s.Writer().ExecContext(t.Context(), "DELETE FROM ci")
				return store.Translate(err)
			}, errs.NotFound},
			"not found": {in(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.CI.Get(ctx, ident.New(ident.CI, 99))
				return err
			}), errs.NotFound},
			"update of nobody": {in(func(ctx context.Context, tx *store.Tx) error {
				return tx.CI.UpdateOneID(ident.New(ident.CI, 99)).SetName("x").Exec(ctx)
			}), errs.NotFound},
			"delete of nobody": {in(func(ctx context.Context, tx *store.Tx) error {
				return tx.Relationship.DeleteOneID(ident.New(ident.Relationship, 99)).Exec(ctx)
			}), errs.NotFound},
			"unknown word": {in(func(ctx context.Context, tx *store.Tx) error {
				return tx.CI.UpdateOneID(one.ID).SetLifecycle(domain.Lifecycle("ON FIRE")).Exec(ctx)
			}), errs.Internal},
			"cancelled before": {func() error {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, err := store.Write(ctx, s, by, ci("x", nil))
				return err
			}, errs.Timeout},
			"cancelled read": {func() error {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, err := s.Read.CI.Query().All(ctx)
				return store.Translate(err)
			}, errs.Timeout},
			"slow read": {func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				rows, err := s.Read.QueryContext(ctx, slow)
				if err != nil {
					return store.Translate(err)
				}
				defer func() { _ = rows.Close() }()
				if rows.Next() {
					return nil
				}
				return store.Translate(rows.Err())
			}, errs.Timeout},
			"one of ours": {in(func(context.Context, *store.Tx) error { return errs.New(errs.Stale, "no") }), errs.Stale},
			"a stranger":  {in(func(context.Context, *store.Tx) error { return errors.New("no") }), errs.Internal},
			"bad SQL": {in(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, "SELEKT")
				return err
			}), errs.Internal},
			"a reader that writes": {func() error { return store.Translate(s.Read.CI.UpdateOneID(one.ID).SetName("x").Exec(t.Context())) }, errs.Internal},
		} {
			err := c.fails()
			if errs.CodeOf(err) != c.want {
				t.Errorf("%s: %v: %s, want %s", about, err, errs.CodeOf(err), c.want)
			}
			if translated, ok := errs.All(err); !ok {
				t.Errorf("%s: %v is no word of errs: %v", about, err, translated)
			}
		}
	})
}

// TestAnAddressThatLeadsNowhereLeavesNothingBehind shows that tries without end do not pile up connections.
func TestAnAddressThatLeadsNowhereLeavesNothingBehind(t *testing.T) {
	nobody := strings.Replace(storetest.PostgresAddress(t), "?", "_nobody?", 1)
	notADatabase := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(notADatabase, []byte("this is no database, it is a text of some length, longer than a header of a hundred bytes, which it has to be"), 0o600); err != nil {
		t.Fatal(err)
	}
	here := goleak.IgnoreCurrent()
	for _, address := range []string{nobody, "postgres://h:x", "sqlite:", "sqlite:" + t.TempDir(), "sqlite:" + notADatabase, "mysql://x", ""} {
		if s, err := store.Open(t.Context(), address); err == nil {
			t.Errorf("%s opened", address)
			_ = s.Close()
		}
	}
	goleak.VerifyNone(t, here)
}
