package store

import (
	"io/fs"
	"os"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// file is the SQLite file that a Store has open. If the file was moved, removed or replaced, nobody sees what is
// written to it after that.
type file struct {
	path   string
	opened fs.FileInfo
}

func fileAt(path string) (*file, error) {
	info, err := os.Stat(path)
	return &file{path, info}, err
}

// check returns errs.Unavailable unless the path leads to the file that is open. There is none on PostgreSQL.
func (f *file) check() error {
	if f == nil {
		return nil
	}
	info, err := os.Stat(f.path)
	if err == nil && os.SameFile(info, f.opened) {
		return nil
	}
	return errs.New(errs.Unavailable, "the file of the database is no longer where it was opened: it was moved, removed or replaced; put it back, or restart the server").Because(err)
}

// Check returns errs.Unavailable if the database is no longer the one that was opened.
func (s *Store) Check() error { return s.file.check() }
