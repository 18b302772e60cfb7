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

// leastRoom is what a disk has to have left before a write begins: a log that finds no room at the commit leaves the
// outcome open.
const leastRoom = 4 << 20

// room returns errs.Unavailable if the disk is as good as full. There is none on PostgreSQL.
func (f *file) room() error {
	if f == nil {
		return nil
	}
	free, ok := roomAt(f.path)
	if !ok || free >= leastRoom {
		return nil
	}
	return errs.New(errs.Unavailable, "the disk of the database is full, with %d kB left: it is read only until there are %d kB; make room", free>>10, leastRoom>>10)
}

// Check returns errs.Unavailable if the database is no longer the one that was opened, or if it takes no writes: its
// disk is full, or its clock is another.
func (s *Store) Check() error {
	if err := s.file.check(); err != nil {
		return err
	}
	return s.admit()
}

// admit returns errs.Unavailable if nothing may be written now.
func (s *Store) admit() error {
	if err := s.file.room(); err != nil {
		return err
	}
	return s.skew.check()
}
