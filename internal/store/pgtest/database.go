package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// template is a database that others are copied from, prepared once.
type template struct {
	once sync.Once
	name string
	err  error
}

// DSN returns the URL of a database of the cluster, as its superuser.
func (c *Cluster) DSN(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: url.Values{
		"host":    {c.home.path},
		"port":    {port}, // said aloud, or PGPORT and PGSSLMODE would decide
		"sslmode": {"disable"},
	}.Encode()}
	return u.String()
}

// Database makes a database for t, as the function of that name does, on this cluster.
func (c *Cluster) Database(t testing.TB, key string, prepare func(dsn string) error) (dsn string) {
	t.Helper()
	source := "template1"
	if prepare != nil {
		tm := c.template(key, prepare)
		if tm.err != nil {
			t.Fatalf("pgtest: preparing the template %q: %v", key, tm.err)
		}
		source = tm.name
	}
	name := c.name("t", t.Name())
	if err := c.exec(t.Context(), fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", pq.QuoteIdentifier(name), pq.QuoteIdentifier(source))); err != nil {
		t.Fatalf("pgtest: creating a database from the template %q: %v\n%s", key, err, c.Log())
	}
	t.Cleanup(func() {
		if !c.Running() {
			return // a crash test left it down: the database goes with the cluster
		}
		drop := fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", pq.QuoteIdentifier(name))
		err := c.exec(context.Background(), drop)
		for range 20 { // the server waits 5 s for the backends that it ends, which may take longer to go
			if in := (*pq.Error)(nil); !errors.As(err, &in) || in.Code != pqerror.ObjectInUse {
				break
			}
			err = c.exec(context.Background(), drop)
		}
		if err != nil {
			t.Errorf("pgtest: dropping a database: %v\n%s", err, c.Log())
		}
	})
	return c.DSN(name)
}

// template prepares the database of key, once, and ends the connections that prepare left open.
func (c *Cluster) template(key string, prepare func(dsn string) error) *template {
	c.mu.Lock()
	tm := c.templates[key]
	if tm == nil {
		tm = &template{}
		c.templates[key] = tm
	}
	c.mu.Unlock()

	tm.once.Do(func() {
		tm.err = errors.New("prepare ended its goroutine") // what stays if it panics or calls t.FailNow
		name := c.name("template", key)
		ctx := context.Background()
		if tm.err = c.exec(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE template1"); tm.err != nil {
			return
		}
		tm.err = errors.New("prepare ended its goroutine")
		if err := prepare(c.DSN(name)); err != nil {
			tm.err = err
			return
		}
		tm.name, tm.err = name, c.seal(ctx, name)
	})
	return tm
}

// seal closes a template to connections: one left open would make CREATE DATABASE … TEMPLATE fail.
func (c *Cluster) seal(ctx context.Context, name string) error {
	return c.exec(ctx,
		"ALTER DATABASE "+pq.QuoteIdentifier(name)+" WITH ALLOW_CONNECTIONS false IS_TEMPLATE true",
		// A backend whose client has left needs a moment to go; the others are terminated.
		`DO $$ BEGIN
			FOR i IN 1..500 LOOP
				PERFORM pg_stat_clear_snapshot();
				PERFORM FROM pg_stat_activity WHERE datname = `+pq.QuoteLiteral(name)+`;
				EXIT WHEN NOT FOUND;
				PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = `+pq.QuoteLiteral(name)+`;
				PERFORM pg_sleep(0.01);
			END LOOP;
		END $$`)
}

// name returns a database name that is unique in the cluster and tells a person where it comes from.
func (c *Cluster) name(prefix, about string) string {
	about = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, about)
	return fmt.Sprintf("%s_%d_%.40s", prefix, c.names.Add(1), about)
}

// exec runs statements one by one on a connection of their own to the maintenance database. It leaves nothing open: a
// test that counts goroutines would take a pool for a leak.
func (c *Cluster) exec(ctx context.Context, statements ...string) (err error) {
	connector, err := pq.NewConnector(c.DSN("postgres"))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
