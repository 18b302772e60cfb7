package change

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
)

// mostOperations is how many operations a change plans.
const mostOperations = 100

// choice is one member of an input of which exactly one is given.
type choice struct {
	kind  domain.OperationKind
	field string // of the input
	verb  string // of the policy: an actor that plans it must be allowed to do it
	given bool
}

func (in PlannedOperation) choices() []choice {
	return []choice{
		{domain.CreateCI, "createCI", "ci.create", in.CreateCI != nil},
		{domain.UpdateCI, "updateCI", "ci.update", in.UpdateCI != nil},
		{domain.RetireCI, "retireCI", "ci.retire", in.RetireCI != nil},
		{domain.RelateCIs, "relateCIs", "relationship.create", in.RelateCIs != nil},
		{domain.UnrelateCIs, "unrelateCIs", "relationship.unrelate", in.UnrelateCIs != nil},
		{domain.CreateGroup, "createDependencyGroup", "dependency_group.create", in.CreateDependencyGroup != nil},
		{domain.UpdateGroup, "updateDependencyGroup", "dependency_group.update", in.UpdateDependencyGroup != nil},
		{domain.DeleteGroup, "deleteDependencyGroup", "dependency_group.delete", in.DeleteDependencyGroup != nil},
	}
}

// memberOf returns the field of the input that holds what an operation of a kind does.
func memberOf(kind domain.OperationKind) choice {
	all := PlannedOperation{}.choices()
	return all[slices.IndexFunc(all, func(c choice) bool { return c.kind == kind })]
}

// mayPlan requires what the operations' own verbs require.
func mayPlan(ctx context.Context, all []operation.Operation) error {
	for _, o := range all {
		if _, err := auth.Require(ctx, memberOf(o.Kind).verb); err != nil {
			return err
		}
	}
	return nil
}

// readOperations turns an input of at most so many into operations. All that is wrong with its form is said at once.
func readOperations(in []PlannedOperation, most int) ([]operation.Operation, error) {
	var f form.Form
	if !f.Most("operations", len(in), most) {
		return nil, f.Err()
	}
	r := operationReader{keys: map[string]domain.OperationKind{}, records: map[ident.ID]int{}}
	all := make([]operation.Operation, len(in))
	for i, one := range in {
		var inner form.Form
		all[i] = r.read(&inner, i, one)
		f.Fault(inner.Err(), "operations", strconv.Itoa(i))
	}
	return all, f.Err()
}

// operationReader knows what the operations so far create and change.
type operationReader struct {
	keys    map[string]domain.OperationKind
	records map[ident.ID]int
}

func (r *operationReader) read(f *form.Form, i int, in PlannedOperation) operation.Operation {
	o := operation.Operation{Planned: operation.Fields{}, Base: operation.Fields{}}
	given := slices.DeleteFunc(in.choices(), func(c choice) bool { return !c.given })
	if len(given) != 1 {
		f.Fault(errs.New(errs.Invalid, "%d operations are written here: write exactly one of createCI, updateCI, retireCI, relateCIs, unrelateCIs, createDependencyGroup, updateDependencyGroup and deleteDependencyGroup, and the next one beside it", len(given)))
		return o
	}
	o.Kind = given[0].kind
	var inner form.Form
	switch o.Kind {
	case domain.CreateCI:
		r.createCI(&inner, &o, in.CreateCI)
	case domain.UpdateCI:
		r.updateCI(&inner, &o, in.UpdateCI)
	case domain.RetireCI:
		o.Record, o.Planned["lifecycle"] = asCI(*in.RetireCI), string(domain.Retired)
		inner.Fault(form.Kind(o.Record, ident.CI))
	case domain.RelateCIs:
		r.relate(&inner, &o, in.RelateCIs)
	case domain.UnrelateCIs:
		o.Record = *in.UnrelateCIs
		inner.Fault(form.Kind(o.Record, ident.Relationship))
	case domain.CreateGroup:
		r.createGroup(&inner, &o, in.CreateDependencyGroup)
	case domain.UpdateGroup:
		r.updateGroup(&inner, &o, in.UpdateDependencyGroup)
	case domain.DeleteGroup:
		o.Record = *in.DeleteDependencyGroup
		inner.Fault(form.Kind(o.Record, ident.DependencyGroup))
	}
	f.Fault(inner.Err(), given[0].field)
	if before, ok := r.records[o.Record]; ok && o.Record != 0 {
		f.Fault(errs.New(errs.Invalid, "operation %d is about %s already: write all that happens to it as one operation", before, o.Record).At(given[0].field))
	}
	r.records[o.Record] = i
	var wrong error
	o.Consent, wrong = form.Consent(in.AcceptConsequences, form.ConsentField)
	f.Fault(wrong)
	r.key(f, &o, in.Key)
	return o
}

// key names what the operation creates.
func (r *operationReader) key(f *form.Form, o *operation.Operation, key *string) {
	if key == nil {
		return
	}
	o.Key = f.Text("key", *key, 1, ticket.LongestWord)
	if o.Record != 0 {
		f.Fault(errs.New(errs.Invalid, "this operation creates nothing that a key could name: leave the key out").At("key"))
	} else if _, ok := r.keys[o.Key]; ok {
		f.Fault(errs.New(errs.AlreadyExists, "an earlier operation creates %q: choose another key", o.Key).At("key"))
	}
	r.keys[o.Key] = o.Kind
}

func asCI(id ident.ID) ident.ID {
	if id.Kind() == ident.Service {
		return id.As(ident.CI)
	}
	return id
}

