// Package read shows the records as clients see them: lists as Relay connections, references as objects, impact as
// answers. It reads from the database and the topology and refuses to write. Each record remembers with which others
// it was read, and what a field of one needs is loaded for all of them in one statement.
package read

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Reader answers questions.
type Reader struct {
	store     *store.Store
	graph     *topology.Graph
	incidents *incident.Practice // for what it suggests
	history   *journal.Feed      // for the past, and for what comes
	past      *past              // nil: the present
}

// New makes a reader of a database, the topology that follows it, and the feed that knows its past.
func New(s *store.Store, graph *topology.Graph, incidents *incident.Practice, history *journal.Feed) *Reader {
	return &Reader{store: s, graph: graph, incidents: incidents, history: history}
}

// Revision returns the number of the last committed write.
func (r *Reader) Revision(ctx context.Context) (int64, error) { return r.store.Revision(ctx) }

// snapshot returns the topology as it is now, or as it was.
func (r *Reader) snapshot() *topology.Snapshot {
	if r.past != nil {
		return r.past.graph
	}
	return r.graph.Snapshot()
}

// snapshotWith returns a topology to ask about some records. One that the topology does not know may be as new as a
// write of another server that it has not heard of yet: then it is awaited, so that what is still unknown does not
// exist. Errors: errs.Unavailable.
func (r *Reader) snapshotWith(ctx context.Context, ids ...ident.ID) (*topology.Snapshot, error) {
	s := r.snapshot()
	if r.past != nil || !slices.ContainsFunc(ids, func(id ident.ID) bool { return !s.Knows(asCI(id)) }) {
		return s, nil
	}
	if err := r.history.CatchUp(ctx); err != nil {
		return nil, err
	}
	return r.snapshot(), nil
}

// subtreeOf returns the ids of the classes with the codes and of all below them. If there are no codes, it returns nil.
func subtreeOf[T any](ctx context.Context, b *batch[T], codes []string) (map[ident.ID]bool, error) {
	if len(codes) == 0 {
		return nil, nil
	}
	return once(b, fmt.Sprintf("subtree %q", codes), func() (map[ident.ID]bool, error) { return b.reader.subtree(ctx, anything(codes)) })
}

// anything returns texts as arguments of a statement.
func anything(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

func (r *Reader) subtree(ctx context.Context, codes []any) (map[ident.ID]bool, error) {
	if len(codes) == 0 {
		return nil, nil
	}
	p := sql.P(func(b *sql.Builder) { subtree(b, codes) })
	p.SetDialect(r.store.Dialect())
	query, queryArgs := p.Query()
	rows, err := r.store.Show.QueryContext(ctx, query, queryArgs...)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	found := map[ident.ID]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, store.Translate(err)
		}
		found[ident.ID(id)] = true
	}
	return found, store.Translate(rows.Err())
}
