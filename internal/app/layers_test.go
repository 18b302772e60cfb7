package app_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/linchpin-cmdb/linchpin/"

// layers lists the folders from the one that knows most to the one that knows nothing. Imports go down the list,
// never up; folders on one line do not know each other. A folder includes what lies below it.
var layers = [][]string{
	{"cmd", "internal/generate", "internal/benchmark"},
	{"internal/app"},
	{"internal/server", "internal/demo", "internal/fill", "internal/backup", "internal/tracing"},
	{"graph"},
	{"internal/importer"},
	{"internal/practice/incident", "internal/practice/catalog", "internal/practice/identity", "internal/practice/source"},
	{"internal/practice/change"},
	{"internal/practice/approval", "internal/practice/servicelevel"},
	{"internal/practice/schedule"}, // what is in a change's way and how risky it is, for the practices that decide about it
	{"internal/practice/cmdb"},
	{"internal/practice/ticket"},
	{"internal/practice/form"}, // the faults of an input, with one sentence for each kind
	{"internal/consent"},
	{"internal/auth", "internal/journal", "internal/audit"},
	{"internal/store"},
	{"ent"},
	{"ent/schema"},
	{"internal/synthetic"},
	{"internal/rule"},
	{"internal/topology"},
	{"internal/domain"},
	{"graph/page", "graph/where"}, // how lists of anything are paged and filtered
	{"internal/ident"},
	{"internal/span"},
	{"internal/chain", "internal/errs", "internal/propertytest", "internal/hugepage", "internal/safe"},
	{"schema", "docs"},
}

// home returns the line of a package and its folder there, the longest that fits.
func home(pkg string) (line int, folder string) {
	line = -1
	for i, folders := range layers {
		for _, f := range folders {
			if (pkg == f || strings.HasPrefix(pkg, f+"/")) && len(f) > len(folder) {
				line, folder = i, f
			}
		}
	}
	return line, folder
}

func TestImportsGoDownTheHouse(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		words := strings.Fields(strings.ReplaceAll(row, module, ""))
		from, folder := home(words[0])
		if from < 0 {
			t.Errorf("%s has no home: add it to layers", words[0])
			continue
		}
		for _, imported := range words[1:] {
			to, other := home(imported)
			if to < 0 || strings.Contains(imported, ".") { // not ours
				continue
			}
			if folder != other && to <= from {
				t.Errorf("%s imports %s, which stands above it or beside it", words[0], imported)
			}
		}
	}
}
