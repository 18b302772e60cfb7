package impact

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// trail is all in whose state some failures take part, with a shortest way to each.
type trail struct {
	steps []trailStep
	at    map[statement]int32
}

// trailStep is one claim that failures lead to: the step before, and the edge between.
type trailStep struct {
	statement
	distance int32
	before   int32 // -1: it failed itself
	edge     topology.Edge
}

// follow returns what some failures take part in: from what is DOWN along HARD needs and broken groups, from what is
// not well likewise, and to what lost members. Breadth first, in O(arcs of what it finds).
func (x *scene) follow(failed []topology.Vertex) *trail {
	t := &trail{at: map[statement]int32{}}
	for _, v := range failed {
		if x.of(v)&isDown != 0 {
			x.arrive(t, trailStep{statement: statement{v, isDown}, before: -1})
		}
	}
	for head := 0; head < len(t.steps); head++ {
		x.leave(t, int32(head))
	}
	return t
}

// arrive notes a claim, and what it says of the same CI at once. Of two ways of one length it keeps the lower.
func (x *scene) arrive(t *trail, step trailStep) {
	if at, ok := t.at[step.statement]; ok {
		if old := &t.steps[at]; step.before >= 0 && old.before >= 0 && step.distance == old.distance && precedes(step.edge, old.edge) {
			old.before, old.edge = step.before, step.edge
		}
		return
	}
	t.at[step.statement] = int32(len(t.steps))
	t.steps = append(t.steps, step)
	if step.c == isDown {
		step.c = isUnwell
		x.arrive(t, step)
	}
}

// leave goes on from a claim to those that it takes part in.
func (x *scene) leave(t *trail, at int32) {
	from := t.steps[at]
	reach := func(e topology.Edge, c claim) {
		if x.of(e.To)&c != 0 && x.suffers(e.To) {
			x.arrive(t, trailStep{statement{e.To, c}, from.distance + 1, at, e})
		}
	}
	for e := range x.snapshot.Affects(from.v) {
		if e.Group == 0 {
			switch {
			case e.Strength == topology.Hard && from.c != isAtRisk:
				reach(e, from.c)
			case e.Strength == topology.Soft && from.c == isDown:
				reach(e, isUnwell)
			}
			continue
		}
		g := x.strain(e.Group)
		switch from.c {
		case isDown:
			if g.isBroken(isDown) {
				reach(e, isDown)
			}
			if g.tipsAt > 0 {
				reach(e, isTipped)
			}
		case isUnwell:
			if g.isBroken(isUnwell) {
				reach(e, isUnwell)
			}
			reach(e, isAtRisk)
		case isTipped:
			if !g.spares(g.weight(from.v)) {
				reach(e, isTipped)
			}
		case isAtRisk: // is told, and goes no further
		}
	}
}

// path returns the way to a claim, from what failed on.
func (t *trail) path(s *topology.Snapshot, at int32) (path []Step) {
	for ; t.steps[at].before >= 0; at = t.steps[at].before {
		path = append(path, stepOf(s, t.steps[at].edge))
	}
	slices.Reverse(path)
	return path
}

// nearest returns the nearest step that the present state of a CI stands on; false if there is none.
func (t *trail) nearest(x *scene, v topology.Vertex) (best int32, found bool) {
	for _, c := range x.present(v) {
		if at, ok := t.at[statement{v, c}]; ok && (!found || t.steps[at].distance < t.steps[best].distance) {
			best, found = at, true
		}
	}
	return best, found
}
