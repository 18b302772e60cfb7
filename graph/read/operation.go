package read

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoperation"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	practice "github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// PlannedOperation is one step of what a change does to the graph, as clients see it.
type PlannedOperation struct {
	*ent.PlannedOperation
	in *batch[*PlannedOperation]
}

// PlannedField is a field that an operation touches.
type PlannedField struct {
	Field         string
	Before, After any
}

// Operations returns what the change does to the graph, in order.
func (c *Change) Operations(ctx context.Context) ([]*PlannedOperation, error) {
	return many(ctx, c.in, c, "operations", (*Change).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*PlannedOperation, error) {
		rows, err := r.plannedOperations().Where(having(plannedoperation.FieldChangeID, ids)).
			Order(ent.Asc(plannedoperation.FieldChangeID, plannedoperation.FieldPlace)).All(ctx)
		b := newBatch(r, make([]*PlannedOperation, len(rows)))
		for n, row := range rows {
			b.Rows[n] = &PlannedOperation{row, b}
		}
		return bundle(b.Rows, func(o *PlannedOperation) ident.ID { return o.ChangeID }), store.Translate(err)
	})
}

// Key returns the name of what the operation creates. If it creates nothing, it returns nil.
func (o *PlannedOperation) Key() *string {
	if o.PlannedOperation.Key == "" {
		return nil
	}
	return &o.PlannedOperation.Key
}

// AcceptsConsequences returns why it is accepted if the operations take something DOWN. If it is not, or for an actor
// that may not see the operation, it returns nil.
func (o *PlannedOperation) AcceptsConsequences(ctx context.Context) (*string, error) {
	if restricted, err := o.IsRestricted(ctx); restricted || err != nil {
		return nil, err
	}
	return absent(o.Consent), nil
}

// about returns a function that returns the id of an operation's record. If that is not of the kind, the function
// returns nil.
func about(kind ident.Kind) func(*PlannedOperation) *ident.ID {
	return func(o *PlannedOperation) *ident.ID {
		if o.RecordID == nil || o.RecordID.Kind() != kind {
			return nil
		}
		return o.RecordID
	}
}

// Ci returns the CI that the operation is about.
func (o *PlannedOperation) Ci(ctx context.Context) (*CI, error) {
	return one(ctx, o.in, o, "ci", about(ident.CI), loadCIs)
}

// Relationship returns the relationship that the operation is about.
func (o *PlannedOperation) Relationship(ctx context.Context) (*Relationship, error) {
	return one(ctx, o.in, o, "relationship", about(ident.Relationship), loadRelationships)
}

// DependencyGroup returns the group that the operation is about.
func (o *PlannedOperation) DependencyGroup(ctx context.Context) (*DependencyGroup, error) {
	return one(ctx, o.in, o, "dependency group", about(ident.DependencyGroup), loadGroups)
}

// IsRestricted reports whether the operation is about a CI that the actor may not see.
func (o *PlannedOperation) IsRestricted(ctx context.Context) (bool, error) {
	hidden, err := once(o.in, "unseen", func() (map[ident.ID]bool, error) {
		var all []map[string]any
		for _, row := range o.in.Rows {
			if all = append(all, row.Base, row.Planned); row.RecordID != nil {
				all = append(all, map[string]any{row.RecordID.String(): nil})
			}
		}
		return o.in.reader.unseen(ctx, all...)
	})
	if err != nil || len(hidden) == 0 {
		return false, err
	}
	if names(hidden, o.Base) || names(hidden, o.Planned) || o.RecordID != nil && hidden[*o.RecordID] {
		return true, nil
	}
	if id := about(ident.DependencyGroup)(o); id != nil {
		group, err := o.DependencyGroup(ctx) // one that cannot be shown may be a restricted CI's
		return group == nil, err
	}
	return false, nil
}

// Fields returns the fields the operation touches, by name. For an actor that may not see them, it returns none.
func (o *PlannedOperation) Fields(ctx context.Context) ([]*PlannedField, error) {
	if restricted, err := o.IsRestricted(ctx); restricted || err != nil {
		return []*PlannedField{}, err
	}
	names := maps.Clone(o.Base)
	maps.Copy(names, o.Planned)
	all := make([]*PlannedField, 0, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, &PlannedField{name, o.Base[name], o.Planned[name]})
	}
	return all, nil
}

// AppliedRevision returns the revision in which the operations were applied. Before that, it returns nil.
func (c *Change) AppliedRevision(ctx context.Context) (*int64, error) {
	applied, err := once(c.in, "applied", func() (map[ident.ID]int64, error) {
		found, err := practice.Applied(ctx, c.in.reader.store.Show, c.in.ids((*Change).id)...)
		return found, store.Translate(err)
	})
	if revision, ok := applied[c.ID]; ok {
		return &revision, err
	}
	return nil, err
}

// Undoes returns the change that this one undoes.
func (c *Change) Undoes(ctx context.Context) (*Change, error) {
	if _, err := c.Operations(ctx); err != nil {
		return nil, err
	}
	return one(ctx, c.in, c, "undoes", func(c *Change) *ident.ID {
		operations, err := c.Operations(ctx) // loaded
		if err != nil || len(operations) == 0 {
			return nil
		}
		return operations[0].UndoesID
	}, loadChanges)
}

// UndoneBy returns the change that undoes this one.
func (c *Change) UndoneBy(ctx context.Context) (*Change, error) {
	found, err := once(c.in, "undone by", func() (map[ident.ID]*Change, error) {
		undos, err := practice.Undos(ctx, c.in.reader.store.Show, c.in.ids((*Change).id)...)
		if err != nil {
			return nil, store.Translate(err)
		}
		undone := slices.Sorted(maps.Keys(undos))
		rows := make([]*ent.Change, len(undone))
		for i, id := range undone {
			rows[i] = undos[id]
		}
		shown, all := c.in.reader.wrapChanges(rows), make(map[ident.ID]*Change, len(rows))
		for i, id := range undone {
			all[id] = shown[i]
		}
		return all, nil
	})
	return found[c.ID], err
}
