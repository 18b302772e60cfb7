// Package database reads the results of queries by a mapping: each row becomes a CI, as that of a file does. It reads
// one state of the database, changes nothing, and tells nobody its password.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lib/pq"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/table"
)

// Options say how a database is read.
type Options struct {
	// Address is "sqlite:PATH" or a postgres:// URL. It may hold a password, which is never told.
	Address string
	// Timeout bounds a statement: that of a query, or of each of its pages.
	Timeout time.Duration
}

// pageRows is how many rows a page of a query has that says its order.
const pageRows = 5_000

// Secret returns what a reference names: env:NAME is a variable of the environment, file:PATH the first line of a file,
// and anything else the text itself.
func Secret(reference string, getenv func(string) string) (string, error) {
	if name, ok := strings.CutPrefix(reference, "env:"); ok {
		value := getenv(name)
		if value == "" {
			return "", fmt.Errorf("the variable %s is not set: it is to hold the address of a database", name)
		}
		return value, nil
	}
	if name, ok := strings.CutPrefix(reference, "file:"); ok {
		text, err := os.ReadFile(name) //nolint:gosec // who starts the command says which file
		if err != nil {
			return "", fmt.Errorf("the address of the database cannot be read: %w", err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		if line = strings.TrimSpace(line); line == "" {
			return "", fmt.Errorf("%s: the first line is empty: it is to hold the address of a database", name)
		}
		return line, nil
	}
	return reference, nil
}

// New returns a source of the queries of a mapping.
func New(m *table.Mapping, o Options) (importer.Source, error) {
	open, err := opener(o.Address)
	if err != nil {
		return nil, err
	}
	return table.NewOf(m, func(ctx context.Context) (func(context.Context, table.Query) (table.Result, error), func() error, error) {
		r := &reading{timeout: o.Timeout, hide: hidden(o.Address)}
		if err := r.begin(ctx, open); err != nil {
			return nil, nil, r.told(err)
		}
		return r.run, r.end, nil
	})
}

// errAddress is of an address that is none. It does not repeat it, since it may hold a password.
var errAddress = errors.New("the address of the database is none: it is sqlite:PATH or postgres://USER@HOST/NAME, or env:NAME or file:PATH, which hold it")

// opener returns what opens a database.
func opener(address string) (func() (*sql.DB, bool, error), error) {
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		if path == "" {
			return nil, errAddress
		}
		return func() (*sql.DB, bool, error) {
			if _, err := os.Stat(path); err != nil {
				return nil, false, err
			}
			absolute, err := filepath.Abs(path)
			if err != nil {
				return nil, false, err
			}
			at := url.URL{Scheme: "file", Path: absolute, RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(5000)"}
			db, err := sql.Open("sqlite", at.String())
			return db, false, err
		}, nil
	}
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return nil, errAddress
	}
	if _, err := url.Parse(address); err != nil {
		return nil, errAddress
	}
	return func() (*sql.DB, bool, error) {
		connector, err := pq.NewConnector(address)
		if err != nil {
			return nil, true, errAddress
		}
		return sql.OpenDB(connector), true, nil
	}, nil
}

// hidden returns the forms in which a password might be told.
func hidden(address string) (all []string) {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	passwords := []string{u.Query().Get("password"), u.Query().Get("sslpassword")}
	if u.User != nil {
		if password, ok := u.User.Password(); ok {
			passwords = append(passwords, password)
			_, escaped, _ := strings.Cut(u.User.String(), ":")
			all = append(all, escaped)
		}
	}
	for _, p := range passwords {
		if p != "" {
			all = append(all, p, url.QueryEscape(p), url.PathEscape(p))
		}
	}
	return all
}

// reading is one state of a database on its way through a mapping.
type reading struct {
	db         *sql.DB
	tx         *sql.Tx
	isPostgres bool
	timeout    time.Duration
	hide       []string
}

// begin begins a transaction that reads alone and sees one state.
func (r *reading) begin(ctx context.Context, open func() (*sql.DB, bool, error)) (err error) {
	if r.db, r.isPostgres, err = open(); err != nil {
		return err
	}
	r.db.SetMaxOpenConns(1)
	options := &sql.TxOptions{}
	if r.isPostgres {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	if r.tx, err = r.db.BeginTx(ctx, options); err == nil && r.isPostgres && r.timeout > 0 {
		_, err = r.tx.ExecContext(ctx, fmt.Sprintf("SET LOCAL statement_timeout = %d", r.timeout.Milliseconds()))
	}
	if err != nil {
		_ = r.end()
	}
	return err
}

func (r *reading) end() error {
	if r.tx != nil {
		_ = r.tx.Rollback() // nothing was written
	}
	return r.db.Close()
}

// told returns an error without what is hidden.
func (r *reading) told(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range r.hide {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || strings.Contains(text, "statement timeout") || strings.Contains(text, "interrupted") {
		return fmt.Errorf("the database took longer than %s for a statement (--statement-timeout): %s", r.timeout, text)
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// run runs a query.
func (r *reading) run(ctx context.Context, q table.Query) (table.Result, error) {
	made := &result{in: r, ctx: ctx, query: q}
	if err := made.page(nil); err != nil {
		return nil, fmt.Errorf("%s: %w", q.Name, r.told(err))
	}
	return made, nil
}
