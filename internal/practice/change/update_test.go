package change_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestADraftIsChecked(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		c := b.mustDraft(t, change.Draft{Type: domain.Normal, Title: " Upgrade "})
		if c.Title != "Upgrade" || c.State != domain.ChangeNew || c.RequestedBy != "olga" || c.Version != 1 || c.PlannedStart != nil {
			t.Errorf("got %v", c)
		}
		local := night.In(time.FixedZone("east", 7200)).Add(100 * time.Nanosecond)
		full := b.ready(domain.Normal)
		full.PlannedStart, full.Requester, full.Assignee, full.AssignmentTeam = &local, &b.Ada, &b.Bob, &b.Operations
		full.Scope = []change.CI{{b.Shop.As(ident.Service), domain.ChangedRole}, {b.Attic, domain.ChangedRole}}
		if c := b.mustDraft(t, full); !c.PlannedStart.Equal(night) || *c.AssigneeID != b.Bob || *c.AssignmentTeamID != b.Operations {
			t.Errorf("got %v", c)
		}
		if n := b.Store.Read.ChangeCI.Query().CountX(b.olga); n != 2 {
			t.Errorf("%d CIs", n)
		}
		_, err := b.Draft(b.olga, change.Draft{
			Type: "ODD", Title: "", PlannedStart: &night, PlannedEnd: &night, Requester: &b.Operations, Assignee: &b.Database,
			Scope: []change.CI{{b.Shop, domain.ChangedRole}, {b.Shop.As(ident.Service), domain.TakenDownRole}, {b.Attic, domain.TakenDownRole}, {ident.New(ident.CI, 99), "ODD"}},
		})
		want := map[string]errs.Code{
			"type": errs.Invalid, "title": errs.Required, "plannedEnd": errs.Invalid, "requester": errs.Invalid, "assignee": errs.Invalid,
			"scope.1.id": errs.Invalid, "scope.2.id": errs.Invalid, "scope.3.id": errs.NotFound, "scope.3.role": errs.Invalid,
		}
		if got := tickettest.Faults(t, err); !maps.Equal(got, want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
	})
}

func TestAnEditOfWhatPeopleVoteOnVoidsTheirVotes(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		back := map[domain.ChangeType]state{domain.Normal: "ASSESS", domain.Emergency: "NEW"}
		for of, want := range back {
			for what, edit := range b.voted() {
				id := b.mustDraft(t, b.ready(of)).ID
				before := b.mustDo(t, id, way(of, "AUTHORIZE")...)
				after, err := edit(id)
				if err != nil || after.State != want || after.Version != before.Version+1 {
					t.Errorf("%s, new %s: %v, %v", of, what, after, err)
					continue
				}
				if got := b.votes(id); !slices.Equal(got, []string{"carl:VOIDED"}) {
					t.Errorf("%s, new %s: votes %v", of, what, got)
				}
				why := fmt.Sprintf("The %s is new: the votes no longer count.", what)
				if what == "planned operations" {
					why = "The planned operations are new: the votes no longer count."
				}
				if voided := b.Store.Read.Approval.Query().Where(approval.RecordID(id)).OnlyX(b.olga); voided.VoidedBecause != why {
					t.Errorf("the vote says %q", voided.VoidedBecause)
				}
				if story := b.timeline(id); !strings.HasSuffix(story[len(story)-1], fmt.Sprintf(" AUTHORIZE>%s %s", want, why)) {
					t.Errorf("the timeline says %s", story)
				}
				if what == "scope" { // it can be voted on again
					b.mustDo(t, id, "requestChangeApproval")
					if _, err := b.verbs(id)["scheduleChange"](); errs.CodeOf(err) != errs.TransitionRefused {
						t.Errorf("an old vote counts: %v", err)
					}
					b.mustDo(t, id, "vote", "scheduleChange")
				}
			}
			// Several at once, with a title.
			id := b.mustDraft(t, b.ready(of)).ID
			b.mustDo(t, id, way(of, "AUTHORIZE")...)
			title, plan, later := "Another title", "Another plan", dawn.Add(time.Hour)
			_, err := b.Update(b.olga, change.Update{
				ID: id, Title: graphql.OmittableOf(&title), Plan: graphql.OmittableOf(&plan), PlannedEnd: graphql.OmittableOf(&later),
				Scope: graphql.OmittableOf([]change.CI{{b.Server, domain.TakenDownRole}}),
			})
			story := b.timeline(id)
			if last := fmt.Sprint(story[max(0, len(story)-2):]); err != nil || last != fmt.Sprintf(
				"[olga > Edited: title, which was Upgrade the database. olga AUTHORIZE>%s The scope, window and plan are new: the votes no longer count.]", want) {
				t.Errorf("%v, %s", err, last)
			}
		}
	})
}

