package read

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
)

// shownBy names the one field of the contract that shows a column. Such columns are read only for operations that
// select the field: most of the cost of reading a row is in its JSON, its times and its texts. Columns that anything
// else here looks at are not in the table.
var shownBy = map[string]map[string]string{
	ci.Table: {
		ci.FieldDescription: "description", ci.FieldCriticality: "criticality", ci.FieldVisibility: "visibility", ci.FieldAttributes: "attributes", ci.FieldLabels: "labels", ci.FieldLocks: "lockedFields",
		ci.FieldPortfolioStage: "portfolioStage", ci.FieldCategory: "category", ci.FieldLinks: "links", ci.FieldAvailabilityTarget: "availabilityTarget",
		ci.FieldVersion: "version", ci.FieldCreatedAt: "createdAt", ci.FieldUpdatedAt: "updatedAt",
	},
	relationship.Table: {
		relationship.FieldAttributes: "attributes", relationship.FieldReportedBy: "reportedBy", relationship.FieldEvidence: "evidence",
		relationship.FieldVersion: "version", relationship.FieldCreatedAt: "createdAt", relationship.FieldUpdatedAt: "updatedAt",
	},
}

// selected drops the columns of a statement that the operation of ctx does not show and the order does not need.
func selected[E any](ctx context.Context, o order[E]) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if !graphql.HasOperationContext(ctx) {
			return
		}
		names := fieldNames(graphql.GetOperationContext(ctx).Doc)
		var kept []string
		for _, column := range s.UnqualifiedColumns() {
			field, isOptional := shownBy[s.TableName()][column]
			isOrder := slices.ContainsFunc(o, func(t term[E]) bool { return t.column == column })
			if !isOptional || isOrder || names[field] {
				kept = append(kept, s.C(column))
			}
		}
		s.Select(kept...)
	}
}

// shows reports whether the operation of ctx may show a field, on whatever type.
func shows(ctx context.Context, field string) bool {
	return !graphql.HasOperationContext(ctx) || fieldNames(graphql.GetOperationContext(ctx).Doc)[field]
}

// fieldNames are the names of all fields of a document, on whatever type.
func fieldNames(document *ast.QueryDocument) map[string]bool {
	names := map[string]bool{}
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch selection := selection.(type) {
			case *ast.Field:
				names[selection.Name] = true
				walk(selection.SelectionSet)
			case *ast.InlineFragment:
				walk(selection.SelectionSet)
			}
		}
	}
	for _, operation := range document.Operations {
		walk(operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		walk(fragment.SelectionSet)
	}
	return names
}
