package read

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Entity is a record that other subgraphs of a federation extend.
type Entity interface {
	Node
	IsEntity()
}

// IsEntity marks records that other subgraphs extend.
func (*CI) IsEntity() {}

// IsEntity marks records that other subgraphs extend.
func (*Service) IsEntity() {}

// IsEntity marks records that other subgraphs extend.
func (*Team) IsEntity() {}

// IsEntity marks records that other subgraphs extend.
func (*Incident) IsEntity() {}

// IsEntity marks records that other subgraphs extend.
func (*Change) IsEntity() {}

var entityKinds = map[string]ident.Kind{
	"CI": ident.CI, "Service": ident.Service, "Team": ident.Team, "Incident": ident.Incident, "Change": ident.Change,
}

// Entities returns the records that representations ({"__typename": "CI", "id": "ci_1z"}) stand for, in this order,
// with nil for each that is not found. It makes one statement for each type. It follows the subgraph specification of
// Apollo Federation 2.
func (r *Reader) Entities(ctx context.Context, representations []map[string]any) ([]Entity, error) {
	if len(representations) > page.Max {
		return nil, errs.New(errs.BadUserInput, "representations lists %d: at most %d", len(representations), page.Max)
	}
	ids := make([]ident.ID, len(representations))
	for i, representation := range representations {
		name, _ := representation["__typename"].(string)
		kind, ok := entityKinds[name]
		if !ok {
			return nil, errs.New(errs.BadUserInput, "representations[%d] has a __typename without a key: types with one are CI, Service, Team, Incident and Change", i)
		}
		if err := ids[i].UnmarshalGQL(representation["id"]); err != nil || ids[i].Kind() != kind {
			return nil, errs.New(errs.BadUserInput, "representations[%d] has no id of a %s", i, name)
		}
	}
	found, err := r.nodes(ctx, slices.Compact(slices.Sorted(slices.Values(ids))))
	if err != nil {
		return nil, err
	}
	all := make([]Entity, len(ids))
	for i, id := range ids {
		all[i], _ = found[id].(Entity)
	}
	return all, nil
}
