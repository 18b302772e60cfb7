// Package ui owns the browser pages: it embeds the built files of this folder
// and serves them. It refuses to know anything of the API; the pages reach it
// at /graphql like every other client.
package ui

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// Only gzip files are committed, beside a manifest of what each unpacks to.
//
//go:embed all:dist
var dist embed.FS

// GraphiQL's page may load and reach only this origin. Monaco sets styles inline, so style-src is wider than the rest.
const pagePolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"font-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// A worker obeys the policy of its own script, not that of the page.
const assetPolicy = "default-src 'none'; script-src 'self'; frame-ancestors 'none'"

var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".md":   "text/plain; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
}

type file struct {
	packed    []byte
	size      int // unpacked
	hash      string
	mediaType string
	policy    string
	cache     string
}

// Handler serves GraphiQL at "/", what it loads under "/assets/" and the licences of the code inside at "/licenses.md".
// Every other path is 404, so it can be mounted beside the API. It panics if the embedded build is damaged.
func Handler() http.Handler {
	files, err := load()
	if err != nil {
		panic("ui: " + err.Error())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Content-Security-Policy", assetPolicy)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
			return
		}
		f, ok := files[r.URL.Path]
		if !ok {
			header.Set("Cache-Control", "no-cache")
			http.Error(w, "there is no page at this address", http.StatusNotFound)
			return
		}
		f.serve(w, r)
	})
}

func load() (map[string]*file, error) {
	raw, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		return nil, err
	}
	var manifest map[string]struct {
		Bytes  int    `json:"bytes"`
		SHA256 string `json:"sha256"`
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil, fmt.Errorf("dist/manifest.json: %w", err)
	}
	files := make(map[string]*file, len(manifest))
	for name, entry := range manifest {
		packed, err := dist.ReadFile("dist/" + name + ".gz")
		if err != nil {
			return nil, err
		}
		f := &file{
			packed: packed, size: entry.Bytes, hash: entry.SHA256,
			mediaType: mediaTypes[path.Ext(name)], policy: assetPolicy, cache: "no-cache",
		}
		if f.mediaType == "" {
			return nil, fmt.Errorf("dist/%s: no media type for %q", name, path.Ext(name))
		}
		address := "/" + name
		switch {
		case name == "index.html":
			address, f.policy = "/", pagePolicy
		case strings.HasPrefix(name, "assets/"):
			f.cache = "public, max-age=31536000, immutable"
		}
		files[address] = f
	}
	return files, nil
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	// http.ServeContent is not used: it drops Content-Length from encoded bodies.
	var body io.Reader = bytes.NewReader(f.packed)
	size, tag := len(f.packed), `"`+f.hash+`-gzip"`
	packed := acceptsGzip(r.Header.Values("Accept-Encoding"))
	if !packed {
		size, tag = f.size, `"`+f.hash+`"`
	}
	header := w.Header()
	header.Set("Cache-Control", f.cache)
	header.Set("Content-Security-Policy", f.policy)
	header.Set("ETag", tag)
	header.Set("Vary", "Accept-Encoding")
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", f.mediaType)
	header.Set("Content-Length", strconv.Itoa(size))
	if packed {
		header.Set("Content-Encoding", "gzip")
	} else {
		plain, err := gzip.NewReader(body)
		if err != nil {
			panic(http.ErrAbortHandler) // A damaged build; the tests unpack every file.
		}
		body = plain
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	// A client that went away is the only failure left.
	_, _ = io.Copy(w, body)
}

// acceptsGzip reports whether Accept-Encoding allows gzip, as RFC 9110 §12.5.3 says. A request without the header gets
// plain bytes, which every client can read.
func acceptsGzip(values []string) bool {
	accepted := false
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, parameter, _ := strings.Cut(part, ";")
		wanted := true
		if key, q, ok := strings.Cut(parameter, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
			weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			wanted = err == nil && weight > 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return wanted
		case "*":
			accepted = wanted
		}
	}
	return accepted
}

func matches(values []string, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
