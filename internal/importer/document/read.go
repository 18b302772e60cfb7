package document

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// File is a file that was read.
type File struct {
	Name    string // as it was reached from the path that was given
	Content []byte
}

// Read yields the documents of the *.yaml, *.yml and *.json files that Files yields.
func Read(ctx context.Context, paths []string, limits Limits) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		for f, err := range Files(ctx, paths, []string{".yaml", ".yml", ".json"}, limits) {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			for d, err := range Parse(f.Name, f.Content, limits.orDefault()) {
				if ended := ctx.Err(); ended != nil {
					yield(nil, ended)
					return
				}
				if !yield(d, err) {
					return
				}
			}
		}
	}
}

// Files yields files and those of folders, in the order of paths, inside a folder by name. Of a folder it reads files
// with one of the extensions at any depth, leaves out hidden ones, follows symbolic links that stay inside it, and
// reads each file once however often it is reached. A file named in paths is read whatever its name. Pipes, sockets
// and devices are rejected. An error that is no *importer.Notice ends it: a path that does not exist, found before
// anything is read, and a context that ended.
func Files(ctx context.Context, paths, extensions []string, limits Limits) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for _, p := range paths {
			if _, err := os.Stat(p); err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					err = fmt.Errorf("%s: no such file or folder: %w", p, fs.ErrNotExist)
				}
				yield(File{}, err)
				return
			}
		}
		w := &walk{ctx: ctx, limits: limits.orDefault(), extensions: extensions, yield: yield, seen: map[string]bool{}}
		for _, p := range paths {
			if !w.given(p) {
				return
			}
		}
	}
}

// walk is one reading of many paths. Its methods return false once it is over.
type walk struct {
	ctx        context.Context
	limits     Limits
	extensions []string
	yield      func(File, error) bool
	seen       map[string]bool // real paths
	files      int             // found under the path now being walked
}

func (w *walk) given(p string) bool {
	info, err := os.Stat(p)
	if err != nil {
		return w.yield(File{}, err)
	}
	if !info.IsDir() {
		return !w.first(p) || w.file(p, info, func() (*os.File, error) { return os.Open(p) })
	}
	root, err := os.OpenRoot(p)
	if err != nil {
		return w.yield(File{}, rejected(p, 1, "the folder cannot be read: %v", err))
	}
	defer func() { _ = root.Close() }()
	w.files = 0
	if !w.folder(root, p, ".") {
		return false
	}
	if w.files == 0 {
		return w.yield(File{}, &importer.Notice{Origin: importer.Origin{File: p}, Kind: importer.Warning, Reason: "the folder holds no file that ends in " + alternatives(w.extensions)})
	}
	return true
}

func alternatives(all []string) string {
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}

// first reports whether a file or folder is reached for the first time.
func (w *walk) first(p string) bool {
	if abs, err := filepath.Abs(p); err == nil {
		p = abs
	}
	if target, err := filepath.EvalSymlinks(p); err == nil {
		p = target
	}
	was := w.seen[p]
	w.seen[p] = true
	return !was
}

func (w *walk) folder(root *os.Root, given, rel string) bool {
	full := filepath.Join(given, filepath.FromSlash(rel))
	if !w.first(full) {
		w.files++ // it was read before, which is not the same as empty
		return true
	}
	entries, err := fs.ReadDir(root.FS(), rel)
	if err != nil {
		return w.yield(File{}, rejected(full, 1, "the folder cannot be read: %v", err))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !w.entry(root, given, path.Join(rel, e.Name()), e) {
			return false
		}
	}
	return true
}

func (w *walk) entry(root *os.Root, given, rel string, e fs.DirEntry) bool {
	full := filepath.Join(given, filepath.FromSlash(rel))
	wanted := slices.Contains(w.extensions, strings.ToLower(path.Ext(rel)))
	isLink := e.Type()&fs.ModeSymlink != 0
	if !wanted && !isLink && !e.IsDir() {
		return true
	}
	info, err := root.Stat(rel)
	switch {
	case err != nil && isLink:
		w.files++
		return w.yield(File{}, rejected(full, 1, "the symbolic link is not followed: %v; a link must lead to a file or folder inside %s", reason(err), given))
	case err != nil:
		w.files++
		return w.yield(File{}, rejected(full, 1, "cannot be read: %v", reason(err)))
	case info.IsDir():
		return w.folder(root, given, rel)
	case !wanted:
		return true
	}
	w.files++
	return !w.first(full) || w.file(full, info, func() (*os.File, error) { return root.Open(rel) })
}

func (w *walk) file(name string, info fs.FileInfo, open func() (*os.File, error)) bool {
	if err := w.ctx.Err(); err != nil {
		w.yield(File{}, err)
		return false
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for ever
		return w.yield(File{}, rejected(name, 1, "not a regular file"))
	}
	if info.Size() > w.limits.FileBytes {
		return w.yield(File{}, tooLarge(name, info.Size(), w.limits))
	}
	content, err := read(open, w.limits.FileBytes)
	if err != nil {
		return w.yield(File{}, rejected(name, 1, "cannot be read: %v", reason(err)))
	}
	return w.yield(File{name, content}, nil)
}

// read reads at most one byte more than the limit, for Parse to refuse: a file may grow while it is read.
func read(open func() (*os.File, error), limit int64) ([]byte, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// reason returns an error without the path, which the origin names already.
func reason(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
