package cmdb

import (
	"context"
	"iter"
	"maps"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/person"
	"github.com/linchpin-cmdb/linchpin/ent/team"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// idChunk bounds the ids of one statement.
const idChunk = 1000

// CIID returns the id of a CI, which may be written as a service's.
func CIID(id ident.ID) (ident.ID, error) {
	switch id.Kind() { //nolint:exhaustive // the rest is refused
	case ident.CI:
		return id, nil
	case ident.Service:
		return id.As(ident.CI), nil
	}
	return 0, form.Kind(id, ident.CI)
}

// loadCIs reads CIs by id; those that do not exist are missing from the result.
func loadCIs(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool) (map[ident.ID]*ent.CI, error) {
	return readCIs(ctx, tx, ids, false)
}

// lockCIs reads CIs and keeps everyone else from writing them until the transaction ends.
func lockCIs(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool) (map[ident.ID]*ent.CI, error) {
	return readCIs(ctx, tx, ids, tx.IsPostgres())
}

func readCIs(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool, lock bool) (map[ident.ID]*ent.CI, error) {
	found := make(map[ident.ID]*ent.CI, len(ids))
	for chunk := range chunks(ids) {
		q := tx.CI.Query().Where(ci.IDIn(chunk...)).Order(ent.Asc(ci.FieldID)) // in one order, against deadlocks
		if lock {
			q = q.ForUpdate(weakly)
		}
		all, err := q.All(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			found[c.ID] = c
		}
	}
	return found, nil
}

// loadEnds reads of CIs what relationships depend on.
func loadEnds(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool) (map[ident.ID]*ent.CI, error) {
	found := make(map[ident.ID]*ent.CI, len(ids))
	for chunk := range chunks(ids) {
		all, err := tx.CI.Query().Where(ci.IDIn(chunk...)).Select(ci.FieldID, ci.FieldName, ci.FieldClassID, ci.FieldEnvironment).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			found[c.ID] = c
		}
	}
	return found, nil
}

// weakly keeps out everyone who would write the row, and lets in foreign keys to it.
var weakly = sql.WithLockClause("FOR NO KEY UPDATE")

// Known gives those of the ids of teams and people that exist.
func Known(ctx context.Context, tx *store.Tx, ids map[ident.ID]bool) (map[ident.ID]bool, error) {
	found := make(map[ident.ID]bool, len(ids))
	for chunk := range chunks(ofKind(ids, ident.Team)) {
		teams, err := tx.Team.Query().Where(team.IDIn(chunk...)).IDs(ctx)
		if err != nil {
			return nil, err
		}
		for _, id := range teams {
			found[id] = true
		}
	}
	for chunk := range chunks(ofKind(ids, ident.Person)) {
		people, err := tx.Person.Query().Where(person.IDIn(chunk...)).IDs(ctx)
		if err != nil {
			return nil, err
		}
		for _, id := range people {
			found[id] = true
		}
	}
	return found, nil
}

func ofKind(ids map[ident.ID]bool, k ident.Kind) map[ident.ID]bool {
	some := maps.Clone(ids)
	maps.DeleteFunc(some, func(id ident.ID, _ bool) bool { return id.Kind() != k })
	return some
}

// chunks gives ids in order, so many at a time as one statement takes.
func chunks(ids map[ident.ID]bool) iter.Seq[[]ident.ID] {
	return slices.Chunk(slices.Sorted(maps.Keys(ids)), idChunk)
}
