package change

import (
	"context"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// mostApplied is how many operations are done at once.
const mostApplied = 500

// ApplyOperations is operations to do now, without a change.
type ApplyOperations struct{ Operations []PlannedOperation }

// Done is what an operation has done.
type Done struct {
	Kind   domain.OperationKind
	Key    string
	Record ident.ID // what it created, changed, or took away
}

// ApplyOperations does operations of the kinds that changes plan in one revision: all of them or none. Each needs what
// its own verb needs.
func (p *Practice) ApplyOperations(ctx context.Context, in ApplyOperations) ([]Done, error) {
	asked, err := readOperations(in.Operations, mostApplied)
	if err == nil && len(asked) == 0 {
		err = errs.New(errs.Required, "there is no operation to do: write one at least").At("operations")
	}
	return auth.Write(ctx, p.store, "change.apply_operations", func(ctx context.Context, tx *store.Tx) ([]Done, error) {
		if err != nil {
			return nil, err
		}
		if err := mayApply(ctx, tx, asked); err != nil {
			return nil, err
		}
		if err := hold(ctx, tx, asked); err != nil {
			return nil, err
		}
		if err := base(ctx, tx, asked); err != nil {
			return nil, err
		}
		tx.Consent.Field, tx.Consent.Reason = []string{"operations", "0", form.ConsentField}, accepted(asked)
		created, err := run(ctx, tx, asked)
		if err != nil {
			return nil, err
		}
		all := make([]Done, len(asked))
		for i, o := range asked {
			all[i] = Done{o.Kind, o.Key, o.Record}
			if o.Record == 0 {
				all[i].Record = created[i]
			}
			if o.Kind == domain.RetireCI {
				path := []string{"operations", strconv.Itoa(i), memberOf(o.Kind).field}
				if err := tx.WarnUnder(func() error { return cmdb.WarnOfTickets(ctx, tx, o.Record) }, path...); err != nil {
					return nil, err
				}
			}
		}
		return all, nil
	})
}

// mayApply requires of each operation what its own verb does: a role, or that an owner owns what it is about.
func mayApply(ctx context.Context, tx *store.Tx, all []operation.Operation) error {
	if auth.IsFree(ctx) {
		return mayPlan(ctx, all)
	}
	id := func(o operation.Operation, field string) ident.ID { return operation.Reference(o.Planned[field], nil) }
	for i, o := range all {
		var err error
		switch o.Kind {
		case domain.CreateCI, domain.RetireCI:
			_, err = auth.Require(ctx, memberOf(o.Kind).verb)
		case domain.UpdateCI:
			err = cmdb.MayEdit(ctx, tx, o.Record, "id")
		case domain.RelateCIs:
			code, _ := o.Planned["type"].(string)
			err = cmdb.MayRelate(ctx, tx, cmdb.RelateCIs{Type: code, Source: id(o, "source"), Target: id(o, "target")})
		case domain.UnrelateCIs:
			err = cmdb.MayEditRelationship(ctx, tx, o.Record)
		case domain.CreateGroup:
			if err = cmdb.MayEdit(ctx, tx, id(o, "ci"), "ci"); err == nil {
				err = cmdb.MayGroup(ctx, tx, membersAsked(o))
			}
		case domain.UpdateGroup, domain.DeleteGroup:
			err = cmdb.MayEditGroup(ctx, tx, o.Record, membersAsked(o))
		}
		if err != nil {
			return within(err, "operations", strconv.Itoa(i), memberOf(o.Kind).field)
		}
	}
	return nil
}

// membersAsked returns the members that an operation gives a group, with the relationships that exist. If it gives
// none, it returns nil.
func membersAsked(o operation.Operation) []cmdb.GroupMember {
	if _, ok := o.Planned["members"]; !ok {
		return nil
	}
	all := []cmdb.GroupMember{}
	for _, m := range operation.Members(o.Planned["members"]) {
		all = append(all, cmdb.GroupMember{Relationship: operation.Reference(m.Relationship, nil)})
	}
	return all
}
