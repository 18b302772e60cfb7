package read

import (
	"context"
	"io"
	"slices"

	"github.com/99designs/gqlgen/graphql"

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

// Representation is what another subgraph of a federation sends for a record of this one: its type and its key.
type Representation map[string]any

// UnmarshalGQL reads an object. Failures: errs.BadUserInput.
func (r *Representation) UnmarshalGQL(v any) error {
	object, ok := v.(map[string]any)
	if !ok {
		return errs.New(errs.BadUserInput, `a representation is an object, such as {__typename: "CI", id: "ci_1z"}`)
	}
	*r = object
	return nil
}

// MarshalGQL writes the object as JSON.
func (r Representation) MarshalGQL(w io.Writer) { graphql.MarshalMap(r).MarshalGQL(w) }

var entityKinds = map[string]ident.Kind{
	"CI": ident.CI, "Service": ident.Service, "Team": ident.Team, "Incident": ident.Incident, "Change": ident.Change,
}

// Entities returns the records that representations ({"__typename": "CI", "id": "ci_1z"}) stand for, in this order,
// with nil for each that is not found. It makes one statement for each type. It follows the subgraph specification of
// Apollo Federation 2.
func (r *Reader) Entities(ctx context.Context, representations []Representation) ([]Entity, error) {
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
