package read

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// batch is records that were read together, and the reader that loads what they need.
//
// The reader is a named field: embedded, its methods would be compiled anew for each type of record.
type batch[T any] struct {
	page.Batch[T]
	reader *Reader
}

func newBatch[T any](r *Reader, rows []T) *batch[T] {
	return &batch[T]{Batch: page.Batch[T]{Rows: rows}, reader: r}
}

// once returns what run returns, and runs it only for the first of all callers with the same key: see page.Once.
func once[T, V any](b *batch[T], key any, run func() (V, error)) (V, error) {
	return page.Once(&b.Batch, key, run)
}

// nestedPage reads the page of row's list, for the whole batch in one statement: see page.Nested.
func nestedPage[P, E, T any](ctx context.Context, b *batch[P], row P, id func(P) ident.ID, p page.Args, of func() (page.List[E, T], error)) (*page.Connection[T], error) {
	return page.Nested(ctx, &b.Batch, row, id, p, of)
}

// ids returns the ids of the batch's records, each once.
func (b *batch[T]) ids(id func(T) ident.ID) []ident.ID {
	return page.Distinct(b.Rows, func(row T) *ident.ID { i := id(row); return &i })
}

// having chooses the rows that name one of these ids.
func having(column string, ids []ident.ID) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(page.OneOf(s.C(column), ids)) }
}

// translated tells a failure of the database in the words of clients.
func translated[E any](rows []E, err error) ([]E, error) { return rows, store.Translate(err) }

// one resolves a reference of row to a record by its id, for the whole batch in one statement. If the
// reference is absent, it returns the zero V.
func one[T, V any](ctx context.Context, b *batch[T], row T, field string, ref func(T) *ident.ID, load func(context.Context, *Reader, []ident.ID) (map[ident.ID]V, error)) (V, error) {
	id := ref(row)
	if id == nil || *id == 0 {
		var none V
		return none, nil
	}
	found, err := once(b, field, func() (map[ident.ID]V, error) { return load(ctx, b.reader, page.Distinct(b.Rows, ref)) })
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
		for _, row := range b.Rows {
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
func each[T comparable, A any](b *batch[T], row T, key any, by *Reader, make func(T, *batch[A]) A) (A, error) {
	all, err := once(b, key, func() (map[T]A, error) {
		answers, shown := newBatch[A](by, nil), map[T]A{}
		for _, row := range b.Rows {
			shown[row] = make(row, answers)
			answers.Rows = append(answers.Rows, shown[row])
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
