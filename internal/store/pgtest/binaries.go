//go:build linux || darwin || freebsd

package pgtest

import (
	"cmp"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// binaries returns the folder that holds initdb and postgres: the one on PATH, else pg_config's, else the newest of the
// versioned folders in which Debian and Red Hat keep them off PATH.
func binaries() (string, error) {
	var candidates []string
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil { // a link's neighbours are not the program's
			candidates = append(candidates, filepath.Dir(p))
		}
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		candidates = append(candidates, strings.TrimSpace(string(out)))
	}
	var versioned []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"} {
		found, _ := filepath.Glob(pattern) // fails on a bad pattern only
		versioned = append(versioned, found...)
	}
	slices.SortFunc(versioned, func(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) })

	for _, dir := range append(candidates, versioned...) {
		if isProgram(dir, "initdb") && isProgram(dir, "postgres") {
			return dir, nil
		}
	}
	return "", errNotInstalled
}

func isProgram(dir, name string) bool {
	_, err := exec.LookPath(filepath.Join(dir, name))
	return err == nil
}

// versionIn returns the version in a path: 15 for /usr/lib/postgresql/15/bin, 9.6 for /usr/pgsql-9.6/bin.
func versionIn(dir string) float64 {
	name := filepath.Base(filepath.Dir(dir))
	v, err := strconv.ParseFloat(strings.TrimPrefix(name, "pgsql-"), 64)
	if err != nil {
		return 0
	}
	return v
}
