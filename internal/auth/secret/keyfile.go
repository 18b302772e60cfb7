package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const rootSize = 32

// Read returns the keys of a file: 32 bytes in base64 on each line.
func Read(path string) (*Keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s: others may read it (mode %04o): chmod 600 %[1]s", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path) //nolint:gosec // it is named by whoever starts the program
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	var roots [][]byte
	for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		root, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(line)))
		if err != nil || len(root) != rootSize {
			return nil, fmt.Errorf("key file %s: line %d is not %d bytes in base64, such as openssl rand -base64 %[3]d writes", path, i+1, rootSize)
		}
		roots = append(roots, root)
	}
	return NewKeys(roots...)
}

// ReadOrMake returns the keys of a file, which it makes, for its owner alone, if there is none.
func ReadOrMake(path string) (*Keys, error) {
	keys, err := Read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	root := make([]byte, rootSize)
	_, _ = rand.Read(root) // it never fails
	text := base64.StdEncoding.EncodeToString(root) + "\n"
	// The file appears whole or not at all, and of two that make it at once one wins.
	temporary, err := os.CreateTemp(filepath.Dir(path), ".key") // of mode 0600
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.WriteString(text)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return Read(path)
}
