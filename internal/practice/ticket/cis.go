package ticket

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// enum is an enumeration of the contract.
type enum interface {
	~string
	Values() []string
}

// named is a CI and its role, as the inputs of every practice say them.
type named[R enum] struct {
	ID   ident.ID
	Role R
}

// Named gives the CIs that an input names in roles; services become their CIs. A retired CI has no part in the role
// living, unless it had it before: refusal says so. CIs that were named before and that the actor may not see stay
// named.
func Named[C ~struct {
	ID   ident.ID
	Role R
}, R enum](ctx context.Context, tx *store.Tx, f *form.Form, field string, said, before []C, living R, refusal string) []C {
	ids := make([]ident.ID, len(said))
	for i, c := range said {
		ids[i] = named[R](c).ID
		var one form.Form
		form.OneOf(&one, "role", named[R](c).Role)
		f.Fault(one.Err(), field, strconv.Itoa(i))
	}
	var all []C
	for i, record := range CIs(ctx, tx, f, field, ids) {
		if record == nil {
			continue
		}
		c := named[R]{record.ID, named[R](said[i]).Role}
		stays := slices.ContainsFunc(before, func(was C) bool { return named[R](was) == c })
		if record.Lifecycle == domain.Retired && c.Role == living && !stays {
			f.Fault(errs.New(errs.Invalid, "%s is retired: %s", record.Name, refusal).At(field, strconv.Itoa(i), "id"))
		}
		all = append(all, C(c))
	}
	if len(before) == 0 {
		return all
	}
	hidden, err := sight.Within(ctx, tx.Client())
	f.Fault(err)
	for _, c := range before {
		if hidden[named[R](c).ID] {
			all = append(all, c)
		}
	}
	return all
}

// Same reports whether two lists name the same CIs in the same roles. Each names a CI once.
func Same[C comparable](a, b []C) bool {
	in := func(all []C) map[C]bool {
		set := make(map[C]bool, len(all))
		for _, c := range all {
			set[c] = true
		}
		return set
	}
	return maps.Equal(in(a), in(b))
}

// Link writes the difference between the rows by which a ticket names CIs, which say before, and what they are to say.
func Link[Row any, C ~struct {
	ID   ident.ID
	Role R
}, R enum](rows []Row, before, now []C, remove func(Row) error, set func(Row, R) error, add func([]C) error) error {
	wanted := make(map[ident.ID]R, len(now))
	for _, c := range now {
		wanted[named[R](c).ID] = named[R](c).Role
	}
	for i, row := range rows {
		was := named[R](before[i])
		role, ok := wanted[was.ID]
		delete(wanted, was.ID)
		var err error
		switch {
		case !ok:
			err = remove(row)
		case role != was.Role:
			err = set(row, role)
		}
		if err != nil {
			return err
		}
	}
	fresh := slices.DeleteFunc(slices.Clone(now), func(c C) bool {
		_, ok := wanted[named[R](c).ID]
		return !ok
	})
	if len(fresh) == 0 {
		return nil
	}
	return add(fresh)
}