func TestTheConsentOfOperationsIsVotedOn(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		admin := auth.With(b.olga, auth.Actor{Name: "olga", Roles: []auth.Role{auth.Admin}})
		plan := func(id ident.ID, reason string) (*ent.Change, error) {
			operations := renaming(b.Server, "rack-8")
			if reason != "" {
				operations[0].AcceptConsequences = &domain.Consent{Reason: reason}
			}
			return b.PlanOperations(admin, change.PlanOperations{ID: id, Operations: operations})
		}
		for reason, want := range map[string]string{"as agreed": "carl:APPROVED", "another": "carl:VOIDED", "": "carl:VOIDED"} {
			id := b.mustDraft(t, b.ready(domain.Normal)).ID
			if _, err := plan(id, "as agreed"); err != nil {
				t.Fatal(err)
			}
			b.mustDo(t, id, way(domain.Normal, "AUTHORIZE")...)
			after, err := plan(id, reason)
			if got := b.votes(id); err != nil || !slices.Equal(got, []string{want}) || (after.State == domain.ChangeAuthorize) != (want == "carl:APPROVED") {
				t.Errorf("%q: %v, %v, votes %v", reason, after, err, got)
			}
		}
		id := b.mustDraft(t, b.ready(domain.Normal)).ID
		b.mustDo(t, id, way(domain.Normal, "SCHEDULED")...)
		if _, err := plan(id, "at last"); errs.CodeOf(err) != errs.TransitionRefused {
			t.Errorf("consent to what was scheduled: %v", err)
		}
	})
}

func TestAChangeThatWasVotedOnIsNotEditedButReturned(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		for _, of := range []domain.ChangeType{domain.Normal, domain.Emergency} {
			for what, edit := range b.voted() {
				id := b.mustDraft(t, b.ready(of)).ID
				before := b.mustDo(t, id, way(of, "SCHEDULED")...)
				told := len(b.timeline(id))
				_, err := edit(id)
				if errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "people voted on its "+what+": send it back to NEW by returnChange") {
					t.Errorf("%s, new %s: %v", of, what, err)
				}
				if now := b.Store.Read.Change.GetX(b.olga, id); now.Version != before.Version || len(b.timeline(id)) != told {
					t.Errorf("%s, new %s left a trace", of, what)
				}
				if got := b.votes(id); !slices.Equal(got, []string{"carl:APPROVED"}) {
					t.Errorf("%s, new %s: votes %v", of, what, got)
				}
				b.mustDo(t, id, "returnChange")
				if got := b.votes(id); !slices.Equal(got, []string{"carl:VOIDED"}) {
					t.Errorf("returned: votes %v", got)
				}
				if after, err := edit(id); err != nil || after.State != "NEW" {
					t.Errorf("%s, new %s in NEW: %v, %v", of, what, after, err)
				}
				if story := b.timeline(id); !strings.HasSuffix(story[len(story)-1], "> Edited: "+what+".") {
					t.Errorf("the timeline says %s", story)
				}
			}
		}
		for what, edit := range b.voted() { // its template approves it as long as it covers it
			id := b.mustDraft(t, b.ready(domain.Standard)).ID
			b.mustDo(t, id, "scheduleChange")
			after, err := edit(id)
			if what == "planned operations" {
				if errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "its template Routine plans no operations") {
					t.Errorf("STANDARD, new %s: %v", what, err)
				}
				continue
			}
			if err != nil || after.State != "SCHEDULED" {
				t.Errorf("STANDARD, new %s: %v, %v", what, after, err)
			}
			if story := b.timeline(id); story[len(story)-1] != "olga > Edited: "+what+"." {
				t.Errorf("the timeline says %s", story)
			}
		}
	})
}

// voted returns edits of each thing that people vote on, by its name.
func (b board) voted() map[string]func(ident.ID) (*ent.Change, error) {
	other, later := "other words", dawn.Add(time.Hour)
	edits := map[string]change.Update{
		"scope":         {Scope: graphql.OmittableOf([]change.CI{{b.Database, domain.ChangedRole}})},
		"window":        {PlannedEnd: graphql.OmittableOf(&later)},
		"plan":          {Plan: graphql.OmittableOf(&other)},
		"backout plan":  {BackoutPlan: graphql.OmittableOf(&other)},
		"test plan":     {TestPlan: graphql.OmittableOf(&other)},
		"justification": {Justification: graphql.OmittableOf(&other)},
	}
	all := map[string]func(ident.ID) (*ent.Change, error){
		"planned operations": func(id ident.ID) (*ent.Change, error) {
			return b.PlanOperations(auth.With(b.olga, auth.Actor{Name: "olga", Roles: []auth.Role{auth.Admin}}), change.PlanOperations{ID: id, Operations: renaming(b.Server, "rack-8")})
		},
	}
	for what, edit := range edits {
		all[what] = func(id ident.ID) (*ent.Change, error) {
			edit.ID = id
			return b.Update(b.olga, edit)
		}
	}
	return all
}

func TestAWindowThatHasEndedIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		refused := func(err error, field, word string) {
			t.Helper()
			if all, ok := errs.All(err); !ok || len(all) != 1 || strings.Join(all[0].Field, ".") != field || !strings.Contains(err.Error(), word) {
				t.Errorf("got %v, want that %s says %q", err, field, word)
			}
		}
		const ended = "the window ended at 2030-01-02T06:00:00Z, before now"
		during, after := store.At(b.olga, night.Add(time.Hour)), store.At(b.olga, dawn)
		in := b.ready(domain.Standard)
		_, err := b.Draft(after, in)
		refused(err, "plannedEnd", ended)
		begun, err := b.Draft(during, in)
		if err != nil {
			t.Fatal(err)
		}
		early, title := night.Add(-time.Hour), "Another title"
		_, err = b.Update(after, change.Update{ID: begun.ID, PlannedStart: graphql.OmittableOf(&early)})
		refused(err, "plannedEnd", ended)
		if _, err := b.Update(after, change.Update{ID: begun.ID, Title: graphql.OmittableOf(&title)}); err != nil {
			t.Errorf("its title alone: %v", err)
		}
		_, err = b.Schedule(after, change.Schedule{ID: begun.ID})
		refused(err, "id", "cannot be scheduled: its window ended at 2030-01-02T06:00:00Z")
		if _, err := b.Schedule(during, change.Schedule{ID: begun.ID}); err != nil {
			t.Errorf("one that has begun: %v", err)
		}
	})
}

func TestTheSameScopeAndWindowVoidNothing(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		id := b.mustDraft(t, b.ready(domain.Normal)).ID
		before := b.mustDo(t, id, way(domain.Normal, "SCHEDULED")...)
		local := night.In(time.FixedZone("east", 7200))
		title := "Another title"
		after, err := b.Update(b.olga, change.Update{
			ID: id, Title: graphql.OmittableOf(&title), PlannedStart: graphql.OmittableOf(&local), PlannedEnd: graphql.OmittableOf(&dawn),
			Scope: graphql.OmittableOf([]change.CI{{b.Database.As(ident.Service), domain.TakenDownRole}}),
		})
		if err != nil || after.State != domain.ChangeScheduled || after.Title != title || after.Version != before.Version+1 {
			t.Errorf("got %v, %v", after, err)
		}
		if got := b.votes(id); !slices.Equal(got, []string{"carl:APPROVED"}) {
			t.Errorf("got %v", got)
		}
		b.Retire(t, b.Database)
		_, err = b.Update(b.olga, change.Update{ID: id, Scope: graphql.OmittableOf([]change.CI{{b.Database, domain.TakenDownRole}})})
		if err != nil {
			t.Errorf("a CI that was retired since then: %v", err)
		}
		if same, err := b.Update(b.olga, change.Update{ID: id}); err != nil || same.Version != after.Version {
			t.Errorf("nothing to change was written: %v, %v", same, err)
		}
	})
}

func TestTheStateDecidesWhatCanBeEdited(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		emergency, title, later := domain.Emergency, "Another title", dawn.Add(time.Hour)
		for from := range moves[domain.Normal] {
			id := b.mustDraft(t, b.ready(domain.Normal)).ID
			b.mustDo(t, id, way(domain.Normal, from)...)
			_, titleErr := b.Update(b.olga, change.Update{ID: id, Title: graphql.OmittableOf(&title)})
			if isOpen := from.IsOpen(); isOpen != (titleErr == nil) {
				t.Errorf("title in %s: %v", from, titleErr)
			}
			if story := b.timeline(id); from.IsOpen() && story[len(story)-1] != "olga > Edited: title, which was Upgrade the database." {
				t.Errorf("title in %s: the timeline says %s", from, story)
			}
			if from == "IMPLEMENT" || from == "REVIEW" {
				if _, err := b.Update(b.olga, change.Update{ID: id, PlannedEnd: graphql.OmittableOf(&later)}); errs.CodeOf(err) != errs.TransitionRefused {
					t.Errorf("window in %s: %v", from, err)
				}
				if _, err := b.Update(b.olga, change.Update{ID: id, Plan: graphql.OmittableOf(&title)}); err != nil {
					t.Errorf("plan in %s: %v", from, err)
				}
				if story := b.timeline(id); story[len(story)-1] != "olga > Edited: plan." {
					t.Errorf("plan in %s: the timeline says %s", from, story)
				}
			}
			_, typeErr := b.Update(b.olga, change.Update{ID: id, Type: graphql.OmittableOf(&emergency)})
			if (from == "NEW") != (typeErr == nil) {
				t.Errorf("type in %s: %v", from, typeErr)
			}
			if _, err := b.Comment(b.olga, change.Comment{ID: id, Kind: domain.WorkNote, Body: "seen"}); err != nil {
				t.Errorf("comment in %s: %v", from, err)
			}
		}
		id := b.mustDraft(t, b.ready(domain.Normal)).ID
		_, err := b.Update(b.olga, change.Update{
			ID: id, Title: graphql.OmittableOf[*string](nil), Type: graphql.OmittableOf[*domain.ChangeType](nil), PlannedEnd: graphql.OmittableOf(&night),
			Requester: graphql.OmittableOf(&b.Database), Scope: graphql.OmittableOf([]change.CI{{b.Ada, domain.ChangedRole}}),
		})
		want := map[string]errs.Code{
			"title": errs.Required, "type": errs.Required, "plannedEnd": errs.Invalid, "requester": errs.Invalid, "scope.0.id": errs.Invalid,
		}
		if got := tickettest.Faults(t, err); !maps.Equal(got, want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
	})
}
