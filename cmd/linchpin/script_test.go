package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/linchpin-cmdb/linchpin/internal/importer/fixture"
)

// TestScripts runs the scripts of testdata/script, each in a folder of its own that also holds its user's home.
// They may use these commands beside those of testscript:
//
//	exits CODE PROGRAM [ARGS]      run a program that must end with this code
//	serve [ARGS]                   start the server on a free port; $url is where it is, stdout what it says
//	sigterm                        SIGTERM to the server, which must end with 0; its output becomes stdout and stderr
//	graphql FILE [NAME=VALUE]      send the file's operation, $NAME being a string variable; stdout is the answer's data,
//	                               one field a line
//	http METHOD PATH [HEADER: …]   send a request to the server; stdout is the status, the headers and the body
//	terminal COLUMNS PROGRAM [ARGS] run a program on a terminal of this width (Linux); stdout is what it shows
//	occupy                         take a port of 127.0.0.1; $taken is its number
func TestScripts(t *testing.T) { runScripts(t, "testdata/script") }

// TestScriptsOnRealCatalogues runs the scripts that need the fixtures: $FIXTURES is their folder.
func TestScriptsOnRealCatalogues(t *testing.T) {
	runScripts(t, "testdata/fixtures", "FIXTURES="+fixture.Dir(t))
}

func runScripts(t *testing.T, dir string, environment ...string) {
	estate, err := filepath.Abs(filepath.Join("..", "..", "internal", "demo", "estate"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, append(environment, "HOME="+filepath.Join(e.WorkDir, "home"), "LINCHPIN_DATABASE=", "XDG_DATA_HOME=", "ESTATE="+estate)...)
			e.Values[serverKey{}] = new(*process)
			return nil
		},
		Cmds: scriptCommands,
	})
}

var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits": exits, "serve": serveInScript, "sigterm": sigterm, "graphql": graphQL, "http": request, "occupy": occupy,
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGS]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ended, ok := err.(*exec.ExitError) //nolint:errorlint // testscript hands over what os/exec gave it
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = ended.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

type serverKey struct{} // of the script's server, a **process

func serveInScript(ts *testscript.TestScript, _ bool, args []string) {
	environment := append(os.Environ(), "HOME="+ts.Getenv("HOME"), "LINCHPIN_DATABASE="+ts.Getenv("LINCHPIN_DATABASE"), "XDG_DATA_HOME="+ts.Getenv("XDG_DATA_HOME"))
	p, err := launch(ts.MkAbs("."), environment, args...)
	ts.Check(err)
	ts.Defer(p.kill)
	*ts.Value(serverKey{}).(**process) = p
	ts.Setenv("url", p.url)
	_, _ = io.WriteString(ts.Stdout(), p.said())
}

func sigterm(ts *testscript.TestScript, _ bool, _ []string) {
	p := *ts.Value(serverKey{}).(**process)
	code, err := p.stop()
	ts.Check(err)
	_, _ = io.WriteString(ts.Stdout(), p.stdout.String())
	_, _ = io.WriteString(ts.Stderr(), p.stderr.String())
	if code != 0 {
		ts.Fatalf("exit code %d after SIGTERM\n%s", code, p.said())
	}
}

func graphQL(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: graphql FILE [NAME=VALUE]")
	}
	variables := map[string]any{}
	for _, given := range args[1:] {
		name, value, _ := strings.Cut(given, "=")
		variables[name] = value
	}
	a, err := post(context.Background(), http.DefaultClient, ts.Getenv("url"), ts.ReadFile(args[0]), variables)
	ts.Check(err)
	if len(a.Errors) > 0 {
		ts.Fatalf("%+v", a.Errors)
	}
	var pretty bytes.Buffer
	ts.Check(json.Indent(&pretty, a.Data, "", " "))
	_, _ = fmt.Fprintln(ts.Stdout(), pretty.String())
}

func request(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: http METHOD PATH [HEADER: VALUE]")
	}
	r, err := http.NewRequest(args[0], ts.Getenv("url")+args[1], nil)
	ts.Check(err)
	for _, header := range args[2:] {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer func() { _ = response.Body.Close() }()
	_, _ = fmt.Fprintln(ts.Stdout(), response.Status)
	ts.Check(response.Header.Write(ts.Stdout()))
	_, err = io.Copy(ts.Stdout(), response.Body)
	ts.Check(err)
}

func occupy(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv("taken", port)
}
