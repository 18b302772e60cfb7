package identity_test

import (
	"bytes"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/auth/secret"
	"github.com/linchpin-cmdb/linchpin/internal/practice/identity"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// BenchmarkWhoCalls shows what it takes to find who brings a secret, of a database with 200 sessions; the bar is 0.3 ms
// on SQLite. A secret with a typing error is refused without the database.
func BenchmarkWhoCalls(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			p := identity.New(s, must(secret.NewKeys(bytes.Repeat([]byte{7}, 32))))
			ctx, session := b.Context(), must(p.Claim(b.Context(), identity.Claim{Link: must(p.SetUpLink(b.Context())), Name: "Root", LocalName: "root", Password: phrase}))
			root, _, err := p.Find(ctx, secret.Session, session)
			if err != nil {
				b.Fatal(err)
			}
			for range 49 {
				must(p.CreateToken(auth.With(ctx, root), identity.CreateToken{Name: "x", Roles: []auth.Role{auth.Viewer}}))
			}
			for range 200 {
				must(p.AskIn(ctx, identity.Device{Host: "x", Network: secret.New(secret.Link), Roles: []auth.Role{auth.Viewer}}))
			}
			token := *must(p.CreateToken(auth.With(ctx, root), identity.CreateToken{Name: "x", Roles: []auth.Role{auth.Viewer}})).Secret
			for what, c := range map[string]struct {
				kind secret.Kind
				text string
				ok   bool
			}{"session": {secret.Session, session, true}, "token": {secret.Token, token, true}, "nobody": {secret.Token, secret.New(secret.Token), false}, "typo": {secret.Token, token[:20] + token[21:] + "x", false}} {
				b.Run(what, func(b *testing.B) {
					for b.Loop() {
						if _, ok, err := p.Find(ctx, c.kind, c.text); ok != c.ok || err != nil {
							b.Fatal(ok, err)
						}
					}
				})
			}
		})
	}
}
