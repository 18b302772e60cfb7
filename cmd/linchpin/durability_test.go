package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store/pgtest"
)

var cycles = flag.Int("cycles", 6, "how often TestAcknowledgedWritesSurviveKills kills, on each database")

// TestAcknowledgedWritesSurviveKills kills the server, PostgreSQL, or both with kill -9 while clients write, starts
// them again, and compares what is there with a ledger of what was acknowledged. The ledger is kept here, outside
// of all that is killed.
func TestAcknowledgedWritesSurviveKills(t *testing.T) {
	n := *cycles
	if testing.Short() {
		n = 2
	}
	t.Run("sqlite", func(t *testing.T) {
		l := newLedger(t, "sqlite:"+filepath.Join(t.TempDir(), "linchpin.db"))
		for round := range n {
			l.round(round, l.server.kill)
		}
		l.close(n)
	})
	t.Run("postgres", func(t *testing.T) {
		cluster := pgtest.Start(t, pgtest.Durable)
		l := newLedger(t, cluster.Database(t, "empty", nil))
		killPostgres := func() {
			if err := cluster.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		for round := range n {
			switch round % 3 {
			case 0:
				l.round(round, l.server.kill)
			case 1: // the server has to live on
				l.round(round, func() { killPostgres(); l.isNotReady() }, cluster.Restart)
			case 2:
				l.round(round, func() { killPostgres(); l.server.kill() }, cluster.Restart)
			}
		}
		l.close(n)
	})
}

// ledger is what the clients were told.
type ledger struct {
	t        *testing.T
	database string
	server   *process

	mu           sync.Mutex
	acknowledged map[string]string // id by name
	unknown      map[string]bool   // names of writes without an answer, or with one that leaves it open
	refused      map[string]bool   // names of writes that were said not to have happened
	retried      int
	revision     int64         // up to which the journal has been compared
	restart      time.Duration // the longest
}

func newLedger(t *testing.T, database string) *ledger {
	l := &ledger{t: t, database: database, acknowledged: map[string]string{}, unknown: map[string]bool{}, refused: map[string]bool{}}
	l.start()
	t.Cleanup(func() { l.server.kill() })
	var head struct{ Revision int64 }
	l.server.ask(t, &head, `{ revision }`, nil)
	l.revision = head.Revision
	return l
}

func (l *ledger) start() {
	l.t.Helper()
	began := time.Now()
	p, err := launch(l.t.TempDir(), homeless(l.t), "--database", l.database)
	if err != nil {
		l.t.Fatal(err)
	}
	l.server, l.restart = p, max(l.restart, time.Since(began))
}

const clients = 6

// round lets clients write, kills in the middle, revives, and compares.
func (l *ledger) round(round int, kill func(), revive ...func() error) {
	l.t.Helper()
	ctx, stop := context.WithCancel(l.t.Context())
	defer stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var done sync.WaitGroup
	var writes atomic.Int64
	for c := range clients {
		done.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if !l.write(client, fmt.Sprintf("r%d-c%d-n%d", round, c, i)) {
					return
				}
				writes.Add(1)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); writes.Load() < 20; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("round %d: %d writes in 20 s\n%s", round, writes.Load(), l.server.said())
		}
	}
	time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond)
	kill()
	stop()
	done.Wait()
	for _, f := range revive {
		if err := f(); err != nil {
			l.t.Fatal(err)
		}
	}
	select {
	case <-l.server.exited:
		l.start()
	default:
		l.awaitReady()
	}
	l.retry(client)
	l.compare(round)
}

// retry sends again, with the same keys, what was not answered: now each has happened, and once.
func (l *ledger) retry(client *http.Client) {
	l.t.Helper()
	for _, name := range slices.Collect(maps.Keys(l.unknown)) {
		delete(l.unknown, name)
		if !l.write(client, name) {
			l.t.Errorf("%s, sent again, was not acknowledged", name)
		}
		l.retried++
	}
}

// send sends a mutation, and again while the server has too much to do to begin it, as it asks.
func (l *ledger) send(client *http.Client, name string) (a answer, err error) {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a, err = l.once(client, name)
		if err != nil || len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "OVERLOADED" || time.Now().After(deadline) {
			return a, err
		}
	}
}

func (l *ledger) once(client *http.Client, name string) (answer, error) {
	return post(l.t.Context(), client, l.server.url, `mutation($name: String!) { createCI(input: {class: "server", name: $name}) { ci { id } userErrors { code message } } }`, map[string]any{"name": name},
		"Idempotency-Key: "+name)
}

// write sends one mutation and reports whether another one makes sense. Its context is that of the test: a client that
// hangs up learns nothing.
func (l *ledger) write(client *http.Client, name string) bool {
	a, err := l.send(client, name)
	var data struct {
		CreateCI struct {
			CI         *struct{ ID string }
			UserErrors userErrors
		}
	}
	if err == nil && len(a.Errors) == 0 {
		err = json.Unmarshal(a.Data, &data)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil && len(a.Errors) == 0 && data.CreateCI.CI != nil:
		l.acknowledged[name] = data.CreateCI.CI.ID
		return true
	case err != nil || len(a.Errors) == 1 && a.Errors[0].Extensions.Code == "OUTCOME_UNKNOWN":
		l.unknown[name] = true
	case len(a.Errors) == 1 && (a.Errors[0].Extensions.Code == "UNAVAILABLE" || a.Errors[0].Extensions.Code == "INTERNAL"):
		l.refused[name] = true // whatever else is wrong, it may not have happened
	default:
		l.t.Errorf("%s: %+v %+v", name, a.Errors, data.CreateCI.UserErrors)
	}
	return false
}

