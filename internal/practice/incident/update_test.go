package incident_test

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
)

func TestAssigningCountsWhenItGoesToAnother(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		i := d.mustOpen(t, incident.Open{})
		give := graphql.OmittableOf[*ident.ID]
		for n, step := range []struct {
			in      incident.Assign
			count   int
			version int
		}{
			{incident.Assign{AssignmentTeam: give(&d.Operations)}, 0, 2},                         // the first
			{incident.Assign{Assignee: give(&d.Ada)}, 0, 3},                                      // within the team
			{incident.Assign{Assignee: give(&d.Ada), AssignmentTeam: give(&d.Operations)}, 0, 3}, // as it is
			{incident.Assign{Assignee: give(&d.Bob)}, 1, 4},                                      // another person
			{incident.Assign{AssignmentTeam: give(&d.Development), Assignee: give(nil)}, 2, 5},   // another team
			{incident.Assign{AssignmentTeam: give(nil)}, 2, 6},                                   // nobody
			{incident.Assign{}, 2, 6},
		} {
			step.in.ID = i.ID
			got, err := d.Assign(d.ctx, step.in)
			if err != nil || got.ReassignmentCount != step.count || got.Version != step.version {
				t.Fatalf("step %d: %v, %v", n, got, err)
			}
		}
		_, err := d.Assign(d.ctx, incident.Assign{ID: i.ID, AssignmentTeam: give(&d.Ada), Assignee: give(&noChange)})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"assignmentTeam": errs.Invalid, "assignee": errs.Invalid}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestTheCIsDecideTheLevelUnlessAPersonDid(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		i := d.mustOpen(t, incident.Open{})
		set := func(cis ...incident.CI) *ent.Incident {
			t.Helper()
			return d.mustDo(t, func() (*ent.Incident, error) { return d.SetCIs(d.ctx, incident.SetCIs{ID: i.ID, CIs: cis}) })
		}
		if got := set(incident.CI{d.Database, domain.RootRole}, incident.CI{d.Shop, domain.AffectedRole}); got.Impact != 1 || got.Priority != 2 || got.Version != 2 {
			t.Errorf("got %v", got)
		}
		if got := set(incident.CI{d.Shop, domain.AffectedRole}, incident.CI{d.Database, domain.RootRole}); got.Version != 2 {
			t.Errorf("the same CIs were written again: %v", got)
		}
		if got := set(incident.CI{d.Database, domain.RootRole}, incident.CI{d.Shop, domain.ExcludedRole}); got.Impact != 3 || got.Version != 3 {
			t.Errorf("got %v", got)
		}
		if got := set(incident.CI{d.Database, domain.RootRole}, incident.CI{d.Shop, domain.ExcludedRole}, incident.CI{d.Mail, domain.AffectedRole}); got.Version != 4 {
			t.Errorf("a CI more at the same level is a new version: %v", got)
		}
		two := 2
		d.mustDo(t, func() (*ent.Incident, error) {
			return d.Update(d.ctx, incident.Update{ID: i.ID, ImpactLevel: graphql.OmittableOf(&two)})
		})
		if got := set(incident.CI{d.Database, domain.RootRole}); got.Impact != 2 || !got.IsImpactOverridden {
			t.Errorf("a person's level was overruled: %v", got)
		}
		back := d.mustDo(t, func() (*ent.Incident, error) {
			return d.Update(d.ctx, incident.Update{ID: i.ID, ImpactLevel: graphql.OmittableOf[*int](nil)})
		})
		if back.Impact != 1 || back.IsImpactOverridden || back.Priority != 2 {
			t.Errorf("null does not take the suggested level: %v", back)
		}
		rows := d.Store.Read.IncidentCI.Query().AllX(d.ctx)
		if len(rows) != 1 || rows[0].CiID != d.Database || rows[0].Role != domain.RootRole {
			t.Errorf("got %v", rows)
		}
		_, err := d.SetCIs(d.ctx, incident.SetCIs{ID: i.ID, CIs: []incident.CI{{d.Attic, domain.RootRole}}})
		if got := tickettest.Faults(t, err); got["cis.0.id"] != errs.Invalid {
			t.Errorf("a retired ROOT: %v", err)
		}
		set(incident.CI{d.Attic, domain.AffectedRole})
		set(incident.CI{d.Server, domain.RootRole})
		d.Retire(t, d.Server)
		set(incident.CI{d.Server, domain.RootRole}, incident.CI{d.Mail, domain.AffectedRole}) // retired since then
	})
}