// reference returns how fields name a record, or what an operation before creates.
func (r *operationReader) reference(f *form.Form, field string, in PlannedRecord, kind ident.Kind, creates domain.OperationKind) string {
	switch {
	case (in.ID == nil) == (in.Key == nil):
		f.Fault(errs.New(errs.Required, "write either the id of what exists, or the key of an earlier operation").At(field))
	case in.ID != nil:
		id := *in.ID
		if kind == ident.CI {
			id = asCI(id)
		}
		f.Fault(form.Kind(id, kind, field, "id"))
		return id.String()
	case r.keys[*in.Key] != creates:
		f.Fault(errs.New(errs.NotFound, "no operation before this one creates %q: a key is named after the %s that has it", *in.Key, memberOf(creates).field).At(field, "key"))
	default:
		return operation.KeyMark + *in.Key
	}
	return ""
}

func (r *operationReader) createCI(f *form.Form, o *operation.Operation, in *PlannedCI) {
	o.Planned["class"], in.Fields.Name = in.Class, &in.Name
	for _, field := range cmdb.PlainFields {
		if operation.Plans(ident.CI, field.Name) {
			value, ok := field.Given(&in.Fields)
			if !ok {
				value = field.Default
			}
			o.Planned[field.Name] = value
		}
	}
	spread(f, o, "attributes", in.Attributes)
	spreadLabels(f, o, in.Labels)
}

func (r *operationReader) updateCI(f *form.Form, o *operation.Operation, in *PlannedCIUpdate) {
	o.Record = asCI(in.ID)
	f.Fault(form.Kind(o.Record, ident.CI, "id"))
	for _, field := range cmdb.PlainFields {
		if value, ok := field.Input(&in.FieldsInput, f); ok {
			o.Planned[field.Name] = value
		}
	}
	spread(f, o, "attributes", in.Attributes)
	spreadLabels(f, o, in.Labels)
	if len(o.Planned) == 0 && f.Err() == nil {
		f.Fault(errs.New(errs.Required, "nothing of %s is to change: name at least one field", o.Record))
	}
}

func (r *operationReader) relate(f *form.Form, o *operation.Operation, in *PlannedRelationship) {
	o.Planned["type"] = in.Type
	o.Planned["source"] = r.reference(f, "source", in.Source, ident.CI, domain.CreateCI)
	o.Planned["target"] = r.reference(f, "target", in.Target, ident.CI, domain.CreateCI)
	o.Planned["strength"] = nil
	if in.Strength != nil {
		o.Planned["strength"] = string(*in.Strength)
	}
	spread(f, o, "attributes", in.Attributes)
}

func (r *operationReader) createGroup(f *form.Form, o *operation.Operation, in *PlannedGroup) {
	o.Planned["ci"] = r.reference(f, "ci", in.Ci, ident.CI, domain.CreateCI)
	o.Planned["name"], o.Planned["mode"], o.Planned["threshold"] = in.Name, string(in.Mode), form.Or(in.Threshold, 0)
	o.Planned["members"] = r.members(f, in.Members)
}

func (r *operationReader) updateGroup(f *form.Form, o *operation.Operation, in *PlannedGroupUpdate) {
	o.Record = in.ID
	f.Fault(form.Kind(o.Record, ident.DependencyGroup, "id"))
	plan(f, o, "name", in.Name)
	plan(f, o, "mode", in.Mode)
	plan(f, o, "threshold", in.Threshold)
	if in.Members != nil {
		o.Planned["members"] = r.members(f, in.Members)
	}
	if len(o.Planned) == 0 && f.Err() == nil {
		f.Fault(errs.New(errs.Required, "nothing of %s is to change: name at least one field", o.Record))
	}
}

func (r *operationReader) members(f *form.Form, in []PlannedMember) []operation.Member {
	members := make([]operation.Member, len(in))
	for i, m := range in {
		var inner form.Form
		members[i] = operation.Member{
			Relationship: r.reference(&inner, "relationship", m.Relationship, ident.Relationship, domain.RelateCIs), Weight: form.Or(m.Weight, 1),
		}
		f.Fault(inner.Err(), "members", strconv.Itoa(i))
	}
	return members
}

// plan sets a field that cannot be cleared.
func plan[T any](f *form.Form, o *operation.Operation, field string, in graphql.Omittable[*T]) {
	switch value, ok := in.ValueOK(); {
	case !ok:
	case value == nil:
		f.Fault(errs.New(errs.Required, "%s cannot be cleared: write a value, or leave the field out", field).At(field))
	default:
		o.Planned[field] = simple(*value)
	}
}

// simple returns a value as JSON has it.
func simple(v any) any {
	switch v := v.(type) {
	case int, string:
		return v
	}
	return fmt.Sprint(v)
}

// spread sets a field for each name of a JSON object.
func spread(f *form.Form, o *operation.Operation, field string, in map[string]any) {
	plain, err := attribute.Plain(in)
	if all, ok := errs.All(err); ok {
		for _, e := range all {
			f.Fault(e.At(field))
		}
	} else if err != nil {
		f.Fault(errors.Join(err))
	}
	for name, value := range plain {
		if value != nil || o.Kind == domain.UpdateCI {
			o.Planned[field+"."+name] = value
		}
	}
}

// spreadLabels writes labels into the planned fields.
func spreadLabels(f *form.Form, o *operation.Operation, in []domain.LabelInput) {
	labels, err := cmdb.Labels(in)
	f.Fault(err)
	for name, value := range labels {
		switch {
		case value != nil:
			o.Planned["labels."+name] = *value
		case o.Kind == domain.UpdateCI:
			o.Planned["labels."+name] = nil
		}
	}
}
