package graph_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// TestAFieldShowsTheSameAloneAndWithAllOthers asks for each field by itself: only the columns that an operation shows
// are read, and one that is missing would show as empty.
func TestAFieldShowsTheSameAloneAndWithAllOthers(t *testing.T) {
	const cis, related = "{ cis(first: 100, orderBy: [{field: NAME}]) { nodes { %s } } }", "relationships(first: 3, direction: %s) { nodes { %%s } }"
	along := func(direction, shown string) string {
		return fmt.Sprintf(cis, fmt.Sprintf(fmt.Sprintf(related, direction), shown))
	}
	places := []struct{ of, operation string }{
		{"CI", cis},
		{"CI", "{ search(query: \"twin\", first: 100) { nodes { %s } } }"},
		{"CI", along("OUTGOING", "target { %s }")},
		{"CI", along("INCOMING", "source { %s }")},
		{"CI", along("BOTH", "source { name } other: target { %s } target { id }")},
		{"CI", along("BOTH", "source { relationships(first: 2) { nodes { target { %s } } } }")},
		{"Service", "{ services(first: 100, orderBy: [{field: NAME}]) { nodes { %s } } }"},
		{"Service", along("INCOMING", "source { service { %s } }")},
		{"Relationship", along("OUTGOING", "%s")},
		{"Relationship", along("BOTH", "id %s")},
		{"Relationship", fmt.Sprintf(cis, "dependencyGroups { members { relationship { %s } } }")},
		{"RelationshipType", along("OUTGOING", "type { %s }")},
		{"CIClass", fmt.Sprintf(cis, "class { %s }")},
		{"CIClass", fmt.Sprintf(cis, "class { parent { %s } }")},
	}
	onEstates(t, 6, func(t *testing.T, e *estate) {
		e.write(t, 0, func(ctx context.Context, tx *store.Tx) error {
			err := tx.CI.UpdateOneID(e.cis[1]).SetEnvironment(domain.Production).SetLifecycle(domain.Live).SetCriticality(domain.CriticalityHigh).
				SetLocks([]string{"name"}).SetVersion(7).SetCategory("retail").SetAvailabilityTarget(99.5).Exec(ctx)
			if err != nil {
				return err
			}
			odd := tx.Relationship.Query().Where(relationship.SourceID(e.cis[1])).FirstIDX(ctx)
			return tx.Relationship.UpdateOneID(odd).SetStrength(domain.Soft).SetReportedBy("scan").SetEvidence("seen").
				SetAttributes(map[string]any{"port": 443}).SetVersion(3).Exec(ctx)
		})
		for _, place := range places {
			fields := plainFields(place.of)
			all, _ := ask(t, e, fmt.Sprintf(place.operation, strings.Join(fields, " ")), nil, "ada")
			if answer, _ := all.(map[string]any); answer["errors"] != nil {
				t.Fatalf("%s\nis refused: %v", place.operation, answer["errors"])
			}
			for _, field := range fields {
				operation := fmt.Sprintf(place.operation, field)
				if alone, _ := ask(t, e, operation, nil, "ada"); !isPart(alone, all) {
					t.Errorf("%s\nanswers %v\nwhere with all others it is %v", operation, alone, all)
				}
			}
		}
	})
}

// TestAPageComesFromTheIndexWhereTheIndexHasIt reads two pages of a CI's relationships. If the index lacks a column,
// PostgreSQL might read and sort all rows of a hub, so their ids are picked first.
func TestAPageComesFromTheIndexWhereTheIndexHasIt(t *testing.T) {
	t.Parallel()
	e := newEstate(t, storetest.Postgres(t), 2)
	for shown, isFromIndex := range map[string]bool{"id type { code } target { name } strength": true, "id attributes": false} {
		_, statements := ask(t, e, fmt.Sprintf("{ cis { nodes { relationships(first: 2, direction: OUTGOING) { nodes { %s } } } } }", shown), nil, "ada")
		if got := strings.Contains(join(statements), "LATERAL"); got != isFromIndex {
			t.Errorf("a page of %q comes from the index alone: %t, want %t\n%s", shown, got, isFromIndex, join(statements))
		}
	}
}

// plainFields returns the fields of a type that need no arguments and show a value or a record.
func plainFields(name string) (fields []string) {
	schema := contract()
	for _, field := range schema.Types[name].Fields {
		if strings.HasPrefix(field.Name, "__") || len(field.Arguments) > 0 {
			continue
		}
		if of := schema.Types[field.Type.Name()]; of.IsLeafType() {
			fields = append(fields, field.Name)
		} else if of.Kind == ast.Object && of.Fields.ForName("id") != nil {
			fields = append(fields, field.Name+" { id }")
		}
	}
	return fields
}

// isPart reports whether an answer shows nothing that another does not show in the same place.
func isPart(part, whole any) bool {
	switch part := part.(type) {
	case map[string]any:
		other, ok := whole.(map[string]any)
		for name, value := range part {
			ok = ok && isPart(value, other[name])
		}
		return ok
	case []any:
		other, ok := whole.([]any)
		ok = ok && len(part) == len(other)
		for i := range part {
			ok = ok && isPart(part[i], other[i])
		}
		return ok
	default:
		return reflect.DeepEqual(part, whole)
	}
}
