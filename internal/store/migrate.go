package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/migrations"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// Migration is one file of a dialect's directory.
type Migration struct {
	Version string // the file's name up to the first underscore
	Name    string
	SQL     string
}

func (m Migration) hash() string {
	sum := sha256.Sum256([]byte(m.SQL))
	return hex.EncodeToString(sum[:])
}

// Migrations returns the dialect's migrations in order.
func (s *Store) Migrations() ([]Migration, error) {
	dir, err := fs.Sub(migrations.Files, s.dialect)
	if s.dialect == "sqlite3" {
		dir, err = fs.Sub(migrations.Files, "sqlite")
	}
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(dir, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	all := make([]Migration, len(names))
	for i, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		version, _, _ := strings.Cut(name, "_")
		all[i] = Migration{Version: version, Name: name, SQL: string(text)}
	}
	return all, nil
}

const migrationTable = `CREATE TABLE IF NOT EXISTS x_migration (
	version varchar(32) PRIMARY KEY, name varchar(255) NOT NULL, hash varchar(64) NOT NULL, applied_at varchar(32) NOT NULL)`

// Migrate brings the database to the newest version and returns the number of migrations it applied. Each runs in a
// transaction of its own; several servers may start at once. It refuses a database that is newer than this program, and
// one whose applied migrations differ from the program's. Then it links what stands without a link.
func (s *Store) Migrate(ctx context.Context) (applied int, err error) {
	all, err := s.Migrations()
	if err != nil {
		return 0, err
	}
	if applied, err = s.migrate(ctx, all); err != nil {
		return applied, err
	}
	return applied, s.LinkAll(ctx)
}

func (s *Store) migrate(ctx context.Context, all []Migration) (applied int, err error) {
	conn, done, err := s.migrationConn(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	tables := 0
	if err := conn.QueryRowContext(ctx, s.findMigrations()).Scan(&tables); err != nil {
		return 0, err
	}
	if tables == 0 { // a role that may make no table may run a database that has its tables
		if _, err := conn.ExecContext(ctx, migrationTable); err != nil {
			return 0, err
		}
	}
	for {
		more, err := s.migrateNext(ctx, conn, all)
		if err != nil || !more {
			return applied, err
		}
		applied++
	}
}

// migrationConn returns a connection for migrations, and a function that gives it back. It waits for another server's
// migration as long as that takes; on PostgreSQL it holds a lock that others wait for.
func (s *Store) migrationConn(ctx context.Context) (conn *sql.Conn, done func(), err error) {
	if !s.IsPostgres() {
		conn, err := s.writes.Conn(ctx)
		if err != nil {
			return nil, nil, err
		}
		// Table rebuilds must not cascade; the pragma has no effect inside a transaction.
		if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys=off; PRAGMA busy_timeout=600000"); err != nil {
			_ = conn.Close()
			return nil, nil, err
		}
		return conn, func() {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys=on; PRAGMA busy_timeout=10000")
			_ = conn.Close()
		}, nil
	}
	db, err := pgconn.Open(s.address, pgconn.ReadTimeout(-1))
	if err != nil {
		return nil, nil, err
	}
	if conn, err = db.Conn(ctx); err == nil {
		_, err = conn.ExecContext(ctx, "SET statement_timeout = 0; SET lock_timeout = 0; SELECT pg_advisory_lock(727274)")
	}
	if err != nil {
		_ = db.Close()
		return nil, nil, err
	}
	return conn, func() {
		_ = conn.Close()
		_ = db.Close() // and with the session its lock
	}, nil
}

// migrateNext applies the first migration that is missing, after checking those that are there. It reports whether it
// applied one.
func (s *Store) migrateNext(ctx context.Context, conn *sql.Conn, all []Migration) (more bool, err error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	known, err := appliedMigrations(ctx, tx)
	if err != nil {
		return false, err
	}
	if err := fits(known, all); err != nil {
		return false, err
	}
	if len(known) == len(all) {
		return false, nil
	}
	next := all[len(known)]
	if s.IsPostgres() {
		_, err = tx.ExecContext(ctx, next.SQL)
	} else {
		err = applySQLite(ctx, tx, next)
	}
	if err != nil {
		return false, fmt.Errorf("migration %s: %w", next.Name, err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO x_migration (version, name, hash, applied_at) VALUES ($1, $2, $3, $4)",
		next.Version, next.Name, next.hash(), s.now().UTC().Format(time.RFC3339))
	if err != nil {
		return false, err
	}
	return true, tx.Commit()
}

// fits returns an error if migrations were applied that the program does not have.
func fits(known, all []Migration) error {
	for i, m := range known {
		if i >= len(all) {
			return fmt.Errorf("the database is newer than this program: it has migration %s; start a newer linchpin", m.Name)
		}
		if all[i].Version != m.Version || all[i].hash() != m.SQL {
			return fmt.Errorf("migration %s was applied in another form than this program has (%s): the database and the program do not belong together", m.Name, all[i].Name)
		}
	}
	return nil
}

// isCurrent returns nil if the database is at the newest version. It writes nothing.
func (s *Store) isCurrent(ctx context.Context) error {
	all, err := s.Migrations()
	if err != nil {
		return err
	}
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: s.IsPostgres()})
	if err != nil {
		return Translate(err)
	}
	defer func() { _ = tx.Rollback() }()
	tables := 0
	if err := tx.QueryRowContext(ctx, s.findMigrations()).Scan(&tables); err != nil {
		return Translate(err)
	}
	if tables == 0 {
		return errors.New("it is not a database of Linchpin: name another with --database, or begin one by linchpin serve or linchpin import")
	}
	known, err := appliedMigrations(ctx, tx)
	if err != nil {
		return Translate(err)
	}
	if err := fits(known, all); err != nil {
		return err
	}
	if lacks := len(all) - len(known); lacks > 0 {
		return fmt.Errorf("the database is older than this program, by %d migrations: linchpin migrate brings it to the newest version", lacks)
	}
	return nil
}

// findMigrations returns the statement that tells whether there is a table of migrations, as 0 or 1.
func (s *Store) findMigrations() string {
	if s.IsPostgres() {
		return "SELECT count(to_regclass('x_migration'))"
	}
	return "SELECT count(*) FROM sqlite_master WHERE name = 'x_migration'"
}

// appliedMigrations returns the migrations that were applied, with the hash in place of the SQL.
func appliedMigrations(ctx context.Context, tx *sql.Tx) (all []Migration, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT version, name, hash FROM x_migration ORDER BY version")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m Migration
		if err := rows.Scan(&m.Version, &m.Name, &m.SQL); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}
