package store

import (
	"context"
	"encoding/json"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Written is a record as a transaction leaves it. Before holds only the fields that changed, of a deleted record all of
// them; After is the whole record, nil if it is deleted.
type Written struct {
	ID            ident.ID
	Operation     domain.Operation
	Before, After map[string]any
}

// Judge registers what is asked about every transaction once it has decided, and before it commits: an error of judge
// is its outcome. The writes of judge belong to the transaction.
func (s *Store) Judge(judge func(context.Context, *Tx) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge = judge
}

// Judge asks what Store.Judge registered about all that the transaction has written so far. Write does so at the end.
func (tx *Tx) Judge(ctx context.Context) error {
	if tx.judge == nil || len(tx.record.entries) == 0 {
		return nil
	}
	return tx.judge(ctx, tx)
}

// judging returns decide followed by the judge.
func judging[T any](decide func(context.Context, *Tx) (T, error)) func(context.Context, *Tx) (T, error) {
	return func(ctx context.Context, tx *Tx) (T, error) {
		value, err := decide(ctx, tx)
		if err == nil {
			err = tx.Judge(ctx)
		}
		return value, err
	}
}

// Written returns what the transaction has written so far, each record once.
func (tx *Tx) Written() ([]Written, error) {
	entries, err := tx.record.settle()
	if err != nil {
		return nil, err
	}
	all := make([]Written, len(entries))
	for i, w := range entries {
		all[i] = Written{w.id, w.operation, w.before, w.after}
		if w.text != nil {
			if err := json.Unmarshal(w.text, &all[i].After); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// LockHead returns the last committed revision, and keeps others from committing one until the transaction ends. It is
// the last lock that a transaction takes: two that took others behind it might wait for each other.
func (tx *Tx) LockHead(ctx context.Context) (int64, error) {
	if _, err := tx.Author(ctx); err != nil { // it may take a lock, too
		return 0, err
	}
	if tx.IsPostgres() {
		return number(ctx, tx, "SELECT revision FROM head FOR UPDATE")
	}
	return headRevision(ctx, tx)
}

// Consent is what an actor accepts of the consequences of a transaction.
type Consent struct {
	Reason  string   // "": nothing is accepted
	Field   []string // of the input that may say it; nil: it has none
	IsOfNow bool     // only what falls by what has failed already is accepted
}
