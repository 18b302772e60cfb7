package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keptTokens are the tokens that login got, by the address of the server.
type keptTokens struct {
	path    string
	Servers map[string]string `json:"servers"`
}

// keptTokens reads the tokens that are kept for the user. A file that others may read is refused.
func (env *environment) keptTokens() (*keptTokens, error) {
	folder := env.getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(folder) { // as the XDG Base Directory Specification says
		home := env.getenv("HOME")
		if home == "" {
			return nil, errors.New("HOME is not set: there is no place where tokens are kept; set LINCHPIN_TOKEN instead")
		}
		folder = filepath.Join(home, ".config")
	}
	kept := &keptTokens{path: filepath.Join(folder, "linchpin", "tokens.json"), Servers: map[string]string{}}
	info, err := os.Stat(kept.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kept, nil
	case err != nil:
		return nil, err
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s: others may read it (mode %04o): chmod 600 %[1]s", kept.path, info.Mode().Perm())
	}
	text, err := os.ReadFile(kept.path)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, kept); err != nil {
		return nil, fmt.Errorf("%s: %w: remove it, and log in anew", kept.path, err)
	}
	return kept, nil
}

// only returns the one server of which a token is kept.
func (k *keptTokens) only() (at string, err error) {
	if len(k.Servers) != 1 {
		return "", fmt.Errorf("tokens of %d servers are kept: name the server", len(k.Servers))
	}
	for at = range k.Servers {
		break
	}
	return at, nil
}

// write keeps the tokens, for the user alone: the file appears whole or not at all.
func (k *keptTokens) write() error {
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	folder := filepath.Dir(k.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(folder, ".tokens") // of mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(append(text, '\n'))
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), k.path)
}
