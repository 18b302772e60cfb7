package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const repository = ".."

// documents returns the Markdown files of the repository, as paths from its root.
func documents(t *testing.T) (files []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", repository, "ls-files", "--cached", "--others", "--exclude-standard", "*.md").Output()
	if err != nil {
		t.Skipf("git does not list the files of the repository, as in an archive without its history: %v", err)
	}
	for _, file := range strings.Fields(string(out)) {
		if _, err := os.Stat(filepath.Join(repository, file)); err == nil { // not one that is about to be deleted
			files = append(files, file)
		}
	}
	if !slices.Contains(files, "CONTRIBUTING.md") {
		t.Fatalf("git lists %q", files)
	}
	return files
}

func contents(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestProseEndsAt120Columns(t *testing.T) {
	// TestProseEndsAt120Columns passes over tables and examples, which are as wide as their content.
	for _, file := range documents(t) {
		example := false
		for i, line := range strings.Split(contents(t, file), "\n") {
			if strings.HasPrefix(line, "```") {
				example = !example
			}
			if n := utf8.RuneCountInString(line); n > 120 && !example && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d has %d columns", file, i+1, n)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	found := 0
	for _, file := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(contents(t, file), -1) {
			found++
			if _, err := os.Stat(filepath.Join(repository, filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			}
		}
	}
	if found < 10 {
		t.Errorf("%d links", found)
	}
}

var (
	gateSteps = regexp.MustCompile(`(?m)^root=\$PWD steps=\(machine ([a-z ]+)\)$`)
	forgeJobs = regexp.MustCompile(`(?m)^ +step: \[([a-z, ]+)\]$`)
)

func TestTheForgeRunsTheStepsOfTheGate(t *testing.T) {
	// TestTheForgeRunsTheStepsOfTheGate checks that the forge has a job for each step of the gate, in its order.
	steps := gateSteps.FindStringSubmatch(contents(t, ".ci/run"))
	jobs := forgeJobs.FindStringSubmatch(contents(t, ".github/workflows/gate.yml"))
	if steps == nil || jobs == nil {
		t.Fatalf("steps %q, jobs %q", steps, jobs)
	}
	if want := strings.ReplaceAll(steps[1], " ", ", "); jobs[1] != want {
		t.Errorf("the forge runs %q, the gate %q", jobs[1], want)
	}
}

func TestTheMapIsTrue(t *testing.T) {
	// TestTheMapIsTrue checks that the map names each folder below internal, and that each folder it names exists.
	text := contents(t, "internal/README.md")
	folders, err := os.ReadDir(filepath.Join(repository, "internal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if f.IsDir() && !strings.Contains(text, "`internal/"+f.Name()+"`") {
			t.Errorf("the map has no row for internal/%s", f.Name())
		}
	}
	places := regexp.MustCompile("(?m)^\\| `((?:internal|graph|cmd)[a-z/]*)`").FindAllStringSubmatch(text, -1)
	if len(places) < 20 {
		t.Errorf("the map has %d folders", len(places))
	}
	for _, p := range places {
		exists(t, "internal/README.md", p[1])
	}
}

func TestDecisionsAreDatedPlacedAndPriced(t *testing.T) {
	// TestDecisionsAreDatedPlacedAndPriced checks that a decision has its day, its place in the code, and its price.
	decisions := strings.Split(contents(t, "internal/decisions.md"), "\n### ")[1:]
	if len(decisions) < 40 {
		t.Fatalf("%d decisions", len(decisions))
	}
	placed := regexp.MustCompile("(?m)^20\\d\\d-\\d\\d-\\d\\d · (`.*`)$")
	for _, d := range decisions {
		title, text, _ := strings.Cut(d, "\n")
		where := placed.FindStringSubmatch(text)
		if where == nil || !strings.Contains(text, "\nGiven up: ") {
			t.Errorf("%q lacks its day and place, or what was given up", title)
			continue
		}
		for _, path := range strings.Split(where[1], ", ") {
			exists(t, "internal/decisions.md", strings.Trim(path, "`"))
		}
	}
}

func exists(t *testing.T, document, path string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(repository, path)); err != nil {
		t.Errorf("%s names %s: %v", document, path, err)
	}
}
