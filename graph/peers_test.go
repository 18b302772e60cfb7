package graph_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// besidePostGraphile are the operations of besideSQL in the contract that PostGraphile makes of the tables.
var besidePostGraphile = map[string]string{
	"tiny": `{ ciByRowId(rowId: "HUB") { name } }`,
	"list": `{ allCis(first: 50, condition: {environment: "PRODUCTION", lifecycle: "LIVE"}, orderBy: [CREATED_AT_ASC, PRIMARY_KEY_ASC]) { nodes { name environment
		ownersByCiId { nodes { teamByTeamId { name } } } ciClassByClassId { code }
		relationshipsBySourceId(first: 10, orderBy: [PRIMARY_KEY_ASC]) { nodes { relationshipTypeByTypeId { code } ciByTargetId { name } } } } } }`,
	"tree": `{ ciByRowId(rowId: "FIRST") { name relationshipsBySourceId(first: 5, orderBy: [PRIMARY_KEY_ASC]) { nodes { ciByTargetId { name relationshipsBySourceId(first: 5, orderBy: [PRIMARY_KEY_ASC]) { nodes { ciByTargetId { name
		relationshipsBySourceId(first: 5, orderBy: [PRIMARY_KEY_ASC]) { nodes { ciByTargetId { name ciClassByClassId { code } } } } } } } } } } } }`,
}

const (
	burst   = 2 * time.Second // for which a contender is asked before it is another's turn
	askers  = 4               // at the same time
	pauseIn = 10 * time.Second
)

// contender answers an operation, for some time, by several askers at once.
type contender struct {
	name   string
	once   func(b *testing.B) []byte
	many   func(b *testing.B) int // how often it answered
	server int                    // its process beside the database; 0: none
}

// BenchmarkBesidePeers asks `linchpin serve`, PostGraphile over the same database, and the database itself by pgbench,
// in turns: requests a second, and the processor time of a request, server and database together. BenchmarkAgainstSQL
// measures the memory of a request.
func BenchmarkBesidePeers(b *testing.B) {
	address := storetest.PostgresAddress(b)
	s, err := store.Open(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	e := crowded(b, s)
	owned(b, e)
	postmaster := postmasterOf(b, s)

	program := filepath.Join(b.TempDir(), "linchpin")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "../cmd/linchpin").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	linchpin, ours := start(b, program, "serve", "--database", address, "--listen", "127.0.0.1:0")
	var postgraphile string
	var theirs int
	if _, err := os.Stat("../clients/node_modules/postgraphile"); err == nil {
		postgraphile, theirs = start(b, "node", "../clients/postgraphile/serve.mjs", nodeAddress(b, address), "0")
	} else {
		b.Log("PostGraphile is not installed: npm ci in clients")
	}
	pgbench, err := pgbenchProgram()
	if err != nil {
		b.Log(err)
	}

	first := ident.New(ident.CI, 1+firstCrowd)
	for _, c := range besideSQL {
		b.Run(c.name, func(b *testing.B) {
			statement := fillIn(c.statement, fmt.Sprint(int64(e.hub)), fmt.Sprint(int64(first)))
			contenders := []*contender{overHTTP("linchpin", linchpin, ours, fillIn(c.operation, e.hub.String(), first.String()))}
			if pgbench != "" {
				contenders = append(contenders, byPgbench(b, s, pgbench, address, statement))
			}
			if postgraphile != "" {
				contenders = append(contenders, overHTTP("postgraphile", postgraphile, theirs, fillIn(besidePostGraphile[c.name], fmt.Sprint(int64(e.hub)), fmt.Sprint(int64(first)))))
			}
			answer := contenders[0].once(b)
			for _, other := range contenders[1:] {
				if left, right := shownIn(b, answer), shownIn(b, other.once(b)); !slices.Equal(left, right) || len(left) == 0 {
					b.Fatalf("%s answers something else:\n%.1000q\n%.1000q", other.name, left, right)
				}
			}
			spent, served, answered := map[string]time.Duration{}, map[string]time.Duration{}, map[string]int{}
			for b.Loop() {
				for _, c := range contenders {
					database, server := spentBy(postmaster), stat(c.server).cpu
					answered[c.name] += c.many(b)
					server = stat(c.server).cpu - server
					spent[c.name] += spentBy(postmaster) - database + server
					served[c.name] += server
				}
			}
			each := func(of map[string]time.Duration, name string) float64 {
				return float64(of[name].Microseconds()) / float64(max(1, answered[name]))
			}
			b.ReportMetric(0, "ns/op")
			for _, c := range contenders {
				b.ReportMetric(float64(answered[c.name])/(float64(b.N)*burst.Seconds()), c.name+"-requests/s")
				b.ReportMetric(each(spent, c.name), c.name+"-cpu-µs")
				if c.server != 0 {
					b.ReportMetric(each(served, c.name), c.name+"-server-cpu-µs")
				}
				if c != contenders[0] {
					b.ReportMetric(each(spent, contenders[0].name)/each(spent, c.name), "÷"+c.name)
				}
			}
		})
	}
}

