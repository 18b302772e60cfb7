package importer

import (
	"cmp"
	"context"
	"errors"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// NoteFailure lists a reading that failed before anything was planned among the runs of its source, and returns why it
// failed.
func NoteFailure(ctx context.Context, s *store.Store, source string, o Options, why error) error {
	actor, err := auth.RequireOf(ctx, "import.apply", source)
	if err != nil {
		return errors.Join(why, err)
	}
	_, err = store.Write(context.WithoutCancel(ctx), s, actor.By("import."+source), func(ctx context.Context, tx *store.Tx) (struct{}, error) {
		_, err := tx.ExecContext(ctx, `INSERT INTO x_run (source, scope, kind, state, started_at, finished_at, is_complete, actor, reason)
			VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)`, source, o.Scope, string(cmp.Or(o.Kind, domain.PartialRun)), string(domain.RunFailed), tx.Now, false, actor.Name, why.Error())
		return struct{}{}, err
	})
	return errors.Join(why, err)
}
