package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Restore brings a backup into a database that holds nothing: a SQLite file that does not exist, or an empty PostgreSQL
// database. It migrates it to the version of this program, compares it with the manifest, and returns both what was
// restored and the faults that Verify finds; only a database without any is whole. Errors: the backup is no backup, was
// changed, or is of the other database; the target is taken; the database is newer than this program.
func Restore(ctx context.Context, folder, address string, say func(string)) (m Manifest, faults []string, err error) {
	say = told(say)
	say("Reading " + folder)
	if m, err = Read(folder); err != nil {
		return m, nil, err
	}
	path, isFile := strings.CutPrefix(address, "sqlite:")
	if isFile != (m.Database == "sqlite") {
		return m, nil, fmt.Errorf("%s is a backup of %s: it cannot be restored into %s", folder, m.Database, store.Redact(address))
	}
	say("Restoring revision " + fmt.Sprint(m.Revision))
	from := filepath.Join(folder, m.File)
	if isFile {
		err = restoreFile(ctx, from, path)
	} else {
		err = restoreDump(ctx, from, address)
	}
	if err != nil {
		return m, nil, err
	}
	say("Comparing it with the manifest")
	faults, err = compare(ctx, m, address, say)
	return m, faults, err
}

// restoreFile puts a copy of a SQLite file where no file is, once this program has been seen to know it.
func restoreFile(ctx context.Context, from, path string) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s exists: stop the servers and move it away, with what has -wal and -shm behind its name, or name another file", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	partial := path + ".partial"
	defer func() { _ = os.Remove(partial) }()
	if err := copyFile(from, partial); err != nil {
		return err
	}
	if err := migrate(ctx, "sqlite:"+partial); err != nil {
		return err
	}
	for _, end := range []string{"-wal", "-shm"} { // empty: the last connection has closed
		if err := os.Remove(partial + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := errors.Join(store.Sync(partial), os.Rename(partial, path)); err != nil {
		return err
	}
	return store.Sync(filepath.Dir(path))
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from) //nolint:gosec // the backup that was named
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the file that was named
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}

// restoreDump lets pg_restore fill an empty database, whole or not at all.
func restoreDump(ctx context.Context, from, address string) error {
	s, err := store.Open(ctx, address)
	if err != nil {
		return err
	}
	isEmpty, err := s.IsEmpty(ctx)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if !isEmpty {
		return fmt.Errorf("%s has tables: name a database that was just created", store.Redact(address))
	}
	if err := run(ctx, address, "pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", from); err != nil {
		return err
	}
	return migrate(ctx, address)
}

func migrate(ctx context.Context, address string) error {
	s, err := store.Open(ctx, address)
	if err != nil {
		return err
	}
	_, err = s.Migrate(ctx)
	return errors.Join(err, s.Close())
}

// compare returns what a restored database has otherwise than the manifest says, and the faults in it.
func compare(ctx context.Context, m Manifest, address string, say func(string)) ([]string, error) {
	got := Manifest{}
	if err := got.of(ctx, address); err != nil {
		return nil, err
	}
	differs := m.differences(got)
	found, err := Verify(ctx, address, say)
	return append(differs, found.Faults...), err
}
