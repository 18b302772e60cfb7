package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// Warn notes why what is written is worth a second look. It is told with the answer once the transaction has committed,
// and it is told again if a step of Once is repeated.
func (tx *Tx) Warn(code domain.WarningCode, field []string, format string, args ...any) {
	tx.warnings = append(tx.warnings, domain.Warning{Code: code, Message: fmt.Sprintf(format, args...), Field: append([]string{}, field...)})
}

// WarnUnder runs f and puts a path before the fields of the warnings that f notes.
func (tx *Tx) WarnUnder(f func() error, path ...string) error {
	noted := len(tx.warnings)
	err := f()
	for i := noted; i < len(tx.warnings); i++ {
		w := &tx.warnings[i]
		w.Field = append(append([]string{}, path...), w.Field...)
	}
	return err
}

// warnings are those of all writes of a context.
type warnings struct {
	mu  sync.Mutex
	all []domain.Warning
}

type warningsKey struct{}

// Warned makes a context that keeps the warnings of its writes for Warnings.
func Warned(ctx context.Context) context.Context {
	return context.WithValue(ctx, warningsKey{}, &warnings{})
}

// Warnings returns what the committed writes of a context of Warned warn of, in their order.
func Warnings(ctx context.Context) []domain.Warning {
	w, ok := ctx.Value(warningsKey{}).(*warnings)
	if !ok {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]domain.Warning(nil), w.all...)
}

// tellWarnings hands the warnings of a committed transaction to its context.
func tellWarnings(ctx context.Context, told []domain.Warning) {
	if w, ok := ctx.Value(warningsKey{}).(*warnings); ok && len(told) > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = append(w.all, told...)
	}
}
