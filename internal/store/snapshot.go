package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/migrate"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// Snapshot is the database as it is in one revision, read over several connections at once.
type Snapshot struct {
	// Revision is the last revision that it contains.
	Revision int64
	// Client reads over the first of the connections. It must not be used while Read runs.
	Client *ent.Client
	// Exported is PostgreSQL's name of the snapshot, by which other connections may see it while it is open.
	Exported string

	dialect string
	txs     []*sql.Tx
	leave   func() // lets the next caller in
}

// Snapshot opens transactions that only read and all see the same revision, at most the number asked for. On PostgreSQL
// the later ones take over the snapshot of the first; on SQLite it keeps those that were opened before another write
// came. One Snapshot is open at a time, and the next caller waits: two with half of the connections each would wait for
// ever.
func (s *Store) Snapshot(ctx context.Context, connections int) (_ *Snapshot, err error) {
	select {
	case s.snapshots <- struct{}{}:
	case <-ctx.Done():
		return nil, Translate(ctx.Err())
	}
	snapshot := &Snapshot{dialect: s.dialect, leave: sync.OnceFunc(func() { <-s.snapshots })}
	defer func() {
		if err != nil {
			snapshot.Close()
		}
	}()
	ctx = pgconn.Patient(ctx) // whole tables are read
	options := &sql.TxOptions{}
	if s.IsPostgres() {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	for len(snapshot.txs) < max(1, connections) {
		tx, err := s.reader.BeginTx(ctx, options)
		if err != nil {
			return nil, Translate(err)
		}
		isFirst := len(snapshot.txs) == 0
		snapshot.txs = append(snapshot.txs, tx)
		switch {
		case !s.IsPostgres():
		case isFirst:
			err = tx.QueryRowContext(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot.Exported)
		default:
			_, err = tx.ExecContext(ctx, "SET TRANSACTION SNAPSHOT '"+snapshot.Exported+"'")
		}
		if err != nil {
			return nil, Translate(err)
		}
		var revision int64
		if err := tx.QueryRowContext(ctx, "SELECT revision FROM head").Scan(&revision); err != nil {
			return nil, Translate(err)
		}
		if isFirst {
			snapshot.Revision = revision
			continue
		}
		if revision != snapshot.Revision {
			snapshot.txs = snapshot.txs[:len(snapshot.txs)-1]
			if err := tx.Rollback(); err != nil {
				return nil, Translate(err)
			}
			break
		}
	}
	snapshot.Client = ent.NewClient(ent.Driver(traced{entsql.NewDriver(s.dialect, entsql.Conn{ExecQuerier: snapshot.txs[0]}), s.meter(), nil}))
	snapshot.Client.Use(record)
	return snapshot, nil
}

// Close ends the transactions.
func (s *Snapshot) Close() {
	for _, tx := range s.txs {
		_ = tx.Rollback() // they have written nothing
	}
	s.leave()
}

// Counts returns the number of rows of each table that holds records. O(rows).
func (s *Snapshot) Counts(ctx context.Context) (map[string]int64, error) {
	counts := make(map[string]int64, len(migrate.Tables))
	for _, table := range migrate.Tables {
		query, args := entsql.Dialect(s.dialect).Select(entsql.Count("*")).From(entsql.Table(table.Name)).Query()
		var n int64
		if err := s.txs[0].QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
			return nil, Translate(err)
		}
		counts[table.Name] = n
	}
	return counts, nil
}

// Row reads the only row of a query into the destinations.
func (s *Snapshot) Row(ctx context.Context, query string, into ...any) error {
	return Translate(s.txs[0].QueryRowContext(ctx, query).Scan(into...))
}

// Read calls read with the numbers below n, each once, on as many goroutines as there are connections. read must close
// its rows. The first failure ends the others.
func (s *Snapshot) Read(ctx context.Context, n int, read func(ctx context.Context, tx *sql.Tx, i int) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var next atomic.Int64
	safe.Crew(len(s.txs), func(member int) {
		for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
			if err := safe.Call(func() error { return read(ctx, s.txs[member], i) }); err != nil {
				end(err)
			}
		}
	})
	return Translate(context.Cause(ctx))
}
