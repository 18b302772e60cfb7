package change

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// hold keeps others from writing what the operations change.
func hold(ctx context.Context, tx *store.Tx, all []operation.Operation) error {
	ids := make([]ident.ID, len(all))
	for i, o := range all {
		ids[i] = o.Record
	}
	return cmdb.Hold(ctx, tx, ids)
}

// run carries operations out, one after the other, as the verbs of the cmdb do, and gives what each created. It ends at
// the first that is refused.
func run(ctx context.Context, tx *store.Tx, all []operation.Operation) ([]ident.ID, error) {
	created, keys := make([]ident.ID, len(all)), map[string]ident.ID{}
	for i, o := range all {
		path := []string{"operations", strconv.Itoa(i), memberOf(o.Kind).field}
		var id ident.ID
		err := tx.WarnUnder(func() (err error) {
			id, err = perform(ctx, tx, o, keys)
			return err
		}, path...)
		if err != nil {
			return nil, within(err, path...)
		}
		created[i] = id
		if o.Key != "" {
			keys[o.Key] = id
		}
	}
	return created, nil
}

// within puts all failures joined in err below a path.
func within(err error, path ...string) error {
	all, ok := errs.All(err)
	if !ok {
		return err
	}
	var f form.Form
	for _, e := range all {
		f.Fault(e.At(path...))
	}
	return f.Err()
}

func perform(ctx context.Context, tx *store.Tx, o operation.Operation, keys map[string]ident.ID) (ident.ID, error) {
	switch o.Kind {
	case domain.CreateCI:
		var row cmdb.NewCI
		if err := decode(o.Planned, &row); err != nil {
			return 0, err
		}
		labels, err := cmdb.Labels(labelsOf(o))
		if err != nil {
			return 0, err
		}
		row.Attributes, row.Labels = operation.Below(o.Planned, "attributes"), cmdb.Present(labels)
		return idOf(cmdb.CreateByPerson(ctx, tx, row, nil, nil))
	case domain.UpdateCI:
		ch := cmdb.CIChange{Restores: o.Undoes != 0}
		if err := decode(o.Planned, &ch); err != nil {
			return 0, err
		}
		ch.ID, ch.Attributes = o.Record, operation.Below(o.Planned, "attributes")
		if err := ch.SetLabels(labelsOf(o), false); err != nil {
			return 0, err
		}
		return idOf(cmdb.UpdateByPerson(ctx, tx, ch, nil))
	case domain.RetireCI:
		return idOf(cmdb.RetireByPerson(ctx, tx, cmdb.RetireCI{ID: o.Record}))
	case domain.RelateCIs:
		var row cmdb.NewRelationship
		if err := decode(without(o.Planned, "source", "target"), &row); err != nil {
			return 0, err
		}
		row.Source, row.Target = operation.Reference(o.Planned["source"], keys), operation.Reference(o.Planned["target"], keys)
		row.Attributes, row.Restores = operation.Below(o.Planned, "attributes"), o.Record
		record, err := cmdb.RelateByPerson(ctx, tx, row)
		if err != nil {
			return 0, err
		}
		return record.ID, nil
	case domain.UnrelateCIs:
		return 0, cmdb.UnrelateTx(ctx, tx, []ident.ID{o.Record})
	case domain.CreateGroup:
		var row cmdb.NewGroup
		if err := decode(without(o.Planned, "ci", "members"), &row); err != nil {
			return 0, err
		}
		row.CI, row.Members, row.Restores = operation.Reference(o.Planned["ci"], keys), members(o, keys), o.Record
		record, err := cmdb.CreateGroupByPerson(ctx, tx, row)
		if err != nil {
			return 0, err
		}
		return record.ID, nil
	case domain.UpdateGroup:
		ch := cmdb.GroupChange{Restores: o.Undoes != 0}
		if err := decode(without(o.Planned, "members"), &ch); err != nil {
			return 0, err
		}
		ch.ID = o.Record
		if _, ok := o.Planned["members"]; ok {
			ch.Members = members(o, keys)
		}
		_, err := cmdb.UpdateGroupByPerson(ctx, tx, ch)
		return 0, err
	case domain.DeleteGroup:
		return 0, cmdb.DeleteGroupsTx(ctx, tx, []ident.ID{o.Record})
	}
	return 0, errs.New(errs.Internal, "an operation of the unknown kind %q", string(o.Kind))
}

// labelsOf returns the labels that an operation sets or removes.
func labelsOf(o operation.Operation) []domain.LabelInput {
	planned := operation.Below(o.Planned, "labels")
	all := make([]domain.LabelInput, 0, len(planned))
	for _, name := range slices.Sorted(maps.Keys(planned)) {
		label := domain.LabelInput{Name: name}
		if text, ok := planned[name].(string); ok {
			label.Value = &text
		}
		all = append(all, label)
	}
	return all
}

func idOf(c *ent.CI, err error) (ident.ID, error) {
	if err != nil {
		return 0, err
	}
	return c.ID, nil
}

// members returns the members of a group as rows have them. A weight of 0 would stand for "not said".
func members(o operation.Operation, keys map[string]ident.ID) []domain.GroupMember {
	all := []domain.GroupMember{}
	for _, m := range operation.Members(o.Planned["members"]) {
		if m.Weight == 0 {
			m.Weight = -1
		}
		all = append(all, domain.GroupMember{Relationship: operation.Reference(m.Relationship, keys), Weight: m.Weight})
	}
	return all
}

// decode reads fields into a row; those with a dot are left to the caller.
func decode(fields operation.Fields, row any) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, row)
}

func without(fields operation.Fields, names ...string) operation.Fields {
	rest := make(operation.Fields, len(fields))
	for name, value := range fields {
		rest[name] = value
	}
	for _, name := range names {
		delete(rest, name)
	}
	return rest
}
