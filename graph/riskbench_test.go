package graph_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/fill"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// ticketQuestions are operations that work something out about changes or incidents. ONE and PAGE stand for an id and a
// page of changes that are still to be carried out, INCIDENT for one of the last incidents.
var ticketQuestions = []struct{ name, operation string }{
	{"risk of one change", `{ change(id: "ONE") { risk { score factors { points sentence cis { name } paths { cis { name } } } } } }`},
	{"risk of a page of 50", `{ changes(PAGE) { nodes { risk { score factors { points sentence cis { name } paths { cis { name } } } } } } }`},
	{"conflicts of one change", `{ change(id: "ONE") { conflicts { nodes { kind otherChange { number } path { cis { name } } } } } }`},
	{"conflicts of a page of 50", `{ changes(PAGE) { nodes { conflicts { nodes { kind otherChange { number } path { cis { name } } } } } } }`},
	{"suspects of one incident", `{ incident(id: "INCIDENT") { suspectChanges { nodes { points change { number } ci { name } symptom { name } path { cis { name } } reasons { sentence } } } } }`},
	{"suspects of a page of 50", `{ incidents(first: 50, orderBy: [{field: CREATED_AT, direction: DESC}]) { nodes { suspectChanges { nodes { points change { number } ci { name } symptom { name } path { cis { name } } reasons { sentence } } } } } }`},
}

// BenchmarkRisk measures risk, conflicts and suspects through HTTP's handler, on an estate with a year of tickets:
// -year-cis is its number of CIs.
func BenchmarkRisk(b *testing.B) {
	for _, database := range []struct {
		name string
		open func(testing.TB) *store.Store
	}{{"SQLite", storetest.SQLite}, {"PostgreSQL", storetest.Postgres}} {
		b.Run(database.name, func(b *testing.B) {
			s := database.open(b)
			ctx := store.At(auth.With(b.Context(), auth.System), time.Now().UTC().Truncate(24*time.Hour))
			if err := cmdb.Seed(ctx, s); err != nil {
				b.Fatal(err)
			}
			if _, err := fill.Database(ctx, s, fill.Plan{CIs: *yearCIs, Seed: 4, Year: true}, nil); err != nil {
				b.Fatal(err)
			}
			handler := serverWithin(b, s, wide())
			postmaster := 0
			if s.IsPostgres() {
				postmaster = postmasterOf(b, s)
			}
			spent := func() time.Duration { // the time on processors, the database's included
				if postmaster == 0 {
					return own(b)
				}
				return own(b) + spentBy(postmaster)
			}
			open := s.Read.Change.Query().Where(change.StateNotIn(domain.ChangeReview, domain.ChangeClosed, domain.ChangeCanceled)).IDsX(ctx)
			lately := s.Read.Incident.Query().Order(ent.Desc(incident.FieldID)).Limit(500).IDsX(ctx)
			for _, c := range ticketQuestions {
				b.Run(c.name, func(b *testing.B) {
					r := rand.New(rand.NewPCG(1, 2))
					among := func(ids []ident.ID) string { return ids[r.IntN(len(ids))].String() }
					least, most, slowest := 0, 0, time.Duration(0)
					b.ReportAllocs()
					begun := spent()
					for b.Loop() {
						began := spent()
						answer, statements := ask(b, handler, strings.NewReplacer("ONE", among(open), "INCIDENT", among(lately),
							"PAGE", `first: 50, filter: {state: {in: [NEW, ASSESS, AUTHORIZE, SCHEDULED, IMPLEMENT]}}, orderBy: [{field: CREATED_AT, direction: DESC}]`).Replace(c.operation), nil, "dev")
						slowest = max(slowest, spent()-began)
						if failed := answer.(map[string]any)["errors"]; failed != nil {
							b.Fatal(failed)
						}
						if n := len(statements); least == 0 || n < least {
							least = n
						}
						most = max(most, len(statements))
					}
					b.ReportMetric(float64((spent()-begun).Microseconds())/1000/float64(b.N), "cpu-ms/op")
					b.ReportMetric(float64(least), "least-statements")
					b.ReportMetric(float64(most), "most-statements")
					b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-cpu-ms")
				})
			}
			b.Logf("%d CIs, %d changes to be carried out", *yearCIs, len(open))
		})
	}
}
