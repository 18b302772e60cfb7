package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
)

// terminalOf is a person at a command line, with a home folder of their own.
type terminalOf struct {
	t    *testing.T
	home string
	env  []string
}

func newTerminal(t *testing.T, env ...string) terminalOf {
	home := t.TempDir()
	return terminalOf{t, home, append(homeless(t), append(env, "HOME="+home, "XDG_CONFIG_HOME=")...)}
}

func (c terminalOf) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "linchpin", args...)
	cmd.Env = c.env
	return cmd
}

// says runs a command line and returns its exit code, and what it says.
func (c terminalOf) says(args ...string) (code int, stdout, stderr string) {
	c.t.Helper()
	var out, problems bytes.Buffer
	cmd := c.command(c.t.Context(), args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	ended := (*exec.ExitError)(nil)
	if errors.As(err, &ended) {
		code = ended.ExitCode()
	} else if err != nil {
		c.t.Fatal(err)
	}
	return code, out.String(), problems.String()
}

// sendForm sends a form of a page, and returns the cookies of the answer.
func sendForm(t testing.TB, address string, values url.Values, cookie string) (status int, cookies []*http.Cookie) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", cookie)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Cookies()
}

// signedIn sets a server up, and returns the cookie of its first admin.
func signedIn(t testing.TB, p *process) (cookie string) {
	t.Helper()
	link := regexp.MustCompile(`/auth/link#(lpl_\w+)`).FindStringSubmatch(p.said())
	if link == nil {
		t.Fatal(p.said())
	}
	_, cookies := sendForm(t, p.url+"/auth/link", url.Values{"link": {link[1]}, "name": {"root"}, "password": {"correct horse battery staple"}}, "")
	for _, c := range cookies {
		if c.Name == signin.Cookie {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("no session: %v", cookies)
	return ""
}

// logsIn runs linchpin login, and answers its code as a person does.
func (c terminalOf) logsIn(p *process, cookie, answer string, args ...string) (code int, said string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startLimit)
	defer cancel()
	out := &watched{seen: make(chan string, 1), pattern: regexp.MustCompile(`(?m)^    ([A-Z]{4}-[A-Z]{4})$`)}
	cmd := c.command(ctx, append([]string{"login", p.url}, args...)...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	select {
	case typed := <-out.seen:
		if status, _ := sendForm(c.t, p.url+"/auth/device/answer", url.Values{"code": {typed}, "answer": {answer}}, cookie); status != http.StatusOK {
			c.t.Errorf("the code %s is answered %d", typed, status)
		}
	case <-ctx.Done():
		c.t.Error("no code is shown")
	}
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), out.text.String()
}

// watched is output in which something is looked for.
type watched struct {
	text    bytes.Buffer
	pattern *regexp.Regexp
	seen    chan string
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.text.Write(b)
	if m := w.pattern.FindStringSubmatch(w.text.String()); m != nil {
		select {
		case w.seen <- m[1]:
		default:
		}
	}
	return n, err
}

// keyFile makes a root key.
func keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestACommandLineLogsInAndAsksAServerAsItAsksADatabase(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		catalog := filepath.Join("..", "..", "internal", "demo", "estate")
		c := newTerminal(t)
		if code, out, problems := c.says("import", "estate", catalog, "--database", database); code != 0 {
			t.Fatalf("%s%s", out, problems)
		}
		var keys []string
		if strings.HasPrefix(database, "postgres") {
			keys = []string{"--key-file", keyFile(t)}
		}
		p := serve(t, append([]string{"--dev=false", "--database", database}, keys...)...)
		cookie := signedIn(t, p)
		if code, _, problems := c.says("impact", "orders", "--server", p.url); code != 1 || !strings.Contains(problems, "linchpin login "+p.url) {
			t.Errorf("before the login: %d %s", code, problems)
		}
		if code, out := c.logsIn(p, cookie, "refuse"); code != 1 || !strings.Contains(out, "nobody was let in") {
			t.Errorf("refused: %d %s", code, out)
		}
		code, out := c.logsIn(p, cookie, "allow")
		if code != 0 || !strings.Contains(out, "acts as root with VIEWER until ") || strings.Contains(out, "lpt_") {
			t.Fatalf("let in: %d %s", code, out)
		}
		kept := filepath.Join(c.home, ".config", "linchpin", "tokens.json")
		if info, err := os.Stat(kept); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info, err)
		}
		for _, question := range [][]string{
			{"impact", "orders-db-primary"},
			{"impact", "orders-db-primary", "--json", "--rows", "0"},
			{"impact", "estate:ups-rtm-a", "--class", "database,server", "--rows", "3"},
			{"impact", "orders-db-primary", "--facts", "none", "--as-of", "3"},
			{"impact", "orders-db-primry"},
			{"impact", "zzz"},
			{"impact", "orders-db-primary", "--class", "databse"},
			{"impact", "orders-db-primary", "--as-of", "9999999"},
			{"spof"},
			{"spof", "Checkout"},
			{"spof", "--tier", "tier-1", "--json", "--rows", "0"},
			{"spof", "--tier", "tier-9"},
			{"spof", "Chekcout"},
			{"spof", "ci_zzzz"},
		} {
			wantCode, want, wantProblems := c.says(append(question, "--database", database)...)
			code, got, problems := c.says(append(question, "--server", p.url)...)
			if code != wantCode || got != want || problems != wantProblems || got+problems == "" {
				t.Errorf("%v: of the database %d\n%s%s\nof the server %d\n%s%s", question, wantCode, want, wantProblems, code, got, problems)
			}
		}
		for begun, want := range map[string]string{"orders-db-p": "orders-db-primary\n", "": "orders"} {
			if _, got, _ := c.says("__complete", "impact", "--server", p.url, begun); !strings.Contains(got, want) {
				t.Errorf("of %q it completes %s", begun, got)
			}
		}
		if _, got, _ := c.says("__complete", "spof", "--server", p.url, "--class", "data"); !strings.HasPrefix(got, "data_center\ndatabase\n") && !strings.Contains(got, "database\n") {
			t.Errorf("of classes it completes %s", got)
		}
		if code, got, _ := c.says("whoami"); code != 0 || !strings.HasPrefix(got, "root\nServer   "+p.url+"\nComes    by the token \"CLI on ") || !strings.Contains(got, "\nRoles    VIEWER\nUntil    ") {
			t.Errorf("whoami: %d %s", code, got)
		}
		for _, wrong := range [][]string{{"spof", "--server", p.url, "--database", database}, {"login", "http://cmdb.example.org"}, {"login", "ftp://x"}, {"login", p.url, "--role", "king"}, {"whoami", "--server", "http://192.0.2.1"}} {
			if code, _, problems := c.says(wrong...); code == 0 || problems == "" {
				t.Errorf("%v: %d %s", wrong, code, problems)
			}
		}
		// The token is for this server and for no other.
		var brought atomic.Value
		other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { brought.Store(r.Header.Get("Authorization")) }))
		defer other.Close()
		if code, _, problems := c.says("whoami", "--server", other.URL); code != 1 || !strings.Contains(problems, "not as a server of Linchpin does") || brought.Load() != "" {
			t.Errorf("another server is told %q: %d %s", brought.Load(), code, problems)
		}
		held, err := os.ReadFile(kept)
		if err != nil {
			t.Fatal(err)
		}
		var tokens struct{ Servers map[string]string }
		if err := json.Unmarshal(held, &tokens); err != nil || !strings.HasPrefix(tokens.Servers[p.url], "lpt_") {
			t.Fatalf("%v %s", err, held)
		}
		if code, _, problems := c.says("logout"); code != 0 {
			t.Errorf("logout: %d %s", code, problems)
		}
		if e := send(t, http.MethodPost, p.url+"/graphql", operation(t, "{ viewer { name } }"), "Authorization: Bearer "+tokens.Servers[p.url]); e.status != http.StatusUnauthorized {
			t.Errorf("after the logout the token is answered %d", e.status)
		}
		if code, _, problems := c.says("whoami"); code == 0 || !strings.Contains(problems, "tokens of 0 servers are kept") {
			t.Errorf("whoami after the logout: %d %s", code, problems)
		}
		if err := os.WriteFile(kept, held, 0o644); err != nil { //nolint:gosec // that others may read it is what is tried
			t.Fatal(err)
		}
		if code, _, problems := c.says("whoami"); code == 0 {
			_ = os.Chmod(kept, 0o644)
			t.Errorf("a file that others may read: %s", problems)
		}
		if said := p.said(); strings.Contains(said, "lpt_") {
			t.Errorf("the server logs a token: %s", said)
		}
	})
}

func TestAServerThatLetsNoCommandLinesInSaysSo(t *testing.T) {
	c := newTerminal(t)
	for _, args := range [][]string{{"--dev"}, {"--dev=false", "--device-sign-in=false"}} {
		p := serve(t, args...)
		begun := time.Now()
		if code, _, problems := c.says("login", p.url); code != 1 || !strings.Contains(problems, "lets no command lines in") || time.Since(begun) > time.Minute {
			t.Errorf("%v: %d %s", args, code, problems)
		}
		if args[0] == "--dev" {
			if code, out, _ := c.says("whoami", "--server", p.url); code != 0 || !strings.Contains(out, "dev\nServer   "+p.url+"\nComes    by DEV\n") {
				t.Errorf("%d %s", code, out)
			}
		}
		p.kill()
	}
}
