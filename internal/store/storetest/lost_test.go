package storetest_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// own starts a PostgreSQL server for one test, and opens a migrated database of it.
func own(t *testing.T) (*pgtest.Cluster, *store.Store) {
	t.Helper()
	c := pgtest.Start(t, pgtest.Durable)
	s := second(t, c.Database(t, "", nil))
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c, s
}

// awaitStandbys lets commits wait for standbys of that name, "" for none, and returns once they do. That a session has
// read the setting is not enough: it holds once another process of the server has.
func awaitStandbys(t *testing.T, s *store.Store, names string) {
	t.Helper()
	raw(t, s, "ALTER SYSTEM SET synchronous_standby_names = '"+names+"'")
	raw(t, s, "SELECT pg_reload_conf()")
	soon(t, "commits wait for standbys if there are any", func() bool {
		done := make(chan error, 1)
		go func() {
			_, err := s.Writer().ExecContext(context.Background(), "SELECT pg_logical_emit_message(true, 'probe', '')")
			done <- err
		}()
		for {
			select {
			case <-done:
				return names == ""
			case <-time.After(5 * time.Millisecond):
			}
			waits := column(t, s.Writer(), "SELECT pid FROM pg_stat_activity WHERE query LIKE '%probe%' AND wait_event = 'SyncRep' AND pid <> pg_backend_pid()")
			if len(waits) > 0 && names != "" {
				column(t, s.Writer(), "SELECT pg_cancel_backend($1)", waits[0])
				<-done
				return true
			}
		}
	})
}

func TestADatabaseThatIsDownIsUnavailableAndComesBack(t *testing.T) {
	c, s := own(t)
	named(t, s, "first")
	for how, end := range map[string]func() error{"stopped": c.Stop, "killed": c.Kill} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		for range 3 { // the first finds a connection that broke, the others none
			_, read := s.Read.CI.Query().Count(t.Context())
			_, wrote := store.Write(t.Context(), s, by, ci("x", nil))
			_, revision := s.Revision(t.Context())
			for what, err := range map[string]error{"read": store.Translate(read), "write": wrote, "revision": revision} {
				if errs.CodeOf(err) != errs.Unavailable {
					t.Errorf("%s, a %s: %v", how, what, err)
				}
			}
		}
		if err := c.Restart(); err != nil {
			t.Fatal(err)
		}
		soon(t, "a write works again", func() bool {
			_, err := store.Write(t.Context(), s, by, ci(how, nil))
			return err == nil
		})
	}
	same(t, "CIs", column(t, s.Writer(), "SELECT name FROM ci WHERE name = 'x'"), nil)
}

// TestACommitWithoutAnAnswerIsUnknownAndItsRetryHasOneEffect kills a server while it commits: the outcome is open, it
// may be either, and a retry with the key has the effect once.
func TestACommitWithoutAnAnswerIsUnknownAndItsRetryHasOneEffect(t *testing.T) {
	for when, c := range map[string]struct {
		hold, release []string
		waits         string
		wasWritten    string
	}{
		"before it was written": {
			hold: []string{
				"CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'",
				"CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON ci DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()",
			},
			release: []string{"DROP FUNCTION hold CASCADE"}, waits: "PgSleep", wasWritten: "0",
		},
		"after it was written": {
			waits: "SyncRep", wasWritten: "1",
		},
	} {
		t.Run(when, func(t *testing.T) {
			cluster, s := own(t)
			class := newClass(t, s, "server")
			count := func() []string {
				return column(t, s.Writer(), "SELECT count(*) FROM ci WHERE class_id = $1", int64(class.ID))
			}
			for _, statement := range c.hold {
				raw(t, s, statement)
			}
			if c.waits == "SyncRep" {
				awaitStandbys(t, s, "nobody")
			}
			once := func() error {
				ctx := store.Once(t.Context(), store.Key{Actor: "ada", Name: "k", Body: sha256.Sum256(nil)}, "createCI")
				_, err := store.Write(ctx, s, by, ci("lost", nil))
				return err
			}
			answered := make(chan error, 1)
			go func() { answered <- once() }()
			soon(t, "the commit waits", func() bool {
				return column(t, s.Writer(), "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = $1", c.waits)[0] == "1"
			})
			if err := cluster.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := <-answered; errs.CodeOf(err) != errs.OutcomeUnknown {
				t.Errorf("%v", err)
			}
			if err := cluster.Restart(); err != nil {
				t.Fatal(err)
			}
			soon(t, "the database answers", func() bool {
				_, err := s.Revision(context.Background())
				return err == nil
			})
			same(t, "CIs after the crash", count(), []string{c.wasWritten})
			for _, statement := range c.release {
				raw(t, s, statement)
			}
			awaitStandbys(t, s, "")
			for range 2 {
				if err := once(); err != nil {
					t.Errorf("asked again: %v", err)
				}
			}
			same(t, "CIs", count(), []string{"1"})
		})
	}
}

// TestAWaitForAStandbyThatIsCutShortIsNoSuccess ends the wait of a commit in each way in which an administrator can:
// the outcome is open, nothing is acknowledged, and a retry with the key answers only when the standbys have it.
func TestAWaitForAStandbyThatIsCutShortIsNoSuccess(t *testing.T) {
	cluster, s := own(t)
	class := newClass(t, s, "server")
	waiting := func() bool {
		return column(t, s.Writer(), "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'SyncRep'")[0] == "1"
	}
	for name, end := range map[string]func(){
		"cancelled": func() {
			column(t, s.Writer(), "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
		},
		"terminated": func() {
			column(t, s.Writer(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
		},
		"stopped": func() {
			if err := cluster.Restart(); err != nil {
				t.Fatal(err)
			}
			soon(t, "the database answers", func() bool {
				_, err := s.Revision(t.Context())
				return err == nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			once := func() chan error {
				answered := make(chan error, 1)
				go func() {
					ctx := store.Once(t.Context(), store.Key{Actor: "ada", Name: name, Body: sha256.Sum256(nil)}, "createCI")
					_, err := store.Write(ctx, s, by, ci(name, nil))
					answered <- err
				}()
				return answered
			}
			awaitStandbys(t, s, "nobody")
			for i := range 3 { // the first writes, the others find its outcome
				answered := once()
				soon(t, "the commit waits", waiting)
				end()
				if err := <-answered; errs.CodeOf(err) != errs.OutcomeUnknown {
					t.Errorf("attempt %d: %v", i+1, err)
				}
			}
			answered := once()
			soon(t, "the commit waits", waiting)
			awaitStandbys(t, s, "") // the standby is given up: what waits is let go
			if err := <-answered; err != nil {
				t.Errorf("without standbys: %v", err)
			}
			same(t, "CIs", column(t, s.Writer(), "SELECT name FROM ci WHERE class_id = $1 AND name = $2", int64(class.ID), name), []string{name})
		})
	}
}

// TestAFullDatabaseIsUnavailable bounds a file: the statement is refused, nothing has happened, and later there is
// room.
func TestAFullDatabaseIsUnavailable(t *testing.T) {
	s := storetest.SQLite(t)
	named(t, s, "first")
	pages := column(t, s.Writer(), "PRAGMA page_count")[0]
	raw(t, s, "PRAGMA max_page_count = "+pages)
	err := fill(t, s)
	if errs.CodeOf(err) != errs.Unavailable {
		t.Errorf("%v", err)
	}
	raw(t, s, "PRAGMA max_page_count = 1000000")
	if err := fill(t, s); err != nil {
		t.Error(err)
	}
	same(t, "CIs", column(t, s.Writer(), "SELECT count(*) FROM ci"), []string{"101"})
}
