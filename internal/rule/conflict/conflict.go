// Package conflict decides which planned changes are in each other's way, and in the way of windows: it compares what they
// touch, what they could harm through the graph, and when. It does no I/O, and it does not know how windows recur.
package conflict

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
)

// Change is a planned change: what it touches, and when.
type Change struct {
	ID       ident.ID
	Planned  recurrence.Span
	Assignee ident.ID // 0: nobody
	Scope    []CI
	// Operations are what it is going to do to the relationships and groups of the graph, as far as that is still a plan.
	Operations []operation.Operation
}

// Plan adds an operation that is still a plan, unless it does nothing to how failure spreads. One that retires a CI is in the scope: see Touch.
func (c *Change) Plan(o operation.Operation) {
	_, isMoved := o.Planned["lifecycle"]
	if o.Kind == domain.UpdateCI && !isMoved || o.Kind == domain.RetireCI {
		return
	}
	c.Operations = append(c.Operations, o)
}

// CI is a CI that a change touches. One that is taken down is DOWN meanwhile; another keeps working if all goes well.
type CI struct {
	ID          ident.ID
	IsTakenDown bool
}

// Touch adds to a scope what an operation does to a CI: one that is retired is DOWN from then on.
func (c *Change) Touch(ci ident.ID, isTakenDown bool) {
	for i := range c.Scope {
		if c.Scope[i].ID == ci {
			c.Scope[i].IsTakenDown = c.Scope[i].IsTakenDown || isTakenDown
			return
		}
	}
	c.Scope = append(c.Scope, CI{ci, isTakenDown})
}

// Window is a blackout or a maintenance window.
type Window struct {
	ID          ident.ID
	Kind        domain.WindowKind
	Occurrences []recurrence.Span      // those that overlap the change, by their beginning
	Holds       func(ci ident.ID) bool // for which CIs
}

// Conflict is one way in which a change is in the way of another, or of a window.
type Conflict struct {
	Kind  domain.ConflictKind
	Other ident.ID        // the other change, or the window
	Span  recurrence.Span // when: what both share; for OUTSIDE_MAINTENANCE_WINDOW the first time that no window covers
	// CI is touched by the change, OtherCI by the other change; where windows are concerned, OtherCI is the CI whose window it
	// is. They are the nearest two of Count such. 0 for ASSIGNEE_DOUBLE_BOOKED.
	CI, OtherCI ident.ID
	Count       int
	State       impact.State  // what OtherCI would be in if CI failed; for UPSTREAM the other way round; for JOINT_FAILURE Down
	Path        []impact.Step // from the one that harms to the one that suffers; for JOINT_FAILURE from CI to where redundancy breaks
	OtherPath   []impact.Step // for JOINT_FAILURE from OtherCI to the same place
	Group       ident.ID      // for JOINT_FAILURE the group that breaks; 0 where a planned dependency does it, or in a planned group
	Record      ident.ID      // for SAME_FIELD the first record by id of Count whose Fields both write
	Fields      []string
	Services    []ident.ID // for JOINT_FAILURE the services that go DOWN together and not alone, by id
}

// order is that of the kinds, then by the other side.
func order(a, b Conflict) int {
	kinds := domain.ConflictKind("").Values()
	return cmp.Or(
		cmp.Compare(slices.Index(kinds, string(a.Kind)), slices.Index(kinds, string(b.Kind))),
		cmp.Compare(a.Other, b.Other), cmp.Compare(a.OtherCI, b.OtherCI))
}

// Sorted puts conflicts into the order in which they are shown.
func Sorted(all []Conflict) []Conflict {
	slices.SortFunc(all, order)
	return all
}