// owned gives each CI one owner: PostGraphile filters by indexed columns alone.
func owned(b *testing.B, e *estate) {
	b.Helper()
	for _, statement := range []string{
		"DELETE FROM owner WHERE NOT is_primary",
		fmt.Sprintf("INSERT INTO owner (ci_id, team_id, role, is_primary) SELECT id, %d, 'x', true FROM ci WHERE name LIKE 'zcrowd%%'", e.team),
		"VACUUM ANALYZE",
	} {
		if _, err := e.s.Writer().ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
}

func fillIn(text, hub, first string) string {
	return strings.NewReplacer("HUB", hub, "FIRST", first).Replace(text)
}

// start runs a server until the benchmark ends, and returns the address at which it answers GraphQL.
func start(b *testing.B, name string, args ...string) (address string, pid int) {
	b.Helper()
	server := exec.Command(name, args...) //nolint:noctx // it is stopped below, in good order
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	var complaints bytes.Buffer
	if name == "node" {
		server.Stderr = &complaints // few; ours are a line of log an operation, which go nowhere
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(pauseIn, func() { _ = server.Process.Kill() })
		_ = server.Wait()
		late.Stop()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		at, ok := strings.CutPrefix(lines.Text(), "GraphQL ")
		if !ok {
			at, ok = strings.CutPrefix(lines.Text(), "Catalog ") // Backstage's
		}
		if ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return strings.TrimSpace(at), server.Process.Pid
		}
	}
	b.Fatalf("%s said nothing of an address: %s", name, &complaints)
	return "", 0
}

// nodeAddress returns a database's address for node-postgres, which takes a folder of sockets as its host only if there
// is a host in the address.
func nodeAddress(b *testing.B, address string) string {
	b.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	q := u.Query()
	q.Del("sslmode")
	u.RawQuery = q.Encode()
	return u.String()
}

// overHTTP returns a contender that asks a server for an operation, over connections that stay open.
func overHTTP(name, address string, pid int, operation string) *contender {
	body, err := json.Marshal(map[string]string{"query": operation})
	if err != nil {
		panic(err) // a text
	}
	return byRequests(name, pid, func(client *http.Client) (*http.Response, error) {
		return client.Post(address, "application/json", bytes.NewReader(body)) //nolint:noctx // it lasts as long as the benchmark
	})
}

// byRequests returns a contender that sends requests over connections that stay open.
func byRequests(name string, pid int, request func(*http.Client) (*http.Response, error)) *contender {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askers}}
	ask := func() ([]byte, error) {
		response, err := request(client)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err == nil && (response.StatusCode != http.StatusOK || bytes.Contains(text, []byte(`"errors"`))) {
			err = fmt.Errorf("%s: %s: %.1000s", name, response.Status, text)
		}
		return text, err
	}
	return &contender{
		name: name, server: pid,
		once: func(b *testing.B) []byte {
			text, err := ask()
			if err != nil {
				b.Fatal(err)
			}
			return text
		},
		many: func(b *testing.B) int {
			var all sync.WaitGroup
			var answered atomic.Int64
			for began, i := time.Now(), 0; i < askers; i++ {
				all.Go(func() {
					for time.Since(began) < burst {
						if _, err := ask(); err != nil {
							b.Error(err)
							return
						}
						answered.Add(1)
					}
				})
			}
			all.Wait()
			return int(answered.Load())
		},
	}
}

// pgbenchProgram returns the path of pgbench, which lies beside the server's programs.
func pgbenchProgram() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench") // fails on a bad pattern only
	if len(found) == 0 {
		return "", errors.New("pgbench is not installed: it comes with PostgreSQL")
	}
	return found[len(found)-1], nil
}

var transactions = regexp.MustCompile(`transactions actually processed: (\d+)`)

// byPgbench returns a contender that asks the database itself, by a prepared statement.
func byPgbench(b *testing.B, s *store.Store, program, address, statement string) *contender {
	b.Helper()
	script := filepath.Join(b.TempDir(), "statement.sql")
	if err := os.WriteFile(script, []byte(strings.Join(strings.Fields(statement), " ")+";\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	return &contender{
		name: "pgbench",
		once: func(b *testing.B) (text []byte) {
			if err := s.Writer().QueryRowContext(b.Context(), statement).Scan(&text); err != nil {
				b.Fatal(err)
			}
			return text
		},
		many: func(b *testing.B) int {
			out, err := exec.CommandContext(b.Context(), program, "-n", "-M", "prepared", "-f", script, "-c", strconv.Itoa(askers), //nolint:gosec // the program that was found
				"-T", strconv.Itoa(int(burst.Seconds())), address).CombinedOutput()
			part := transactions.FindSubmatch(out)
			if err != nil || part == nil {
				b.Fatalf("pgbench: %v: %s", err, out)
			}
			n, err := strconv.Atoi(string(part[1]))
			if err != nil {
				b.Fatal(err)
			}
			return n
		},
	}
}

// shownIn returns all values in a JSON answer's data, sorted: contracts differ in the names and the nesting around
// them.
func shownIn(b *testing.B, text []byte) (all []string) {
	b.Helper()
	var answer struct{ Data any }
	if err := json.Unmarshal(text, &answer); err != nil {
		b.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, v := range v {
				walk(v)
			}
		case []any:
			for _, v := range v {
				walk(v)
			}
		case nil:
		default:
			all = append(all, fmt.Sprint(v))
		}
	}
	walk(answer.Data)
	slices.Sort(all)
	return all
}
