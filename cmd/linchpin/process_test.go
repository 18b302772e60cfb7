package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain puts a command "linchpin" on the PATH: this test binary, which then runs main and nothing else.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"linchpin": main, "attackers": attackers, "bystander": bystander, "strangers": strangers})
}

const startLimit = 2 * time.Minute

// process is a server that runs as a process of its own.
type process struct {
	cmd    *exec.Cmd
	url    string // without a slash at the end
	exited chan struct{}
	err    error // how it ended; read after exited

	mu     sync.Mutex
	stdout strings.Builder
	stderr strings.Builder
}

// launch starts "linchpin serve" on a free port and returns when it says where GraphiQL is.
func launch(dir string, environment []string, args ...string) (*process, error) {
	program, err := exec.LookPath("linchpin")
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0", "--dev"}, args...)...), exited: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, environment
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stderr = writerFunc(func(b []byte) (int, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.stderr.Write(b)
	})
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	up := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.stdout.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if url, ok := strings.CutPrefix(lines.Text(), "GraphiQL   "); ok {
				up <- strings.TrimSuffix(url, "/")
			}
		}
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	select {
	case p.url = <-up:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("the server ended before it listened: %w\n%s", p.err, p.said())
	case <-time.After(startLimit):
		p.kill()
		return nil, fmt.Errorf("the server did not listen in %s\n%s", startLimit, p.said())
	}
}

// serve starts a server for a test and kills it when the test ends.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	p, err := launch(t.TempDir(), homeless(t), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// homeless returns the environment with a home folder that is empty, and no database named.
func homeless(t testing.TB) []string {
	var environment []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "XDG_DATA_HOME=") && !strings.HasPrefix(v, "HOME=") && !strings.HasPrefix(v, "LINCHPIN_DATABASE=") {
			environment = append(environment, v)
		}
	}
	return append(environment, "HOME="+t.TempDir())
}

// said returns all that the process has written.
func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String() + p.stderr.String()
}

// kill ends the process as kill -9 does, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// stop asks the process to end with SIGTERM and gives its exit code.
func (p *process) stop() (code int, err error) {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	select {
	case <-p.exited:
	case <-time.After(startLimit):
		p.kill()
		return 0, fmt.Errorf("the server did not end in %s after SIGTERM", startLimit)
	}
	if ended := (*exec.ExitError)(nil); p.err != nil && !errors.As(p.err, &ended) {
		return 0, p.err
	}
	return p.cmd.ProcessState.ExitCode(), nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// answer is what a server says to one operation.
type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string `json:"message"`
		Locations  []struct{ Line, Column int }
		Extensions struct {
			Code string `json:"code"`
		} `json:"extensions"`
	} `json:"errors"`
	Extensions struct {
		Revision      int64  `json:"revision"`
		RevisionToken string `json:"revisionToken"`
	} `json:"extensions"`
}

// post sends one operation to a server over HTTP, with headers as "Name: value".
func post(ctx context.Context, client *http.Client, url, query string, variables map[string]any, headers ...string) (a answer, err error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return a, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	response, err := client.Do(r)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("%s: %w: %s", response.Status, err, text)
	}
	return a, nil
}

// ask sends one operation, wants no errors, and decodes the data into v.
func (p *process) ask(t testing.TB, v any, query string, variables map[string]any) {
	t.Helper()
	a, err := post(t.Context(), http.DefaultClient, p.url, query, variables)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.said())
	}
	if len(a.Errors) > 0 {
		t.Fatalf("%s\n%+v\n%s", query, a.Errors, p.said())
	}
	if err := json.Unmarshal(a.Data, v); err != nil {
		t.Fatalf("%v: %s", err, a.Data)
	}
}
