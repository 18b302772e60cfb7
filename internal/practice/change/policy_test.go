package change_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// admin returns the context of an actor that may define policies.
func admin(t *testing.T) context.Context {
	return auth.With(t.Context(), auth.Dev("root", auth.Admin))
}

func (b board) mustAsk(t *testing.T, in approval.CreatePolicy) *ent.ApprovalPolicy {
	t.Helper()
	p, err := b.policies.CreatePolicy(admin(t), in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// join makes people of names and puts them into a team.
func (b board) join(t *testing.T, team ident.ID, names ...string) {
	t.Helper()
	_, err := store.Write(t.Context(), b.Store, store.By{Actor: "seed", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
		for _, name := range names {
			p := tx.Person.Create().SetName(name).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			tx.Membership.Create().SetTeamID(team).SetPersonID(p.ID).SaveX(ctx)
		}
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryPolicyThatAppliesHasToBeMet(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		b.join(t, b.Operations, "carl", "dora", "olga", "emil")
		manager := auth.Admin
		b.mustAsk(t, approval.CreatePolicy{Name: "Operations", Approvals: 2, Team: &b.Operations})
		b.mustAsk(t, approval.CreatePolicy{Name: "Emergencies", Approvals: 1, ChangeTypes: []domain.ChangeType{domain.Emergency}, Role: &manager})
		b.mustAsk(t, approval.CreatePolicy{Name: "Development", Approvals: 1, ChangeTypes: []domain.ChangeType{domain.Normal}, Team: &b.Development})

		id := b.mustDraft(t, b.ready(domain.Emergency)).ID
		if _, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id}); err != nil { // policies say who is asked
			t.Fatal(err)
		}
		refused := func(parts ...string) {
			t.Helper()
			_, err := b.verbs(id)["scheduleChange"]()
			if errs.CodeOf(err) != errs.TransitionRefused {
				t.Fatalf("got %v", err)
			}
			for _, part := range parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "Development") {
				t.Errorf("a policy for others is named: %v", err)
			}
		}
		refused("Operations asks for 2 approvals of the team Operations, 0 given: 2 missing, which carl, dora or emil can give",
			"Emergencies asks for 1 approval with the role ADMIN, 0 given")
		b.mustDo(t, id, "vote")
		refused("1 given: 1 missing, which dora or emil can give")
		if _, err := b.Approve(admin(t), change.Approve{ID: id}); err != nil {
			t.Fatal(err)
		}
		refused("1 given: 1 missing")
		if _, err := b.Approve(tickettest.As(t, "somebody"), change.Approve{ID: id}); errs.CodeOf(err) != errs.TransitionRefused { // of no team, and no admin
			t.Fatal(err)
		}
		refused("1 given: 1 missing")
		if _, err := b.Approve(b.dora, change.Approve{ID: id, Comment: &words}); err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, id, "scheduleChange")
	})
}

func TestAPolicyThatNobodyCanMeetSaysSo(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		b.join(t, b.Operations, "olga", "carl")
		p := b.mustAsk(t, approval.CreatePolicy{Name: "Four eyes", Approvals: 2, Team: &b.Operations})
		id := b.mustDraft(t, b.ready(domain.Emergency)).ID
		b.mustDo(t, id, "requestChangeApproval", "vote")
		_, err := b.verbs(id)["scheduleChange"]()
		if err == nil || !strings.Contains(err.Error(), "1 missing, and nobody else of the team may vote on it; add members to the team, or change the policy") {
			t.Errorf("got %v", err)
		}
		one := 1
		if _, err := b.policies.UpdatePolicy(admin(t), approval.UpdatePolicy{ID: p.ID, Approvals: graphql.OmittableOf(&one)}); err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, id, "scheduleChange")
	})
}

