package change_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
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
		operator := auth.With(t.Context(), auth.Actor{Name: "otto", Roles: []auth.Role{auth.Operator}})
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
		if _, err := b.Approve(b.dora, change.Approve{ID: id, Comment: &words}); err != nil { // dora was not asked
			t.Fatal(err)
		}
		refused("awaited of carl")
		if _, err := b.Reject(b.carl, change.Reject{ID: id}); tickettest.Faults(t, err)["comment"] != errs.Required {
			t.Errorf("a no without a reason: %v", err)
		}
		if c, err := b.Reject(b.carl, change.Reject{ID: id, Comment: "too late"}); err != nil || c.State != domain.ChangeAuthorize || c.Version != 5 {
			t.Fatalf("%v, %v", c, err)
		}
		refused("rejected by carl")
		b.mustDo(t, id, "vote", "scheduleChange") // carl thinks again
		if got := b.votes(id); !slices.Equal(got, []string{"carl:APPROVED", "dora:APPROVED"}) {
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
