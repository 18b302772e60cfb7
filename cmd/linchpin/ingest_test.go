package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pushed is what a push was answered.
type pushed struct {
	State   string
	Refused string
	Error   string
	Planned map[string]map[string]int
	Written map[string]map[string]int
	Notices []struct{ Kind, Reason string }
}

func TestProgramsPushWhatTheirSourceHas(t *testing.T) { onEach(t, pushRows) }

func pushRows(t *testing.T, database string) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	said := func(args ...string) string {
		t.Helper()
		var out, wrong bytes.Buffer
		if code := run(t.Context(), append(args, "--database", database, "--key-file", key), func(string) string { return "" }, strings.NewReader(""), &out, &wrong); code != 0 {
			t.Fatalf("%v: %d %s", args, code, wrong.String())
		}
		return strings.TrimSpace(out.String())
	}
	said("account", "service", "pusher", "--role", "integrator", "--source", "inventory")
	bearer := "Authorization: Bearer " + said("token", "create", "pusher", "nightly", "--role", "integrator")
	p := serve(t, "--dev=false", "--database", database, "--key-file", key)
	push := func(query, body string, headers ...string) (int, pushed) {
		t.Helper()
		e := send(t, "POST", p.url+"/ingest/"+query, body, append([]string{"Content-Type: application/x-ndjson", bearer}, headers...)...)
		var a pushed
		if err := json.Unmarshal([]byte(e.body), &a); err != nil {
			t.Fatalf("%d: %s", e.status, e.body)
		}
		return e.status, a
	}
	whole := `{"run": {"scope": "prod", "kind": "FULL"}}
{"team": {"key": "web", "name": "Web"}}
{"ci": {"key": "vm-1", "class": "virtual_machine", "name": "vm-1"}}
{"ci": {"key": "shop", "class": "application", "name": "Shop", "owners": [{"team": "web"}], "relationships": [{"type": "runs_on", "target": "vm-1"}]}}
{"end": {"rows": 3}}
`
	if e := send(t, "POST", p.url+"/ingest/inventory", whole, "Content-Type: application/x-ndjson"); e.status != 401 || e.header.Get("WWW-Authenticate") == "" {
		t.Errorf("nobody: %d %s", e.status, e.body)
	}
	if status, a := push("others", whole); status != 403 || !strings.Contains(a.Error, `INTEGRATOR for its source`) {
		t.Errorf("another source: %d %+v", status, a)
	}
	if status, a := push("inventory", whole, "Content-Type: text/plain"); status != 400 || !strings.Contains(a.Error, "application/x-ndjson") {
		t.Errorf("as a page of another site would: %d %+v", status, a)
	}
	if status, a := push("inventory?apply=false", whole); status != 200 || a.State != "PLANNED" || a.Planned["ci"]["create"] != 2 {
		t.Errorf("a plan: %d %+v", status, a)
	}
	if status, a := push("inventory", whole); status != 200 || a.State != "APPLIED" || a.Written["ci"]["create"] != 2 || a.Written["relationship"]["create"] != 1 {
		t.Errorf("the first push: %d %+v", status, a)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(whole))
	_ = z.Close()
	if status, a := push("inventory", packed.String(), "Content-Encoding: gzip"); status != 200 || len(a.Written) > 0 || a.Planned["ci"]["unchanged"] != 2 {
		t.Errorf("the same once more, gzipped: %d %+v", status, a)
	}
	if status, a := push("inventory", `{"run": {"scope": "prod", "kind": "FULL"}}`+"\n"+`{"ci": {"key": "vm-1"}}`); status != 200 || a.Planned["ci"]["missing"] != 0 || len(a.Notices) != 2 {
		t.Errorf("a stream that was cut short: %d %+v", status, a)
	}
	if status, a := push("inventory", `{"run": {"scope": "prod", "kind": "FULL"}}`+"\n"+`{"end": {"rows": 0}}`); status != 409 || a.State != "REFUSED" || !strings.Contains(a.Refused, "none of the 3 records") {
		t.Errorf("nothing at all: %d %+v", status, a)
	}
	if status, a := push("inventory", `{"run": {"scope": "prod", "kind": "EVENT"}}`+"\n"+`{"delete": "shop"}`+"\n"+`{"end": {"rows": 1}}`); status != 200 || a.Planned["ci"]["missing"] != 1 {
		t.Errorf("one is deleted: %d %+v", status, a)
	}
	if drift := said("drift", "--kind", "MISSING"); !strings.Contains(drift, `inventory has lost "shop"`) {
		t.Errorf("drift: %s", drift)
	}
	var bomb bytes.Buffer
	z = gzip.NewWriter(&bomb)
	line := []byte(`{"ci": {"key": "x", "description": "` + strings.Repeat("x", 1<<19) + `"}}` + "\n")
	for range 600 {
		_, _ = z.Write(line)
	}
	_ = z.Close()
	if status, a := push("inventory", bomb.String(), "Content-Encoding: gzip"); status != 400 || !strings.Contains(a.Error, "the body has more than") {
		t.Errorf("%d bytes that unpack to 300 MB: %d %+v", bomb.Len(), status, a)
	}
	for query, body := range map[string]string{"inventory?apply=maybe": whole, "inventory": "{\"run\": {\"kind\": \"SOME\"}}"} {
		if status, a := push(query, body); status != 400 || a.Error == "" {
			t.Errorf("%s: %d %+v", query, status, a)
		}
	}
	if status, _ := push("inventory", "no gzip", "Content-Encoding: gzip"); status != 400 {
		t.Errorf("no gzip: %d", status)
	}
}

// TestTheClientOfTheDocumentationPushes runs the script of docs/sources.md as it stands there.
func TestTheClientOfTheDocumentationPushes(t *testing.T) {
	tool(t, "curl", "curl")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "sources.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, script, ok := strings.Cut(string(page), "`push.sh`:\n\n```sh\n")
	script, _, ends := strings.Cut(script, "```\n")
	if !ok || !ends {
		t.Fatal("docs/sources.md has no push.sh")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"push.sh": script, "machines": "lab-1 192.0.2.1\nlab-2 192.0.2.2\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := serve(t)
	for _, want := range []string{`"written":{"ci":{"create":2}}`, `"written":{}`} {
		cmd := exec.CommandContext(t.Context(), "sh", "push.sh", "machines", p.url)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "LINCHPIN_TOKEN=none-in-dev")
		if said, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(said), want) {
			t.Errorf("%v: %s; want %s", err, said, want)
		}
	}
}
