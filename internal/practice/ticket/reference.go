package ticket

import (
	"context"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Reference checks that the record an input names is of a kind and exists; nil names none.
func Reference(ctx context.Context, tx *store.Tx, f *form.Form, field string, kind ident.Kind, id *ident.ID) *ident.ID {
	if id == nil {
		return nil
	}
	if err := form.Kind(*id, kind, field); err != nil {
		f.Fault(err)
		return id
	}
	_, err := tx.Client().Record(ctx, *id)
	switch {
	case ent.IsNotFound(err):
		f.Fault(form.Missing(*id, field))
	case err != nil:
		f.Fault(err)
	}
	return id
}

// ReferenceOr checks what an optional input names: if it is absent, what was stays, and null clears it.
func ReferenceOr(
	ctx context.Context, tx *store.Tx, f *form.Form, field string, kind ident.Kind, in graphql.Omittable[*ident.ID], was *ident.ID,
) *ident.ID {
	id, ok := in.ValueOK()
	if !ok || id != nil && was != nil && *id == *was {
		return was
	}
	return Reference(ctx, tx, f, field, kind, id)
}

// Teams returns a team that may be absent as a list.
func Teams(team *ident.ID) []ident.ID {
	if team == nil {
		return nil
	}
	return []ident.ID{*team}
}

// MostCIs is how many CIs a ticket may name.
const MostCIs = 1000

// CIs loads the CIs that an input list names, in its order and each once; a service is its CI. For an id with a fault,
// the record is nil. A CI that the actor may not see does not exist.
func CIs(ctx context.Context, tx *store.Tx, f *form.Form, field string, ids []ident.ID) []*ent.CI {
	records := make([]*ent.CI, len(ids))
	if !f.Most(field, len(ids), MostCIs) {
		return records
	}
	places := make(map[ident.ID]int, len(ids))
	var wanted []ident.ID
	for i, id := range ids {
		if id.Kind() == ident.Service {
			id = id.As(ident.CI)
		}
		if err := form.Kind(id, ident.CI, field, strconv.Itoa(i), "id"); err != nil {
			f.Fault(err)
			continue
		}
		if first, ok := places[id]; ok {
			f.Fault(errs.New(errs.Invalid, "%s is named twice: it is the CI at %d already", ids[i], first).At(field, strconv.Itoa(i), "id"))
			continue
		}
		places[id] = i
		wanted = append(wanted, id)
	}
	if len(wanted) == 0 {
		return records
	}
	found, err := tx.CI.Query().Where(ci.IDIn(wanted...)).All(ctx)
	if err != nil {
		f.Fault(err)
		return records
	}
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		f.Fault(err)
		return records
	}
	for _, c := range found {
		if !hidden[c.ID] {
			records[places[c.ID]] = c
		}
	}
	for _, id := range wanted {
		if i := places[id]; records[i] == nil {
			f.Fault(form.Missing(ids[i].As(ident.CI), field, strconv.Itoa(i), "id"))
		}
	}
	return records
}
