package lifecycle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
)

// moves reads the transitions in the words of the domain, "FROM verb TO".
func moves(lines string) map[[2]string]string {
	allowed := map[[2]string]string{}
	for line := range strings.Lines(lines) {
		if words := strings.Fields(line); len(words) == 3 {
			allowed[[2]string{words[0], words[2]}] = words[1]
		}
	}
	return allowed
}

// compare checks every pair of states, and every verb in every state, against the transitions of the domain.
func compare[S ~string](t *testing.T, table lifecycle.Table[S], states []string, allowed map[[2]string]string) {
	t.Helper()
	listed := 0
	for _, from := range states {
		var next []string
		for _, n := range table.Next(S(from)) {
			listed++
			next = append(next, string(n.To))
			if allowed[[2]string{from, string(n.To)}] != n.Verb || n.Mutation() != n.Verb {
				t.Errorf("from %s to %s by %s is not what the domain says", from, n.To, n.Verb)
			}
		}
		for _, to := range states {
			err := table.Check(S(from), S(to))
			if _, ok := allowed[[2]string{from, to}]; ok {
				if err != nil {
					t.Errorf("%s to %s: %v", from, to, err)
				}
				continue
			}
			if errs.CodeOf(err) != errs.TransitionRefused {
				t.Errorf("%s to %s: got %v, want a refusal", from, to, err)
				continue
			}
			for _, word := range append(next, from, to) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s to %s: the refusal does not name %s: %v", from, to, word, err)
				}
			}
		}
	}
	if listed != len(allowed) {
		t.Errorf("the table has %d transitions, the domain %d", listed, len(allowed))
	}
}

// compareVerbs checks that each verb leads from each state where the domain allows, and nowhere else.
func compareVerbs[S ~string](t *testing.T, table lifecycle.Table[S], states []string, allowed map[[2]string]string) {
	t.Helper()
	for _, from := range states {
		for _, verb := range allowed {
			var want string
			for pair, by := range allowed {
				if pair[0] == from && by == verb {
					want = pair[1]
				}
			}
			to, err := table.Move(S(from), verb)
			if string(to) != want || (want == "") != (errs.CodeOf(err) == errs.TransitionRefused) {
				t.Errorf("%s by %s: got %q, %v; want %q", from, verb, to, err, want)
			}
		}
	}
}

const incidentMoves = `
	NEW startIncident IN_PROGRESS
	NEW holdIncident ON_HOLD
	NEW resolveIncident RESOLVED
	NEW cancelIncident CANCELED
	IN_PROGRESS holdIncident ON_HOLD
	IN_PROGRESS resolveIncident RESOLVED
	IN_PROGRESS cancelIncident CANCELED
	ON_HOLD startIncident IN_PROGRESS
	ON_HOLD resolveIncident RESOLVED
	ON_HOLD cancelIncident CANCELED
	RESOLVED closeIncident CLOSED
	RESOLVED reopenIncident IN_PROGRESS`

func TestAnIncidentMovesAsTheDomainSays(t *testing.T) {
	states := domain.IncidentState("").Values()
	compare(t, lifecycle.Incident, states, moves(incidentMoves))
	compareVerbs(t, lifecycle.Incident, states, moves(incidentMoves))
	if err := lifecycle.CheckIncident(domain.IncidentClosed, domain.IncidentNew); errs.CodeOf(err) != errs.TransitionRefused {
		t.Errorf("got %v", err)
	}
}

const ending = `
	SCHEDULED startChange IMPLEMENT
	IMPLEMENT reviewChange REVIEW
	REVIEW closeChange CLOSED
	NEW cancelChange CANCELED
	SCHEDULED cancelChange CANCELED
	IMPLEMENT cancelChange CANCELED`

var changeMoves = map[domain.ChangeType]string{
	domain.Standard: ending + `
	NEW scheduleChange SCHEDULED`,
	domain.Normal: ending + `
	NEW assessChange ASSESS
	ASSESS requestChangeApproval AUTHORIZE
	ASSESS returnChange NEW
	ASSESS cancelChange CANCELED
	AUTHORIZE scheduleChange SCHEDULED
	AUTHORIZE returnChange NEW
	AUTHORIZE cancelChange CANCELED
	SCHEDULED returnChange NEW`,
	domain.Emergency: ending + `
	NEW requestChangeApproval AUTHORIZE
	AUTHORIZE scheduleChange SCHEDULED
	AUTHORIZE returnChange NEW
	AUTHORIZE cancelChange CANCELED
	SCHEDULED returnChange NEW`,
}

