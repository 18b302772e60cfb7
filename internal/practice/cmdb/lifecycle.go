package cmdb

import (
	"errors"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
)

// moveLifecycle refuses what the table of lifecycles does not allow.
func moveLifecycle(from, to domain.Lifecycle) error {
	refused := (*errs.Error)(nil)
	if errors.As(lifecycle.CheckCI(from, to), &refused) {
		return refused.At("lifecycle")
	}
	return nil
}
