// Package compose reads Compose projects: services become applications, databases, web servers and middleware, named
// volumes what they are kept on. It stores no value of an environment variable, and repeats none in a notice.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// Source reads Compose projects.
type Source struct{ paths []string }

// New returns a source of projects. A path is a file; several files that are laid over one another, with the separator
// of lists of paths between them (a colon, on Windows a semicolon); or a folder, in which every folder with a Compose
// file is a project.
func New(paths []string) *Source {
	logrus.SetOutput(io.Discard) // the Compose library tells what it notices to nobody else
	return &Source{paths: paths}
}

// Name returns "compose".
func (s *Source) Name() string { return "compose" }

// The names of a project's file, and of the one that is laid over it, in the order in which Compose looks for them.
var (
	mainNames     = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}
	overrideNames = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
)

// Rows yields the services and the volumes of each project, and a notice for a project that cannot be read. An external
// id is service:project/name or volume:project/name. Of two projects with one name the first counts.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		projects, err := s.projects()
		if err != nil {
			yield(importer.Row{}, err)
			return
		}
		first, volumes := map[string]string{}, map[string]bool{}
		for _, files := range projects {
			if ctx.Err() != nil {
				yield(importer.Row{}, ctx.Err())
				return
			}
			p, notice := load(ctx, files)
			if notice == nil && first[p.name] != "" {
				notice = rejected(files[0], "the project %q is also that of %s: give one of them another name by the field name", p.name, first[p.name])
			}
			if notice != nil {
				if !yield(importer.Row{}, notice) {
					return
				}
				continue
			}
			first[p.name] = files[0]
			for _, row := range p.rows() {
				if row.CI.Class == "volume" { // one that exists outside of the projects may be used by several
					if volumes[row.CI.ExternalID] {
						continue
					}
					volumes[row.CI.ExternalID] = true
				}
				if !yield(row, nil) {
					return
				}
			}
			for _, n := range p.notices {
				if !yield(importer.Row{}, n) {
					return
				}
			}
		}
	}
}

// projects returns the files of each project.
func (s *Source) projects() (all [][]string, err error) {
	for _, path := range s.paths {
		files := filepath.SplitList(path)
		for _, file := range files {
			info, err := os.Stat(file)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil, fmt.Errorf("%s: no such file or folder: %w", file, fs.ErrNotExist)
			case err != nil:
				return nil, err
			case info.IsDir() && len(files) > 1:
				return nil, fmt.Errorf("%s is a folder: several paths of one project are files", file)
			case info.IsDir():
				below, err := below(file)
				if err != nil {
					return nil, err
				}
				all = append(all, below...)
				files = nil
			}
		}
		if files != nil {
			all = append(all, files)
		}
	}
	return all, nil
}

// below returns the projects in a folder and in those in it, hidden ones left out.
func below(folder string) (all [][]string, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); path != folder && (strings.HasPrefix(name, ".") || name == "node_modules") {
			return fs.SkipDir
		}
		if main := firstOf(path, mainNames); main != "" {
			files := []string{main}
			if over := firstOf(path, overrideNames); over != "" {
				files = append(files, over)
			}
			all = append(all, files)
		}
		return nil
	})
	if err == nil && all == nil {
		return nil, fmt.Errorf("%s holds no Compose project: a file named %s is expected", folder, strings.Join(mainNames, ", "))
	}
	return all, err
}

// firstOf returns the first of the names that is a file in a folder, or "".
func firstOf(folder string, names []string) string {
	i := slices.IndexFunc(names, func(name string) bool {
		info, err := os.Stat(filepath.Join(folder, name))
		return err == nil && info.Mode().IsRegular()
	})
	if i < 0 {
		return ""
	}
	return filepath.Join(folder, names[i])
}

func rejected(file, format string, args ...any) *importer.Notice {
	return &importer.Notice{Origin: importer.Origin{File: file}, Kind: importer.Rejected, Reason: fmt.Sprintf(format, args...)}
}
