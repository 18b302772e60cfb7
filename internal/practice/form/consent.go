package form

import (
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
)

// Consent returns the reason that an input gives for what it accepts, or "" if it accepts nothing.
func Consent(c *domain.Consent, at ...string) (string, error) {
	if c == nil {
		return "", nil
	}
	var f Form
	reason := f.Text("reason", c.Reason, 1, valid.LongestReason)
	return reason, errs.Under(f.Err(), at...)
}
