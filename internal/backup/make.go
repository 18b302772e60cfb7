package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	sqliteFile   = "linchpin.db"
	postgresFile = "linchpin.dump"
)

// Make writes a backup of a database into a folder that does not exist, or is empty, and returns its manifest. Servers
// read and write the database meanwhile: the backup holds one revision. Until it is whole it has another name. Say is
// told what begins; nil: nobody is. Errors: the folder is taken, the database cannot be read, or PostgreSQL's pg_dump
// is missing or fails.
func Make(ctx context.Context, address, folder, program string, say func(string)) (m Manifest, err error) {
	if entries, err := os.ReadDir(folder); err == nil && len(entries) > 0 {
		return m, fmt.Errorf("%s has something in it: name a folder that does not exist, or is empty", folder)
	}
	s, err := store.OpenReading(ctx, address)
	if err != nil {
		return m, err
	}
	defer func() { _ = s.Close() }()
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(folder)), 0o700); err != nil {
		return m, err
	}
	partial, err := os.MkdirTemp(filepath.Dir(filepath.Clean(folder)), "."+filepath.Base(folder)+"-partial-")
	if err != nil {
		return m, err
	}
	defer func() { _ = os.RemoveAll(partial) }()
	m = Manifest{Format: format, Program: program, At: time.Now().UTC().Truncate(time.Second)}
	say = told(say)
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		m.Database, m.File = "sqlite", sqliteFile
		err = m.copySQLite(ctx, path, filepath.Join(partial, sqliteFile), say)
	} else {
		m.Database, m.File = "postgresql", postgresFile
		err = m.dump(ctx, s, address, filepath.Join(partial, postgresFile), say)
	}
	if err != nil {
		return m, err
	}
	if err := m.seal(partial); err != nil {
		return m, err
	}
	if err := os.Remove(folder); err != nil && !errors.Is(err, os.ErrNotExist) {
		return m, err
	}
	if err := os.Rename(partial, folder); err != nil {
		return m, err
	}
	return m, store.Sync(filepath.Dir(filepath.Clean(folder)))
}

func told(say func(string)) func(string) {
	if say == nil {
		return func(string) {}
	}
	return say
}

// copySQLite copies a file, and describes the copy.
func (m *Manifest) copySQLite(ctx context.Context, path, to string, say func(string)) error {
	say("Copying " + path)
	if err := store.CopySQLite(ctx, path, to); err != nil {
		return fmt.Errorf("copy %s: %w", path, err)
	}
	say("Reading the copy")
	return m.of(ctx, "sqlite:"+to)
}

// of describes a database that nobody writes.
func (m *Manifest) of(ctx context.Context, address string) error {
	s, err := store.OpenReading(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	from, err := s.Snapshot(ctx, 1)
	if err != nil {
		return err
	}
	defer from.Close()
	return m.describe(ctx, s, from)
}

// dump describes one revision of a PostgreSQL database, and lets pg_dump write the same.
func (m *Manifest) dump(ctx context.Context, s *store.Store, address, to string, say func(string)) error {
	from, err := s.Snapshot(ctx, 1)
	if err != nil {
		return err
	}
	defer from.Close()
	say("Reading revision " + fmt.Sprint(from.Revision))
	if err := m.describe(ctx, s, from); err != nil {
		return err
	}
	say("Dumping " + store.Redact(address))
	return run(ctx, address, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--snapshot="+from.Exported, "--file="+to)
}
