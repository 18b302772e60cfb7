package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
)

// printed is an example of a document: what stands between fences, and of what language it is.
type printed struct {
	line           int
	language, text string
}

var (
	fences = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	spans  = regexp.MustCompile("`([^`\n]+)`")

	placeholder = regexp.MustCompile(` [A-Z]\b`) // of a number
)

func examplesOf(t *testing.T, file string) (text string, all []printed) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", file))
	if err != nil {
		t.Fatal(err)
	}
	text = string(raw)
	for _, m := range fences.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, printed{1 + strings.Count(text[:m[0]], "\n"), text[m[2]:m[3]], text[m[4]:m[5]]})
	}
	return text, all
}

// notReplayed are commands that need what a test does not have, and what that is. Their flags are checked
// all the same.
var notReplayed = map[string]string{
	"go install":                          "a release",
	"go build":                            "the gate builds the program",
	"go test":                             "it runs this test",
	"linchpin serve --database 'postgres": "a database server of that name",
}

// TestTheREADMEIsAsAFreshDemoAnswers replays the README from top to bottom on a demo that was just loaded: each
// operation, and each command, is answered as it is printed. "…" stands for anything.
func TestTheREADMEIsAsAFreshDemoAnswers(t *testing.T) {
	_, all := examplesOf(t, "README.md")
	home := t.TempDir()
	r := replay{t, home, environmentOf(home), nil, 0}
	replayed := 0
	for i, b := range all {
		next := ""
		if i+1 < len(all) && all[i+1].language == "json" {
			next = all[i+1].text
		}
		switch {
		case b.language == "graphql":
			replayed++
			r.operation(b, next)
		case strings.HasPrefix(b.text, "$ "):
			replayed++
			r.command(b)
		case strings.HasPrefix(b.text, "id: "):
			replayed++
			r.event(b)
		case b.language == "json" && i > 0 && all[i-1].language == "graphql":
		default:
			t.Errorf("line %d: nothing replays this example:\n%s", b.line, b.text)
		}
	}
	if replayed < 15 {
		t.Errorf("%d examples only", replayed)
	}
	r.spans()
}

// replay is a reader who follows the README.
type replay struct {
	t           *testing.T
	home        string
	environment []string
	demo        *process
	opened      int64 // the revision in which the incident of the tour was opened
}

func environmentOf(home string) []string {
	environment := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "XDG_DATA_HOME=") || strings.HasPrefix(v, "HOME=") || strings.HasPrefix(v, "LINCHPIN_DATABASE=")
	})
	return append(environment, "HOME="+home)
}

func (r *replay) operation(b printed, answer string) {
	r.t.Helper()
	a, err := post(r.t.Context(), http.DefaultClient, r.demo.url, b.text, nil)
	if err != nil || len(a.Errors) > 0 {
		r.t.Fatalf("line %d: %+v, %v", b.line, a.Errors, err)
	}
	if strings.Contains(b.text, "openIncident") {
		r.opened = a.Extensions.Revision
	}
	var data map[string]any
	var want any
	if err := json.Unmarshal(a.Data, &data); err != nil {
		r.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(answer), &want); err != nil {
		r.t.Fatalf("line %d: what it answers is no JSON: %v", b.line, err)
	}
	for _, got := range data { // the only field
		if diff := cmp.Diff(want, shortened(want, got)); diff != "" || len(data) != 1 {
			r.t.Errorf("line %d (- README, + answer)\n%s", b.line, diff)
		}
	}
}

// shortened returns an answer with "…" where the README has it.
func shortened(want, got any) any {
	switch w := want.(type) {
	case string:
		if text, ok := got.(string); w == "…" || ok && isElided(w, text) {
			return w
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			all := make([]any, len(g))
			for i := range g {
				all[i] = shortened(w[i], g[i])
			}
			return all
		}
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			all := map[string]any{}
			for name, value := range g {
				all[name] = shortened(w[name], value)
			}
			return all
		}
	}
	return got
}

