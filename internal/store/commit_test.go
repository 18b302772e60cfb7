package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

func TestACommitThatWasSentIsNeverCalledLate(t *testing.T) {
	silent := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	for name, c := range map[string]struct {
		err  error
		want errs.Code
	}{
		"the limit passed before it was sent":  {context.DeadlineExceeded, errs.Timeout},
		"the transaction had ended":            {sql.ErrTxDone, errs.Internal},
		"the server fell silent":               {fmt.Errorf("%w: %w", pgconn.ErrLost, silent), errs.OutcomeUnknown},
		"the limit passed while it was silent": {fmt.Errorf("%w: %w", pgconn.ErrLost, context.DeadlineExceeded), errs.OutcomeUnknown},
		"the server gave up waiting":           {fmt.Errorf("%w: %w", pgconn.ErrQualified, errors.New("canceling wait")), errs.OutcomeUnknown},
	} {
		if got := errs.CodeOf(Translate(commitFailed(c.err))); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
