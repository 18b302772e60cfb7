package document

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// tree writes files into a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// met lists the results of Read, with paths below dir.
func met(t *testing.T, dir string, paths ...string) []string {
	t.Helper()
	var lines []string
	for d, err := range Read(t.Context(), paths, Limits{}) {
		line := ""
		if err != nil {
			line = err.Error()
		} else {
			line = fmt.Sprintf("%v %v", d.Origin, d.Root.Value())
		}
		lines = append(lines, strings.ReplaceAll(line, dir, "DIR"))
	}
	return lines
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skipf("the system makes no symbolic links: %v", err)
	}
}

func TestFoldersAreReadInOrderAndFilesByExtension(t *testing.T) {
	dir := tree(t, map[string]string{
		"b.yaml": "n: 1", "a/z.yml": "n: 2", "a/b/c.json": `{"n": 3}`, "A.YAML": "n: 4", "readme.md": "n: 5", "x.txt": "n: 6",
		".git/x.yaml": "n: 7", ".hidden.yaml": "n: 8",
	})
	x := filepath.Join(dir, "x.txt")
	want := []string{"DIR/x.txt:1 map[n:6]", "DIR/A.YAML:1 map[n:4]", "DIR/a/b/c.json:1 map[n:3]", "DIR/a/z.yml:1 map[n:2]", "DIR/b.yaml:1 map[n:1]"}
	if diff := cmp.Diff(want, met(t, dir, x, dir)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(want, met(t, dir, x, dir, filepath.Join(dir, "a"), x, filepath.Join(dir, "b.yaml"))); diff != "" {
		t.Errorf("a file reached twice is read once: -want +got\n%s", diff)
	}
}

func TestAPathThatDoesNotExistEndsReadingBeforeItBegins(t *testing.T) {
	dir := tree(t, map[string]string{"a.yaml": "n: 1"})
	missing := filepath.Join(dir, "missing")
	n := 0
	for d, err := range Read(t.Context(), []string{dir, missing}, Limits{}) {
		n++
		var p *importer.Notice
		if d != nil || !errors.Is(err, fs.ErrNotExist) || errors.As(err, &p) {
			t.Errorf("%v %v", d, err)
		}
		if want := missing + ": no such file or folder"; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q does not begin with %q", err, want)
		}
	}
	if n != 1 {
		t.Errorf("%d answers", n)
	}
}

func TestAnEmptyFolderIsReported(t *testing.T) {
	dir := tree(t, map[string]string{"readme.md": ""})
	if diff := cmp.Diff([]string{"DIR: the folder holds no file that ends in .yaml, .yml or .json"}, met(t, dir, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestLinksMayLoopAndMayNotLeave(t *testing.T) {
	outside := tree(t, map[string]string{"secret.yaml": "n: secret"})
	dir := tree(t, map[string]string{"a/a.yaml": "n: 1", "b.yaml": "n: 2"})
	link(t, "..", filepath.Join(dir, "a", "up"))
	link(t, "self.yaml", filepath.Join(dir, "self.yaml"))
	link(t, "b.yaml", filepath.Join(dir, "same.yaml"))
	link(t, filepath.Join(outside, "secret.yaml"), filepath.Join(dir, "out.yaml"))
	link(t, outside, filepath.Join(dir, "outfolder"))
	link(t, "gone.yaml", filepath.Join(dir, "gone-link.yaml"))
	got := met(t, dir, dir)
	want := []string{
		"DIR/a/a.yaml:1 map[n:1]", "DIR/b.yaml:1 map[n:2]",
		"DIR/gone-link.yaml:1: the symbolic link is not followed: …",
		"DIR/out.yaml:1: the symbolic link is not followed: …",
		"DIR/outfolder:1: the symbolic link is not followed: …",
		"DIR/self.yaml:1: the symbolic link is not followed: …",
	}
	for i, line := range got {
		if at := strings.Index(line, "not followed: "); at >= 0 {
			got[i] = line[:at] + "not followed: …"
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestALineOfAGigabyteIsRefusedUnread(t *testing.T) {
	dir := tree(t, map[string]string{"a.yaml": "n: 1", "c.yaml": "n: 3"})
	f, err := os.Create(filepath.Join(dir, "b.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(1<<30), f.Close()); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := met(t, dir, dir)
	runtime.ReadMemStats(&after)
	want := []string{"DIR/a.yaml:1 map[n:1]", "DIR/b.yaml:1: the file is 1.0 GiB and nothing of it was read; the limit is 16.0 MiB", "DIR/c.yaml:1 map[n:3]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

func TestAFileThatGrowsWhileItIsReadStaysBounded(t *testing.T) {
	dir := tree(t, map[string]string{"a.yaml": strings.Repeat("x", 100)})
	content, err := read(func() (*os.File, error) { return os.Open(filepath.Join(dir, "a.yaml")) }, 10)
	if err != nil || len(content) != 11 {
		t.Errorf("%d bytes, %v", len(content), err)
	}
}

func TestADeviceIsNoFile(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("the system has no device /dev/zero")
	}
	if diff := cmp.Diff([]string{"/dev/zero:1: not a regular file"}, met(t, "DIR", "/dev/zero")); diff != "" {
		t.Error(diff)
	}
}

func TestACanceledContextEndsReading(t *testing.T) {
	dir := tree(t, map[string]string{"a.yaml": "n: 1\n---\nn: 2\n"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []error
	for _, err := range Read(ctx, []string{dir}, Limits{}) {
		got = append(got, err)
		cancel()
	}
	if len(got) != 2 || got[0] != nil || !errors.Is(got[1], context.Canceled) {
		t.Error(got)
	}
}

func TestAReaderMayStopAnywhere(t *testing.T) {
	dir := tree(t, map[string]string{"a.yaml": "n: 1\n---\nn: [\n---\nn: 3\n", "b.json": "{} {} {", "c/d.yaml": "&a 1"})
	total := len(met(t, dir, dir))
	for stop := 1; stop <= total; stop++ {
		n := 0
		for range Read(t.Context(), []string{dir}, Limits{}) {
			if n++; n == stop {
				break
			}
		}
	}
}
