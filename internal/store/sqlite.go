package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"entgo.io/ent/dialect"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// openSQLite opens a file with one connection that writes and several that read. Commits are durable: the write-
// ahead log is synced on each.
func openSQLite(path string) (*Store, error) {
	if path == "" {
		return nil, errors.New("a path is missing: sqlite:PATH")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	writes, err := sql.Open("sqlite", sqliteAddress(path, "_txlock=immediate", writeAhead))
	if err != nil {
		return nil, err
	}
	writes.SetMaxOpenConns(1)
	reader, err := sqliteReaders(path, writeAhead)
	if err != nil {
		_ = writes.Close()
		return nil, err
	}
	// The writer comes first: only it may turn the file to write-ahead logging.
	if err := writes.Ping(); err != nil {
		_, _ = writes.Close(), reader.Close()
		return nil, describe(err)
	}
	s := assemble(dialect.SQLite, pools{writes, reader, reader})
	if s.file, err = fileAt(path); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// openSQLiteReading opens a file that exists. A folder where nothing may be written has no room for what connections
// share; if there is no write-ahead log in it either, nobody is writing, and the file is read as one that stays as it
// is.
func openSQLiteReading(ctx context.Context, path string) (*Store, error) {
	if path == "" {
		return nil, errors.New("a path is missing: sqlite:PATH")
	}
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("there is no such file: name another with --database, or begin one by linchpin serve or linchpin import")
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a folder: name a file in it")
	}
	s, err := trySQLiteReading(ctx, path, "mode=rw")
	if code := sqliteCode(err) & 0xff; code == sqlitelib.SQLITE_CANTOPEN || code == sqlitelib.SQLITE_READONLY {
		if log, missing := os.Stat(path + "-wal"); errors.Is(missing, fs.ErrNotExist) || missing == nil && log.Size() == 0 {
			s, err = trySQLiteReading(ctx, path, "mode=ro", "immutable=1")
		}
	}
	return s, describe(err)
}

func trySQLiteReading(ctx context.Context, path string, extra ...string) (*Store, error) {
	reader, err := sqliteReaders(path, extra...)
	if err != nil {
		return nil, err
	}
	tables := 0
	if err := reader.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		_ = reader.Close()
		return nil, err
	}
	return assemble(dialect.SQLite, pools{reader, reader, reader}), nil
}

func sqliteReaders(path string, extra ...string) (*sql.DB, error) {
	reader, err := sql.Open("sqlite", sqliteAddress(path, append(extra, "_pragma=query_only(1)")...))
	if err != nil {
		return nil, err
	}
	readers := max(8, runtime.GOMAXPROCS(0)*2) // a Snapshot has four of them
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	return reader, nil
}

const writeAhead = "_pragma=journal_mode(WAL)"

func sqliteAddress(path string, extra ...string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.Join(append([]string{
		"_pragma=busy_timeout(10000)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)",
		"_pragma=temp_store(MEMORY)", "_time_format=sqlite", "_timezone=UTC",
	}, extra...), "&")
}

// init registers lower(): SQLite's own knows ASCII only, and filters compare names of all languages.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("lower", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		switch v := args[0].(type) {
		case string:
			return strings.ToLower(v), nil
		case []byte:
			return strings.ToLower(string(v)), nil
		default:
			return v, nil
		}
	})
}

// sqliteCode returns the primary result code of err, or 0 if err does not come from SQLite.
func sqliteCode(err error) int {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// describe adds to a bare SQLite code what it means.
func describe(err error) error {
	if sqliteCode(err)&0xff == sqlitelib.SQLITE_NOTADB {
		return fmt.Errorf("the file is not a SQLite database: %w", err)
	}
	return err
}
