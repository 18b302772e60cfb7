package change_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
)

func TestAStandardChangeIsDraftedFromATemplate(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		own := "my own"
		in := b.ready(domain.Standard)
		in.Plan, in.BackoutPlan, in.Description = nil, &own, nil
		c := b.mustDraft(t, in)
		if c.Plan != words || c.BackoutPlan != own || c.Description != "" || *c.TemplateID != b.routine {
			t.Errorf("got %v", c)
		}
		bare := b.ready(domain.Standard)
		bare.Template = nil
		normal := b.ready(domain.Normal)
		normal.Template = &b.routine
		unknown := b.ready(domain.Standard)
		unknown.Template = &b.Ada
		for want, in := range map[errs.Code]change.Draft{errs.Required: bare, errs.Invalid: normal, errs.NotFound: unknown} {
			_, err := b.Draft(b.olga, in)
			if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"template": want}) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
}

func TestAStandardChangeStaysWithinItsTemplate(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		weekdays := []domain.WorkingHours{{Weekday: domain.Tuesday, From: "22:00", Until: "24:00"}, {Weekday: domain.Wednesday, From: "00:00", Until: "06:00"}}
		nights, err := servicelevel.New(b.Store).CreateCalendar(admin(t), servicelevel.CreateCalendar{Name: "Nights", TimeZone: "UTC", Hours: weekdays})
		if err != nil {
			t.Fatal(err)
		}
		hours := 4 * time.Hour
		narrow, err := b.CreateTemplate(admin(t), change.CreateTemplate{Name: "Narrow", Plan: words, LongestWindow: &hours, Calendar: &nights.ID, Classes: []string{"thing"}})
		if err != nil {
			t.Fatal(err)
		}
		early, late := night.Add(time.Hour), night.Add(3*time.Hour) // a Tuesday
		good := b.ready(domain.Standard)
		good.Template, good.PlannedStart, good.PlannedEnd, good.Scope = &narrow.ID, &early, &late, []change.CI{{b.Database, domain.ChangedRole}}
		id := b.mustDraft(t, good).ID
		wide := good
		wide.Scope, wide.PlannedEnd = []change.CI{{b.Server, domain.ChangedRole}, {b.Database, domain.TakenDownRole}}, &dawn
		moved := good
		tomorrow, after := early.Add(24*time.Hour), late.Add(24*time.Hour)
		moved.PlannedStart, moved.PlannedEnd = &tomorrow, &after
		for name, c := range map[string]struct {
			in   change.Draft
			want map[string]errs.Code
		}{
			"too long, and takes down": {wide, map[string]errs.Code{"plannedEnd": errs.Invalid, "scope.1.role": errs.Invalid}},
			"at another time":          {moved, map[string]errs.Code{"plannedStart": errs.Invalid}},
		} {
			_, err := b.Draft(b.olga, c.in)
			if got := tickettest.Faults(t, err); !maps.Equal(got, c.want) {
				t.Errorf("%s: got %v", name, err)
			}
			_, err = b.Update(b.olga, change.Update{
				ID: id, Scope: graphql.OmittableOf(c.in.Scope), PlannedStart: graphql.OmittableOf(c.in.PlannedStart), PlannedEnd: graphql.OmittableOf(c.in.PlannedEnd),
			})
			if got := tickettest.Faults(t, err); !maps.Equal(got, c.want) {
				t.Errorf("%s, by an update: got %v", name, err)
			}
		}
		// A change that became too wide meanwhile is refused when it is scheduled, and can be edited otherwise.
		short := time.Hour
		if _, err := b.UpdateTemplate(admin(t), change.UpdateTemplate{ID: narrow.ID, LongestWindow: graphql.OmittableOf(&short)}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Update(b.olga, change.Update{ID: id, Title: graphql.OmittableOf(&words)}); err != nil {
			t.Error(err)
		}
		_, err = b.verbs(id)["scheduleChange"]()
		if errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "cannot be scheduled: the window is 2h0m0s long: the template Narrow covers 1h0m0s at most; or make it a NORMAL change") {
			t.Errorf("got %v", err)
		}
		if _, err := b.RetireTemplate(admin(t), change.RetireTemplate{ID: narrow.ID}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.verbs(id)["scheduleChange"](); errs.CodeOf(err) != errs.TransitionRefused || !strings.Contains(err.Error(), "Narrow is retired") {
			t.Errorf("got %v", err)
		}
		if _, err := b.Draft(b.olga, good); tickettest.Faults(t, err)["template"] != errs.Invalid {
			t.Errorf("got %v", err)
		}
		_, err = servicelevel.New(b.Store).DeleteCalendar(admin(t), servicelevel.Delete{ID: nights.ID})
		if tickettest.Faults(t, err)["id"] != errs.InUse {
			t.Errorf("got %v", err)
		}
		// Another template, or none with another type, lets it go on.
		if c, err := b.Update(b.olga, change.Update{ID: id, Template: graphql.OmittableOf(&b.routine)}); err != nil || *c.TemplateID != b.routine {
			t.Errorf("got %v, %v", c, err)
		}
		normal, standard := domain.Normal, domain.Standard
		if c, err := b.Update(b.olga, change.Update{ID: id, Type: graphql.OmittableOf(&normal)}); err != nil || c.TemplateID != nil {
			t.Errorf("got %v, %v", c, err)
		}
		if _, err := b.Update(b.olga, change.Update{ID: id, Type: graphql.OmittableOf(&standard)}); tickettest.Faults(t, err)["template"] != errs.Required {
			t.Errorf("got %v", err)
		}
		if _, err := b.Update(b.olga, change.Update{ID: id, Type: graphql.OmittableOf(&standard), Template: graphql.OmittableOf(&b.routine)}); err != nil {
			t.Error(err)
		}
		b.mustDo(t, id, "scheduleChange")
		if _, err := b.Update(b.olga, change.Update{ID: id, Template: graphql.OmittableOf(&narrow.ID)}); tickettest.Faults(t, err)["template"] != errs.TransitionRefused {
			t.Errorf("got %v", err)
		}
	})
}

