package benchmark_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// theirWhatBreaks is whatBreaks for PostGraphile, which knows neither states nor groups.
const theirWhatBreaks = `query($ci: BigInt!) { whatBreaks(root: $ci, first: 50) {
	totalCount nodes { name ciClassByClassId { code } ownersByCiId { nodes { teamByTeamId { name } } } } } }`

// whatBreaksFunction creates a function that returns the CIs within reach of a CI, by the best of those in
// compareReach. The kind of an id is in its upper 16 bits.
const whatBreaksFunction = `CREATE FUNCTION what_breaks(root bigint) RETURNS SETOF ci LANGUAGE sql STABLE ROWS 1000 AS $$
	SELECT c.* FROM unnest(reach_rows((root & 281474976710655)::int)) AS found(number) JOIN ci c ON c.id = (found.number | (root & ~281474976710655)) $$`

// besidePostGraphile serves the database of s by PostGraphile, and asks it about the roots.
func besidePostGraphile(t *testing.T, s *served, roots []ident.ID) (*times, error) {
	if !s.Store.IsPostgres() {
		return nil, errors.New("there is no PostgreSQL")
	}
	if _, err := os.Stat("../../clients/node_modules/postgraphile"); err != nil {
		return nil, errors.New("npm ci in clients installs it")
	}
	if _, err := exec.LookPath("node"); err != nil {
		return nil, err
	}
	db, err := sql.Open("postgres", s.database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	graph := s.Graph.Snapshot()
	if err := fillEdges(t, db, graph, func(v topology.Vertex) int64 { return graph.ID(v).Number() }); err != nil {
		return nil, err
	}
	for _, statement := range []string{"CREATE EXTENSION IF NOT EXISTS intarray", fmt.Sprintf(frontier, "reach_rows", edgesInRows), whatBreaksFunction} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			return nil, err
		}
	}
	address, stop, err := startPostGraphile(t, s.database)
	if err != nil {
		return nil, err
	}
	defer stop()
	say("http: PostGraphile is asked")
	return timesOf(t, address, theirWhatBreaks, roots, func(ci ident.ID) string { return fmt.Sprint(int64(ci)) }), nil
}

// startPostGraphile runs PostGraphile until stop is called, and returns the address at which it answers GraphQL.
func startPostGraphile(t *testing.T, database string) (address string, stop func(), err error) {
	u, err := url.Parse(database)
	if err != nil {
		return "", nil, err
	}
	q := u.Query()
	q.Del("sslmode") // node-postgres reads it in another way
	u.RawQuery = q.Encode()
	server := exec.CommandContext(t.Context(), "node", "../../clients/postgraphile/serve.mjs", u.String(), "0")
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	server.WaitDelay = 10 * time.Second
	var complaints bytes.Buffer
	server.Stderr = &complaints
	out, err := server.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(10*time.Second, func() { _ = server.Process.Kill() })
		_ = server.Wait()
		late.Stop()
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "GraphQL "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return strings.TrimSpace(at), stop, nil
		}
	}
	stop()
	return "", nil, fmt.Errorf("PostGraphile said nothing of an address: %s", &complaints)
}
