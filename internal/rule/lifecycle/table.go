// Package lifecycle owns the state tables: the states of a record, the mutations that lead from one to the other, and
// what these require. It decides from the tables alone; other requirements are those of the record's practice.
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

// row is a move from one state to another by a mutation, with the fields it requires.
type row[S ~string] struct {
	from, to S
	verb     string
	requires []string
}

// Transition is a move that a record can take next.
type Transition[S ~string] struct {
	// To is the state of the record afterwards.
	To S
	// Verb is the GraphQL mutation that does it.
	Verb string
	// Requires names the fields that the mutation or the record must have, as the API spells them.
	Requires []string
}

// Mutation returns Verb, under the name it has in the API.
func (t Transition[S]) Mutation() string { return t.Verb }

// Next lists the transitions of a record in a state, in the order of the table. In a final state the list is empty, but
// not nil.
func (t Table[S]) Next(from S) []Transition[S] {
	next := []Transition[S]{}
	for _, r := range t.rows {
		if r.from == from {
			next = append(next, Transition[S]{To: r.to, Verb: r.verb, Requires: append([]string{}, r.requires...)})
		}
	}
	return next
}

// Check returns errs.TransitionRefused if no mutation leads from one state to the other.
func (t Table[S]) Check(from, to S) error {
	for _, r := range t.rows {
		if r.from == from && r.to == to {
			return nil
		}
	}
	return errs.New(errs.TransitionRefused, "%s cannot go from %s to %s: %s", t.noun, from, to, t.possible(from))
}

// Move returns the state that a mutation leads to. If the mutation does not apply, it returns errs.TransitionRefused,
// which names the states in which it does, the mutations that are possible instead, and the way to the mutation's
// target; its field is id, by which the mutation names the record.
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

// towards describes the shortest way of a record from a state to the target of a mutation. If there is none, it returns
// "".
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

// possible lists in words the mutations that are possible in a state.
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
