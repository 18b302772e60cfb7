package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/database"
	"github.com/linchpin-cmdb/linchpin/internal/importer/table"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

// each runs a test on a database of each kind that has some tables. Write is a connection beside the one that reads.
func each(t *testing.T, tables string, test func(t *testing.T, address string, write *sql.DB)) {
	t.Helper()
	for name, opened := range map[string]func(t *testing.T) (address, driver, dsn string){
		"sqlite": func(t *testing.T) (address, driver, dsn string) {
			path := filepath.Join(t.TempDir(), "inventory.db")
			return "sqlite:" + path, "sqlite", "file:" + path + "?_pragma=journal_mode(WAL)"
		},
		"postgres": func(t *testing.T) (address, driver, dsn string) {
			dsn = pgtest.Database(t, "empty", nil)
			return dsn, "postgres", dsn
		},
	} {
		t.Run(name, func(t *testing.T) {
			address, driver, dsn := opened(t)
			db, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			if _, err := db.ExecContext(t.Context(), tables); err != nil {
				t.Fatal(err)
			}
			test(t, address, db)
		})
	}
}

type read struct {
	rows    []importer.Row
	notices []string
	err     error
}

// rows reads a database by a mapping, and calls at with the number of rows so far.
func rows(t *testing.T, address, mapping string, timeout time.Duration, at func(n int)) (r read) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nsource: inventory\n"+mapping), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := table.ReadMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := database.New(m, database.Options{Address: address, Timeout: timeout})
	if err != nil {
		return read{err: err}
	}
	for row, err := range s.Rows(t.Context()) {
		var n *importer.Notice
		switch {
		case errors.As(err, &n):
			r.notices = append(r.notices, strings.ReplaceAll(n.Error(), path, "m.yaml"))
		case err != nil:
			r.err = err
		default:
			r.rows = append(r.rows, row)
		}
		if at != nil {
			at(len(r.rows))
		}
	}
	return r
}

const hosts = `CREATE TABLE host (id INTEGER PRIMARY KEY, name TEXT, cores INTEGER, price NUMERIC(10,2), leased BOOLEAN, bought DATE, seen TIMESTAMP, note TEXT);
INSERT INTO host VALUES (7, 'web', 4, 12.50, true, '2026-02-03', '2026-02-03 04:05:06', NULL), (8, 'db', NULL, 0, false, NULL, NULL, 'a "b"');`

