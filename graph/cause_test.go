package graph_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestAWriteIsNamedThatNobodyHadToAccept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		// Nothing judges these writes, as in databases that are older than consent.
		p, ctx := cmdb.New(s), auth.With(t.Context(), auth.System)
		ci := func(class, name string) *ent.CI {
			c, err := p.CreateCI(ctx, cmdb.CreateCI{Class: class, Name: name})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		db, app, later := ci("database", "db"), ci("application", "app"), ci("application", "later")
		relate := func(source *ent.CI) {
			if _, err := p.RelateCIs(ctx, cmdb.RelateCIs{Type: "depends_on", Source: source.ID, Target: db.ID}); err != nil {
				t.Fatal(err)
			}
		}
		relate(app)
		if _, err := p.RetireCI(ctx, cmdb.RetireCI{ID: db.ID}); err != nil {
			t.Fatal(err)
		}
		relate(later)
		got, _ := ask(t, serverOver(t, s), `{ app: ci(id: "ci_2") { ...why } later: ci(id: "ci_3") { ...why } } fragment why on CI { stateCauses { writes { verb reason } } }`, nil, "dev")
		causes := func(verb string) map[string]any {
			return map[string]any{"stateCauses": []any{map[string]any{"writes": []any{map[string]any{"verb": verb, "reason": nil}}}}}
		}
		want := map[string]any{"app": causes("ci.retire"), "later": causes("relationship.create")}
		if diff := cmp.Diff(want, got.(map[string]any)["data"]); diff != "" {
			t.Error(diff)
		}
	})
}
