package present

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
)

// ApplyOperationsPayload answers applyOperations.
type ApplyOperationsPayload struct {
	Operations []*read.AppliedOperation
	UserErrors []*UserError
}

// Warnings returns what is worth a second look of what the mutation around ctx has written.
func (*ApplyOperationsPayload) Warnings(ctx context.Context) []domain.Warning { return warnings(ctx) }

// Refused returns the payload for an input that cannot be read.
func (*ApplyOperationsPayload) Refused(err error) (any, error) {
	mend, err := unread(err)
	return &ApplyOperationsPayload{UserErrors: mend}, err
}

// Applied presents what operations have done.
func Applied(r *read.Reader) func([]change.Done, error) (*ApplyOperationsPayload, error) {
	return func(done []change.Done, err error) (*ApplyOperationsPayload, error) {
		mend, err := UserErrors(err)
		if err != nil || len(mend) > 0 {
			return &ApplyOperationsPayload{UserErrors: mend}, err
		}
		return &ApplyOperationsPayload{r.ShowApplied(done), mend}, nil
	}
}