// isElided reports whether a text is the printed one, in which "…" stands for anything.
func isElided(printed, text string) bool {
	return regexp.MustCompile(`\A` + strings.ReplaceAll(regexp.QuoteMeta(printed), "…", `[\s\S]*`) + `\z`).MatchString(text)
}

// As the README says it: what differs from one machine, or from one run, to the next.
var (
	ports  = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	speeds = regexp.MustCompile(`in [0-9.]+m?s: \d+ records a second`)
	links  = regexp.MustCompile(`lpl_[A-Za-z0-9_-]+`)
)

func (r *replay) asPrinted(text string) string {
	text = strings.ReplaceAll(text, r.home, "/home/you")
	text = ports.ReplaceAllString(text, "127.0.0.1:8080")
	text = links.ReplaceAllString(text, "lpl_…")
	return strings.TrimRight(speeds.ReplaceAllString(text, "in … a second"), "\n ")
}

// command runs the commands of a block in a shell, with what is printed below each.
func (r *replay) command(b printed) {
	r.t.Helper()
	for _, part := range strings.Split("\n"+b.text, "\n$ ")[1:] {
		line, printed, _ := strings.Cut(part, "\n")
		reason := ""
		for start, needs := range notReplayed {
			if strings.HasPrefix(line, start) {
				reason = needs
			}
		}
		if line = strings.Replace(line, "go run ./cmd/linchpin", "linchpin", 1); reason != "" {
			r.flags(b.line, line)
			continue
		}
		got := ""
		if strings.HasPrefix(line, "linchpin serve") {
			got = r.serve(line)
		} else {
			got = r.run(b.line, line)
		}
		if printed = r.asPrinted(printed); printed != "" && got != "" && !isElided(printed, r.asPrinted(got)) {
			r.t.Errorf("line %d: $ %s (- README, + output)\n%s", b.line, line, cmp.Diff(printed, r.asPrinted(got)))
		}
	}
}

// serve starts a server as the README does, but on a free port. A server without a demo has a home of its own, as on
// another day.
func (r *replay) serve(line string) string {
	r.t.Helper()
	program, err := exec.LookPath("linchpin")
	if err != nil {
		r.t.Fatal(err)
	}
	isDemo := strings.Contains(line, "--demo")
	if !isDemo {
		r.home = r.t.TempDir()
		r.environment = environmentOf(r.home)
	}
	cmd := exec.CommandContext(r.t.Context(), program, append(strings.Fields(line)[1:], "--listen", "127.0.0.1:0")...)
	cmd.Env = r.environment
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	said, p := "", &process{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said += lines.Text() + "\n"
		if address, ok := strings.CutPrefix(lines.Text(), "GraphiQL   "); ok {
			p.url = strings.TrimSuffix(address, "/")
		}
		if strings.Contains(lines.Text(), "Stop with Ctrl-C.") {
			break
		}
	}
	if isDemo {
		r.demo = p
	}
	return said
}

// run runs a command in a shell, and one that imports a real catalogue in the folder of that, if it is on the machine.
func (r *replay) run(at int, line string) (said string) {
	r.t.Helper()
	run := func(t *testing.T, folder string) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Env, cmd.Dir = r.environment, folder
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("line %d: $ %s: %v\n%s", at, line, err, out)
		}
		said = string(out)
	}
	if !strings.Contains(line, "kubernetes-manifests") {
		run(r.t, r.home)
		return said
	}
	r.t.Run("with fixtures", func(t *testing.T) { run(t, boutique(t)) })
	return said
}

// flags checks that the program knows the flags of a command that is not run.
func (r *replay) flags(at int, line string) {
	r.t.Helper()
	if !strings.HasPrefix(line, "linchpin ") {
		return
	}
	cmd := exec.CommandContext(r.t.Context(), "sh", "-c", line+" --help")
	cmd.Env = r.environment
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Errorf("line %d: $ %s: %v\n%s", at, line, err, out)
	}
}

