package store

import "context"

// Rehearse runs f, undoes all that it wrote, and returns its error: the verdict of the rules, without effect.
func (tx *Tx) Rehearse(ctx context.Context, f func(context.Context) error) error {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT rehearsal"); err != nil {
		return err
	}
	noted := len(tx.record.entries)
	refused := f(ctx)
	if _, err := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT rehearsal"); err != nil {
		if refused != nil {
			return refused
		}
		return err
	}
	tx.record.entries = tx.record.entries[:noted]
	return refused
}