// isNotReady wants a server without a database to live, and to say that it is of no use.
func (l *ledger) isNotReady() {
	l.t.Helper()
	ready, healthy := send(l.t, http.MethodGet, l.server.url+"/readyz", ""), send(l.t, http.MethodGet, l.server.url+"/healthz", "")
	if ready.status != http.StatusServiceUnavailable || healthy.status != http.StatusOK {
		l.t.Errorf("without a database: readyz %d, healthz %d", ready.status, healthy.status)
	}
	began := send(l.t, http.MethodPost, l.server.url+"/graphql", operation(l.t, createCI), "Idempotency-Key: lost", "Accept: application/graphql-response+json")
	if codes := began.codes(l.t); began.status != http.StatusServiceUnavailable || len(codes) != 1 || codes[0] != "UNAVAILABLE" || strings.Contains(began.body, `"data"`) {
		l.t.Errorf("without a database a mutation that cannot begin: %d %s", began.status, began.body)
	}
}

// awaitReady waits until a server that was left alone has found its database again.
func (l *ledger) awaitReady() {
	l.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if send(l.t, http.MethodGet, l.server.url+"/readyz", "").status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("the server is not ready 20 s after PostgreSQL is\n%s", l.server.said())
		}
	}
}

// compare looks at the CIs of one round and at what the journal gained.
func (l *ledger) compare(round int) {
	l.t.Helper()
	ids := l.stored(fmt.Sprintf("r%d-", round))
	created := l.journalled()
	for name, id := range l.acknowledged {
		if !strings.HasPrefix(name, fmt.Sprintf("r%d-", round)) {
			continue
		}
		if len(ids[name]) != 1 || ids[name][0] != id {
			l.t.Errorf("round %d: %s was acknowledged as %s, and is there as %v", round, name, id, ids[name])
		}
		if created[id] != 1 {
			l.t.Errorf("round %d: %s was acknowledged, and has %d journal entries", round, name, created[id])
		}
	}
	for name, there := range ids {
		if len(there) > 1 {
			l.t.Errorf("round %d: %s is there %d times", round, name, len(there))
		}
		if l.refused[name] {
			l.t.Errorf("round %d: %s was said not to have happened, and is there", round, name)
		}
		if created[there[0]] != 1 {
			l.t.Errorf("round %d: %s is there, and has %d journal entries", round, name, created[there[0]])
		}
		delete(created, there[0])
	}
	if len(created) > 0 {
		l.t.Errorf("round %d: the journal tells of CIs that are not there: %v", round, created)
	}
}

// stored returns the ids of CIs by name.
func (l *ledger) stored(prefix string) map[string][]string {
	l.t.Helper()
	ids := map[string][]string{}
	for after := any(nil); ; {
		var page struct {
			CIs struct {
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
				Nodes []struct{ ID, Name string }
			}
		}
		l.server.ask(l.t, &page, `query($prefix: String!, $after: String) { cis(filter: {name: {startsWith: $prefix}}, first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { id name } } }`,
			map[string]any{"prefix": prefix, "after": after})
		for _, n := range page.CIs.Nodes {
			ids[n.Name] = append(ids[n.Name], n.ID)
		}
		if !page.CIs.PageInfo.HasNextPage {
			return ids
		}
		after = page.CIs.PageInfo.EndCursor
	}
}

// journalled counts how many entries since the last time say that a CI was created, by its id. Revisions must be dense.
func (l *ledger) journalled() map[string]int {
	l.t.Helper()
	created := map[string]int{}
	from := l.revision
	for after := any(nil); ; {
		var page struct {
			Journal struct {
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
				Nodes []struct {
					Revision                         int64
					Actor, Verb, Operation, RecordID string
				}
			}
		}
		l.server.ask(l.t, &page, `query($from: Revision!, $after: String) { journal(afterRevision: $from, first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { revision actor verb operation recordId } } }`,
			map[string]any{"from": from, "after": after})
		for _, e := range page.Journal.Nodes {
			if e.Revision != l.revision && e.Revision != l.revision+1 {
				l.t.Errorf("after revision %d comes %d", l.revision, e.Revision)
			}
			l.revision = e.Revision
			if e.Actor != "dev" || e.Verb != "ci.create" {
				l.t.Errorf("%+v", e)
			}
			if strings.HasPrefix(e.RecordID, "ci_") && e.Operation == "CREATED" {
				created[e.RecordID]++
			}
		}
		if !page.Journal.PageInfo.HasNextPage {
			return created
		}
		after = page.Journal.PageInfo.EndCursor
	}
}

// close compares everything once more, and says what happened.
func (l *ledger) close(rounds int) {
	l.t.Helper()
	lost := maps.Clone(l.acknowledged)
	for name, ids := range l.stored("r") {
		if len(ids) == 1 && ids[0] == lost[name] {
			delete(lost, name)
		}
	}
	l.t.Logf("%d kills, %d acknowledged, %d lost, %d without an answer and sent again, %d refused; the slowest start took %v",
		rounds, len(l.acknowledged), len(lost), l.retried, len(l.refused), l.restart.Round(time.Millisecond))
	if len(lost) > 0 || len(l.acknowledged) < rounds {
		l.t.Errorf("lost: %v", lost)
	}
}
