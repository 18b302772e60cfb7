// Package reconcile decides what is true of a record that several sources report. A value is a function of the claims
// alone: the order in which sources are read does not matter, reading one again changes nothing, and two sources never
// take turns.
package reconcile

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Claim is what a source last said of one record.
type Claim struct {
	Source string
	Key    string // of the record in the source
	// Since numbers the run that brought the claim first: of two claims that are worth the same, the older one stands.
	Since int64
	// IsStale says that the source has not been read for longer than it is to be believed, or has lost the record.
	IsStale bool
	// Fields are the values by name. A nil value says that there is none, which counts like a value; what is absent is
	// not reported.
	Fields map[string]any
}

// Value is what claims make of a field.
type Value struct {
	Value any
	// Of is the claim that the value is of.
	Of *Claim
	// Against are the claims that report another value, the weightiest first.
	Against []*Claim
}

// Priorities says how much a source is worth for a field. The higher one wins.
type Priorities func(source, field string) int

// Effective returns the value of each field that a claim reports: of the fresh claims the one of the highest priority,
// of equals the older one, then the one whose source's name, and then whose key, comes first. If none is fresh, the
// weightiest stale one stands. It takes the time of sorting the claims of each field.
func Effective(claims []Claim, worth Priorities) map[string]Value {
	byField := map[string][]*Claim{}
	for i := range claims {
		for field := range claims[i].Fields {
			byField[field] = append(byField[field], &claims[i])
		}
	}
	values := make(map[string]Value, len(byField))
	for field, all := range byField {
		slices.SortFunc(all, func(a, b *Claim) int { return compare(a, b, field, worth) })
		v := Value{Value: all[0].Fields[field], Of: all[0]}
		for _, other := range all[1:] {
			if !reflect.DeepEqual(other.Fields[field], v.Value) {
				v.Against = append(v.Against, other)
			}
		}
		values[field] = v
	}
	return values
}

// compare orders claims of a field, the weightiest first.
func compare(a, b *Claim, field string, worth Priorities) int {
	return cmp.Or(
		compareBool(a.IsStale, b.IsStale),
		cmp.Compare(worth(b.Source, field), worth(a.Source, field)),
		cmp.Compare(a.Since, b.Since),
		strings.Compare(a.Source, b.Source),
		strings.Compare(a.Key, b.Key),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// Fields returns the names of fields, sorted.
func Fields(values map[string]Value) []string { return slices.Sorted(maps.Keys(values)) }
