package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/server/signin"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// BenchmarkSession compares operations of the contract by a session with the same where nobody is looked up, in turns
// on the demo estate. The bar is a median of 1.05 times.
func BenchmarkSession(b *testing.B) {
	for name, database := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(b.TempDir(), "linchpin.db") },
		"postgres": func() string { return pgtest.Database(b, "empty", nil) },
	} {
		b.Run(name, func(b *testing.B) {
			log := slog.New(slog.DiscardHandler)
			a, err := app.Open(b.Context(), database(), log)
			if err != nil {
				b.Fatal(err)
			}
			defer a.Close()
			if _, err := demo.Load(auth.With(b.Context(), auth.System), a.Store, a.Change, a.Incident, func(importer.Progress) {}); err != nil {
				b.Fatal(err)
			}
			keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
			if err != nil {
				b.Fatal(err)
			}
			dev, _, err := a.Handler(app.Serving{IsDev: true})
			if err != nil {
				b.Fatal(err)
			}
			if err := a.Trust(keys); err != nil {
				b.Fatal(err)
			}
			public, _, err := a.Handler(app.Serving{})
			if err != nil {
				b.Fatal(err)
			}
			link, err := a.Identity.SetUpLink(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			session, err := a.Identity.Claim(b.Context(), identity.Claim{Link: link, Name: "root", LocalName: "root", Password: "correct horse battery staple"})
			if err != nil {
				b.Fatal(err)
			}
			toDemo := strings.NewReplacer(`"backstage"`, `"demo"`, "resource:default/artists-db", "orders-db-primary")
			for what, query := range map[string]string{
				"tier-1": tierOne, "what-breaks": toDemo.Replace(whatBreaks), "100-cis": `{ cis(first: 100) { totalCount nodes { name class { code } owner { name } operationalState } } }`,
				"one-ci": `{ ciByExternalId(source: "demo", externalId: "orders-db-primary") { name } }`,
			} {
				b.Run(what, func(b *testing.B) { inTurns(b, dev, public, query, signin.Cookie+"="+session) })
			}
		})
	}
}

func inTurns(b *testing.B, dev, public http.Handler, query, cookie string) {
	ask := func(handler http.Handler, cookie string) time.Duration {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "http://localhost/graphql", strings.NewReader(`{"query":`+quoted(query)+`}`))
		r.Header.Set("Content-Type", "application/json")
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		w := httptest.NewRecorder()
		begin := time.Now()
		handler.ServeHTTP(w, r)
		took := time.Since(begin)
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"errors"`) {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
		return took
	}
	for range 20 {
		ask(dev, "")
		ask(public, cookie)
	}
	var without, with []time.Duration
	for b.Loop() {
		for range 100 {
			without = append(without, ask(dev, ""))
			with = append(with, ask(public, cookie))
		}
	}
	slices.Sort(without)
	slices.Sort(with)
	at := func(all []time.Duration, share int) float64 {
		return float64(all[len(all)*share/100].Microseconds()) / 1000
	}
	b.ReportMetric(at(without, 50), "p50-ms-dev")
	b.ReportMetric(at(with, 50), "p50-ms-session")
	b.ReportMetric(at(with, 50)/at(without, 50), "p50-ratio")
	b.ReportMetric(at(with, 50)-at(without, 50), "p50-ms-more")
	b.ReportMetric(0, "ns/op")
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(text) + `"`
}
