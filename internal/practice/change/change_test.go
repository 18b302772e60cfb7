package change_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	approvals "github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// board is a practice over the estate. Olga drafts, Carl and Dora vote.
type board struct {
	*tickettest.Estate
	*change.Practice
	policies         *approvals.Practice
	olga, carl, dora context.Context
	routine          ident.ID // a template that covers all
}

func each(t *testing.T, test func(t *testing.T, b board)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := tickettest.Seed(t, s)
		b := board{e, change.New(s, e.Graph), approvals.New(s), tickettest.As(t, "olga"), tickettest.As(t, "carl"), tickettest.As(t, "dora"), 0}
		yes := true
		template, err := b.CreateTemplate(admin(t), change.CreateTemplate{Name: "Routine", Plan: words, MayTakeDown: &yes})
		if err != nil {
			t.Fatal(err)
		}
		b.routine = template.ID
		test(t, b)
	})
}

type failer interface {
	Helper()
	Fatal(...any)
}

var (
	words = "words"
	night = time.Date(2030, 1, 1, 22, 0, 0, 0, time.UTC)
	dawn  = night.Add(8 * time.Hour)
)

// ready returns a change that lacks nothing.
func (b board) ready(of domain.ChangeType) change.Draft {
	return change.Draft{
		Type: of, Title: "Upgrade the database", Plan: &words, BackoutPlan: &words, Justification: &words,
		PlannedStart: &night, PlannedEnd: &dawn, Scope: []change.CI{{b.Database, domain.TakenDownRole}}, Template: b.template(of),
	}
}

// template returns the template that a change of a type is drafted from. If the type needs none, it returns nil.
func (b board) template(of domain.ChangeType) *ident.ID {
	if of != domain.Standard {
		return nil
	}
	return &b.routine
}

