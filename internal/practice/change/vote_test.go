package change_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/account"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestNobodyApprovesWhatTheyDraftedOrAskedFor(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		in := b.ready(domain.Emergency)
		in.Requester = &b.Ada
		id := b.mustDraft(t, in).ID
		for field, names := range map[string][]string{
			"approvers": {}, "approvers.0": {"OLGA"}, "approvers.1": {"carl", " Ada "}, "approvers.2": {"carl", "dora", "carl "},
		} {
			_, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: names})
			if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{field: errs.Invalid}) {
				t.Errorf("%q: got %v", names, err)
			}
		}
		_, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: []string{" ", "olga"}})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"approvers.0": errs.Required, "approvers.1": errs.Invalid}) {
			t.Errorf("got %v", err)
		}
		if _, err := b.Approve(b.carl, change.Approve{ID: id}); errs.CodeOf(err) != errs.TransitionRefused {
			t.Errorf("a vote that nobody asked for yet: %v", err)
		}
		if _, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: []string{" carl "}}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"olga", "Olga", "ada"} {
			if _, err := b.Approve(tickettest.As(t, name), change.Approve{ID: id}); errs.CodeOf(err) != errs.TransitionRefused {
				t.Errorf("%s votes: %v", name, err)
			}
		}
		operator := auth.With(t.Context(), auth.Dev("otto", auth.Operator))
		if _, err := b.Approve(operator, change.Approve{ID: id}); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("an operator votes: %v", err)
		}
		if got := b.votes(id); !slices.Equal(got, []string{"carl:REQUESTED"}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestAChangeIsScheduledOnceAllAreForIt(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.mustDraft(t, b.ready(domain.Normal)).ID
		b.mustDo(t, id, "assessChange", "requestChangeApproval")
		refused := func(word string) {
			t.Helper()
			if _, err := b.verbs(id)["scheduleChange"](); errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), word) {
				t.Errorf("got %v, want a refusal that says %q", err, word)
			}
		}
		refused("awaited of carl")
		if _, err := b.Approve(b.dora, change.Approve{ID: id, Comment: &words}); errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "needs no vote of dora") {
			t.Fatalf("dora, whom nobody has asked, votes: %v", err)
		}
		refused("awaited of carl")
		if _, err := b.Reject(b.carl, change.Reject{ID: id}); tickettest.Faults(t, err)["comment"] != errs.Required {
			t.Errorf("a no without a reason: %v", err)
		}
		if c, err := b.Reject(b.carl, change.Reject{ID: id, Comment: "too late"}); err != nil || c.State != domain.ChangeAuthorize || c.Version != 4 {
			t.Fatalf("%v, %v", c, err)
		}
		refused("rejected by carl")
		b.mustDo(t, id, "vote", "scheduleChange") // carl thinks again
		if got := b.votes(id); !slices.Equal(got, []string{"carl:APPROVED"}) {
			t.Errorf("got %v", got)
		}
		for _, a := range b.Store.Read.Approval.Query().AllX(b.olga) {
			if a.DecidedAt == nil {
				t.Errorf("%v has no time", a)
			}
		}
	})
}

func TestReturningVoidsTheVotes(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.mustDraft(t, b.ready(domain.Emergency)).ID
		b.mustDo(t, id, "requestChangeApproval", "vote", "returnChange")
		if got := b.votes(id); !slices.Equal(got, []string{"carl:VOIDED"}) {
			t.Errorf("got %v", got)
		}
		if story := b.timeline(id); story[len(story)-1] != "olga AUTHORIZE>NEW mend it" {
			t.Errorf("got %v", story)
		}
		if _, err := b.Return(b.olga, change.Return{ID: id, Reason: ""}); errs.CodeOf(err) != errs.TransitionRefused {
			t.Errorf("got %v", err)
		}
	})
}

func TestVotesAtOnceAreAllKept(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.mustDraft(t, b.ready(domain.Emergency)).ID
		var names, want []string
		for n := range 8 {
			names = append(names, fmt.Sprint("actor", n))
			want = append(want, fmt.Sprint("actor", n, ":APPROVED"))
		}
		if _, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: names}); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for _, name := range append(names, names...) {
			ctx := tickettest.As(t, name)
			wait.Go(func() {
				if _, err := b.Approve(ctx, change.Approve{ID: id}); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if got := b.votes(id); !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
		failures := make([]error, 2)
		for n := range failures {
			wait.Go(func() { _, failures[n] = b.verbs(id)["scheduleChange"]() })
		}
		wait.Wait()
		if errs.CodeOf(failures[0])+errs.CodeOf(failures[1]) != errs.TransitionRefused {
			t.Errorf("of two at once one is refused: %v, %v", failures[0], failures[1])
		}
	})
}

