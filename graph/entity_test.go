package graph_test

import (
	"slices"
	"testing"
)

const entities = `query($of: [_Any!]!) { _entities(representations: $of) { __typename
	... on CI { id owner { name } } ... on Service { id ci { name owner { name } } } ... on Team { id members { nodes { name } } } } }`

func TestEntitiesLoadTogether(t *testing.T) {
	onEstates(t, 40, func(t *testing.T, e *estate) {
		team := object{"__typename": "Team", "id": e.team}
		few, many := []any{team}, []any{team}
		for i, ci := range e.cis {
			representation := object{"__typename": "CI", "id": ci}
			if many = append(many, representation); i < 2 {
				few = append(few, representation)
			}
		}
		slices.Reverse(many)
		_, little := ask(t, e, entities, object{"of": few}, "")
		got, much := ask(t, e, entities, object{"of": many}, "")
		if firstCode(got) != "" {
			t.Fatal(got)
		}
		if len(much) > len(little) {
			t.Errorf("%d statements for %d entities, %d for %d:\n%s", len(little), len(few), len(much), len(many), join(much))
		}
		found, _ := got.(object)["data"].(object)["_entities"].([]any)
		if len(found) != len(many) {
			t.Fatalf("%d entities of %d", len(found), len(many))
		}
		for i, one := range found {
			if one.(object)["__typename"] != many[i].(object)["__typename"] {
				t.Errorf("entity %d: %v for %v", i, one, many[i])
			}
		}
	})
}

func TestARepresentationIsAnObject(t *testing.T) {
	onEstates(t, 1, func(t *testing.T, e *estate) {
		for _, wrong := range []any{"CI", 1.0, []any{object{"__typename": "CI", "id": e.cis[0]}}} {
			got, _ := ask(t, e, entities, object{"of": []any{wrong}}, "")
			if firstCode(got) != "BAD_USER_INPUT" {
				t.Errorf("%v: %v", wrong, got)
			}
		}
	})
}
