package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/audit"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// BenchmarkVerify tells how many revisions a second are verified, each with one entry that is an update of a CI.
func BenchmarkVerify(b *testing.B) {
	const revisions = 100_000
	const before = `{"description": "A host", "updated_at": "2026-11-30T13:00:00.123456Z", "version": 2}`
	const after = `{"id": "ci_4711", "name": "host-0007", "labels": {"team": "checkout"}, "version": 3, "class_id": "cls_7", "lifecycle": "LIVE", "attributes": {"rack": "B 12", "cores": 8, "memory": "64 GiB"}, "created_at": "2026-11-30T14:00:00.123456Z", "updated_at": "2026-11-30T14:00:00.123456Z", "visibility": "EVERYONE", "criticality": "HIGH", "description": "A host of the checkout, in the second hall", "environment": "PRODUCTION"}`
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s, kind := open(b), "blob"
			if s.IsPostgres() {
				kind = "jsonb"
			}
			fill := fmt.Sprintf(`INSERT INTO entry (id, revision, at, actor, via, verb, operation, record_id, subject_id, before, after)
				SELECT %d + CAST(n AS bigint) * 65536, n, '2026-11-30 14:00:00.123456+00:00', 'linchpin', 'SYSTEM', 'ci.update', 'UPDATED', %d, %[2]d, CAST('%[3]s' AS %[5]s), CAST('%[4]s' AS %[5]s) FROM `,
				int64(ident.New(ident.Entry, 0)), int64(ident.New(ident.CI, 4711)), before, after, kind)
			if s.IsPostgres() {
				fill = strings.Replace(fill, "'2026", "timestamptz '2026", 1) + fmt.Sprintf("generate_series(1, %d) AS n", revisions)
			} else {
				fill = fmt.Sprintf("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d) ", revisions) + fill + "numbers"
			}
			do(b, s, fill, fmt.Sprintf("UPDATE head SET revision = %d", revisions))
			if err := s.LinkAll(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if r := verify(b, s, audit.Keys{}); r.Fault != nil || r.Entries != revisions {
					b.Fatal(r.Fault)
				}
			}
			b.ReportMetric(float64(b.N)*revisions/b.Elapsed().Seconds(), "revisions/s")
		})
	}
}
