package schedule_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// one is a source of one server.
type one struct {
	reading func(context.Context) error
}

func (one) Name() string { return "one" }

func (o one) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		if err := o.reading(ctx); err != nil {
			yield(importer.Row{}, err)
			return
		}
		yield(importer.Row{CI: &importer.CI{ExternalID: "a", Class: "server", Name: "a"}}, nil)
	}
}

func runner(s *store.Store, reading func(context.Context) error) *schedule.Runner {
	return &schedule.Runner{
		Store: s, Holder: "test", Log: slog.New(slog.DiscardHandler),
		Open: func(schedule.Schedule) (importer.Source, error) { return one{reading}, nil },
	}
}

var hourly = schedule.Schedule{Name: "hourly", Every: time.Hour, Import: "one"}

func TestOfManyServersOneImportsWhatIsDue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		var readings, did atomic.Int64
		var all sync.WaitGroup
		for range 5 {
			r := runner(s, func(context.Context) error { readings.Add(1); return nil })
			all.Go(func() {
				for range 3 {
					ok, err := r.Due(t.Context(), hourly)
					if err != nil {
						t.Error(err)
					}
					if ok {
						did.Add(1)
					}
				}
			})
		}
		all.Wait()
		if readings.Load() != 1 || did.Load() != 1 {
			t.Errorf("%d readings by %d servers", readings.Load(), did.Load())
		}
		runs, err := importer.ReadRuns(t.Context(), s, importer.RunQuery{})
		if err != nil || len(runs) != 1 || runs[0].State != domain.RunApplied {
			t.Errorf("%+v, %v", runs, err)
		}
		states, err := s.Leases(t.Context())
		if err != nil || len(states) != 1 || states[0].Failure != "" {
			t.Fatalf("%+v, %v", states, err)
		}
		if in := time.Until(states[0].Due); in < 53*time.Minute || in > 66*time.Minute {
			t.Errorf("an hourly schedule is due again in %s", in)
		}
	})
}

func TestAReadingThatFailsIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name    string
			reading func(context.Context) error
		}{
			{"fails", func(context.Context) error { return errors.New("the disk is gone") }},
			{"panics", func(context.Context) error { panic("the disk is gone") }},
		} {
			r := runner(s, c.reading)
			did, err := r.Due(t.Context(), schedule.Schedule{Name: c.name, Every: time.Hour, Import: "one"})
			if !did || err == nil || !strings.Contains(err.Error(), "the disk is gone") || r.Runs() != 1 || r.Failures() != 1 {
				t.Errorf("%s: %v, %v, %d of %d failed", c.name, did, err, r.Failures(), r.Runs())
			}
		}
		states, err := s.Leases(t.Context())
		if err != nil || len(states) != 2 {
			t.Fatal(states, err)
		}
		for _, l := range states {
			if !strings.Contains(l.Failure, "the disk is gone") || l.Holder != "" || !l.Due.After(time.Now()) {
				t.Errorf("%+v", l)
			}
		}
		runs, err := importer.ReadRuns(t.Context(), s, importer.RunQuery{})
		if err != nil || len(runs) == 0 || runs[len(runs)-1].State != domain.RunFailed || !strings.Contains(runs[len(runs)-1].Reason, "the disk is gone") {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}

func TestAServerThatSleptThroughItsLeaseWritesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		slept := runner(s, func(ctx context.Context) error {
			// Meanwhile another server finds the lease over, and does the work.
			later := store.At(context.WithoutCancel(t.Context()), time.Now().Add(time.Hour))
			if did, err := runner(s, func(context.Context) error { return nil }).Due(later, hourly); err != nil || !did {
				t.Errorf("nobody takes over: %v", err)
			}
			return nil
		})
		before, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := slept.Due(t.Context(), hourly); err == nil || !strings.Contains(err.Error(), "another server") {
			t.Errorf("it went on: %v", err)
		}
		after, err := s.Revision(t.Context())
		if err != nil || after != before+1 {
			t.Errorf("%d revisions, of which the other server wrote one: %v", after-before, err)
		}
		runs, err := importer.ReadRuns(t.Context(), s, importer.RunQuery{})
		if err != nil || len(runs) != 1 || runs[0].State != domain.RunApplied {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}

func TestAFileOfSchedulesIsReadStrictly(t *testing.T) {
	t.Parallel()
	const good = "version: 1\nschedules:\n  - {name: a, every: 15m, import: sql, dsn: env:A, mapping: m.yaml}\n"
	for _, c := range []struct{ text, says string }{
		{good, ""},
		{"version: 1\n", ""},
		{"", "version 0: this program knows version 1"},
		{strings.Replace(good, "every", "evry", 1), "field evry not found"},
		{strings.Replace(good, "15m", "soon", 1), "cannot unmarshal"},
		{strings.Replace(good, "15m", "1s", 1), "every is 1s: a time from 1m0s to 744h0m0s, such as 15m"},
		{strings.Replace(good, "name: a, ", "", 1), "a name tells it from the others"},
		{good + "  - {name: a, every: 1h, import: csv, paths: [a], mapping: m}\n", "schedule 2 (a): another one has the name"},
		{strings.Replace(good, ", dsn: env:A", "", 1), "the database is missing"},
		{strings.Replace(good, ", mapping: m.yaml", "", 1), "either a mapping or a prepared one"},
		{strings.Replace(good, "import: sql, dsn: env:A, mapping: m.yaml", "import: compose", 1), "the files are missing"},
		{strings.Replace(good, "import: sql, ", "", 1), "what to import is missing"},
	} {
		file := filepath.Join(t.TempDir(), "s.yaml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := schedule.Read(file)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}
