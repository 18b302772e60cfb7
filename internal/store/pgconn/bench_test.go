package pgconn_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// BenchmarkPointSelect reports how many times longer plain lib/pq takes, statement by statement in one run.
func BenchmarkPointSelect(b *testing.B) {
	compare(b, func(db *sql.DB, i int) error {
		var name string
		return db.QueryRowContext(b.Context(), `SELECT name FROM rack WHERE id = $1`, 1+i%1000).Scan(&name)
	})
}

// BenchmarkInsert reports the same of inserts.
func BenchmarkInsert(b *testing.B) {
	compare(b, func(db *sql.DB, i int) error {
		_, err := db.ExecContext(b.Context(), `INSERT INTO rack (id, name) VALUES ($1, $2)`, 10_000+i, "new")
		return err
	})
}

func compare(b *testing.B, run func(db *sql.DB, i int) error) {
	b.Helper()
	plain, err := sql.Open("postgres", database(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = plain.Close() })
	ours := open(b, database(b), pgconn.Statements(128))
	dbs := []*sql.DB{plain, ours}
	var took [2]time.Duration
	for i := 0; b.Loop(); i++ {
		for n, db := range dbs {
			began := time.Now()
			if err := run(db, i); err != nil {
				b.Fatal(err)
			}
			took[n] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[0].Microseconds())/float64(b.N), "plain-µs/op")
	b.ReportMetric(float64(took[1].Microseconds())/float64(b.N), "pgconn-µs/op")
	b.ReportMetric(float64(took[0])/float64(took[1]), "plain/pgconn")
}
