package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

type answer struct {
	*http.Response
	body []byte
}

// ask sends one request, without transparent decompression.
func ask(t *testing.T, method, address string, headers map[string]string) answer {
	t.Helper()
	server := httptest.NewServer(Handler())
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, body}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func expect(t *testing.T, a answer, status int, headers map[string]string) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", a.StatusCode, status, a.body)
	}
	for name, want := range headers {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

var packedAccepted = map[string]string{"Accept-Encoding": "gzip, br"}

func TestTheRootIsGraphiQLBehindItsPolicy(t *testing.T) {
	a := ask(t, "GET", "/", packedAccepted)
	expect(t, a, 200, map[string]string{
		"Content-Type":           "text/html; charset=utf-8",
		"Content-Encoding":       "gzip",
		"Content-Length":         strconv.Itoa(len(a.body)),
		"Cache-Control":          "no-cache",
		"Vary":                   "Accept-Encoding",
		"X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; " +
			"font-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	})
	page := string(unpack(t, a.body))
	if !strings.Contains(page, "<title>Linchpin · GraphiQL</title>") {
		t.Errorf("not GraphiQL's page: %s", page)
	}
	if regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(page) || strings.Contains(page, "//") {
		t.Errorf("the page has an inline script or another host, which its policy forbids: %s", page)
	}
	for _, match := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		expect(t, ask(t, "GET", match[1], packedAccepted), 200, nil)
	}
}

func TestAClientWithoutGzipGetsPlainBytes(t *testing.T) {
	packed := ask(t, "GET", "/", packedAccepted)
	for _, accept := range []string{"", "identity", "gzip;q=0", "*;q=0", "br", "gzip; q=0.0, *", "GZIP;Q=0"} {
		plain := ask(t, "GET", "/", map[string]string{"Accept-Encoding": accept})
		expect(t, plain, 200, map[string]string{"Content-Encoding": "", "Content-Length": strconv.Itoa(len(plain.body)), "Vary": "Accept-Encoding"})
		if !bytes.Equal(plain.body, unpack(t, packed.body)) {
			t.Errorf("Accept-Encoding %q: another page", accept)
		}
		if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
			t.Errorf("Accept-Encoding %q: plain and packed bytes share the ETag %s", accept, plain.Header.Get("ETag"))
		}
	}
	for _, accept := range []string{"gzip", "br, gzip;q=0.1", "*", "deflate, *;q=0.5", "x-gzip", "GZIP"} {
		expect(t, ask(t, "GET", "/", map[string]string{"Accept-Encoding": accept}), 200, map[string]string{"Content-Encoding": "gzip"})
	}
}

func TestAPageThatDidNotChangeIsNotSentAgain(t *testing.T) {
	tag := ask(t, "GET", "/", packedAccepted).Header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	for _, condition := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		a := ask(t, "GET", "/", map[string]string{"Accept-Encoding": "gzip", "If-None-Match": condition})
		expect(t, a, 304, map[string]string{"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"})
		if len(a.body) > 0 {
			t.Errorf("If-None-Match %s: a body of %d bytes", condition, len(a.body))
		}
	}
	expect(t, ask(t, "GET", "/", map[string]string{"Accept-Encoding": "gzip", "If-None-Match": `"other"`}), 200, nil)
}

func TestEveryBuiltFileIsServedAsTheManifestSays(t *testing.T) {
	files, err := load()
	if err != nil {
		t.Fatal(err)
	}
	hashed := regexp.MustCompile(`^/assets/[\w.-]+-[\w-]{8}\.(js|css|svg|ttf)$`)
	for address, f := range files {
		a := ask(t, "GET", address, packedAccepted)
		expect(t, a, 200, map[string]string{"X-Content-Type-Options": "nosniff", "Content-Length": strconv.Itoa(len(a.body))})
		plain := unpack(t, a.body)
		sum := sha256.Sum256(plain)
		if len(plain) != f.size || hex.EncodeToString(sum[:]) != f.hash {
			t.Errorf("%s is not what the manifest says: %d bytes, %x", address, len(plain), sum)
		}
		if strings.HasPrefix(address, "/assets/") {
			expect(t, a, 200, map[string]string{"Cache-Control": "public, max-age=31536000, immutable"})
			if !hashed.MatchString(address) {
				t.Errorf("%s is immutable, but its name has no hash", address)
			}
		}
	}
	built := 0
	err = fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && name != "dist/manifest.json" {
			built++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if built != len(files) {
		t.Errorf("%d files are embedded, %d are in the manifest", built, len(files))
	}
}

func TestAMissingAssetIsNotThePage(t *testing.T) {
	for _, address := range []string{"/assets/none-00000000.js", "/assets/", "/assets", "/index.html", "/manifest.json", "/favicon.ico", "/assets/../ui.go"} {
		a := ask(t, "GET", address, packedAccepted)
		expect(t, a, 404, map[string]string{
			"Content-Type":           "text/plain; charset=utf-8",
			"Cache-Control":          "no-cache",
			"X-Content-Type-Options": "nosniff",
		})
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		expect(t, ask(t, method, "/", nil), 405, map[string]string{"Allow": "GET, HEAD"})
	}
}

func TestHeadSaysWhatGetWouldSend(t *testing.T) {
	for _, headers := range []map[string]string{packedAccepted, nil} {
		get, head := ask(t, "GET", "/", headers), ask(t, "HEAD", "/", headers)
		if len(head.body) > 0 {
			t.Error("HEAD sent a body")
		}
		for _, name := range []string{"Content-Length", "Content-Type", "Content-Encoding", "ETag", "Cache-Control"} {
			if got, want := head.Header.Get(name), get.Header.Get(name); got != want {
				t.Errorf("%s: HEAD says %q, GET %q", name, got, want)
			}
		}
	}
}
