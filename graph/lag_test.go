package graph_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/internal/app"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// twoServers runs a test on two servers on one database: one hears of the writes of the other a moment later.
func twoServers(t *testing.T, test func(t *testing.T, one, other *app.App)) {
	for name, address := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "linchpin.db") },
		"postgres": func() string { return storetest.PostgresAddress(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address()
			open := func() *app.App {
				a, err := app.Open(t.Context(), at, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = a.Close() })
				return a
			}
			test(t, open(), open())
		})
	}
}

func public(t *testing.T, a *app.App) http.Handler {
	t.Helper()
	handler, _, err := a.Handler(app.Serving{IsDev: true})
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "localhost"
		handler.ServeHTTP(w, r)
	})
}

// questions are all that ask the graph about records by their ids.
var questions = map[string]string{
	"impact":          `{ impact(failed: [{id: "$ci"}]) { revision } }`,
	"excluded":        `{ impact(failed: [{id: "$old"}], excluded: ["$ci"]) { revision } }`,
	"a CI's impact":   `{ ci(id: "$ci") { impact { counts { affectedCount } } } }`,
	"a service's":     `{ service(id: "$svc") { impact { counts { affectedCount } } } }`,
	"what it needs":   `{ ci(id: "$ci") { dependencies { needs { totalCount } } } }`,
	"its points":      `{ ci(id: "$ci") { singlePointsOfFailure { totalCount } } }`,
	"what if":         `{ whatIf(overlay: {failed: [{id: "$ci"}]}) { revision } }`,
	"what if related": `{ whatIf(overlay: {addedRelationships: [{type: "depends_on", source: "$old", target: "$ci"}], failed: [{id: "$ci"}]}) { revision } }`,
	"what if gone":    `{ whatIf(overlay: {removed: ["$relationship", "$group"], failed: [{id: "$old"}]}) { revision } }`,
	"a path":          `{ path(from: "$ci", to: "$svc") { cis { id } } }`,
	"paths":           `{ paths(from: "$ci", to: "$svc") { cis { id } } }`,
	"root causes":     `{ rootCauseCandidates(seen: [{id: "$ci"}]) { nodes { share } } }`,
	"common causes":   `{ commonCauses(groups: ["$group"]) { totalCount } }`,
	"an incident":     `{ incident(id: "$incident") { impact { on(id: "$svc") { state } } } }`,
	"its root causes": `{ incident(id: "$incident") { rootCauseCandidates { nodes { share } } } }`,
}

// written writes records of one revision, and returns the names that questions have for them.
func written(t *testing.T, s *store.Store, round int) (ids *strings.Replacer, ci ident.ID) {
	t.Helper()
	made, err := store.Write(t.Context(), s, store.By{Actor: "dev", Verb: "test"}, func(ctx context.Context, tx *store.Tx) (map[string]ident.ID, error) {
		class := tx.CIClass.Query().Where(ciclass.Code("server")).OnlyIDX(ctx)
		dependsOn := tx.RelationshipType.Query().Where(relationshiptype.Code("depends_on")).OnlyIDX(ctx)
		create := func(name string) *ent.CICreate {
			return tx.CI.Create().SetName(fmt.Sprint(name, " ", round)).SetClassID(class).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
		}
		old, fresh := create("old").SaveX(ctx).ID, create("new").SaveX(ctx).ID
		service := create("shop").SetServiceKind(domain.BusinessService).SaveX(ctx).ID
		relationship := tx.Relationship.Create().SetTypeID(dependsOn).SetSourceID(service).SetTargetID(fresh).SetAttributes(map[string]any{}).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx).ID
		group := tx.DependencyGroup.Create().SetName("pair").SetCiID(service).SetMode(domain.Any).SetMembers([]domain.GroupMember{{Relationship: relationship, Weight: 1}}).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx).ID
		incident := tx.Incident.Create().SetTitle("x").SetImpact(1).SetUrgency(3).SetPriority(3).SetOpenedBy("dev").
			SetDetectedAt(tx.Now).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx).ID
		return map[string]ident.ID{"$old": old, "$ci": fresh, "$svc": service.As(ident.Service), "$relationship": relationship, "$group": group, "$incident": incident},
			tx.IncidentCI.Create().SetIncidentID(incident).SetCiID(fresh).SetRole(domain.RootRole).Exec(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for name, id := range made {
		named = append(named, name, id.String())
	}
	return strings.NewReplacer(named...), made["$ci"]
}

// TestAWriteOfAnotherServerIsKnownAtOnce asks while the database shows a record that the graph does not have yet.
func TestAWriteOfAnotherServerIsKnownAtOnce(t *testing.T) {
	twoServers(t, func(t *testing.T, one, other *app.App) {
		reads := public(t, other)
		round := 0
		for name, question := range questions {
			isBehind := false
			for range 20 { // until the graph lags when it is asked
				if one.Store.IsPostgres() { // nobody hears of writes at once
					if _, err := one.Store.Writer().ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"); err != nil {
						t.Fatal(err)
					}
				}
				round++
				ids, ci := written(t, one.Store, round)
				isBehind = !other.Graph.Snapshot().Knows(ci)
				got, _ := ask(t, reads, ids.Replace(question), nil, "dev")
				if text := fmt.Sprint(got); strings.Contains(text, "errors") || strings.Contains(text, "<nil>") {
					t.Errorf("%s: %v", name, got)
				}
				if isBehind {
					break
				}
			}
			if !isBehind {
				t.Errorf("%s: the graph was never behind: it shows nothing", name)
			}
		}
		got, _ := ask(t, reads, `{ impact(failed: [{id: "ci_999999"}]) { revision } }`, nil, "dev")
		if !strings.Contains(fmt.Sprint(got), "NOT_FOUND") {
			t.Errorf("a CI that nobody wrote: %v", got)
		}
	})
}