// event compares an event as it comes over HTTP with what a subscriber hears of the incident of the tour.
func (r *replay) event(b printed) {
	r.t.Helper()
	document := fmt.Sprintf("subscription { serviceStateChanged(after: %d) { revision changes { from to service { ci { name } } } } }", r.opened-1)
	request, err := newRequest(r.t.Context(), http.MethodGet, r.demo.url+"/graphql?query="+url.QueryEscape(document), "", "Accept: text/event-stream")
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got := ""
	for lines := bufio.NewScanner(response.Body); lines.Scan() && !strings.HasPrefix(got, "data: "); {
		if text := lines.Text(); strings.HasPrefix(text, "id: ") || strings.HasPrefix(text, "data: ") {
			got = strings.TrimPrefix(got+"\n"+text, "\n")
		}
		if strings.Contains(got, "\ndata: ") {
			break
		}
	}
	if printed := strings.TrimSpace(b.text); !isElided(printed, got) {
		r.t.Errorf("line %d (- README, + event)\n%s", b.line, cmp.Diff(printed, got))
	}
}

// spans asks the operations that stand in the README's sentences.
func (r *replay) spans() {
	r.t.Helper()
	text, _ := examplesOf(r.t, "README.md")
	asked := 0
	for _, m := range spans.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		document, err := parser.ParseQuery(&ast.Source{Input: m[1]})
		if err != nil || len(document.Operations) != 1 || !strings.Contains(m[1], "{ ") || strings.Contains(m[1], `{"`) {
			continue
		}
		asked++
		if document.Operations[0].Operation == ast.Subscription {
			continue // its events are among the examples
		}
		if a, err := post(r.t.Context(), http.DefaultClient, r.demo.url, m[1], nil); err != nil || len(a.Errors) > 0 {
			r.t.Errorf("%s: %+v, %v", m[1], a.Errors, err)
		}
	}
	if asked < 2 {
		r.t.Errorf("%d operations in sentences only", asked)
	}
}

// boutique returns the folder of the catalogue that the README imports.
func boutique(t *testing.T) (folder string) {
	err := filepath.WalkDir(fixture.Dir(t), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "kubernetes-manifests" {
			folder = filepath.Dir(path)
			return filepath.SkipAll
		}
		return err
	})
	if err != nil || folder == "" {
		t.Fatalf("no kubernetes-manifests among the fixtures: %v", err)
	}
	return folder
}

// TestTheCommandsOfTheDocumentsAreKnown checks that the program knows each command and flag that the documents show, in
// examples and in sentences. It runs none of them.
func TestTheCommandsOfTheDocumentsAreKnown(t *testing.T) {
	home, seen := t.TempDir(), map[string]bool{}
	r := replay{t: t, home: home, environment: environmentOf(home)}
	check := func(file, line string) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "$ "))
		if !strings.HasPrefix(line, "linchpin ") || seen[line] {
			return
		}
		seen[line] = true
		words := strings.Fields(regexp.MustCompile(` [|>#] .*`).ReplaceAllString(strings.ReplaceAll(line, " … ", " "), ""))
		if strings.HasPrefix(words[len(words)-1], "--") || strings.Contains(line, "|") {
			return // a flag without its value, or a choice
		}
		command := placeholder.ReplaceAllString(strings.ReplaceAll(strings.Join(words, " "), "…", "x"), " 1")
		t.Run(file+" "+line, func(t *testing.T) {
			r.t = t
			r.flags(0, command)
		})
	}
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(docs, "../../README.md") {
		file = strings.TrimPrefix(file, "../../")
		text, all := examplesOf(t, file)
		for _, b := range all {
			for line := range strings.SplitSeq(strings.ReplaceAll(b.text, "\\\n", " "), "\n") {
				check(file, line)
			}
		}
		for _, m := range spans.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
			check(file, m[1])
		}
	}
	if len(seen) < 25 {
		t.Errorf("%d commands only", len(seen))
	}
}
