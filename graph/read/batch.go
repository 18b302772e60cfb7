package read

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// batch is the records that one statement answered. What a field of one of them needs is loaded for all of them
// at once, when the first of them is asked: so a query costs one statement a level and field, however many records
// there are, whatever the order in which they are resolved, and with no look-ahead into the query.
//
// The reader is a named field: embedded, its methods would be compiled anew for each type of record.
type batch[T any] struct {
	reader *Reader
	rows   []T
	loads  loads
}

// loads is what a batch has loaded.
type loads struct {
	mu   sync.Mutex
	done map[load]func() (any, error)
}

// load names what is loaded once for a batch: by a text, or by the field of the operation that asks for it, whose
// arguments are the same for all records.
type load struct {
	name  string
	field *ast.Field
}

func newBatch[T any](r *Reader, rows []T) *batch[T] {
	return &batch[T]{reader: r, rows: rows, loads: loads{done: map[load]func() (any, error){}}}
}

// once returns what run returns, and runs it only for the first of all callers with the same name. A panic of run
// reaches every caller.
func once[T, V any](b *batch[T], name string, run func() (V, error)) (V, error) {
	return onceFor(&b.loads, load{name: name}, run)
}

// onceForField does what once does, for the field that is being resolved.
func onceForField[T, V any](ctx context.Context, b *batch[T], run func() (V, error)) (V, error) {
	return onceFor(&b.loads, load{field: graphql.GetFieldContext(ctx).Field.Field}, run)
}

func onceFor[V any](l *loads, key load, run func() (V, error)) (V, error) {
	value, err := l.once(key, func() (any, error) { return run() })
	if err != nil {
		var none V
		return none, err
	}
	return value.(V), nil
}

func (l *loads) once(key load, run func() (any, error)) (any, error) {
	l.mu.Lock()
	f := l.done[key]
	if f == nil {
		f = sync.OnceValues(run)
		l.done[key] = f
	}
	l.mu.Unlock()
	return f()
}

// distinct lists what ref gives for each row, each id once, without the absent.
func distinct[T any](rows []T, ref func(T) *ident.ID) []ident.ID {
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

// one resolves a reference of row to a record by its id, for the whole batch in one statement. It gives nil for an
// absent reference.
func one[T, V any](ctx context.Context, b *batch[T], row T, field string, ref func(T) *ident.ID, load func(context.Context, *Reader, []ident.ID) (map[ident.ID]V, error)) (V, error) {
	id := ref(row)
	if id == nil || *id == 0 {
		var none V
		return none, nil
	}
	found, err := once(b, field, func() (map[ident.ID]V, error) { return load(ctx, b.reader, distinct(b.rows, ref)) })
	return found[*id], err
}

// several resolves references of row to records by their ids, in their order, for the whole batch in one statement.
// Records that are gone are left out.
func several[T, V any](ctx context.Context, b *batch[T], row T, field string, refs func(T) []ident.ID, load func(context.Context, *Reader, []ident.ID) (map[ident.ID]V, error)) ([]V, error) {
	ids := refs(row)
	if len(ids) == 0 {
		return []V{}, nil
	}
	found, err := once(b, field, func() (map[ident.ID]V, error) {
		var all []ident.ID
		for _, row := range b.rows {
			all = append(all, refs(row)...)
		}
		slices.Sort(all)
		return load(ctx, b.reader, slices.Compact(all))
	})
	records := make([]V, 0, len(ids))
	for _, id := range ids {
		if record, ok := found[id]; ok {
			records = append(records, record)
		}
	}
	return records, err
}

// many resolves a short list that belongs to each row, for the whole batch in one statement.
func many[T, V any](ctx context.Context, b *batch[T], row T, field string, id func(T) ident.ID, load func(context.Context, *Reader, []ident.ID) (map[ident.ID][]V, error)) ([]V, error) {
	found, err := once(b, field, func() (map[ident.ID][]V, error) { return load(ctx, b.reader, b.ids(id)) })
	if err != nil {
		return nil, err
	}
	if list := found[id(row)]; list != nil {
		return list, nil
	}
	return []V{}, nil
}

// each gives row its own A of those that make gives to all rows of the batch. They are a batch again, so that what
// they show is loaded at once, by the reader given.
func each[T comparable, A any](b *batch[T], row T, key string, by *Reader, make func(T, *batch[A]) A) (A, error) {
	all, err := once(b, key, func() (map[T]A, error) {
		answers, shown := newBatch[A](by, nil), map[T]A{}
		for _, row := range b.rows {
			shown[row] = make(row, answers)
			answers.rows = append(answers.rows, shown[row])
		}
		return shown, nil
	})
	return all[row], err
}

// index maps records by a key.
func index[V any](records []V, key func(V) ident.ID) map[ident.ID]V {
	m := make(map[ident.ID]V, len(records))
	for _, v := range records {
		m[key(v)] = v
	}
	return m
}

// bundle groups records by a key, keeping their order.
func bundle[V any](records []V, key func(V) ident.ID) map[ident.ID][]V {
	m := map[ident.ID][]V{}
	for _, v := range records {
		m[key(v)] = append(m[key(v)], v)
	}
	return m
}
