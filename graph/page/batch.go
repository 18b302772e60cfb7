// Package page shows lists as Relay connections: tables by keyset, each parent's rows, answers that were computed. The
// records of a page load what they need for all of them at once. It owns cursors, batches and the statements of pages,
// and refuses to know what the records are: lists come with their queries.
package page

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Batch is the records that one statement answered. The records that a field of one of them needs are loaded for all of
// them at once, when the first of them is asked: so a query costs one statement a level and field, however many records
// there are, whatever the order in which they are resolved, and with no look-ahead into the query.
//
// It has no methods: they would be compiled anew for each type of record that embeds it.
type Batch[T any] struct {
	Rows  []T
	loads loads
}

// loads is what a batch has loaded, by what names it.
type loads struct {
	mu   sync.Mutex
	done map[any]func() (any, error)
}

// Once returns what run returns, and runs it only for the first of all callers with the same key. A panic of run
// reaches every caller. A key is a text, or any value that can be compared, such as a struct of what was asked.
func Once[T, V any](b *Batch[T], key any, run func() (V, error)) (V, error) {
	value, err := b.loads.once(key, func() (any, error) { return run() })
	if err != nil {
		var none V
		return none, err
	}
	return value.(V), nil
}

// onceForField does what Once does, for the field of the operation that is being resolved, whose arguments are the same
// for all records.
func onceForField[T, V any](ctx context.Context, b *Batch[T], run func() (V, error)) (V, error) {
	return Once(b, graphql.GetFieldContext(ctx).Field.Field, run)
}

func (l *loads) once(key any, run func() (any, error)) (any, error) {
	l.mu.Lock()
	f := l.done[key]
	if f == nil {
		if l.done == nil {
			l.done = map[any]func() (any, error){}
		}
		f = sync.OnceValues(run)
		l.done[key] = f
	}
	l.mu.Unlock()
	return f()
}

// Distinct lists what ref gives for each row, each id once, without the absent.
func Distinct[T any](rows []T, ref func(T) *ident.ID) []ident.ID {
	seen := make(map[ident.ID]bool, len(rows))
	var all []ident.ID
	for _, row := range rows {
		if id := ref(row); id != nil && *id != 0 && !seen[*id] {
			seen[*id] = true
			all = append(all, *id)
		}
	}
	return all
}
