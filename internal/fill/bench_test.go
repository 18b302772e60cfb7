package fill_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/fill"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

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

func filled(b *testing.B, s *store.Store) (fill.Count, time.Duration) {
	ctx := auth.With(b.Context(), auth.System)
	if err := cmdb.Seed(ctx, s); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	done, err := fill.Database(ctx, s, fill.Plan{CIs: benchmarkCIs(b), Seed: 1}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return done, time.Since(start)
}

// BenchmarkFill writes an estate. On PostgreSQL the same rows of all tables are then copied in by the server
// itself, from files: ofCOPY is how much of that speed filling has.
func BenchmarkFill(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		for b.Loop() {
			done, took := filled(b, storetest.SQLite(b))
			b.ReportMetric(float64(done.Records())/took.Seconds(), "records/s")
		}
	})
	b.Run("postgres", func(b *testing.B) {
		for b.Loop() {
			s := storetest.Postgres(b)
			done, took := filled(b, s)
			b.ReportMetric(float64(done.Records())/took.Seconds(), "records/s")
			b.ReportMetric(storetest.Copied(b, s, "team", "ci", "owner", "relationship", "dependency_group", "entry", "version").Seconds()/took.Seconds(), "ofCOPY")
		}
	})
}

// BenchmarkColdStart loads the graph of an estate, beside psql that copies the tables it is made of to nowhere.
// LINCHPIN_BENCH_DATABASE names a database that has an estate already.
func BenchmarkColdStart(b *testing.B) {
	if address := os.Getenv("LINCHPIN_BENCH_DATABASE"); address != "" {
		s, err := store.Open(b.Context(), address)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		coldStart(b, s, address)
		return
	}
	b.Run("sqlite", func(b *testing.B) {
		s := storetest.SQLite(b)
		filled(b, s)
		coldStart(b, s, "")
	})
	b.Run("postgres", func(b *testing.B) {
		address := storetest.PostgresAddress(b)
		s, err := store.Open(b.Context(), address)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		filled(b, s)
		coldStart(b, s, address)
	})
}

func coldStart(b *testing.B, s *store.Store, address string) {
	var loading, copying time.Duration
	relationships := 0
	for b.Loop() {
		start := time.Now()
		ctx, stop := context.WithCancel(b.Context())
		graph := topology.New()
		feed, err := journal.Follow(ctx, s, graph, slog.New(slog.NewTextHandler(b.Output(), nil)))
		if err != nil {
			b.Fatal(err)
		}
		loading += time.Since(start)
		relationships = s.Read.Relationship.Query().CountX(ctx)
		stop()
		<-feed.Done()
		if psql, err := exec.LookPath("psql"); err == nil && strings.HasPrefix(address, "postgres") {
			start := time.Now()
			for _, table := range []string{"relationship_type", "ci", "relationship", "dependency_group"} {
				if out, err := exec.CommandContext(b.Context(), psql, "-q", "-o", os.DevNull, "-c", "COPY "+table+" TO STDOUT", address).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
			copying += time.Since(start)
		}
	}
	b.ReportMetric(float64(relationships), "relationships")
	b.ReportMetric(loading.Seconds()/float64(b.N), "s/start")
	if copying > 0 {
		b.ReportMetric(loading.Seconds()/copying.Seconds(), "ofCOPY-TO")
	}
}
