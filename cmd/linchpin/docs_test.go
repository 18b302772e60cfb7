package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documented are the pages whose examples are run.
var documented = []string{"sources.md"}

// TestTheExamplesOfTheDocumentationRun runs each page as a script: a block that follows a line such as `servers.yaml`:
// is a file, and one of the kind "console" holds commands and exactly what they print. "echo $?" is the exit code of
// the command before. Other files are those of the folder docs.
func TestTheExamplesOfTheDocumentationRun(t *testing.T) {
	dir := t.TempDir()
	for _, page := range documented {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		script, commands := scriptOf(t, string(text))
		if commands < 3 {
			t.Errorf("%s has %d commands", page, commands)
		}
		if err := os.WriteFile(filepath.Join(dir, strings.TrimSuffix(page, ".md")+".txtar"), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	docs, err := filepath.Abs(filepath.Join("..", "..", "docs"))
	if err != nil {
		t.Fatal(err)
	}
	runScripts(t, dir, "DOCS="+docs)
}

var (
	block    = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")
	fileLine = regexp.MustCompile("(?s)\n`([^`\n]+)`:\n\n$")
	sheet    = regexp.MustCompile(`\b[a-z-]+\.(?:xlsx|csv|db)\b`)
)

// scriptOf turns a page into a script.
func scriptOf(t *testing.T, page string) (script string, commands int) {
	t.Helper()
	var steps, files strings.Builder
	copied := map[string]bool{}
	for _, m := range block.FindAllStringSubmatchIndex(page, -1) {
		kind, body := page[m[2]:m[3]], page[m[4]:m[5]]
		if name := fileLine.FindStringSubmatch(page[:m[0]]); name != nil {
			fmt.Fprintf(&files, "-- %s --\n%s", name[1], body)
			continue
		}
		if kind != "console" {
			continue
		}
		for part := range strings.SplitSeq("\n"+body, "\n$ ") {
			line, output, _ := strings.Cut(part, "\n")
			if strings.TrimSpace(part) == "" {
				continue
			}
			if line == "echo $?" {
				// The exit code stands in front of the command that it is of.
				s := steps.String()
				at := strings.LastIndex(s, "exits 0 ")
				steps.Reset()
				steps.WriteString(s[:at] + "exits " + strings.TrimSpace(output) + s[at+len("exits 0"):])
				continue
			}
			commands++
			for _, name := range sheet.FindAllString(line, -1) {
				if _, err := os.Stat(filepath.Join("..", "..", "docs", name)); err == nil && !copied[name] {
					copied[name] = true
					fmt.Fprintf(&steps, "cp $DOCS/%s %s\n", name, name)
				}
			}
			want := fmt.Sprintf("want-%d", commands)
			fmt.Fprintf(&steps, "exits 0 %s\ncmp stdout %s\n", line, want)
			fmt.Fprintf(&files, "-- %s --\n%s\n", want, strings.TrimSuffix(output, "\n"))
		}
	}
	return steps.String() + files.String(), commands
}
