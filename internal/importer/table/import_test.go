package table_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/table"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

var rows = flag.Int("table-rows", 3_000, "how many rows the table has that is imported; 300,000 by hand")

// sheet returns the rows of a table of machines: a tenth are hosts, on which the others run.
func sheet(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		kind, host, os := "VM", fmt.Sprintf("%06d", i-i%10), "Debian 12"
		if i%10 == 0 {
			kind, host, os = "Server", "-", "-"
		}
		lines[i] = fmt.Sprintf(`%06d;Host-%d;%s;%s;%016d;"%d,5";"Dell ""Inc"", %d";%s;%s`, i, i, kind, []string{"prod", "test", ""}[i%3], i, i%64, i%7, os, host)
	}
	return lines
}

const machines = `version: 1
source: machines
class: {column: Type, map: {VM: virtual_machine, Server: hypervisor}, strict: true}
key: Asset Tag
fields:
  name: {column: Hostname, lower: true}
  environment: {column: Env, map: {prod: PRODUCTION, test: TESTING, "": STAGING}, strict: true}
  attributes.serialNumber: Serial
  attributes.memory: {column: Memory, number: ","}
  labels.vendor: Vendor
  attributes.os: OS
relationships:
  - {type: virtualized_by, target: Host}
null: ["-"]
`

func source(t testing.TB, lines []string) importer.Source {
	t.Helper()
	dir := t.TempDir()
	file, mapping := filepath.Join(dir, "machines.csv"), filepath.Join(dir, "machines.yaml")
	content := "Asset Tag;Hostname;Type;Env;Serial;Memory;Vendor;OS;Host\n" + strings.Join(lines, "\n") + "\n"
	for name, text := range map[string]string{file: content, mapping: machines} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := table.ReadMapping(mapping)
	if err != nil {
		t.Fatal(err)
	}
	return table.New(m, []string{file})
}

func load(t testing.TB, s *store.Store, from importer.Source) *importer.Plan {
	t.Helper()
	start := time.Now()
	p, err := importer.NewPlan(t.Context(), s, from, importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	planned := time.Now()
	result, err := p.Apply(auth.With(t.Context(), auth.Dev("ada", auth.Admin)), s, nil)
	if err != nil || len(result.Conflicts) > 0 {
		t.Fatal(err, result.Conflicts)
	}
	t.Logf("planned in %s, applied in %s: %d writes", planned.Sub(start), time.Since(planned), p.Writes())
	return p
}

func TestATableIsImportedAndASecondRunWritesNothing(t *testing.T) {
	lines := sheet(*rows)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		p := load(t, s, source(t, lines))
		if n := s.Read.CI.Query().CountX(t.Context()); n != len(lines) || len(p.Notices) > 0 {
			t.Fatalf("%d CIs of %d rows, %+v", n, len(lines), p.Notices[:min(len(p.Notices), 5)])
		}
		if n := s.Read.Relationship.Query().CountX(t.Context()); n != len(lines)-len(lines)/10 {
			t.Errorf("%d relationships", n)
		}
		one := s.Read.CI.Query().Where(ci.Name("host-65")).OnlyX(t.Context())
		if one.Attributes["serialNumber"] != "0000000000000065" || one.Attributes["memory"] != 1.5 || one.Labels["vendor"] != `Dell "Inc", 2` || one.Environment != "STAGING" || one.Attributes["os"] != "Debian 12" {
			t.Errorf("%+v", one)
		}
		before := revision(t, s)
		load(t, s, source(t, lines))
		shuffled := make([]string, len(lines))
		for i, j := range rand.New(rand.NewPCG(1, 2)).Perm(len(lines)) {
			shuffled[i] = lines[j]
		}
		load(t, s, source(t, shuffled))
		if after := revision(t, s); after != before {
			t.Errorf("the same rows again, and in another order, wrote revisions %d to %d", before+1, after)
		}

		// One cell changes, one says that there is none, and one row has a mistake.
		shuffled[0] = strings.Replace(lines[1], "Host-1", "Renamed", 1)
		shuffled[1] = strings.Replace(lines[65], "Debian 12", "-", 1)
		shuffled[2] = strings.Replace(lines[2], ";VM;", ";vm;", 1)
		p = load(t, s, source(t, shuffled[:3]))
		if p.Writes() != 2 || len(p.Notices) != 1 {
			t.Errorf("%d writes, %+v", p.Writes(), p.Notices)
		}
		if one := s.Read.CI.GetX(t.Context(), one.ID); one.Attributes["os"] != nil {
			t.Errorf("%+v", one.Attributes)
		}
	})
}

func revision(t testing.TB, s *store.Store) int64 {
	t.Helper()
	n, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// BenchmarkRead reads a table without a database.
func BenchmarkRead(b *testing.B) {
	from := source(b, sheet(*rows))
	for b.Loop() {
		n := 0
		for _, err := range from.Rows(context.Background()) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != *rows {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(*rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
