package change_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
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

func TestANewScopeOrWindowVoidsTheVotes(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		later := dawn.Add(time.Hour)
		edits := map[string]change.Update{
			"scope":      {Scope: graphql.OmittableOf([]change.CI{{b.Server, domain.TakenDownRole}})},
			"scope role": {Scope: graphql.OmittableOf([]change.CI{{b.Database, domain.ChangedRole}})},
			"window":     {PlannedEnd: graphql.OmittableOf(&later)},
			"no window":  {PlannedStart: graphql.OmittableOf[*time.Time](nil)},
		}
		back := map[domain.ChangeType]state{domain.Normal: "ASSESS", domain.Emergency: "NEW"}
		for of, want := range back {
			for _, from := range []state{"AUTHORIZE", "SCHEDULED"} {
				for name, edit := range edits {
					id := b.mustDraft(t, b.ready(of)).ID
					before := b.mustDo(t, id, way(of, from)...)
					edit.ID = id
					after, err := b.Update(b.olga, edit)
					if err != nil || after.State != want || after.Version != before.Version+1 {
						t.Errorf("%s in %s, new %s: %v, %v", of, from, name, after, err)
						continue
					}
					if got := b.votes(id); !slices.Equal(got, []string{"carl:VOIDED"}) {
						t.Errorf("%s in %s, new %s: votes %v", of, from, name, got)
					}
					story := b.timeline(id)
					what, _, _ := strings.Cut(strings.TrimPrefix(name, "no "), " ")
					why := fmt.Sprintf("The %s is new: the votes no longer count.", what)
					if voided := b.Store.Read.Approval.Query().Where(approval.RecordID(id)).OnlyX(b.olga); voided.VoidedBecause != why {
						t.Errorf("the vote says %q", voided.VoidedBecause)
					}
					if last := story[len(story)-1]; last != fmt.Sprintf("olga %s>%s %s", from, want, why) {
						t.Errorf("the timeline says %s", last)
					}
					if name == "scope" { // it can be voted on again
						b.mustDo(t, id, "requestChangeApproval")
						if _, err := b.verbs(id)["scheduleChange"](); errs.CodeOf(err) != errs.TransitionRefused {
							t.Errorf("an old vote counts: %v", err)
						}
						b.mustDo(t, id, "vote", "scheduleChange")
					}
				}
			}
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

func TestWhatCanBeEditedDependsOnTheState(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		emergency, title, later := domain.Emergency, "Another title", dawn.Add(time.Hour)
		for from := range moves[domain.Normal] {
			id := b.mustDraft(t, b.ready(domain.Normal)).ID
			b.mustDo(t, id, way(domain.Normal, from)...)
			_, titleErr := b.Update(b.olga, change.Update{ID: id, Title: graphql.OmittableOf(&title)})
			if isOpen := from.IsOpen(); isOpen != (titleErr == nil) {
				t.Errorf("title in %s: %v", from, titleErr)
			}
			if from == "IMPLEMENT" || from == "REVIEW" {
				if _, err := b.Update(b.olga, change.Update{ID: id, PlannedEnd: graphql.OmittableOf(&later)}); errs.CodeOf(err) != errs.TransitionRefused {
					t.Errorf("window in %s: %v", from, err)
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
