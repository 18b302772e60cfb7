// Package operation decides about planned operations of a change: the fields they touch, those that somebody else
// changed meanwhile, the operations that undo them, and the graph with them applied. It does no I/O.
package operation

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Fields are the fields of a record by name: "name", "attributes.cpu", "labels.team". A missing field is nil. A
// reference is an id as text, or KeyMark and the key of the operation that creates the record.
type Fields = map[string]any

// KeyMark begins the reference to a record that an operation creates.
const KeyMark = "#"

// Operation is one planned operation of a change on the graph.
type Operation struct {
	Kind   domain.OperationKind `json:"kind"`
	Key    string               `json:"key,omitempty"`   // names the record it creates
	Record ident.ID             `json:"record,omitzero"` // the record it changes, removes or brings back; 0 for a new one
	Undoes ident.ID             `json:"undoes,omitzero"` // the change that it takes back a step of, which it restores; 0 for none
	// Planned and Base are the touched fields, as they are to be and as they were when the operation was planned. If
	// the operation removes a record, Base is all of it.
	Planned      Fields `json:"planned"`
	Base         Fields `json:"base,omitempty"`
	BaseRevision int64  `json:"baseRevision,omitzero"`
	// Consent is why it is accepted if the operations take something DOWN; "": it is not.
	Consent string `json:"consent,omitempty"`
}

// Does reports whether two operations do the same, whatever their Base.
func (o Operation) Does(same Operation) bool {
	return o.Kind == same.Kind && o.Key == same.Key && o.Record == same.Record && o.Undoes == same.Undoes && o.Consent == same.Consent && Same(o.Planned, same.Planned)
}

// Conflict is a field whose value is neither that of the Base nor the planned one.
type Conflict struct {
	Field                 string
	Base, Present, Wanted any
}

// Conflicts lists the fields that somebody changed since the operation was planned. Present is the record as it is now,
// or nil if it is gone. A field that has the planned value already is no conflict.
func (o Operation) Conflicts(present Fields) (all []Conflict) {
	for _, field := range slices.Sorted(maps.Keys(o.Base)) {
		now := present[field]
		if !Same(now, o.Base[field]) && (!Same(now, o.Planned[field]) || present == nil) {
			all = append(all, Conflict{field, o.Base[field], now, o.Planned[field]})
		}
	}
	return all
}

// Same reports whether two values are the same as JSON.
func Same(a, b any) bool {
	left, err := json.Marshal(a)
	right, wrong := json.Marshal(b)
	return err == nil && wrong == nil && string(left) == string(right)
}

// columns maps the columns of a kind's records to fields.
var columns = map[ident.Kind]map[string]string{
	ident.CI: {
		"name": "name", "description": "description", "lifecycle": "lifecycle", "environment": "environment", "criticality": "criticality",
	},
	ident.Relationship: {
		"type_id": "type", "source_id": "source", "target_id": "target", "strength": "strength", "reported_by": "reportedBy", "evidence": "evidence",
	},
	ident.DependencyGroup: {"ci_id": "ci", "name": "name", "mode": "mode", "threshold": "threshold", "members": "members"},
}

// Plans reports whether operations plan a field of a kind's records.
func Plans(kind ident.Kind, field string) bool {
	for _, planned := range columns[kind] {
		if planned == field {
			return true
		}
	}
	return false
}

// absent are the values of columns that a record leaves out if they are empty.
var absent = Fields{"description": "", "evidence": "", "threshold": 0}

// Flat returns a stored record as fields, or nil if there is none. Types are named by codeOf.
func Flat(kind ident.Kind, record map[string]any, codeOf func(ident.ID) string) Fields {
	if record == nil {
		return nil
	}
	flat := Fields{}
	for column, field := range columns[kind] {
		value, ok := record[column]
		if !ok {
			value = absent[field]
		}
		if text, ok := value.(string); ok && field == "type" {
			if id, err := ident.Parse(text); err == nil {
				value = codeOf(id)
			}
		}
		flat[field] = value
	}
	for _, column := range []string{"attributes", "labels"} {
		values, _ := record[column].(map[string]any)
		for name, value := range values {
			flat[column+"."+name] = value
		}
	}
	return flat
}

// Written is one write of a revision to a record, as in the journal.
type Written struct {
	Record        ident.ID
	Operation     domain.Operation
	Before, After map[string]any
}

// sides returns the record before and after, both whole.
func (w Written) sides(codeOf func(ident.ID) string) (before, after Fields) {
	whole := w.Before
	if w.Operation == domain.Updated {
		whole = maps.Clone(w.After)
		maps.Copy(whole, w.Before)
	}
	return Flat(w.Record.Kind(), whole, codeOf), Flat(w.Record.Kind(), w.After, codeOf)
}

// Wrote reports whether a field changed.
func (w Written) Wrote(field string, codeOf func(ident.ID) string) bool {
	before, after := w.sides(codeOf)
	return !Same(before[field], after[field])
}

// Inverse returns the operations that undo the revision that applied a change, from its last write to its first, so
// that each step is taken back from the state it led to. Created records are retired or removed, and removed records
// come back under their ids.
func Inverse(written []Written, change ident.ID, revision int64, codeOf func(ident.ID) string) (all []Operation) {
	for _, w := range slices.Backward(written) {
		kinds, ok := inverses[w.Record.Kind()]
		if !ok {
			continue
		}
		before, after := w.sides(codeOf)
		o := Operation{Kind: kinds[w.Operation], Record: w.Record, Undoes: change, Planned: Fields{}, Base: Fields{}, BaseRevision: revision}
		switch o.Kind {
		case domain.UpdateCI, domain.UpdateGroup:
			for field := range union(before, after) {
				if !Same(before[field], after[field]) {
					o.Planned[field], o.Base[field] = before[field], after[field]
				}
			}
			if len(o.Base) == 0 {
				continue // operations touch no field of it
			}
		case domain.RetireCI:
			o.Planned["lifecycle"], o.Base["lifecycle"] = string(domain.Retired), after["lifecycle"]
		case domain.RelateCIs, domain.CreateGroup:
			o.Planned = before
		default:
			o.Base = after
		}
		if o.Kind != "" {
			all = append(all, o)
		}
	}
	return all
}

var inverses = map[ident.Kind]map[domain.Operation]domain.OperationKind{
	ident.CI:              {domain.Created: domain.RetireCI, domain.Updated: domain.UpdateCI},
	ident.Relationship:    {domain.Created: domain.UnrelateCIs, domain.Deleted: domain.RelateCIs},
	ident.DependencyGroup: {domain.Created: domain.DeleteGroup, domain.Updated: domain.UpdateGroup, domain.Deleted: domain.CreateGroup},
}

func union(a, b Fields) map[string]bool {
	names := make(map[string]bool, len(a)+len(b))
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	return names
}

// Below returns the fields under a name by the rest of their names: those of "attributes" for "attributes.cpu".
func Below(fields Fields, name string) map[string]any {
	below := map[string]any{}
	for field, value := range fields {
		if rest, ok := strings.CutPrefix(field, name+"."); ok {
			below[rest] = value
		}
	}
	return below
}