func TestTemplatesAreCheckedAndKeptByAdminsOnly(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		if _, err := b.CreateTemplate(b.olga, change.CreateTemplate{Name: "Mine", Plan: words}); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("a change manager approves for ever: %v", err)
		}
		little := time.Second
		for name, c := range map[string]struct {
			in   change.CreateTemplate
			want map[string]errs.Code
		}{
			"nothing": {change.CreateTemplate{}, map[string]errs.Code{"name": errs.Required, "plan": errs.Required}},
			"odd": {
				change.CreateTemplate{Name: "x", Plan: words, LongestWindow: &little, Calendar: &b.Ada, Classes: []string{"thing", "nothing"}},
				map[string]errs.Code{"longestWindow": errs.Invalid, "calendar": errs.NotFound, "classes.1": errs.NotFound},
			},
			"taken": {change.CreateTemplate{Name: "Routine", Plan: words}, map[string]errs.Code{"name": errs.AlreadyExists}},
		} {
			_, err := b.CreateTemplate(admin(t), c.in)
			if got := tickettest.Faults(t, err); !maps.Equal(got, c.want) {
				t.Errorf("%s: got %v", name, got)
			}
		}
		same, err := b.UpdateTemplate(admin(t), change.UpdateTemplate{ID: b.routine, Plan: graphql.OmittableOf(&words)})
		if err != nil || same.Version != 1 {
			t.Errorf("got %v, %v", same, err)
		}
		after, err := b.UpdateTemplate(admin(t), change.UpdateTemplate{ID: b.routine, Classes: graphql.OmittableOf([]string{"thing"})})
		if err != nil || after.Version != 2 || len(after.Classes) != 1 || !after.MayTakeDown {
			t.Errorf("got %v, %v", after, err)
		}
		for range 2 {
			if retired, err := b.RetireTemplate(admin(t), change.RetireTemplate{ID: b.routine}); err != nil || retired.RetiredAt == nil || retired.Version != 3 {
				t.Errorf("got %v, %v", retired, err)
			}
		}
		if _, err := b.UpdateTemplate(admin(t), change.UpdateTemplate{ID: b.routine, Name: graphql.OmittableOf(&words)}); errs.CodeOf(err) != errs.Invalid {
			t.Errorf("got %v", err)
		}
	})
}