func TestTheRowsOfAQueryBecomeCIs(t *testing.T) {
	t.Parallel()
	each(t, hosts, func(t *testing.T, address string, _ *sql.DB) {
		r := rows(t, address, `query: SELECT id, name, cores, price, leased, bought, seen, note FROM host ORDER BY id
class: {default: server}
key: [{template: "host/{id}"}]
fields:
  name: {column: name, upper: true}
  description: note
  attributes.cpuCores: {column: cores, number: ","}
  attributes.price: {column: price, number: "."}
  attributes.leased: {column: leased, bool: true}
  labels.bought: bought
  labels.seen: seen
`, time.Minute, nil)
		if r.err != nil || len(r.notices) > 0 {
			t.Fatal(r.err, r.notices)
		}
		for i := range r.rows {
			if r.rows[i].Origin.Line != i+1 {
				t.Errorf("row %d is at %s", i, r.rows[i].Origin)
			}
		}
		want := []*importer.CI{
			{
				ExternalID: "host/7", Class: "server", Name: "WEB", Attributes: map[string]any{"cpuCores": int64(4), "price": 12.5, "leased": true},
				Labels: map[string]string{"bought": "2026-02-03", "seen": "2026-02-03T04:05:06Z"},
			},
			{ExternalID: "host/8", Class: "server", Name: "DB", Description: `a "b"`, Attributes: map[string]any{"price": int64(0), "leased": false}},
		}
		if diff := cmp.Diff(want, []*importer.CI{r.rows[0].CI, r.rows[1].CI}); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPagesFollowOneAnotherByTheOrderAndLoseNothing(t *testing.T) {
	t.Parallel()
	const many = 12_001 // two pages and a bit
	const mapping = "class: {default: server}\nkey: [site, id]\nfields: {name: id}\n"
	each(t, "CREATE TABLE host (site TEXT, id INTEGER, rack TEXT)", func(t *testing.T, address string, db *sql.DB) {
		if _, err := db.ExecContext(t.Context(), fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO host SELECT CASE WHEN i %% 2 = 0 THEN 'ams' ELSE 'rtm' END, i, 'r' FROM n", many)); err != nil {
			t.Fatal(err)
		}
		r := rows(t, address, "query: SELECT site, id FROM host\norder: [site, id]\n"+mapping, time.Minute, nil)
		seen := map[string]bool{}
		for _, row := range r.rows {
			seen[row.CI.ExternalID] = true
		}
		if r.err != nil || len(seen) != many || len(r.rows) != many {
			t.Errorf("%d rows, %d keys: %v", len(r.rows), len(seen), r.err)
		}
		for _, c := range []struct{ order, says string }{
			{"rack", "two rows have the same there"},
			{"nowhere", `"nowhere"`},
			{"[]", ""},
		} {
			r := rows(t, address, "query: SELECT * FROM host\norder: "+c.order+"\n"+mapping, time.Minute, nil)
			switch {
			case c.says == "" && (r.err != nil || len(r.rows) != many):
				t.Errorf("without an order: %d rows, %v", len(r.rows), r.err)
			case c.says != "" && (r.err == nil || !strings.Contains(r.err.Error(), c.says)):
				t.Errorf("order %s: %v", c.order, r.err)
			}
		}
		if _, err := db.ExecContext(t.Context(), "INSERT INTO host VALUES (NULL, 0, 'r')"); err != nil {
			t.Fatal(err)
		}
		if r := rows(t, address, "query: SELECT * FROM host\norder: [site, id]\n"+mapping, time.Minute, nil); r.err == nil || !strings.Contains(r.err.Error(), "which is NULL in a row") {
			t.Errorf("a row whose order is NULL: %d rows, %v", len(r.rows), r.err)
		}
	})
}

func TestTheDatabaseIsReadInOneStateAndNotWritten(t *testing.T) {
	t.Parallel()
	each(t, hosts, func(t *testing.T, address string, db *sql.DB) {
		const part = "query: SELECT id, name FROM host ORDER BY id\nclass: {default: server}\nkey: id\nfields: {name: name}\n"
		r := rows(t, address, part+"---\n"+strings.Replace(part, "key: id", `key: [{template: "again/{id}"}]`, 1), time.Minute, func(n int) {
			if n == 1 {
				if _, err := db.ExecContext(t.Context(), "INSERT INTO host (id, name) VALUES (9, 'new')"); err != nil {
					t.Error(err)
				}
			}
		})
		if r.err != nil || len(r.rows) != 4 {
			t.Errorf("%d rows, of which two queries of one state have four: %v", len(r.rows), r.err)
		}
		for _, query := range []string{"INSERT INTO host (id, name) VALUES (10, 'x') RETURNING id, name", "DELETE FROM host RETURNING id, name"} {
			if r := rows(t, address, strings.Replace(part, "SELECT id, name FROM host ORDER BY id", query, 1), time.Minute, nil); r.err == nil {
				t.Errorf("%s was run", query)
			}
		}
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM host").Scan(&n); err != nil || n != 3 {
			t.Errorf("%d hosts are left: %v", n, err)
		}
	})
}

func TestAStatementThatTakesTooLongIsEnded(t *testing.T) {
	t.Parallel()
	each(t, hosts, func(t *testing.T, address string, _ *sql.DB) {
		r := rows(t, address, "query: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS id FROM n\nclass: {default: server}\nkey: id\nfields: {name: id}\n", 200*time.Millisecond, nil)
		if r.err == nil || !strings.Contains(r.err.Error(), "took longer than 200ms for a statement") {
			t.Error(r.err)
		}
	})
}

func TestAMistakeOfAQueryIsNamed(t *testing.T) {
	t.Parallel()
	each(t, hosts, func(t *testing.T, address string, _ *sql.DB) {
		const rest = "class: {default: server}\nkey: id\nfields: {name: name, labels.more: more}\n"
		for _, c := range []struct{ name, query, says string }{
			{"a column that the mapping names is not there", "SELECT id, name, note FROM host", `the query has no column "more", which m.yaml:6 names`},
			{"a table that does not exist", "SELECT id, name, 1 AS more FROM hosts", "hosts"},
			{"no SQL", "SELEKT", "SELEKT"},
			{"a number that is none", "SELECT id, name, CAST('NaN' AS float8) AS more FROM host", ""},
			{"two columns of one name", "SELECT id, name, note AS more, id FROM host", `the query has two columns "id"`},
			{"nothing", "SELECT id, name, note AS more FROM host WHERE id < 0", "-"},
			{"a key that is NULL", "SELECT CASE WHEN id = 7 THEN NULL ELSE id END AS id, name, note AS more FROM host", `column "id": the cell is empty, and it is the key of the row`},
		} {
			if c.says == "" && strings.HasPrefix(address, "sqlite:") {
				continue // it has no such number
			}
			r := rows(t, address, "query: "+c.query+"\n"+rest, time.Minute, nil)
			said := strings.Join(r.notices, "\n")
			if r.err != nil {
				said += r.err.Error()
			}
			switch {
			case c.says == "-" && (said != "" || len(r.rows) != 0):
				t.Errorf("%s: %s", c.name, said)
			case c.says == "" && !strings.Contains(said, "which is no number"), c.says != "-" && !strings.Contains(said, c.says):
				t.Errorf("%s: %s", c.name, said)
			}
		}
	})
}

func TestThePasswordIsNeverTold(t *testing.T) {
	t.Parallel()
	const password = "s3cr%2Ft+x"
	for _, address := range []string{
		"postgres://reader:" + password + "@127.0.0.1:1/inventory?sslmode=disable&connect_timeout=2",
		"postgres://reader:" + password + "@127.0.0.1:port/inventory",
		"postgres://reader:" + password + "@127.0.0.1:1/inventory?sslmode=" + password,
		"postgres://127.0.0.1:1/inventory?sslmode=disable&password=" + password,
		"postgres://reader:" + password + "@[::1/inventory",
		"mysql://reader:" + password + "@127.0.0.1/inventory",
		"reader:" + password,
		"sqlite:",
	} {
		r := rows(t, address, "query: SELECT 1 AS id\nclass: {default: server}\nkey: id\nfields: {name: id}\n", time.Minute, nil)
		if r.err == nil {
			t.Errorf("%s was read", address)
			continue
		}
		for _, secret := range []string{"s3cr", "%2Ft", "/t+x"} {
			if strings.Contains(r.err.Error(), secret) {
				t.Errorf("%s: %v", address, r.err)
			}
		}
	}
}

func TestAnErrorOfTheServerDoesNotRepeatThePassword(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(pgtest.Database(t, "empty", nil))
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(address.User.Username(), "hush/it x") // the server asks for none
	r := rows(t, address.String(), "query: SELECT CAST('hush/it x' AS integer) AS id\nclass: {default: server}\nkey: id\nfields: {name: id}\n", time.Minute, nil)
	if r.err == nil || strings.Contains(r.err.Error(), "hush") || !strings.Contains(r.err.Error(), "integer") {
		t.Error(r.err)
	}
}

func TestASecretIsReadFromWhereItIsKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(file, []byte(" sqlite:a.db \nrest\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string { return map[string]string{"A": "sqlite:b.db"}[name] }
	for _, c := range []struct{ reference, want, wrong string }{
		{"sqlite:c.db", "sqlite:c.db", ""},
		{"env:A", "sqlite:b.db", ""},
		{"env:B", "", "the variable B is not set"},
		{"file:" + file, "sqlite:a.db", ""},
		{"file:" + empty, "", "the first line is empty"},
		{"file:" + empty + "er", "", "cannot be read"},
	} {
		got, err := database.Secret(c.reference, getenv)
		if got != c.want || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %q, %v", c.reference, got, err)
		}
	}
}

func TestAReadingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	each(t, hosts, func(t *testing.T, address string, _ *sql.DB) {
		path := filepath.Join(t.TempDir(), "m.yaml")
		if err := os.WriteFile(path, []byte("version: 1\nsource: s\nquery: SELECT id FROM host\nclass: {default: server}\nkey: id\nfields: {name: id}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := table.ReadMapping(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := database.New(m, database.Options{Address: address})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range s.Rows(ctx) {
			if err == nil {
				t.Error("a row after the end")
			}
		}
	})
}

// cloudQuery are the columns that CloudQuery's tables have and the prepared mappings read, and some rows.
const cloudQuery = `
CREATE TABLE aws_ec2_instances (_cq_sync_time timestamp, account_id text, region text, arn text PRIMARY KEY, tags jsonb, instance_id text, instance_type text, private_ip_address text, state jsonb, vpc_id text);
CREATE TABLE aws_rds_instances (_cq_sync_time timestamp, account_id text, region text, arn text PRIMARY KEY, db_instance_identifier text, engine text, engine_version text);
CREATE TABLE aws_elbv2_load_balancers (_cq_sync_time timestamp, account_id text, region text, arn text PRIMARY KEY, load_balancer_name text, dns_name text, type text);
CREATE TABLE aws_elbv2_target_groups (_cq_sync_time timestamp, arn text PRIMARY KEY, load_balancer_arns text[]);
CREATE TABLE aws_elbv2_target_group_target_health_descriptions (_cq_id uuid PRIMARY KEY, target_group_arn text, target jsonb);
CREATE TABLE k8s_apps_deployments (_cq_sync_time timestamp, context text, name text, namespace text, uid text PRIMARY KEY, labels jsonb, spec_replicas bigint, spec_template jsonb);
INSERT INTO aws_ec2_instances VALUES
  ('2026-11-30 10:00', '1', 'eu', 'arn:i-1', '{"Name": "web", "env": "prod"}', 'i-1', 't3.micro', '10.0.0.1', '{"Name": "running", "Code": 16}', 'vpc-1'),
  ('2026-11-30 10:00', '1', 'eu', 'arn:i-2', NULL, 'i-2', 't3.micro', NULL, '{"Name": "stopped", "Code": 80}', 'vpc-1'),
  ('2026-11-30 10:00', '1', 'eu', 'arn:i-3', NULL, 'i-3', 't3.micro', NULL, '{"Name": "terminated", "Code": 48}', 'vpc-1'),
  ('2026-11-29 10:00', '1', 'eu', 'arn:i-4', NULL, 'i-4', 't3.micro', NULL, '{"Name": "running", "Code": 16}', 'vpc-1');
INSERT INTO aws_rds_instances VALUES ('2026-11-30 10:00', '1', 'eu', 'arn:db', 'orders', 'postgres', '16.2');
INSERT INTO aws_elbv2_load_balancers VALUES ('2026-11-30 10:00', '1', 'eu', 'arn:lb', 'shop', 'shop.elb.example.com', 'application');
INSERT INTO aws_elbv2_target_groups VALUES ('2026-11-30 10:00', 'arn:tg', '{arn:lb}');
INSERT INTO aws_elbv2_target_group_target_health_descriptions VALUES
  ('00000000-0000-0000-0000-000000000001', 'arn:tg', '{"Id": "i-1", "Port": 80}'), ('00000000-0000-0000-0000-000000000002', 'arn:tg', '{"Id": "i-2", "Port": 80}');
INSERT INTO k8s_apps_deployments VALUES ('2026-11-30 10:00', 'prod', 'web', 'shop', 'u-1', '{"app.kubernetes.io/name": "web"}', 2, '{"spec": {"containers": [{"image": "web:1"}]}}');`

func TestTheTablesOfCloudQueryAreReadByThePreparedMappings(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t, "empty", nil)
	db, err := sql.Open("postgres", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), cloudQuery); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range []string{"cloudquery-aws", "cloudquery-kubernetes"} {
		m, err := table.Prepared(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := database.New(m, database.Options{Address: address, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range s.Rows(t.Context()) {
			if err != nil {
				t.Error(err)
				continue
			}
			line := row.CI.Class + " " + row.CI.ExternalID + " " + row.CI.Name
			for _, r := range row.CI.Relationships {
				line += " " + r.Type + " " + r.Target + r.Strength
			}
			got = append(got, line)
		}
	}
	if diff := cmp.Diff([]string{
		"instance arn:i-1 web contained_in vpc/vpc-1", "instance arn:i-2 i-2 contained_in vpc/vpc-1", "vpc vpc/vpc-1 vpc-1", "managed_database arn:db orders",
		"load_balancer arn:lb shop depends_on arn:i-1SOFT depends_on arn:i-2SOFT", "workload u-1 web runs_on cluster/prod", "k8s_cluster cluster/prod prod",
	}, got); diff != "" {
		t.Error(diff)
	}
}