func TestAPolicyForRiskyChangesIsMetOnlyAboveItsLimit(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		c := b.mustDraft(t, b.ready(domain.Emergency))
		risks, err := schedule.Risks(t.Context(), b.Store.Read, b.Graph.Snapshot(), []*ent.Change{c}, time.Now())
		if err != nil || risks[c.ID].Score < 1 {
			t.Fatalf("got %v, %v", risks, err)
		}
		b.mustDo(t, c.ID, "requestChangeApproval", "vote")
		score := risks[c.ID].Score
		below := score - 1
		p := b.mustAsk(t, approval.CreatePolicy{Name: "Risky", Approvals: 1, RiskAbove: &below, Team: &b.Operations})
		if _, err := b.verbs(c.ID)["scheduleChange"](); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("Risky asks for 1 approval of the team Operations (the risk is %d, above %d), 0 given", score, below)) {
			t.Errorf("above the limit: got %v", err)
		}
		if _, err := b.policies.UpdatePolicy(admin(t), approval.UpdatePolicy{ID: p.ID, RiskAbove: graphql.OmittableOf(&score)}); err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, c.ID, "scheduleChange") // at the limit carl's vote will do
	})
}

func TestWithoutAPolicyApproversAreNamed(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		b.mustAsk(t, approval.CreatePolicy{Name: "Emergencies", Approvals: 1, ChangeTypes: []domain.ChangeType{domain.Emergency}})
		id := b.mustDraft(t, b.ready(domain.Normal)).ID
		b.mustDo(t, id, "assessChange")
		_, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id})
		if got := tickettest.Faults(t, err); got["approvers"] != errs.Invalid || !strings.Contains(err.Error(), "no approval policy applies") {
			t.Errorf("got %v", err)
		}
	})
}

func TestPoliciesAreCheckedAndKeptByAdminsOnly(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		if _, err := b.policies.CreatePolicy(b.olga, approval.CreatePolicy{Name: "Mine", Approvals: 1}); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("a change manager defines a policy: %v", err)
		}
		p := b.mustAsk(t, approval.CreatePolicy{Name: "Board", Approvals: 1, ChangeTypes: []domain.ChangeType{domain.Normal, domain.Emergency, domain.Normal}})
		if want := []domain.ChangeType{domain.Emergency, domain.Normal}; !slices.Equal(p.ChangeTypes, want) {
			t.Errorf("got %v", p.ChangeTypes)
		}
		risk, nobody := 100, ident.New(ident.Team, 99)
		for name, c := range map[string]struct {
			in   approval.CreatePolicy
			want map[string]errs.Code
		}{
			"nothing":  {approval.CreatePolicy{}, map[string]errs.Code{"name": errs.Required, "approvals": errs.Invalid}},
			"too much": {approval.CreatePolicy{Name: "x", Approvals: 21, RiskAbove: &risk, Team: &nobody}, map[string]errs.Code{"approvals": errs.Invalid, "riskAbove": errs.Invalid, "team": errs.NotFound}},
			"standard": {approval.CreatePolicy{Name: "x", Approvals: 1, ChangeTypes: []domain.ChangeType{domain.Standard}}, map[string]errs.Code{"changeTypes.0": errs.Invalid}},
			"no team":  {approval.CreatePolicy{Name: "x", Approvals: 1, Team: &b.Ada}, map[string]errs.Code{"team": errs.Invalid}},
			"taken":    {approval.CreatePolicy{Name: "Board", Approvals: 1}, map[string]errs.Code{"name": errs.AlreadyExists}},
		} {
			_, err := b.policies.CreatePolicy(admin(t), c.in)
			if got := tickettest.Faults(t, err); !maps.Equal(got, c.want) {
				t.Errorf("%s: got %v", name, got)
			}
		}
		old := 7
		if _, err := b.policies.DeletePolicy(admin(t), approval.DeletePolicy{ID: p.ID, ExpectedVersion: &old}); errs.CodeOf(err) != errs.Stale {
			t.Errorf("got %v", err)
		}
		if _, err := b.policies.UpdatePolicy(admin(t), approval.UpdatePolicy{ID: p.ID}); err != nil {
			t.Error(err)
		}
		role := auth.Admin
		after, err := b.policies.UpdatePolicy(admin(t), approval.UpdatePolicy{ID: p.ID, Role: graphql.OmittableOf(&role), ChangeTypes: graphql.OmittableOf[[]domain.ChangeType](nil)})
		if err != nil || after.Version != 2 || len(after.ChangeTypes) != 0 || after.Role == nil || *after.Role != "ADMIN" {
			t.Errorf("got %v, %v", after, err)
		}
		if id, err := b.policies.DeletePolicy(admin(t), approval.DeletePolicy{ID: p.ID}); err != nil || id != p.ID {
			t.Errorf("got %v, %v", id, err)
		}
	})
}
