package app_test

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// reachable is plain reach as SQL computes it: every CI that a CI could ever harm, whatever strength and groups say.
const reachable = `
WITH RECURSIVE arc(cause, dependent) AS (
  SELECT source_id, target_id FROM relationship JOIN relationship_type AS t ON t.id = type_id WHERE t.impact_direction IN ('SOURCE_TO_TARGET', 'BOTH')
  UNION ALL
  SELECT target_id, source_id FROM relationship JOIN relationship_type AS t ON t.id = type_id WHERE t.impact_direction IN ('TARGET_TO_SOURCE', 'BOTH')
), reach(id) AS (
  SELECT id FROM ci WHERE id = $1
  UNION
  SELECT arc.dependent FROM reach
    JOIN ci AS cause ON cause.id = reach.id AND cause.lifecycle IN ('LIVE', 'DEPRECATED')
    JOIN arc ON arc.cause = reach.id
    JOIN ci AS dependent ON dependent.id = arc.dependent AND dependent.lifecycle IN ('LIVE', 'DEPRECATED')
)
SELECT id FROM reach ORDER BY id`

func TestPlainReachIsWhatARecursiveStatementSays(t *testing.T) {
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": func(t *testing.T) string { return storetest.PostgresAddress(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := auth.With(t.Context(), auth.System)
			a, err := app.Open(ctx, address(t), slog.New(slog.NewTextHandler(t.Output(), nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close() }()
			if loaded, err := demo.Load(ctx, a.Store, a.Change, a.Incident, func(importer.Progress) {}); err != nil || !loaded {
				t.Fatal(loaded, err)
			}
			all := a.Store.Read.CI.Query().Order(ci.ByID()).IDsX(ctx)
			for i, id := range all {
				if i%29 == 0 { // a graph with holes
					if _, err := a.CMDB.RetireCI(ctx, cmdb.RetireCI{ID: id, AcceptConsequences: &domain.Consent{Reason: "holes"}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			widest := 0
			for _, id := range all {
				rows, err := a.Store.Read.QueryContext(ctx, reachable, int64(id))
				if err != nil {
					t.Fatal(err)
				}
				var want []ident.ID
				for rows.Next() {
					var n int64
					if err := rows.Scan(&n); err != nil {
						t.Fatal(err)
					}
					want = append(want, ident.ID(n))
				}
				if err := rows.Err(); err != nil {
					t.Fatal(err)
				}
				_ = rows.Close()
				vertices, err := impact.Reach(ctx, a.Graph.Snapshot(), []ident.ID{id})
				if err != nil {
					t.Fatal(err)
				}
				got := make([]ident.ID, len(vertices))
				for i, v := range vertices {
					got[i] = a.Graph.Snapshot().ID(v)
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Fatalf("reach of %v: the engine says %v, SQL says %v", id, got, want)
				}
				widest = max(widest, len(got))
			}
			if widest < 50 {
				t.Errorf("the widest reach is %d CIs: the test shows little", widest)
			}
		})
	}
}
