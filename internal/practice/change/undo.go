package change

import (
	"context"
	"unicode/utf8"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoperation"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// DraftUndo drafts a change that undoes what another one did to the graph, as the journal tells it. It has the other's
// type, alters the CIs of its scope, and takes nothing down but what its operations do. It goes its way like any other.
func (p *Practice) DraftUndo(ctx context.Context, in DraftUndo) (*ent.Change, error) {
	return auth.Write(ctx, p.store, "change.draft_undo", func(ctx context.Context, tx *store.Tx) (*ent.Change, error) {
		was, err := p.desk.Take(ctx, tx, "id", in.ID)
		if err != nil {
			return nil, err
		}
		if err := p.desk.Mine(ctx, tx, was); err != nil {
			return nil, err
		}
		inverse, err := undoOf(ctx, tx, was)
		if err != nil {
			return nil, err
		}
		if inverse[0].Consent, err = form.Consent(in.AcceptConsequences, form.ConsentField); err != nil {
			return nil, err
		}
		if err := mayPlan(ctx, inverse); err != nil {
			return nil, err
		}
		author, err := tx.Author(ctx)
		if err != nil {
			return nil, err
		}
		number := Number(was.ID)
		record, err := tx.Change.Create().SetRequestedBy(tx.Actor).SetNillableRequestedByID(author).SetType(was.Type).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SetNillableTemplateID(was.TemplateID).
			SetTitle(shorten("Undo "+number+": "+was.Title, ticket.LongestTitle)).
			SetDescription("Brings the CI graph back to what it was before " + number + " started.").
			SetJustification("Undoes " + number + ".").
			SetPlan("The planned operations, drawn from the journal, are applied when this change starts.").
			SetBackoutPlan("Draft the undo of this change.").
			SetNillableAssigneeID(was.AssigneeID).SetNillableAssignmentTeamID(was.AssignmentTeamID).Save(ctx)
		if err != nil {
			return nil, err
		}
		scope, err := scopeOf(ctx, tx, was.ID)
		if err != nil {
			return nil, err
		}
		cis := cisOf(scope)
		for i := range cis {
			cis[i].Role = domain.ChangedRole
		}
		if err := link(ctx, tx, record.ID, nil, cis); err != nil {
			return nil, err
		}
		return record, keep(ctx, tx, record.ID, inverse)
	})
}

// undoOf returns what undoes a change. It fails if nothing can or need be undone.
func undoOf(ctx context.Context, tx *store.Tx, was *ent.Change) ([]operation.Operation, error) {
	applied, err := Applied(ctx, tx.Client(), was.ID)
	if err != nil {
		return nil, err
	}
	revision := applied[was.ID]
	if revision == 0 {
		return nil, refused(was, "has done nothing to the graph: only a change whose planned operations were applied, when it started, can be undone").At("id")
	}
	undone, err := Undos(ctx, tx.Client(), was.ID)
	if err != nil {
		return nil, err
	}
	if by := undone[was.ID]; by != nil {
		e := errs.New(errs.InUse, "%s undoes %s already, and is in %s: cancel it to draft another", Number(by.ID), Number(was.ID), by.State)
		return nil, e.At("id")
	}
	switch floor, err := tx.Floor(ctx); {
	case err != nil:
		return nil, err
	case revision < floor:
		return nil, refused(was, "was applied in revision %d, and the journal was purged up to revision %d: nobody knows any more what it wrote", revision, floor-1).At("id")
	}
	entries, err := tx.Entry.Query().Where(entry.Revision(revision)).Order(ent.Asc(entry.FieldID)).All(ctx)
	if err != nil {
		return nil, err
	}
	types, err := Present(ctx, tx.Client(), nil)
	if err != nil {
		return nil, err
	}
	written := make([]operation.Written, len(entries))
	for i, e := range entries {
		written[i] = operation.Written{Record: e.RecordID, Operation: e.Operation, Before: e.Before, After: e.After}
	}
	inverse := operation.Inverse(written, was.ID, revision, types.code)
	if len(inverse) == 0 {
		return nil, refused(was, "left the graph as it was: there is nothing to undo").At("id")
	}
	return inverse, nil
}

// Applied gives the revisions in which changes were applied to the graph; those that were not are missing.
func Applied(ctx context.Context, c *ent.Client, changes ...ident.ID) (map[ident.ID]int64, error) {
	var ids []ident.ID
	err := c.PlannedOperation.Query().Where(plannedoperation.ChangeIDIn(changes...)).Unique(true).
		Select(plannedoperation.FieldChangeID).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	entries, err := c.Entry.Query().Where(entry.SubjectIDIn(ids...), entry.Verb(ticket.Verb(ident.Change, "startChange"))).
		Select(entry.FieldRevision, entry.FieldSubjectID).All(ctx)
	applied := make(map[ident.ID]int64, len(entries))
	for _, e := range entries {
		applied[e.SubjectID] = e.Revision
	}
	return applied, err
}

// Undos gives the changes that undo others, by the others; those that are canceled undo nothing.
func Undos(ctx context.Context, c *ent.Client, undone ...ident.ID) (map[ident.ID]*ent.Change, error) {
	links, err := c.PlannedOperation.Query().Where(plannedoperation.UndoesIDIn(undone...)).Unique(true).
		Select(plannedoperation.FieldChangeID, plannedoperation.FieldUndoesID).All(ctx)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	of := map[ident.ID]ident.ID{}
	ids := make([]ident.ID, len(links))
	for i, l := range links {
		ids[i], of[l.ChangeID] = l.ChangeID, *l.UndoesID
	}
	rows, err := c.Change.Query().Where(change.IDIn(ids...), change.StateNEQ(domain.ChangeCanceled)).Order(ent.Asc(change.FieldID)).All(ctx)
	by := make(map[ident.ID]*ent.Change, len(rows))
	for _, row := range rows {
		by[of[row.ID]] = row
	}
	return by, err
}

func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
