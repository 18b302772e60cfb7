//go:build linux || darwin || freebsd

package pgtest

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lib/pq"
)

// Standby makes a hot standby of a [Durable] cluster, which streams from it until it is promoted. It is removed when t
// ends.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	s, err := c.standby()
	if err != nil {
		t.Fatalf("pgtest: making a standby: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Kill(), s.home.remove()); err != nil {
			t.Errorf("pgtest: removing the standby: %v", err)
		}
	})
	return s
}

func (c *Cluster) standby() (*Cluster, error) {
	h, err := newHome(c.settings.durable)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(c.bin, "pg_basebackup"), "--pgdata="+h.data(), "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync",
		"--dbname="+fmt.Sprintf("host=%s port=%s user=%s", c.home.path, port, superuser))
	cmd.Dir, cmd.Env = h.path, environment(h.path)
	cmd.SysProcAttr = attributes(h.owner)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("pg_basebackup: %w\n%s", err, said), h.remove())
	}
	s := &Cluster{home: h, bin: c.bin, settings: c.settings, templates: map[string]*template{}}
	if err := s.Restart(); err != nil {
		return nil, errors.Join(err, s.Kill(), h.remove())
	}
	return s, nil
}

// Same returns the address on this cluster of the database that has an address on another.
func (c *Cluster) Same(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("host", c.home.path)
	u.RawQuery = query.Encode()
	return u.String()
}

// Exec runs statements as the superuser, each on its own.
func (c *Cluster) Exec(t testing.TB, statements ...string) {
	t.Helper()
	if err := c.exec(t.Context(), statements...); err != nil {
		t.Fatalf("pgtest: %v\n%s", err, c.Log())
	}
}

// Streams reports whether a standby streams from the cluster.
func (c *Cluster) Streams(t testing.TB) bool {
	t.Helper()
	connector, err := pq.NewConnector(c.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	n := 0
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_replication").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n > 0
}
