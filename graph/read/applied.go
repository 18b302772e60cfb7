package read

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
)

// AppliedOperation is what an operation has done, as clients see it.
type AppliedOperation struct {
	done change.Done
	in   *batch[*AppliedOperation]
}

// ShowApplied shows what operations have done.
func (r *Reader) ShowApplied(done []change.Done) []*AppliedOperation {
	b := newBatch(r, make([]*AppliedOperation, len(done)))
	for i, one := range done {
		b.Rows[i] = &AppliedOperation{one, b}
	}
	return b.Rows
}

// Kind says what sort of operation it is.
func (a *AppliedOperation) Kind() domain.OperationKind { return a.done.Kind }

// Key returns the key of what it created. If it has none, it returns nil.
func (a *AppliedOperation) Key() *string {
	if a.done.Key == "" {
		return nil
	}
	return &a.done.Key
}

// RecordID returns the id of what it created, changed or took away.
func (a *AppliedOperation) RecordID() ident.ID { return a.done.Record }

// Record returns the record. If it is gone, it returns nil.
func (a *AppliedOperation) Record(ctx context.Context) (Node, error) {
	return node(ctx, a.in, "record", a, (*AppliedOperation).RecordID)
}
