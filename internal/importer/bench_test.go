package importer_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

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

// benchmarkCIs returns the size of the estate: LINCHPIN_BENCH_CIS, or one that takes no time.
func benchmarkCIs(b *testing.B) int {
	given := os.Getenv("LINCHPIN_BENCH_CIS")
	if given == "" {
		return 2_000
	}
	n, err := strconv.Atoi(given)
	if err != nil {
		b.Fatalf("LINCHPIN_BENCH_CIS: %v", err)
	}
	return n
}

// BenchmarkImport imports an estate into an empty database, and then twice again: as it was, and with one row of a
// hundred gone and one of a thousand changed. On PostgreSQL the same rows of all tables are then copied in by the
// server itself, from files: COPYs tells how many times as long an import takes.
func BenchmarkImport(b *testing.B) {
	n := benchmarkCIs(b)
	for dialect, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(dialect, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := open(b)
				if err := cmdb.Seed(b.Context(), s); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				took := map[string]time.Duration{}
				read := func(what string, from rows) *importer.Plan {
					begun := time.Now()
					p, err := importer.NewPlan(admin(b), s, from, full)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := p.Apply(admin(b), s, nil); err != nil {
						b.Fatal(err)
					}
					took[what] = time.Since(begun)
					return p
				}
				from := synthetic(n)
				read("first", from)
				if again := read("again", from); again.Writes() > 0 || again.Settled != len(from.all) {
					b.Fatalf("%d writes, %d of %d rows are settled", again.Writes(), again.Settled, len(from.all))
				}
				if less := read("changed", changed(from)); less.Summary.Total(importer.Update) != n/1000 || less.Summary.Total(importer.IsMissing) != n/100 {
					b.Fatalf("%v", less.Summary)
				}
				for what, d := range took {
					b.ReportMetric(d.Seconds(), what+"-s")
				}
				b.ReportMetric(float64(6*n)/took["first"].Seconds(), "records/s")
				if s.IsPostgres() {
					b.StopTimer()
					copying := storetest.Copied(b, s, "team", "ci", "owner", "external_identity", "relationship", "entry", "version", "x_claim", "x_run_row")
					for what, d := range took {
						b.ReportMetric(d.Seconds()/copying.Seconds(), what+"-COPYs")
					}
					b.StartTimer()
				}
			}
		})
	}
}

// changed returns rows of which one in a hundred is gone and one in a thousand has another label.
func changed(from rows) rows {
	less := rows{name: from.name}
	for i, r := range from.all {
		switch {
		case r.CI == nil:
		case i%100 == 99:
			continue
		case i%1000 == 500:
			c := *r.CI
			c.Labels = map[string]string{"zone": "other"}
			r.CI = &c
		}
		less.all = append(less.all, r)
	}
	return less
}
