package read

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
)

// shownBy names the fields of the contract that show a column. Such columns are read only for GraphQL operations that
// select one of the fields: most of the cost of reading a row is in its columns, above all JSON, times and texts.
// Columns that anything else here looks at are not in the table.
var shownBy = map[string]map[string][]string{
	ci.Table: {
		ci.FieldDescription: {"description"}, ci.FieldClassID: {"class", "claims"}, ci.FieldLifecycle: {"lifecycle"}, ci.FieldEnvironment: {"environment"},
		ci.FieldCriticality: {"criticality"}, ci.FieldVisibility: {"visibility"}, ci.FieldAttributes: {"attributes"}, ci.FieldLabels: {"labels"}, ci.FieldLocks: {"lockedFields", "claims"},
		ci.FieldTierID: {"tier"}, ci.FieldSupportTeamID: {"supportTeam"}, ci.FieldPortfolioStage: {"portfolioStage"}, ci.FieldCategory: {"category"},
		ci.FieldLinks: {"links"}, ci.FieldAvailabilityTarget: {"availabilityTarget"},
		ci.FieldVersion: {"version"}, ci.FieldCreatedAt: {"createdAt"}, ci.FieldUpdatedAt: {"updatedAt"},
	},
	ciclass.Table: {
		ciclass.FieldDescription: {"description"}, ciclass.FieldIcon: {"icon"}, ciclass.FieldAttributeSchema: {"attributeSchema"},
		ciclass.FieldIdentityRules: {"identityRules"}, ciclass.FieldVersion: {"version"},
	},
	relationship.Table: {
		relationship.FieldStrength: {"strength", "isStrengthOverridden"}, relationship.FieldAttributes: {"attributes"}, relationship.FieldReportedBy: {"reportedBy"},
		relationship.FieldEvidence: {"evidence"}, relationship.FieldVersion: {"version"}, relationship.FieldCreatedAt: {"createdAt"}, relationship.FieldUpdatedAt: {"updatedAt"},
	},
	relationshiptype.Table: {
		relationshiptype.FieldDescription: {"description"}, relationshiptype.FieldForwardLabel: {"forwardLabel"}, relationshiptype.FieldReverseLabel: {"reverseLabel"},
		relationshiptype.FieldAllowedPairs: {"allowedPairs"}, relationshiptype.FieldVersion: {"version"},
	},
}

// selected drops the columns of a statement that the GraphQL operation of ctx does not show, but for those that are
// needed. If the rows are only ever shown below some fields, fields elsewhere do not count.
func selected(ctx context.Context, needed []string, below ...string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if !graphql.HasOperationContext(ctx) {
			return
		}
		names := fieldNames(graphql.GetOperationContext(ctx).Doc, below...)
		var kept []string
		for _, column := range s.UnqualifiedColumns() {
			fields, ok := shownBy[s.TableName()][column]
			if !ok || slices.Contains(needed, column) || slices.ContainsFunc(fields, func(field string) bool { return names[field] }) {
				kept = append(kept, s.C(column))
			}
		}
		s.Select(kept...)
	}
}

// shows reports whether the GraphQL operation of ctx may show a field, on whatever type.
func shows(ctx context.Context, field string) bool {
	return !graphql.HasOperationContext(ctx) || fieldNames(graphql.GetOperationContext(ctx).Doc)[field]
}

// fieldNames returns the names of all fields of a document, on whatever type: of those below some fields, or of all.
func fieldNames(document *ast.QueryDocument, below ...string) map[string]bool {
	names := map[string]bool{}
	// A fragment is walked once for those below and once for the others: there may be exponentially many ways to it.
	walked := [2]map[string]bool{{}, {}}
	var walk func(set ast.SelectionSet, isBelow bool)
	walk = func(set ast.SelectionSet, isBelow bool) {
		for _, selection := range set {
			switch selection := selection.(type) {
			case *ast.Field:
				if isBelow {
					names[selection.Name] = true
				}
				walk(selection.SelectionSet, isBelow || slices.Contains(below, selection.Name))
			case *ast.InlineFragment:
				walk(selection.SelectionSet, isBelow)
			case *ast.FragmentSpread:
				seen := walked[0]
				if isBelow {
					seen = walked[1]
				}
				if fragment := document.Fragments.ForName(selection.Name); fragment != nil && !seen[selection.Name] {
					seen[selection.Name] = true
					walk(fragment.SelectionSet, isBelow)
				}
			}
		}
	}
	for _, operation := range document.Operations {
		walk(operation.SelectionSet, len(below) == 0)
	}
	return names
}
