// Package lifecycle owns the state tables: which states a record can go through, by which mutation, and what
// that needs. It decides from the tables alone; what else a record lacks is for its practice to say.
package lifecycle

import (
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Table is a state machine of one kind of record, one row for each move.
type Table[S ~string] struct {
	noun string // "an incident"
	rows []row[S]
}

// row reads: from this state to that one, by this mutation, which needs these.
type row[S ~string] struct {
	from, to S
	verb     string
	requires []string
}

// Transition is one thing that can be done with a record next.
type Transition[S ~string] struct {
	// To is the state it would be in.
	To S
	// Verb is the GraphQL mutation that does it.
	Verb string
	// Requires names what the mutation or the record has to say for it, as the API spells it.
	Requires []string
}

// Mutation returns the Verb, under the name the API has for it.
func (t Transition[S]) Mutation() string { return t.Verb }

// Next lists what can be done with a record in a state, in the order of the table. It is empty, never nil, at the end
// of the road.
func (t Table[S]) Next(from S) []Transition[S] {
	next := []Transition[S]{}
	for _, r := range t.rows {
		if r.from == from {
			next = append(next, Transition[S]{To: r.to, Verb: r.verb, Requires: append([]string{}, r.requires...)})
		}
	}
	return next
}

// Check returns nil when some mutation leads from one state to the other, else errs.TransitionRefused.
func (t Table[S]) Check(from, to S) error {
	for _, r := range t.rows {
		if r.from == from && r.to == to {
			return nil
		}
	}
	return errs.New(errs.TransitionRefused, "%s cannot go from %s to %s: %s", t.noun, from, to, t.possible(from))
}

// Move gives the state a mutation leads to. Where it does not apply, errs.TransitionRefused says from where it would,
// what is possible instead, and how to come to where it leads; its field is id, by which the mutation names the record.
func (t Table[S]) Move(from S, verb string) (to S, err error) {
	for _, r := range t.rows {
		if r.from == from && r.verb == verb {
			return r.to, nil
		}
	}
	var sources []string
	for _, r := range t.rows {
		if r.verb == verb && !slices.Contains(sources, string(r.from)) {
			sources = append(sources, string(r.from))
		}
	}
	where := verb + " does not apply to " + t.noun
	if len(sources) > 0 {
		where = verb + " applies to " + t.noun + " that is " + orList(sources)
	}
	return "", errs.New(errs.TransitionRefused, "%s; this one is %s: %s%s", where, from, t.possible(from), t.towards(from, verb)).At("id")
}

// towards says in words how a record comes from a state to where a mutation leads, the shortest way; "" where there is
// none.
func (t Table[S]) towards(from S, verb string) string {
	leads := func(to S) bool {
		return slices.ContainsFunc(t.rows, func(r row[S]) bool { return r.verb == verb && r.to == to })
	}
	if leads(from) {
		return "; it is already where " + verb + " leads"
	}
	type place struct {
		at S
		by []string
	}
	seen, places := []S{from}, []place{{at: from}}
	for i := 0; i < len(places); i++ {
		for _, r := range t.rows {
			if r.from != places[i].at || slices.Contains(seen, r.to) {
				continue
			}
			by := append(slices.Clone(places[i].by), r.verb)
			if leads(r.to) {
				return "; the way to " + string(r.to) + " is " + strings.Join(by, ", then ")
			}
			seen, places = append(seen, r.to), append(places, place{r.to, by})
		}
	}
	return ""
}

// possible says in words what can be done from a state.
func (t Table[S]) possible(from S) string {
	var ways []string
	for _, r := range t.rows {
		if r.from == from {
			ways = append(ways, string(r.to)+" by "+r.verb)
		}
	}
	if len(ways) == 0 {
		return "from " + string(from) + " it goes nowhere"
	}
	return "from " + string(from) + " it can go to " + orList(ways)
}

func orList(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
