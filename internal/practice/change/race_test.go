package change_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
)

func TestActorsAtOnceNeverLeaveTheTable(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		for _, of := range []domain.ChangeType{domain.Standard, domain.Normal, domain.Emergency} {
			t.Run(string(of), func(t *testing.T) {
				reached := map[domain.ChangeState]int{}
				m := b.machine(of, reached)
				b.Race(t, m, b.olga, b.carl, b.dora)
				// They rarely come far that way: now they mostly do what leads on.
				b.Race(t, b.eager(m, of), b.olga, b.carl, b.dora)
				if far := reached["SCHEDULED"] + reached["IMPLEMENT"] + reached["REVIEW"] + reached["CLOSED"]; far == 0 {
					t.Errorf("no race came far: %v", reached)
				}
			})
		}
	})
}

// machine returns changes of a type that olga drafts: everybody moves them, votes on them, gives them other windows,
// plans and titles.
func (b board) machine(of domain.ChangeType, reached map[domain.ChangeState]int) tickettest.Machine {
	m := tickettest.Machine{
		Moves: map[string]map[string]string{}, First: "NEW",
		Open: func(t tickettest.Failer) ident.ID { return b.mustDraft(t, b.ready(of)).ID },
		State: func(id ident.ID) string {
			return string(b.Store.Read.Change.GetX(b.olga, id).State)
		},
		Verbs: func(actor context.Context, id ident.ID) map[string]func() error {
			verbs := map[string]func() error{"rescope": func() error {
				end := time.Now().AddDate(10, 0, 0)
				_, err := b.Update(actor, change.Update{ID: id, PlannedEnd: graphql.OmittableOf(&end)})
				return err
			}, "reword": func() error {
				text := fmt.Sprint(rand.Int())
				_, err := b.Update(actor, change.Update{ID: id, Plan: graphql.OmittableOf(&text)})
				return err
			}, "retitle": func() error {
				text := fmt.Sprint(rand.Int())
				_, err := b.Update(actor, change.Update{ID: id, Title: graphql.OmittableOf(&text)})
				return err
			}}
			for name, do := range b.verbsOf(actor, actor, id) {
				verbs[name] = func() error { _, err := do(); return err }
			}
			return verbs
		},
		Check: func(t tickettest.Failer, id ident.ID) {
			t.Helper()
			state, votes := b.Store.Read.Change.GetX(b.olga, id).State, b.votes(id)
			reached[state]++
			counted := slices.DeleteFunc(slices.Clone(votes), func(v string) bool { return strings.HasSuffix(v, ":VOIDED") })
			approved := func(v string) bool { return strings.HasSuffix(v, ":APPROVED") }
			switch {
			case slices.ContainsFunc(votes, func(v string) bool { return strings.HasPrefix(v, "olga:") }):
				t.Fatalf("olga voted on what she drafted: %v", votes)
			case (state == "NEW" || state == "ASSESS") && len(counted) > 0:
				t.Fatalf("it is %s, and votes count: %v", state, votes)
			case of != domain.Standard && slices.Contains([]domain.ChangeState{"SCHEDULED", "IMPLEMENT", "REVIEW", "CLOSED"}, state) &&
				(len(counted) == 0 || slices.ContainsFunc(counted, func(v string) bool { return !approved(v) })):
				t.Fatalf("it is %s, and the votes are %v", state, votes)
			}
		},
		Others: []string{"setBack"},
	}
	for from, ways := range moves[of] {
		m.Moves[string(from)] = map[string]string{}
		for verb, to := range ways {
			m.Moves[string(from)][verb] = string(to)
		}
	}
	// A new window or plan sends back what is voted on.
	switch of {
	case domain.Normal:
		m.Moves["AUTHORIZE"]["setBack"] = "ASSESS"
	case domain.Emergency:
		m.Others = append(m.Others, "returnChange") // which leads from AUTHORIZE where a new window does
	case domain.Standard:
	}
	return m
}

// eager returns the machine with actors that mostly do what leads on.
func (b board) eager(m tickettest.Machine, of domain.ChangeType) tickettest.Machine {
	verbs := m.Verbs
	m.Verbs = func(actor context.Context, id ident.ID) map[string]func() error {
		all := verbs(actor, id)
		delete(all, "cancelChange")
		for n := range 5 * len(all) {
			all[fmt.Sprint("on ", n)] = func() error {
				at := b.Store.Read.Change.GetX(actor, id).State
				next := change.Available(actor, &ent.Change{Type: of, State: at}, auth.Standing{})
				if len(next) == 0 {
					return nil
				}
				err := all[next[0].Verb]()
				if at == "AUTHORIZE" && err != nil {
					err = all["vote"]()
				}
				return err
			}
		}
		return all
	}
	for _, ways := range m.Moves { // what leads on is one of these
		m.Others = slices.AppendSeq(m.Others, maps.Keys(ways))
	}
	return m
}