func TestAChangeMovesAsItsTypeSays(t *testing.T) {
	for _, of := range domain.ChangeType("").Values() {
		t.Run(of, func(t *testing.T) {
			table, states := lifecycle.Change(domain.ChangeType(of)), domain.ChangeState("").Values()
			compare(t, table, states, moves(changeMoves[domain.ChangeType(of)]))
			compareVerbs(t, table, states, moves(changeMoves[domain.ChangeType(of)]))
		})
	}
	if next := lifecycle.Change("ODD").Next(domain.ChangeNew); next == nil || len(next) > 0 {
		t.Errorf("a change of no known type goes to %v", next)
	}
	if err := lifecycle.CheckChange(domain.Standard, domain.ChangeNew, domain.ChangeAssess); errs.CodeOf(err) != errs.TransitionRefused {
		t.Errorf("got %v", err)
	}
}

func TestAnEditSetsBackWhatIsVotedOn(t *testing.T) {
	want := moves(`
		NORMAL-AUTHORIZE to ASSESS
		EMERGENCY-AUTHORIZE to NEW`)
	found := 0
	for _, of := range domain.ChangeType("").Values() {
		for _, from := range domain.ChangeState("").Values() {
			to, ok := lifecycle.SetBack(domain.ChangeType(of), domain.ChangeState(from))
			if !ok {
				if string(to) != from {
					t.Errorf("%s in %s is not set back and yet goes to %s", of, from, to)
				}
				continue
			}
			found++
			if want[[2]string{of + "-" + from, string(to)}] == "" {
				t.Errorf("%s in %s is set back to %s", of, from, to)
			}
		}
	}
	if found != len(want) {
		t.Errorf("%d ways back, want %d", found, len(want))
	}
}

const ciMoves = `
	PLANNED updateCI BUILD
	PLANNED updateCI LIVE
	PLANNED retireCI RETIRED
	BUILD updateCI PLANNED
	BUILD updateCI LIVE
	BUILD retireCI RETIRED
	LIVE updateCI DEPRECATED
	LIVE retireCI RETIRED
	DEPRECATED updateCI LIVE
	DEPRECATED retireCI RETIRED
	RETIRED updateCI LIVE`

func TestACIIsRetiredByRetiringAlone(t *testing.T) {
	states, allowed := domain.Lifecycle("").Values(), moves(ciMoves)
	compare(t, lifecycle.CI, states, allowed)
	for _, from := range states {
		for _, to := range states {
			err := lifecycle.CheckCI(domain.Lifecycle(from), domain.Lifecycle(to))
			if want := from == to || allowed[[2]string{from, to}] == "updateCI"; want != (err == nil) {
				t.Errorf("updateCI from %s to %s: %v", from, to, err)
			}
		}
	}
}

func TestARefusalTeachesTheWay(t *testing.T) {
	for _, c := range []struct {
		from domain.IncidentState
		verb string
		want string
	}{
		{domain.IncidentNew, "closeIncident", "id: closeIncident applies to an incident that is RESOLVED; this one is NEW: from NEW it can go to IN_PROGRESS by startIncident, " +
			"ON_HOLD by holdIncident, RESOLVED by resolveIncident or CANCELED by cancelIncident; the way to CLOSED is resolveIncident, then closeIncident"},
		{domain.IncidentResolved, "startIncident", "id: startIncident applies to an incident that is NEW or ON_HOLD; this one is RESOLVED: from RESOLVED it can go to CLOSED by closeIncident " +
			"or IN_PROGRESS by reopenIncident; the way to IN_PROGRESS is reopenIncident"},
		{domain.IncidentResolved, "resolveIncident", "id: resolveIncident applies to an incident that is NEW, IN_PROGRESS or ON_HOLD; this one is RESOLVED: from RESOLVED it can go to CLOSED " +
			"by closeIncident or IN_PROGRESS by reopenIncident; it is already where resolveIncident leads"},
		{domain.IncidentClosed, "reopenIncident", "id: reopenIncident applies to an incident that is RESOLVED; this one is CLOSED: from CLOSED it goes nowhere"},
	} {
		if _, err := lifecycle.Incident.Move(c.from, c.verb); err == nil || err.Error() != c.want {
			t.Errorf("%s from %s:\n got %v\nwant %s", c.verb, c.from, err, c.want)
		}
	}
}

func TestTheListOfNextIsTheCallersOwn(t *testing.T) {
	next := lifecycle.Incident.Next(domain.IncidentNew)
	for _, n := range next {
		if n.Requires == nil {
			t.Errorf("%s requires nil, want a list", n.Verb)
		}
		for i := range n.Requires {
			n.Requires[i] = "scribble"
		}
	}
	for _, n := range lifecycle.Incident.Next(domain.IncidentNew) {
		if slices.Contains(n.Requires, "scribble") {
			t.Fatal("the table was scribbled on")
		}
	}
}
