package conflict

import (
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
)

// Plan holds the operations of a change that have not been applied yet, and their time.
type Plan struct {
	Change     ident.ID
	Planned    recurrence.Span
	Operations []operation.Operation
}

// WithOperations finds the changes whose operations write the same fields of the same records as those of a change, to
// other values, whatever their times: the one that starts second finds that its base has changed, and is refused. The
// span is the time that both share, or the planned time of the later one. If one removes a record, the other cannot
// write to it at all.
func (f *Finder) WithOperations(mine Plan, others []Plan) (found []Conflict) {
	for _, theirs := range others {
		if theirs.Change == mine.Change {
			continue
		}
		fields := map[ident.ID][]string{}
		for _, a := range mine.Operations {
			for _, b := range theirs.Operations {
				if a.Record != 0 && a.Record == b.Record {
					if both := clash(a, b); len(both) > 0 {
						fields[a.Record] = both
					}
				}
			}
		}
		if len(fields) == 0 {
			continue
		}
		c := Conflict{Kind: domain.SameField, Other: theirs.Change, Span: mine.Planned, Count: len(fields)}
		switch {
		case mine.Planned.Overlaps(theirs.Planned):
			c.Span = mine.Planned.Common(theirs.Planned)
		case theirs.Planned.From.After(mine.Planned.From):
			c.Span = theirs.Planned
		}
		c.Record = slices.Min(slices.Collect(maps.Keys(fields)))
		c.Fields = fields[c.Record]
		c.CI = f.owner(c.Record)
		c.OtherCI = c.CI
		found = append(found, c)
	}
	slices.SortFunc(found, order)
	return found
}

// clash returns the fields of one record that two operations write, to different values.
func clash(a, b operation.Operation) []string {
	touched := func(o operation.Operation) []string {
		return slices.Concat(slices.Collect(maps.Keys(o.Planned)), slices.Collect(maps.Keys(o.Base)))
	}
	fields := touched(a)
	switch {
	case removes(a):
		fields = touched(b)
	case !removes(b):
		fields = slices.DeleteFunc(fields, func(field string) bool {
			return !slices.Contains(touched(b), field) || operation.Same(a.Planned[field], b.Planned[field])
		})
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

func removes(o operation.Operation) bool {
	return o.Kind == domain.RetireCI || o.Kind == domain.UnrelateCIs || o.Kind == domain.DeleteGroup
}

// owner returns the CI that a record belongs to: the source of a relationship, the dependent CI of a group.
func (f *Finder) owner(record ident.ID) ident.ID {
	switch record.Kind() { //nolint:exhaustive // operations are about no other kinds
	case ident.Relationship:
		r, _ := f.graph.Relationship(record)
		return r.Source
	case ident.DependencyGroup:
		g, _ := f.graph.Group(record)
		return g.Dependent
	}
	return record
}
