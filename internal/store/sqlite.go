package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
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
	writes, err := sql.Open("sqlite", sqliteAddress(path, "_txlock=immediate"))
	if err != nil {
		return nil, err
	}
	writes.SetMaxOpenConns(1)
	reader, err := sql.Open("sqlite", sqliteAddress(path, "_pragma=query_only(1)"))
	if err != nil {
		_ = writes.Close()
		return nil, err
	}
	readers := max(8, runtime.GOMAXPROCS(0)*2) // a Snapshot has four of them
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	// The writer comes first: only it may turn the file to write-ahead logging.
	if err := writes.Ping(); err != nil {
		_, _ = writes.Close(), reader.Close()
		return nil, describe(err)
	}
	return assemble(dialect.SQLite, writes, reader), nil
}

func sqliteAddress(path, extra string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.Join([]string{
		"_pragma=busy_timeout(10000)", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)",
		"_pragma=temp_store(MEMORY)", "_time_format=sqlite", "_timezone=UTC", extra,
	}, "&")
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
