package change_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoperation"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket/tickettest"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// renaming returns an operation that gives a CI a name.
func renaming(id ident.ID, name string) []change.PlannedOperation {
	return []change.PlannedOperation{{UpdateCI: &change.PlannedCIUpdate{ID: id, FieldsInput: cmdb.FieldsInput{Name: graphql.OmittableOf(&name)}}}}
}

// plans reads "orders-db > orders-2" of each operation of a change.
func (b board) plans(of ident.ID) string {
	var all []string
	for _, o := range b.Store.Read.PlannedOperation.Query().Where(plannedoperation.ChangeID(of)).Order(ent.Asc("place")).AllX(b.olga) {
		all = append(all, o.Base["name"].(string)+" > "+o.Planned["name"].(string))
	}
	return strings.Join(all, ", ")
}

func TestAStandardChangePlansWhatItsTemplatePlans(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		template, err := b.CreateTemplate(admin(t), change.CreateTemplate{Name: "Rename", Plan: words, MayTakeDown: new(true), Operations: renaming(b.Database, "orders-2")})
		if err != nil {
			t.Fatal(err)
		}
		in := b.ready(domain.Standard)
		in.Template = &template.ID
		id := b.mustDraft(t, in).ID // olga may not plan that herself
		if got := b.plans(id); got != "orders-db > orders-2" {
			t.Errorf("got %q", got)
		}
		if _, err := b.PlanOperations(admin(t), change.PlanOperations{ID: id, Operations: renaming(b.Server, "rack-8")}); tickettest.Faults(t, err)["operations"] != errs.TransitionRefused ||
			!strings.Contains(err.Error(), "its template Rename plans 1 operation and no others: make it a NORMAL change") {
			t.Errorf("another operation: %v", err)
		}
		if _, err := b.PlanOperations(admin(t), change.PlanOperations{ID: id}); tickettest.Faults(t, err)["operations"] != errs.TransitionRefused {
			t.Errorf("none: %v", err)
		}
		bare := b.mustDraft(t, b.ready(domain.Standard)).ID
		if _, err := b.PlanOperations(admin(t), change.PlanOperations{ID: bare, Operations: renaming(b.Database, "orders-2")}); err == nil || !strings.Contains(err.Error(), "its template Routine plans no operations") {
			t.Errorf("by a template that plans none: %v", err)
		}
		// The template plans otherwise now: a change that was drafted before has to follow before it is scheduled.
		if template, err = b.UpdateTemplate(admin(t), change.UpdateTemplate{ID: template.ID, Operations: graphql.OmittableOf(renaming(b.Database, "orders-3"))}); err != nil || template.Version != 2 {
			t.Fatal(template, err)
		}
		if _, err := b.verbs(id)["scheduleChange"](); err == nil || !strings.Contains(err.Error(), "cannot be scheduled: it does not plan what the template Rename plans now: name the template once more by updateChange") {
			t.Errorf("got %v", err)
		}
		if _, err := b.Update(b.olga, change.Update{ID: id, Template: graphql.OmittableOf(&template.ID)}); err != nil {
			t.Fatal(err)
		}
		if got := b.plans(id); got != "orders-db > orders-3" {
			t.Errorf("got %q", got)
		}
		b.mustDo(t, id, "scheduleChange")
		_, err = store.Write(t.Context(), b.Store, store.By{Actor: "eve", Verb: "seed"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			return 0, tx.CI.UpdateOneID(b.Database).SetName("orders-1").Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.verbs(id)["startChange"](); errs.CodeOf(err) != errs.Stale {
			t.Errorf("on grounds that are gone: %v", err)
		}
		if c, err := b.Update(b.olga, change.Update{ID: id, Template: graphql.OmittableOf(&template.ID)}); err != nil || c.State != domain.ChangeScheduled || b.plans(id) != "orders-1 > orders-3" {
			t.Errorf("got %v, %v, which plans %s", c, err, b.plans(id))
		}
		b.mustDo(t, id, "startChange")
		if name := b.Store.Read.CI.GetX(b.olga, b.Database).Name; name != "orders-3" {
			t.Errorf("it is called %q", name)
		}
		// The undo is as approved as the change was.
		undo, err := b.DraftUndo(admin(t), change.DraftUndo{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Update(b.olga, change.Update{ID: undo.ID, PlannedStart: graphql.OmittableOf(&night), PlannedEnd: graphql.OmittableOf(&dawn)}); err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, undo.ID, "scheduleChange", "startChange")
		if name := b.Store.Read.CI.GetX(b.olga, b.Database).Name; name != "orders-1" {
			t.Errorf("it is called %q", name)
		}
	})
}

func TestATemplateTakesNoOperationsAway(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		template, err := b.CreateTemplate(admin(t), change.CreateTemplate{Name: "Rename", Plan: words, MayTakeDown: new(true), Operations: renaming(b.Database, "orders-2")})
		if err != nil {
			t.Fatal(err)
		}
		id := b.mustDraft(t, b.ready(domain.Normal)).ID
		if _, err := b.PlanOperations(admin(t), change.PlanOperations{ID: id, Operations: renaming(b.Server, "rack-8")}); err != nil {
			t.Fatal(err)
		}
		become := func(of domain.ChangeType, template *ident.ID) error {
			_, err := b.Update(b.olga, change.Update{ID: id, Type: graphql.OmittableOf(&of), Template: graphql.OmittableOf(template)})
			return err
		}
		for _, to := range []ident.ID{template.ID, b.routine} {
			if err := become(domain.Standard, &to); !maps.Equal(tickettest.Faults(t, err), map[string]errs.Code{"template": errs.Invalid}) || !strings.Contains(err.Error(), "operations of its own") {
				t.Errorf("got %v", err)
			}
		}
		if got := b.plans(id); got != "rack-7 > rack-8" {
			t.Errorf("got %q", got)
		}
		if _, err := b.PlanOperations(admin(t), change.PlanOperations{ID: id}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			of       domain.ChangeType
			template *ident.ID
			want     string
		}{
			{domain.Standard, &template.ID, "orders-db > orders-2"},
			{domain.Standard, &b.routine, ""},
			{domain.Standard, &template.ID, "orders-db > orders-2"},
			{domain.Normal, nil, "orders-db > orders-2"},
		} {
			if err := become(step.of, step.template); err != nil || b.plans(id) != step.want {
				t.Errorf("%s plans %q: %v", step.of, b.plans(id), err)
			}
		}
	})
}