func (b board) mustDraft(t failer, in change.Draft) *ent.Change {
	t.Helper()
	record, err := b.Draft(b.olga, in)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// verbs returns the ways to move a change, by the mutation's name; "vote" and "rescope" move it only by what follows.
func (b board) verbs(id ident.ID) map[string]func() (*ent.Change, error) {
	return b.verbsOf(b.olga, b.carl, id)
}

// verbsOf returns the verbs of an actor and a voter.
func (b board) verbsOf(actor, voter context.Context, id ident.ID) map[string]func() (*ent.Change, error) {
	return map[string]func() (*ent.Change, error){
		"assessChange": func() (*ent.Change, error) { return b.Assess(actor, change.Assess{ID: id}) },
		"requestChangeApproval": func() (*ent.Change, error) {
			return b.RequestApproval(actor, change.RequestApproval{ID: id, Approvers: []string{"carl"}})
		},
		"vote":           func() (*ent.Change, error) { return b.Approve(voter, change.Approve{ID: id}) },
		"scheduleChange": func() (*ent.Change, error) { return b.Schedule(actor, change.Schedule{ID: id}) },
		"startChange": func() (*ent.Change, error) {
			return b.Start(actor, change.Start{ID: id, OutsideWindow: &domain.Consent{Reason: words}})
		},
		"reviewChange": func() (*ent.Change, error) { return b.Review(actor, change.Review{ID: id}) },
		"closeChange": func() (*ent.Change, error) {
			return b.Close(actor, change.Close{ID: id, Outcome: domain.Successful, Notes: "well"})
		},
		"cancelChange": func() (*ent.Change, error) { return b.Cancel(actor, change.Cancel{ID: id, Reason: "no need"}) },
		"returnChange": func() (*ent.Change, error) { return b.Return(actor, change.Return{ID: id, Reason: "mend it"}) },
	}
}

func (b board) mustDo(t failer, id ident.ID, verbs ...string) (last *ent.Change) {
	t.Helper()
	for _, verb := range verbs {
		var err error
		if last, err = b.verbs(id)[verb](); err != nil {
			t.Fatal(verb, err)
		}
	}
	return last
}

func (b board) timeline(of ident.ID) (story []string) {
	for _, e := range b.Store.Read.TimelineEntry.Query().Where(timelineentry.RecordID(of)).Order(ent.Asc("id")).AllX(b.olga) {
		story = append(story, strings.TrimSpace(fmt.Sprintf("%s %s>%s %s", e.Actor, e.FromState, e.ToState, e.Body)))
	}
	return story
}

// votes reads "carl:APPROVED".
func (b board) votes(of ident.ID) (all []string) {
	for _, a := range b.Store.Read.Approval.Query().Where(approval.RecordID(of)).Order(ent.Asc("id")).AllX(b.olga) {
		all = append(all, a.Approver+":"+string(a.Decision))
	}
	return all
}

type state = domain.ChangeState

// moves is the domain's table: for each type, from each state, where each mutation leads.
var moves = map[domain.ChangeType]map[state]map[string]state{
	domain.Standard: {
		"NEW":       {"scheduleChange": "SCHEDULED", "cancelChange": "CANCELED"},
		"SCHEDULED": {"startChange": "IMPLEMENT", "cancelChange": "CANCELED"},
		"IMPLEMENT": {"reviewChange": "REVIEW", "cancelChange": "CANCELED"},
		"REVIEW":    {"closeChange": "CLOSED"}, "CLOSED": {}, "CANCELED": {},
	},
	domain.Normal: {
		"NEW":       {"assessChange": "ASSESS", "cancelChange": "CANCELED"},
		"ASSESS":    {"requestChangeApproval": "AUTHORIZE", "returnChange": "NEW", "cancelChange": "CANCELED"},
		"AUTHORIZE": {"scheduleChange": "SCHEDULED", "returnChange": "NEW", "cancelChange": "CANCELED"},
		"SCHEDULED": {"startChange": "IMPLEMENT", "returnChange": "NEW", "cancelChange": "CANCELED"},
		"IMPLEMENT": {"reviewChange": "REVIEW", "cancelChange": "CANCELED"},
		"REVIEW":    {"closeChange": "CLOSED"}, "CLOSED": {}, "CANCELED": {},
	},
	domain.Emergency: {
		"NEW":       {"requestChangeApproval": "AUTHORIZE", "cancelChange": "CANCELED"},
		"AUTHORIZE": {"scheduleChange": "SCHEDULED", "returnChange": "NEW", "cancelChange": "CANCELED"},
		"SCHEDULED": {"startChange": "IMPLEMENT", "returnChange": "NEW", "cancelChange": "CANCELED"},
		"IMPLEMENT": {"reviewChange": "REVIEW", "cancelChange": "CANCELED"},
		"REVIEW":    {"closeChange": "CLOSED"}, "CLOSED": {}, "CANCELED": {},
	},
}

// way leads a new change of a type into each of its states, with its vote given in AUTHORIZE.
func way(of domain.ChangeType, to state) []string {
	steps := map[domain.ChangeType][]string{
		domain.Standard:  {"NEW", "scheduleChange", "SCHEDULED"},
		domain.Normal:    {"NEW", "assessChange", "ASSESS", "requestChangeApproval", "vote", "AUTHORIZE", "scheduleChange", "SCHEDULED"},
		domain.Emergency: {"NEW", "requestChangeApproval", "vote", "AUTHORIZE", "scheduleChange", "SCHEDULED"},
	}[of]
	steps = append(steps, "startChange", "IMPLEMENT", "reviewChange", "REVIEW", "closeChange", "CLOSED")
	if to == "CANCELED" {
		return []string{"cancelChange"}
	}
	return slices.DeleteFunc(steps[:slices.Index(steps, string(to))], func(s string) bool { return strings.ToUpper(s) == s })
}

func TestStaleAndUnknownRecordsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.mustDraft(t, b.ready(domain.Normal)).ID
		old := 7
		if _, err := b.Assess(b.olga, change.Assess{ID: id, ExpectedVersion: &old}); errs.CodeOf(err) != errs.Stale {
			t.Errorf("got %v", err)
		}
		for id, want := range map[ident.ID]errs.Code{ident.New(ident.Change, 77): errs.NotFound, b.Ada: errs.Invalid} {
			_, err := b.Assess(b.olga, change.Assess{ID: id})
			if got := tickettest.Faults(t, err); got["id"] != want {
				t.Errorf("%v: %v", id, err)
			}
		}
	})
}

func TestAvailableTransitionsAreThoseThatTheActorMayMake(t *testing.T) {
	manager := tickettest.As(t, "mona")
	viewer := auth.With(t.Context(), auth.Dev("vera", auth.Viewer))
	for of, table := range moves {
		for from, next := range table {
			record := &ent.Change{Type: of, State: from}
			got := change.Available(manager, record, auth.Standing{})
			for _, transition := range got {
				if next[transition.Verb] != transition.To {
					t.Errorf("%s in %s: %v", of, from, transition)
				}
			}
			if len(got) != len(next) || len(change.Available(viewer, record, auth.Standing{})) != 0 {
				t.Errorf("%s in %s: %v", of, from, got)
			}
		}
	}
}

func TestANumberReadsBack(t *testing.T) {
	id := ident.New(ident.Change, 7)
	if got, ok := change.ParseNumber(change.Number(id)); !ok || got != id || change.Number(id) != "CHG0000007" {
		t.Errorf("got %v", got)
	}
	if _, ok := change.ParseNumber("INC0000007"); ok {
		t.Error("an incident's number was read as a change's")
	}
}
