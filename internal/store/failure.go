package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/lib/pq"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// Translate turns a failure of the database into an error of errs, by its code and never by its text. Errors of errs,
// and nil, pass through.
func Translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errs.All(err); ok {
		return err
	}
	switch {
	case ent.IsNotFound(err), errors.Is(err, sql.ErrNoRows):
		return errs.New(errs.NotFound, "there is no such record").Because(err)
	case isUnique(err):
		return errs.New(errs.AlreadyExists, "another record has this value already").Because(err)
	case isForeignKey(err):
		return errs.New(errs.NotFound, "a record that this refers to does not exist").Because(err)
	case isText(err):
		return errs.New(errs.Invalid, "a text holds a NUL character or is not valid UTF-8").Because(err)
	case isLocked(err):
		return errs.New(errs.Unavailable, "what this needs is locked by somebody else: try again").Because(err)
	case isTransient(err):
		return errs.New(errs.Unavailable, "too many writes at once: try again").Because(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), pgCode(err) == "57014":
		return errs.New(errs.Timeout, "the database took too long").Because(err)
	case isExhausted(err):
		return errs.New(errs.Unavailable, "the database has run out of room or connections: try again later").Because(err)
	case isUnreachable(err):
		return errs.New(errs.Unavailable, "the database cannot be reached: try again").Because(err)
	}
	return errs.New(errs.Internal, "the database failed").Because(err)
}

func pgCode(err error) string {
	if e := (*pq.Error)(nil); errors.As(err, &e) {
		return string(e.Code)
	}
	return ""
}

// isTransient reports whether trying the whole transaction again may help.
func isTransient(err error) bool {
	switch pgCode(err) {
	case "40001", "40P01":
		return true
	}
	code := sqliteCode(err) & 0xff
	return code == sqlitelib.SQLITE_BUSY || code == sqlitelib.SQLITE_LOCKED
}

// isLocked reports whether PostgreSQL waited for a lock as long as lock_timeout says. Waiting once more would only keep
// a connection from others.
func isLocked(err error) bool { return pgCode(err) == "55P03" }

// isUnreachable reports whether there is no working connection to the database: none could be made, it broke, or the
// server is starting or stopping.
func isUnreachable(err error) bool {
	network := (*net.OpError)(nil)
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrLost) || errors.Is(err, io.EOF) || errors.As(err, &network) {
		return true
	}
	code := pgCode(err)
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P")
}

// isExhausted reports whether the database works and has run out of disk space, connections or memory.
func isExhausted(err error) bool {
	return strings.HasPrefix(pgCode(err), "53") || sqliteCode(err)&0xff == sqlitelib.SQLITE_FULL
}

func isUnique(err error) bool {
	code := sqliteCode(err)
	return pgCode(err) == "23505" || code == sqlitelib.SQLITE_CONSTRAINT_UNIQUE || code == sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY
}

// isForeignKey reports whether a referenced record is missing, or is kept by ON DELETE RESTRICT, which SQLite makes
// into a trigger and PostgreSQL 18 gives a code of its own.
func isForeignKey(err error) bool {
	switch pgCode(err) {
	case "23503", "23001":
		return true
	}
	code := sqliteCode(err)
	return code == sqlitelib.SQLITE_CONSTRAINT_FOREIGNKEY || code == sqlitelib.SQLITE_CONSTRAINT_TRIGGER
}

// isText reports whether PostgreSQL cannot read a text that it was given.
func isText(err error) bool {
	code := pgCode(err)
	return code == "22021" || code == "22P05"
}

// serverSaidNo reports whether the database itself refused a commit, so that the outcome is known. The outcome stays
// open if the log of a SQLite file could not be written to its end, since after a crash the part may count, if the
// server is stopping, and if it gave up waiting for a standby.
func serverSaidNo(err error) bool {
	if errors.Is(err, pgconn.ErrQualified) {
		return false
	}
	switch sqliteCode(err) & 0xff {
	case 0:
		return pgCode(err) != "" && !isUnreachable(err)
	case sqlitelib.SQLITE_IOERR, sqlitelib.SQLITE_FULL:
		return false
	}
	return true
}
