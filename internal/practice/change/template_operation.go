package change

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// forTemplate reads what changes of a template are to plan, and refuses what none of them could do now.
func forTemplate(ctx context.Context, tx *store.Tx, in []PlannedOperation) ([]operation.Operation, error) {
	planned, err := readOperations(in, mostOperations)
	if err != nil || len(planned) == 0 {
		return nil, err
	}
	if err := rehearse(ctx, tx, planned); err != nil {
		return nil, err
	}
	for i := range planned { // each change notes its own
		planned[i].Base, planned[i].BaseRevision = nil, 0
	}
	return planned, nil
}

// adopted returns what a template plans, on the grounds of now. An actor that may draft from the template may plan so:
// that is what was approved.
func adopted(ctx context.Context, tx *store.Tx, t *ent.ChangeTemplate) ([]operation.Operation, error) {
	if t == nil || len(t.Operations) == 0 {
		return nil, nil
	}
	planned := slices.Clone(t.Operations)
	for i := range planned {
		planned[i].Planned, planned[i].Base = maps.Clone(planned[i].Planned), operation.Fields{}
	}
	err := rehearse(ctx, tx, planned)
	all, ok := errs.All(err)
	if err == nil || !ok {
		return planned, err
	}
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		return nil, err
	}
	why := "somebody who sees all CIs can read why"
	if len(hidden) == 0 {
		said := make([]string, len(all))
		for i, e := range all {
			said[i] = e.Message
		}
		why = strings.Join(said, "; ")
	}
	return nil, errs.New(errs.Invalid, "the template %s plans what cannot be done now: %s; have its operations mended by an admin, or make a NORMAL change", t.Name, why).At("template")
}

// readopt lets a change that is given a template plan what the template does. Operations that it planned by itself are
// not thrown away.
func readopt(ctx context.Context, tx *store.Tx, f *form.Form, was *ent.Change, t *ent.ChangeTemplate) (planned []operation.Operation) {
	rows, err := operationsOf(ctx, tx.Client(), was.ID)
	f.Fault(err)
	isOwn := was.Type != domain.Standard || isUndo(Operations(rows))
	if len(rows) > 0 && isOwn && !samePlan(Operations(rows), t.Operations) {
		f.Fault(errs.New(errs.Invalid, "the change plans operations of its own, and the template %s %s: take them away by planChangeOperations, or leave the change as it is",
			t.Name, whatItPlans(t)).At("template"))
		return nil
	}
	planned, err = adopted(ctx, tx, t)
	f.Fault(err)
	return planned
}

// withinTemplate refuses operations that the template of a STANDARD change does not plan.
func withinTemplate(ctx context.Context, tx *store.Tx, c *ent.Change, planned []operation.Operation) error {
	if c.Type != domain.Standard || c.TemplateID == nil {
		return nil
	}
	t, err := tx.ChangeTemplate.Get(ctx, *c.TemplateID)
	if err != nil || isCovered(planned, t) {
		return err
	}
	return refused(c, "is STANDARD, and its template %s %s: make it a NORMAL change to plan otherwise, or have an admin write it into the template", t.Name, whatItPlans(t)).At("operations")
}

func whatItPlans(t *ent.ChangeTemplate) string {
	if len(t.Operations) == 0 {
		return "plans no operations"
	}
	return "plans " + form.Plural(len(t.Operations), "operation") + " and no others"
}

func samePlan(a, b []operation.Operation) bool {
	return slices.EqualFunc(a, b, operation.Operation.Does)
}

// isCovered reports whether a template approves operations: its own, and those that undo what was done by it.
func isCovered(planned []operation.Operation, t *ent.ChangeTemplate) bool {
	return samePlan(planned, t.Operations) || isUndo(planned)
}

func isUndo(planned []operation.Operation) bool {
	return len(planned) > 0 && !slices.ContainsFunc(planned, func(o operation.Operation) bool { return o.Undoes == 0 })
}
