package form

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ConsentField is the field of inputs that says why consequences are accepted.
const ConsentField = "acceptConsequences"

// Accepting returns what a verb decides, with the consequences that the input accepts.
func Accepting[T any](c *domain.Consent, decide func(context.Context, *store.Tx) (T, error)) func(context.Context, *store.Tx) (T, error) {
	return func(ctx context.Context, tx *store.Tx) (none T, err error) {
		tx.Consent.Field = []string{ConsentField}
		if tx.Consent.Reason, err = Consent(c, ConsentField); err != nil {
			return none, err
		}
		return decide(ctx, tx)
	}
}

// Consent returns the reason that an input gives for what it accepts, or "" if it accepts nothing.
func Consent(c *domain.Consent, at ...string) (string, error) {
	if c == nil {
		return "", nil
	}
	var f Form
	reason := f.Text("reason", c.Reason, 1, valid.LongestReason)
	return reason, errs.Under(f.Err(), at...)
}
