package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// patient returns an address with another time that statements wait for locks.
func patient(address, wait string) string {
	if strings.Contains(address, "?") {
		return address + "&lock_timeout=" + wait
	}
	return address + "?lock_timeout=" + wait
}

// held locks what a statement names, until release is called.
func held(t *testing.T, s *store.Store, lock string) (release func()) {
	t.Helper()
	tx, err := s.Writer().BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), lock); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

// waits returns how many callers have waited for a connection of a pool, as the metrics say.
func waits(t *testing.T, s *store.Store, pool string) (n float64) {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(s.Collectors()...)
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		for _, m := range family.GetMetric() {
			if family.GetName() == "go_sql_wait_count_total" && m.GetLabel()[0].GetValue() == pool {
				n = m.GetCounter().GetValue()
			}
		}
	}
	return n
}

func TestReadsAndHealthGoOnWhileAllWritersAndReadersOfATableWait(t *testing.T) {
	address := storetest.PostgresAddress(t)
	other, s := second(t, address), second(t, patient(address, "60s"))
	named(t, s, "first")
	release := held(t, other, "SELECT revision FROM head FOR UPDATE")
	defer release()
	var writers sync.WaitGroup
	for i := range 15 {
		writers.Go(func() { named(t, s, fmt.Sprint("waits ", i)) })
	}
	soon(t, "all connections for writes are taken", func() bool { return waits(t, s, "write") > 0 })
	bounded, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if n, err := s.Read.CI.Query().Count(bounded); n != 1 || err != nil {
		t.Errorf("while writers wait readers see %d CIs, %v", n, err)
	}
	unlock := held(t, other, "LOCK TABLE team IN ACCESS EXCLUSIVE MODE")
	defer unlock()
	reading, hangUp := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 30 {
		readers.Go(func() { _, _ = s.Read.Team.Query().Count(reading) })
	}
	soon(t, "all connections for reads are taken", func() bool { return waits(t, s, "read") > 0 })
	if p, err := s.Pulse(bounded); p.Revision == 0 || err != nil {
		t.Errorf("the feed and health see %+v, %v", p, err)
	}
	hangUp()
	readers.Wait()
	unlock()
	release()
	writers.Wait()
	if n := s.Read.CI.Query().CountX(t.Context()); n != 16 {
		t.Errorf("%d CIs", n)
	}
}

func TestAWriteWaitsOnceForALock(t *testing.T) {
	address := storetest.PostgresAddress(t)
	other, s := second(t, address), second(t, patient(address, "50ms"))
	release := held(t, other, "SELECT revision FROM head FOR UPDATE")
	defer release()
	runs := 0
	_, err := store.Write(t.Context(), s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
		runs++
		return ci("late", nil)(ctx, tx)
	})
	if errs.CodeOf(err) != errs.Unavailable || runs != 1 || !strings.Contains(err.Error(), "locked by somebody else") {
		t.Errorf("%d runs, %v", runs, err)
	}
}
