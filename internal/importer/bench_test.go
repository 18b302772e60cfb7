package importer_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// synthetic returns an estate of n CIs with five relationships each, owned by fifty teams.
func synthetic(n int) rows {
	random := rand.New(rand.NewPCG(1, 2))
	s := rows{name: "synthetic"}
	for i := range 50 {
		s.all = append(s.all, importer.Row{Team: &importer.Team{ExternalID: fmt.Sprintf("team-%d", i), Name: fmt.Sprintf("Team %d", i)}})
	}
	classes := []string{"server", "virtual_machine", "application", "database", "application_service"}
	for i := range n {
		c := &importer.CI{
			ExternalID: fmt.Sprintf("ci-%d", i), Name: fmt.Sprintf("ci-%d", i), Class: classes[i%len(classes)],
			Labels: map[string]string{"zone": fmt.Sprint(i % 7)}, Owners: []importer.Owner{{Team: fmt.Sprintf("team-%d", i%50)}},
			Attributes: map[string]any{"vendor": "Acme", "serialNumber": fmt.Sprintf("S%d", i)},
		}
		if i%5 > 1 {
			c.Attributes = map[string]any{"version": "1.2"}
		}
		seen := map[int]bool{i: true}
		for range 5 {
			if target := random.IntN(n); !seen[target] {
				seen[target] = true
				c.Relationships = append(c.Relationships, importer.Relationship{Type: "depends_on", Target: fmt.Sprintf("ci-%d", target)})
			}
		}
		s.all = append(s.all, importer.Row{Origin: importer.Origin{File: "synthetic", Line: i + 1}, CI: c})
	}
	return s
}

// BenchmarkImport plans and applies an import into an empty database, then plans it again.
func BenchmarkImport(b *testing.B) {
	for name, source := range map[string]importer.Source{"demo": demo.Estate(), "20000": synthetic(20_000)} {
		for dialect, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
			b.Run(name+"/"+dialect, func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					s := open(b)
					if err := cmdb.Seed(b.Context(), s); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					start := time.Now()
					p := plan(b, s, source)
					planned := time.Now()
					if _, err := p.Apply(admin(b), s, nil); err != nil {
						b.Fatal(err)
					}
					applied := time.Now()
					plan(b, s, source)
					b.ReportMetric(planned.Sub(start).Seconds(), "plan-s")
					b.ReportMetric(applied.Sub(planned).Seconds(), "apply-s")
					b.ReportMetric(time.Since(applied).Seconds(), "replan-s")
				}
			})
		}
	}
}
