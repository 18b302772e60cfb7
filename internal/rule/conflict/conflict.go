// Package conflict decides which planned changes are in each other's way, and in the way of windows: it compares the
// CIs they touch, the CIs they could harm through the graph, and their times. It does no I/O, and it does not know how
// windows recur.
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

// Change is a planned change: the CIs it touches, and its time.
type Change struct {
	ID       ident.ID
	Planned  recurrence.Span
	Assignee ident.ID // 0: nobody
	Scope    []CI
	// Operations are the operations on relationships and groups of the graph that have not been applied yet.
	Operations []operation.Operation
}

// Plan adds an operation that has not been applied, unless it does nothing to how failure spreads. An operation that
// retires a CI belongs to the scope: see Touch.
func (c *Change) Plan(o operation.Operation) {
	_, ok := o.Planned["lifecycle"]
	if o.Kind == domain.UpdateCI && !ok || o.Kind == domain.RetireCI {
		return
	}
	c.Operations = append(c.Operations, o)
}

// CI is a CI that a change touches. One that is taken down is DOWN meanwhile; another keeps working if all goes well.
type CI struct {
	ID          ident.ID
	IsTakenDown bool
}

// Touch adds a CI of an operation to the scope. A CI that is retired is DOWN from then on.
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
	Holds       func(ci ident.ID) bool // reports whether it is a window of a CI
}

// Conflict is one way in which a change is in the way of another, or of a window.
type Conflict struct {
	Kind  domain.ConflictKind
	Other ident.ID        // the other change, or the window
	Span  recurrence.Span // the time that both share; for OUTSIDE_MAINTENANCE_WINDOW the first time that no window covers
	// CI is touched by the change and OtherCI by the other change; in a conflict with a window, OtherCI is the CI of
	// the window. They are the nearest of Count pairs. Both are 0 for ASSIGNEE_DOUBLE_BOOKED.
	CI, OtherCI ident.ID
	Count       int
	State       impact.State  // the state OtherCI would be in if CI failed; for UPSTREAM the other way round; for JOINT_FAILURE Down
	Path        []impact.Step // from the CI that harms to the one that suffers; for JOINT_FAILURE from CI to the place where redundancy breaks
	OtherPath   []impact.Step // for JOINT_FAILURE from OtherCI to the same place
	Group       ident.ID      // for JOINT_FAILURE the group that breaks; 0 if a planned dependency breaks, or a planned group
	Record      ident.ID      // for SAME_FIELD the first record by id of Count records with Fields that both write
	Fields      []string
	IsOnFacts   bool       // it holds beside what has failed alone
	Services    []ident.ID // for JOINT_FAILURE the services that go DOWN together and not alone, by id
}

// order compares conflicts by kind, then by the other side.
func order(a, b Conflict) int {
	kinds := domain.ConflictKind("").Values()
	return cmp.Or(
		cmp.Compare(slices.Index(kinds, string(a.Kind)), slices.Index(kinds, string(b.Kind))),
		cmp.Compare(a.Other, b.Other), cmp.Compare(a.OtherCI, b.OtherCI))
}

// Sorted sorts conflicts in the order in which they are shown, and returns them.
func Sorted(all []Conflict) []Conflict {
	slices.SortFunc(all, order)
	return all
}