// rename gives a person another name.
func rename(t *testing.T, s *store.Store, person ident.ID, name string) {
	t.Helper()
	_, err := store.Write(t.Context(), s, auth.System.By("seed"), func(ctx context.Context, tx *store.Tx) (int, error) {
		return 0, tx.Person.UpdateOneID(person).SetName(name).Exec(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAVoteIsThatOfAnAccountWhateverItIsCalled(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		in := b.ready(domain.Emergency)
		in.Requester = &b.Ada
		id := b.mustDraft(t, in).ID
		if _, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: []string{"carl", "grace"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Approve(tickettest.As(t, "Ada"), change.Approve{ID: id}); errs.CodeOf(err) != errs.TransitionRefused {
			t.Fatalf("the requester votes: %v", err)
		}
		if _, err := b.Comment(tickettest.As(t, "Ada"), change.Comment{ID: id, Kind: domain.Comment, Body: "soon"}); err != nil { // her account is made
			t.Fatal(err)
		}
		rename(t, b.Store, b.Ada, "Ada Lovelace")
		if _, err := b.Approve(tickettest.As(t, "Ada"), change.Approve{ID: id}); errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "asked for the change") {
			t.Errorf("the requester, who has another name now, votes: %v", err)
		}
		for _, name := range []string{"grace", "Grace", "GRACE"} {
			if _, err := b.Approve(tickettest.As(t, name), change.Approve{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.votes(id); !slices.Equal(got, []string{"carl:REQUESTED", "grace:APPROVED"}) {
			t.Errorf("three spellings of a name gave %v", got)
		}
	})
}

func TestNoProgramVotes(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.mustDraft(t, b.ready(domain.Emergency)).ID
		b.mustDo(t, id, "requestChangeApproval")
		robot, err := store.Write(t.Context(), b.Store, auth.System.By("seed"), func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
			return tx.Account.Create().SetName("robot").SetKind(domain.ServiceAccount).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, actor := range map[string]auth.Actor{
			"a service account": {Account: &robot.ID, Name: "robot", Roles: []auth.Role{auth.ChangeManager}, Via: domain.ViaToken},
			"a command":         auth.Command("root"),
			"the program":       auth.System,
		} {
			if _, err := b.Approve(auth.With(t.Context(), actor), change.Approve{ID: id}); errs.CodeOf(err) != errs.Forbidden {
				t.Errorf("%s votes: %v", name, err)
			}
		}
		_, err = b.RequestApproval(b.olga, change.RequestApproval{ID: b.mustDraft(t, b.ready(domain.Emergency)).ID, ApproverAccounts: []ident.ID{robot.ID, robot.ID + 99}})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"approverAccounts.0": errs.Invalid, "approverAccounts.1": errs.NotFound}) {
			t.Errorf("got %v", err)
		}
	})
}

func TestANameIsAskedForItsVoteOnlyIfItIsThatOfOneAccount(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		made := map[string]ident.ID{}
		_, err := store.Write(t.Context(), b.Store, auth.System.By("seed"), func(ctx context.Context, tx *store.Tx) (int, error) {
			for _, subject := range []string{"1", "2", "3", "4"} {
				name := map[string]string{"1": "Kim", "2": "Kim", "3": "Lee", "4": "Max"}[subject]
				a, err := tx.Account.Create().SetName(name).SetIssuer("https://id.example").SetSubject(subject).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
				if err != nil {
					return 0, err
				}
				made[subject] = a.ID
			}
			return 0, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		lee := made["3"]
		signedIn := auth.With(t.Context(), auth.Actor{Account: &lee, Name: "Lee", Roles: []auth.Role{auth.ChangeManager}, Via: domain.ViaSession})
		c, err := b.Draft(signedIn, b.ready(domain.Emergency))
		if err != nil || c.RequestedByID == nil || *c.RequestedByID != lee {
			t.Fatal(c, err)
		}
		_, err = b.RequestApproval(signedIn, change.RequestApproval{ID: c.ID, Approvers: []string{"Kim", "nobody", "Lee"}, ApproverAccounts: []ident.ID{made["4"], made["4"]}})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{
			"approvers.0": errs.Invalid, "approvers.1": errs.NotFound, "approvers.2": errs.Invalid, "approverAccounts.1": errs.Invalid,
		}) {
			t.Errorf("got %v", err)
		}
		if _, err := b.RequestApproval(signedIn, change.RequestApproval{ID: c.ID, Approvers: []string{"Max"}, ApproverAccounts: []ident.ID{made["1"]}}); err != nil {
			t.Fatal(err)
		}
		if got := b.votes(c.ID); !slices.Equal(got, []string{"Max:REQUESTED", "Kim:REQUESTED"}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestNobodyApprovesWhatTheyCameToAskFor(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		for _, of := range []domain.ChangeType{domain.Normal, domain.Emergency} {
			id := b.mustDraft(t, b.ready(of)).ID
			if of == domain.Normal {
				b.mustDo(t, id, "assessChange")
			}
			if _, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: []string{"carl", "ada"}}); err != nil {
				t.Fatal(err)
			}
			ada := tickettest.As(t, "ada")
			for _, voter := range []context.Context{b.carl, ada} {
				if _, err := b.Approve(voter, change.Approve{ID: id}); err != nil {
					t.Fatal(err)
				}
			}
			after, err := b.Update(b.olga, change.Update{ID: id, Requester: graphql.OmittableOf(&b.Ada)})
			if err != nil || after.State != domain.ChangeAuthorize {
				t.Fatalf("%v, %v", after, err)
			}
			if got := b.votes(id); !slices.Contains(got, "ada:VOIDED") || !slices.Contains(got, "carl:APPROVED") {
				t.Errorf("votes %v", got)
			}
			if story := b.timeline(id); !strings.HasSuffix(story[len(story)-1], "Edited: requester; the vote of ada no longer counts.") {
				t.Errorf("the timeline says %s", story)
			}
			if _, err := b.Approve(ada, change.Approve{ID: id}); errs.CodeOf(err) != errs.TransitionRefused {
				t.Errorf("she votes again: %v", err)
			}
		}
		// Where hers is the only vote nobody has approved it.
		in := b.ready(domain.Emergency)
		id := b.mustDraft(t, in).ID
		if _, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: []string{"ada"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Approve(tickettest.As(t, "ada"), change.Approve{ID: id}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Update(b.olga, change.Update{ID: id, Requester: graphql.OmittableOf(&b.Ada)}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.verbs(id)["scheduleChange"](); errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "nobody has approved it") {
			t.Errorf("it is scheduled: %v", err)
		}
		// Counted votes stay: another has to ask for it.
		id = b.mustDraft(t, b.ready(domain.Emergency)).ID
		if _, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: []string{"ada"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Approve(tickettest.As(t, "ada"), change.Approve{ID: id}); err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, id, "scheduleChange")
		_, err := b.Update(b.olga, change.Update{ID: id, Requester: graphql.OmittableOf(&b.Ada)})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"requester": errs.TransitionRefused}) || !slices.Equal(b.votes(id), []string{"ada:APPROVED"}) {
			t.Errorf("got %v, votes %v", err, b.votes(id))
		}
		if _, err := b.Update(b.olga, change.Update{ID: id, Requester: graphql.OmittableOf(&b.Bob)}); err != nil {
			t.Errorf("Bob asks for it: %v", err)
		}
	})
}

func TestAVoteOfAnAccountThatTurnsOutToBeTheRequestersDoesNotCount(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		in := b.ready(domain.Emergency)
		in.Requester = &b.Ada
		id := b.mustDraft(t, in).ID
		if _, err := b.RequestApproval(b.olga, change.RequestApproval{ID: id, Approvers: []string{"zoe"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Approve(tickettest.As(t, "zoe"), change.Approve{ID: id}); err != nil {
			t.Fatal(err)
		}
		_, err := store.Write(t.Context(), b.Store, store.By{Actor: "root", Verb: "account.update"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			zoe := tx.Account.Query().Where(account.Name("zoe")).OnlyX(ctx)
			return 0, tx.Account.UpdateOne(zoe).SetPersonID(b.Ada).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.verbs(id)["scheduleChange"](); errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "nobody has approved it") {
			t.Errorf("it is scheduled: %v", err)
		}
	})
}