func TestUpdatingLeavesWhatIsAbsentAndClearsWhatIsNull(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		text, yes, mail := "words", true, domain.ChannelEmail
		i := d.mustOpen(t, incident.Open{Description: &text, Category: &text, IsMajor: &yes, Channel: &mail, Caller: &d.Ada})
		same := d.mustDo(t, func() (*ent.Incident, error) { return d.Update(d.ctx, incident.Update{ID: i.ID}) })
		if same.Version != 1 {
			t.Errorf("nothing to change was written: %v", same)
		}
		title, one := " New title ", 1
		got := d.mustDo(t, func() (*ent.Incident, error) {
			return d.Update(d.ctx, incident.Update{
				ID: i.ID, Title: graphql.OmittableOf(&title), Urgency: graphql.OmittableOf(&one),
				Category: graphql.OmittableOf[*string](nil), IsMajor: graphql.OmittableOf[*bool](nil), Channel: graphql.OmittableOf[*domain.Channel](nil),
				Caller: graphql.OmittableOf[*ident.ID](nil),
			})
		})
		if got.Title != "New title" || got.Description != "words" || got.Category != "" || got.IsMajor || got.Channel != domain.ChannelPortal ||
			got.CallerID != nil || got.Urgency != 1 || got.Priority != 3 || got.Version != 2 {
			t.Errorf("got %v", got)
		}
		four, nobody := 4, ident.New(ident.Person, 99)
		_, err := d.Update(d.ctx, incident.Update{
			ID: i.ID, Title: graphql.OmittableOf[*string](nil), Urgency: graphql.OmittableOf(&four), ImpactLevel: graphql.OmittableOf(&four),
			Caller: graphql.OmittableOf(&nobody), CausedByChange: graphql.OmittableOf(&noChange), FixedByChange: graphql.OmittableOf(&d.Ada),
			Parent: graphql.OmittableOf(&i.ID),
		})
		want := map[string]errs.Code{
			"title": errs.Required, "urgency": errs.Invalid, "impactLevel": errs.Invalid, "caller": errs.NotFound,
			"causedByChange": errs.NotFound, "fixedByChange": errs.Invalid, "parent": errs.Invalid,
		}
		if got := tickettest.Faults(t, err); !maps.Equal(got, want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
	})
}

func TestNoIncidentIsPartOfItself(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		put := func(child, parent ident.ID) error {
			_, err := d.Update(d.ctx, incident.Update{ID: child, Parent: graphql.OmittableOf(&parent)})
			return err
		}
		a, b, c := d.mustOpen(t, incident.Open{}).ID, d.mustOpen(t, incident.Open{}).ID, d.mustOpen(t, incident.Open{}).ID
		if err := put(a, b); err != nil {
			t.Fatal(err)
		}
		if err := put(b, c); err != nil {
			t.Fatal(err)
		}
		if got := tickettest.Faults(t, put(c, a)); got["parent"] != errs.Invalid {
			t.Errorf("a circle of three: %v", got)
		}
		if got := tickettest.Faults(t, put(c, ident.New(ident.Incident, 99))); got["parent"] != errs.NotFound {
			t.Errorf("an unknown parent: %v", got)
		}
		deep := d.mustOpen(t, incident.Open{}).ID
		for range 50 {
			deep = d.mustOpen(t, incident.Open{Parent: &deep}).ID
		}
		if got := tickettest.Faults(t, put(c, deep)); got["parent"] != errs.Invalid {
			t.Errorf("51 levels: %v", got)
		}
		for range 10 { // two edits at once cannot close a circle
			a, b := d.mustOpen(t, incident.Open{}).ID, d.mustOpen(t, incident.Open{}).ID
			var wait sync.WaitGroup
			failures := make([]error, 2)
			wait.Go(func() { failures[0] = put(a, b) })
			wait.Go(func() { failures[1] = put(b, a) })
			wait.Wait()
			if errs.CodeOf(failures[0])+errs.CodeOf(failures[1]) != errs.Invalid {
				t.Fatalf("got %v and %v", failures[0], failures[1])
			}
		}
	})
}

func TestTheTimelineTellsOpeningAssignmentPriorityAndCIs(t *testing.T) {
	each(t, func(t *testing.T, d desk) {
		level, urgency := 3, 1
		id := d.mustOpen(t, incident.Open{ImpactLevel: &level, AssignmentTeam: &d.Operations, CIs: []incident.CI{{d.Database, domain.RootRole}, {d.Shop, domain.AffectedRole}}}).ID
		steps := []func() (*ent.Incident, error){
			func() (*ent.Incident, error) {
				return d.Assign(d.ctx, incident.Assign{ID: id, Assignee: graphql.OmittableOf(&d.Ada), AssignmentTeam: graphql.OmittableOf(&d.Development)})
			},
			func() (*ent.Incident, error) {
				return d.Assign(d.ctx, incident.Assign{ID: id, Assignee: graphql.OmittableOf[*ident.ID](nil), AssignmentTeam: graphql.OmittableOf[*ident.ID](nil)})
			},
			func() (*ent.Incident, error) {
				return d.Update(d.ctx, incident.Update{ID: id, Urgency: graphql.OmittableOf(&urgency)})
			},
			func() (*ent.Incident, error) {
				return d.Update(d.ctx, incident.Update{ID: id, ImpactLevel: graphql.OmittableOf[*int](nil)})
			},
			func() (*ent.Incident, error) {
				return d.SetCIs(d.ctx, incident.SetCIs{ID: id, CIs: []incident.CI{{d.Server, domain.RootRole}, {d.Shop, domain.ExcludedRole}}})
			},
		}
		for _, step := range steps {
			for range 2 { // the second time nothing is new
				if _, err := step(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var story []string
		for _, e := range d.Store.Read.TimelineEntry.Query().Where(timelineentry.RecordID(id), timelineentry.KindEQ(domain.Edit)).Order(ent.Asc("id")).AllX(d.ctx) {
			story = append(story, e.Body)
		}
		want := []string{
			"Opened with priority 4: impact level 3 and urgency 2. Assigned to the team Operations. CIs: 1 ROOT and 1 AFFECTED named.",
			"Assigned to Ada and the team Development, before to the team Operations.",
			"Assigned to nobody, before to Ada and the team Development.",
			"Priority 3, before 4: urgency 1, before 2.",
			"Priority 1, before 3: impact level 1, before 3.",
			"CIs: 1 ROOT and 1 EXCLUDED named; 1 ROOT and 1 AFFECTED no longer named.",
			"Priority 3, before 1: impact level 3, before 1.",
		}
		if !slices.Equal(story, want) {
			t.Errorf("got  %q\nwant %q", story, want)
		}
	})
}
