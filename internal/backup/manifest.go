// Package backup keeps a copy of a database, brings it back, and tells whether a database is whole. It refuses to call
// a copy good that it has not compared with what its manifest says.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Manifest says what a backup holds. It is written last: a folder without one is no backup.
type Manifest struct {
	Format    int              `json:"format"` // of this manifest
	Program   string           `json:"program"`
	At        time.Time        `json:"at"`
	Database  string           `json:"database"`  // "sqlite" or "postgresql"
	Migration string           `json:"migration"` // the newest that was applied
	Revision  int64            `json:"revision"`
	Graph     string           `json:"graph"`          // the digest of the graph in that revision
	Link      string           `json:"link,omitempty"` // of that revision, in the chain of the journal
	Rows      map[string]int64 `json:"rows"`           // by table
	File      string           `json:"file"`
	Bytes     int64            `json:"bytes"`
	SHA256    string           `json:"sha256"`
}

const (
	format       = 1
	manifestName = "manifest.json"
)

// describe fills in what a snapshot holds.
func (m *Manifest) describe(ctx context.Context, s *store.Store, from *store.Snapshot) error {
	digest, err := journal.DigestOf(ctx, s, from)
	if err != nil {
		return err
	}
	migrations, err := s.Migrations()
	if err != nil {
		return err
	}
	m.Revision, m.Graph, m.Migration = from.Revision, digest.String(), migrations[len(migrations)-1].Name
	link, err := from.LinkOf(ctx, from.Revision)
	if err != nil {
		return err
	}
	m.Link = hex.EncodeToString(link)
	m.Rows, err = from.Counts(ctx)
	return err
}

// seal fills in the file of a folder, and writes the manifest beside it.
func (m *Manifest) seal(folder string) (err error) {
	if m.Bytes, m.SHA256, err = sumOf(filepath.Join(folder, m.File)); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(folder, manifestName)
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return errors.Join(store.Sync(path), store.Sync(folder))
}

// Read returns the manifest of a backup whose file is as it was made. Errors: it is no backup, is newer than this
// program, or was changed since.
func Read(folder string) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(folder, manifestName)) //nolint:gosec // the folder that was named
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m, fmt.Errorf("%s is no backup: it has no %s; name the folder that linchpin backup made", folder, manifestName)
	case err != nil:
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s of %s: %w", manifestName, folder, err)
	}
	if m.Format != format || filepath.Base(m.File) != m.File {
		return m, fmt.Errorf("%s is a backup in format %d, and this program knows format %d: restore it with the linchpin that made it (%s)", folder, m.Format, format, m.Program)
	}
	size, sum, err := sumOf(filepath.Join(folder, m.File))
	if err != nil {
		return m, err
	}
	if size != m.Bytes || sum != m.SHA256 {
		return m, fmt.Errorf("%s is not as it was made: %d bytes with the SHA-256 %s, where the manifest has %d bytes with %s", filepath.Join(folder, m.File), size, sum, m.Bytes, m.SHA256)
	}
	return m, nil
}

func sumOf(path string) (size int64, sum string, err error) {
	f, err := os.Open(path) //nolint:gosec // within the folder that was named
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = f.Close() }()
	hash := sha256.New()
	size, err = io.Copy(hash, f)
	return size, hex.EncodeToString(hash.Sum(nil)), err
}

// differences returns what another database has otherwise than the manifest says.
func (m *Manifest) differences(other Manifest) (all []string) {
	if m.Revision != other.Revision {
		all = append(all, fmt.Sprintf("revision %d instead of %d", other.Revision, m.Revision))
	}
	if m.Migration == other.Migration && m.Graph != other.Graph {
		all = append(all, fmt.Sprintf("the graph has the digest %s instead of %s", other.Graph, m.Graph))
	}
	if m.Link != "" && m.Link != other.Link {
		all = append(all, fmt.Sprintf("the journal ends with the link %q instead of %q", other.Link, m.Link))
	}
	for _, table := range slices.Sorted(maps.Keys(m.Rows)) {
		if got, ok := other.Rows[table]; ok && got != m.Rows[table] {
			all = append(all, fmt.Sprintf("%s has %d rows instead of %d", table, got, m.Rows[table]))
		}
	}
	return all
}
