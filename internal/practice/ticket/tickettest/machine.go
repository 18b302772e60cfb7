package tickettest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Failer is what tests and property tests have in common.
type Failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// Machine is a kind of record with the verbs that move it and the table that the domain has for them.
type Machine struct {
	// Moves says from each state where each verb leads.
	Moves map[string]map[string]string
	// Open makes a record in the state First.
	Open  func(Failer) ident.ID
	First string
	// Verbs are what an actor can do to a record. Those that Moves does not know leave its state alone.
	Verbs func(actor context.Context, id ident.ID) map[string]func() error
	// State is where the record stands, as it is stored.
	State func(id ident.ID) string
	// Check checks what else has to hold at any time; it may be nil.
	Check func(t Failer, id ident.ID)
	// Others are the verbs of Moves by which something else may move the record too.
	Others []string
}

// Race lets actors do what they like to one record at once, again and again, and checks that every way it went is a
// way of the table: each move starts where the last one ended, each is somebody's verb that succeeded, and all else
// was refused.
func (e *Estate) Race(t *testing.T, m Machine, actors ...context.Context) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		id := m.Open(t)
		names := slices.Sorted(maps.Keys(m.Verbs(actors[0], id)))
		scripts := make([][]string, len(actors))
		for i := range actors {
			scripts[i] = rapid.SliceOfN(rapid.SampledFrom(names), 1, 5).Draw(t, "script")
		}
		var mu sync.Mutex
		succeeded, odd := map[string]int{}, []error(nil)
		var wait sync.WaitGroup
		for i, script := range scripts {
			verbs := m.Verbs(actors[i], id)
			wait.Go(func() {
				for _, verb := range script {
					err := verbs[verb]()
					mu.Lock()
					switch {
					case err == nil:
						succeeded[verb]++
					case errs.CodeOf(err) != errs.TransitionRefused:
						odd = append(odd, err)
					}
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		if len(odd) > 0 {
			t.Fatalf("%v failed with %v", scripts, odd)
		}
		e.follow(t, m, id, succeeded)
		if m.Check != nil {
			m.Check(t, id)
		}
	})
}

// follow walks the record's timeline along the table.
func (e *Estate) follow(t Failer, m Machine, id ident.ID, succeeded map[string]int) {
	t.Helper()
	moved, at := map[string]int{}, m.First
	for _, step := range e.Store.Read.TimelineEntry.Query().
		Where(timelineentry.RecordID(id), timelineentry.KindEQ(domain.StateChange)).Order(ent.Asc(timelineentry.FieldID)).AllX(context.Background()) {
		if step.FromState != at {
			t.Fatalf("it went from %s, and was %s", step.FromState, at)
		}
		by := ""
		for verb, to := range m.Moves[at] {
			if to == step.ToState {
				by = verb
			}
		}
		if by == "" {
			t.Fatalf("it went from %s to %s: the table has no such way", at, step.ToState)
		}
		moved[by]++
		at = step.ToState
	}
	if now := m.State(id); now != at {
		t.Fatalf("it is %s, and its timeline ends at %s", now, at)
	}
	for _, ways := range m.Moves {
		for verb := range ways {
			if moved[verb] < succeeded[verb] || moved[verb] > succeeded[verb] && !slices.Contains(m.Others, verb) {
				t.Fatalf("%s succeeded %d times, and moved it %d times", verb, succeeded[verb], moved[verb])
			}
		}
	}
}
