package ticket_test

import (
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
)

func TestMutationsHaveThePolicysWords(t *testing.T) {
	for _, c := range []struct {
		kind           ident.Kind
		mutation, want string
	}{
		{ident.Incident, "startIncident", "incident.start"},
		{ident.Change, "returnChange", "change.return"},
		{ident.Change, "requestChangeApproval", "change.request_approval"},
	} {
		if got := ticket.Verb(c.kind, c.mutation); got != c.want {
			t.Errorf("%s is %s: want %s", c.mutation, got, c.want)
		}
	}
}

func TestThePolicyKnowsEachMoveOfTheTables(t *testing.T) {
	ctx := auth.With(t.Context(), auth.System)
	for _, state := range domain.IncidentState("").Values() {
		from := domain.IncidentState(state)
		if all, may := lifecycle.Incident.Next(from), ticket.Available(ctx, ident.Incident, lifecycle.Incident, from, auth.Standing{}); len(all) != len(may) {
			t.Errorf("an incident in %s: the table has %v, the system may %v", from, all, may)
		}
	}
	for _, of := range domain.ChangeType("").Values() {
		table := lifecycle.Change(domain.ChangeType(of))
		for _, state := range domain.ChangeState("").Values() {
			from := domain.ChangeState(state)
			if all, may := table.Next(from), ticket.Available(ctx, ident.Change, table, from, auth.Standing{}); len(all) != len(may) {
				t.Errorf("a change in %s: the table has %v, the system may %v", from, all, may)
			}
		}
	}
}
