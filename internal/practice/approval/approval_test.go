package approval_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// paper is a record that no practice has yet: it is approved like any other.
var paper = approval.Subject{
	ID: ident.New(ident.Incident, 77), Type: "PAPER", Number: "PAP0000077",
}

// anybody is what a record needs on which anybody may vote.
var anybody = []approval.Requirement{{Policy: &ent.ApprovalPolicy{Approvals: 1}, Needed: 1}}

func vote(t *testing.T, s *store.Store, of approval.Subject, name string, decision domain.Decision, comment string) error {
	t.Helper()
	ctx := tickettest.As(t, name)
	_, err := store.Write(ctx, s, auth.Dev(name).By("change.approve"), func(ctx context.Context, tx *store.Tx) (int, error) {
		return 0, approval.Vote(ctx, tx, of, anybody, decision, comment)
	})
	return err
}

// accountOf returns the account of a name.
func accountOf(t *testing.T, s *store.Store, name string) ident.ID {
	t.Helper()
	a, err := store.Write(t.Context(), s, auth.System.By("seed"), func(ctx context.Context, tx *store.Tx) (*ent.Account, error) { return tx.Named(ctx, name) })
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func votes(t *testing.T, s *store.Store) (all []string) {
	for _, a := range s.Read.Approval.Query().Order(ent.Asc("id")).AllX(t.Context()) {
		all = append(all, a.RecordID.String()+" "+a.Approver+" "+string(a.Decision))
	}
	return all
}

func TestVotesAreOnAnyRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		paper := paper
		paper.Involved = map[ident.ID]string{accountOf(t, s, "olga"): "wrote it"}
		other := paper
		other.ID++
		if err := vote(t, s, paper, "Olga", domain.Approved, ""); errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "PAP0000077 needs the vote of somebody else: Olga wrote it") {
			t.Errorf("a vote on what one wrote: %v", err)
		}
		if err := vote(t, s, paper, "carl", domain.Rejected, " "); tickettest.Faults(t, err)["comment"] != errs.Required {
			t.Errorf("a no without a reason: %v", err)
		}
		for _, of := range []approval.Subject{paper, other, paper} {
			if err := vote(t, s, of, "carl", domain.Approved, ""); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := votes(t, s), []string{"inc_25 carl APPROVED", "inc_26 carl APPROVED"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		_, err := store.Write(t.Context(), s, store.By{Actor: "olga", Verb: "change.return"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			return 0, approval.Void(ctx, tx, paper.ID, "it was written anew")
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := vote(t, s, paper, "carl", domain.Approved, ""); err != nil {
			t.Fatal(err)
		}
		if got, want := votes(t, s), []string{"inc_25 carl VOIDED", "inc_26 carl APPROVED", "inc_25 carl APPROVED"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestPoliciesAskOnlyForRecordsOfTheirType(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		admin := auth.With(t.Context(), auth.Dev("root", auth.Admin))
		limit := 10
		p, err := approval.New(s).CreatePolicy(admin, approval.CreatePolicy{Name: "Board", Approvals: 1, RiskAbove: &limit})
		if err != nil {
			t.Fatal(err)
		}
		change := approval.Subject{ID: ident.New(ident.Change, 1), Type: domain.ChangeSubject, ChangeType: domain.Normal, Otherwise: 1}
		cautious := paper
		cautious.ID, cautious.Otherwise = paper.ID+1, 2
		asked := func(risk int) map[ident.ID][]approval.Requirement {
			t.Helper()
			found, err := approval.Requirements(t.Context(), s.Read, []approval.Subject{change, paper, cautious}, func(ids []ident.ID) (map[ident.ID]int, error) {
				if !slices.Equal(ids, []ident.ID{change.ID}) {
					t.Errorf("%v are weighed, though no policy asks how risky the others are", ids)
				}
				return map[ident.ID]int{change.ID: risk}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		found := asked(11)
		if all := found[change.ID]; len(all) != 1 || all[0].Policy == nil || all[0].Policy.ID != p.ID || all[0].IsMet() {
			t.Errorf("a risky change needs %+v", all)
		}
		if all := found[paper.ID]; len(all) != 0 {
			t.Errorf("a record for which nothing is asked needs %+v", all)
		}
		if all := found[cautious.ID]; len(all) != 1 || all[0].Policy != nil || all[0].Needed != 2 {
			t.Errorf("a record that needs two approvals where no policy applies needs %+v", all)
		}
		if all := asked(10)[change.ID]; len(all) != 1 || all[0].Policy != nil || all[0].Needed != 1 {
			t.Errorf("a change at the limit needs %+v", all)
		}
	})
}
