//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

const packaging = "../../packaging/"

// tool returns the path of a program. If the machine lacks it, the test is skipped, or fails if LINCHPIN_REQUIRE names
// its package.
func tool(t *testing.T, program, of string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil && slices.Contains(strings.Split(os.Getenv("LINCHPIN_REQUIRE"), ","), of) {
		t.Fatalf("LINCHPIN_REQUIRE names %s: %v", of, err)
	}
	if err != nil {
		t.Skipf("%s is not installed: it is in the package %s", program, of)
	}
	return path
}

// free returns an address of this machine on which nothing listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestServersRestartBehindHAProxy starts what packaging/compose.yaml starts, without containers, and restarts each
// server while people write and ask.
func TestServersRestartBehindHAProxy(t *testing.T) {
	haproxy := tool(t, "haproxy", "haproxy")
	database, front := storetest.PostgresAddress(t), free(t)
	at := []string{free(t), free(t)}
	start := func(i int) *process {
		return serve(t, "--database", database, "--drain-delay", "5s", "--listen", at[i])
	}
	servers := []*process{start(0), start(1)}
	proxy := exec.CommandContext(t.Context(), haproxy, "-db", "-f", packaging+"haproxy.cfg")
	proxy.Env = append(os.Environ(), "LINCHPIN_BIND="+front, "LINCHPIN_ONE="+at[0], "LINCHPIN_TWO="+at[1])
	said := &bytes.Buffer{}
	proxy.Stdout, proxy.Stderr = said, said
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = proxy.Process.Kill()
		_ = proxy.Wait()
		if t.Failed() {
			t.Logf("haproxy: %s", said)
		}
	})
	isUp := func(address string) bool {
		answer, err := http.Get("http://" + address + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	await := func(address string) {
		t.Helper()
		for deadline := time.Now().Add(startLimit); !isUp(address); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s is not ready", address)
			}
		}
	}
	await(front)
	asked := whileAsking(t, "http://"+front, func() {
		for i := range servers {
			if code, err := servers[i].stop(); code != 0 || err != nil {
				t.Errorf("a server ended with %d: %v", code, err)
			}
			servers[i] = start(i)
			await(at[i])
			time.Sleep(2 * time.Second) // until HAProxy, which asks twice a second, has seen it
		}
	})
	if asked < 100 {
		t.Errorf("only %d were asked", asked)
	}
}

func TestTheManagerOfServicesIsToldOfTheBeginningAndTheEnd(t *testing.T) {
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	p, err := launch(t.TempDir(), append(homeless(t), "NOTIFY_SOCKET="+socket.LocalAddr().String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	is := func(want string) {
		t.Helper()
		_ = socket.SetReadDeadline(time.Now().Add(startLimit))
		text := make([]byte, 100)
		n, err := socket.Read(text)
		if err != nil || string(text[:n]) != want {
			t.Errorf("%q, %v, not %s", text[:n], err, want)
		}
	}
	is("READY=1")
	if code, err := p.stop(); code != 0 || err != nil {
		t.Error(code, err)
	}
	is("STOPPING=1")
}

// TestTheUnitOfSystemdIsSound lets systemd read the unit, and weigh what a server could do if it was taken over.
func TestTheUnitOfSystemdIsSound(t *testing.T) {
	analyze := tool(t, "systemd-analyze", "systemd")
	text, err := os.ReadFile(packaging + "linchpin.service")
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("linchpin")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "linchpin.service")
	if err := os.WriteFile(unit, bytes.ReplaceAll(text, []byte("/usr/bin/linchpin"), []byte(program)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", "--man=no", unit}, {"security", "--offline=yes", "--threshold=20", unit}} {
		said, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
		if hasComplaint := args[0] == "verify" && len(said) > 0; err != nil || hasComplaint {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, said)
		}
	}
}

// TestTheComposeFileSaysWhatTheServerUnderstands reads the flags that containers get.
func TestTheComposeFileSaysWhatTheServerUnderstands(t *testing.T) {
	text, err := os.ReadFile(packaging + "compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Command []string `yaml:"command"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		command := file.Services[name].Command
		if len(command) < 4 {
			t.Fatalf("the server %s is started by %q", name, command)
		}
		if said, err := exec.CommandContext(t.Context(), "linchpin", append(command, "--help")...).CombinedOutput(); err != nil {
			t.Errorf("linchpin %s: %v\n%s", strings.Join(command, " "), err, said)
		}
	}
}

// TestTheProgramNeedsNothingOfTheSystem starts the program as nobody in a folder that holds nothing but it, as in the
// image of packaging/Containerfile.
func TestTheProgramNeedsNothingOfTheSystem(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may make a folder the root of a process")
	}
	const nobody = 65532
	root := t.TempDir()
	program, err := exec.LookPath("linchpin")
	if err != nil {
		t.Fatal(err)
	}
	place := func(from, to string) {
		t.Helper()
		to = filepath.Join(root, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // others read it
			t.Fatal(err)
		}
		in, err := os.Open(from)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = in.Close() }()
		out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755) //nolint:gosec // a program
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(out, in)
		if failed := out.Close(); err != nil || failed != nil {
			t.Fatal(err, failed)
		}
	}
	place(program, "linchpin")
	if libraries, err := exec.CommandContext(t.Context(), "ldd", program).Output(); err == nil { // a test binary may be linked to the system's; the image's is not
		for word := range strings.FieldsSeq(string(libraries)) {
			if strings.HasPrefix(word, "/") {
				place(word, word)
			}
		}
	}
	data := filepath.Join(root, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{root: 0o755, data: 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(data, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	at := free(t)
	cmd := exec.CommandContext(t.Context(), "/linchpin", "serve", "--listen", at, "--database", "sqlite:/data/linchpin.db", "--demo")
	cmd.Dir, cmd.Env = "/", []string{"TZ=Europe/Vienna"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Pdeathsig: syscall.SIGKILL}
	said := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(startLimit); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Post("http://"+at+"/graphql", "application/json", strings.NewReader(`{"query":"{ services(first: 1) { nodes { name } } }"}`))
		if err == nil {
			text, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if !strings.Contains(string(text), `"name"`) {
				t.Errorf("%s %s", answer.Status, text)
			}
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, said)
		default:
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			t.Fatalf("nothing answers: %v\n%s", err, fmt.Sprint(said))
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v\n%s", err, said)
	}
}

// TestAlertsAreRaisedForWhatTheySay lets Prometheus try the rules on servers that are well and ill. Each metric in them
// is one that operators find explained.
func TestAlertsAreRaisedForWhatTheySay(t *testing.T) {
	explained, err := os.ReadFile("../../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(packaging + "alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`linchpin_[a-z_]+`).FindAllString(string(rules), -1) {
		if !bytes.Contains(explained, []byte("`"+name)) {
			t.Errorf("docs/production.md does not explain %s", name)
		}
	}
	for _, name := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		if !bytes.Contains(explained, []byte("`"+name[1]+"`")) {
			t.Errorf("docs/production.md does not say what to do about %s", name[1])
		}
	}
	promtool := tool(t, "promtool", "prometheus")
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = packaging
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
		}
	}
}