func TestATemplatePlansOnlyWhatCanBeDone(t *testing.T) {
	each(t, func(t *testing.T, b board) {
		nowhere := ident.New(ident.CI, 999)
		_, err := b.CreateTemplate(admin(t), change.CreateTemplate{Name: "Rename", Operations: renaming(nowhere, "x")})
		if got := tickettest.Faults(t, err); !maps.Equal(got, map[string]errs.Code{"plan": errs.Required, "operations.0.updateCI": errs.NotFound}) {
			t.Errorf("got %v", err)
		}
		template, err := b.CreateTemplate(admin(t), change.CreateTemplate{Name: "Rename", Plan: words, Operations: renaming(b.Server, "rack-8")})
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.UpdateTemplate(admin(t), change.UpdateTemplate{ID: template.ID, Operations: graphql.OmittableOf(renaming(b.Server, "rack-8"))})
		if err != nil || again.Version != 1 {
			t.Errorf("the same once more: %v, %v", again, err)
		}
		none, err := b.UpdateTemplate(admin(t), change.UpdateTemplate{ID: template.ID, Operations: graphql.OmittableOf[[]change.PlannedOperation](nil)})
		if err != nil || len(none.Operations) != 0 || none.Version != 2 {
			t.Errorf("got %v, %v", none, err)
		}
	})
}
