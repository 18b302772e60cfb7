package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/text/encoding"
)

// format is what a mapping says of how its files are written.
type format struct {
	sheet     string
	encoding  encoding.Encoding // nil for UTF-8
	delimiter rune              // 0 if the header tells
}

// open opens a table, CSV or XLSX by what it begins with.
func open(name string, f format) (reader, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, notThere(name, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder: name the files in it", name)
	case !info.Mode().IsRegular():
		return nil, rejected(name, 0, "not a regular file")
	}
	file, err := os.Open(name) //nolint:gosec // the person at the command line says which file
	if err != nil {
		return nil, err
	}
	r, err := begin(file, info.Size(), name, f)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return r, nil
}

// notThere says that a file is missing, if it is.
func notThere(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such file: %w", name, fs.ErrNotExist)
	}
	return err
}

func begin(file *os.File, size int64, name string, f format) (reader, error) {
	magic := make([]byte, 8)
	n, err := file.ReadAt(magic, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch magic = magic[:n]; {
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")), bytes.HasPrefix(magic, []byte("PK\x05\x06")):
		return openXLSX(file, size, name, f)
	case bytes.Equal(magic, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return nil, rejected(name, 0, "a workbook of an old format (.xls), or one with a password: save it as .xlsx without a password")
	}
	return openCSV(file, name, f)
}
