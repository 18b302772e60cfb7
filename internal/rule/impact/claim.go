package impact

import "github.com/linchpin-cmdb/linchpin/internal/topology"

// The causes of a state (docs/impact.md, "Causes") are told of claims: a CI that is DOWN through one dependency may
// be not well through another, and what needs it may suffer from either.

// claim is one thing that holds of a CI in its state, as a bit.
type claim uint8

const (
	isDown   claim = 1 << iota // it is DOWN
	isUnwell                   // it is DEGRADED or DOWN
	isAtRisk                   // a member of a group of it is not well
	isTipped                   // it is on the brink
)

// scene is a world as claims see it, and the facts that it stands on. It is not for several goroutines.
type scene struct {
	*Answer
	facts  *Facts
	groups map[topology.GroupIndex]*strain
}

// strain is what a group has lost, and what follows.
type strain struct {
	*topology.Counter
	down, unwell uint32
	tipsAt       uint32 // so much lost brings the CI to the brink; 0: nothing does
}

// sceneOf returns the estate as it is.
func sceneOf(s *topology.Snapshot) *scene { return Estate(s).scene(FactsOf(s)) }

func (a *Answer) scene(f *Facts) *scene { return &scene{a, f, map[topology.GroupIndex]*strain{}} }

// of returns what holds of a CI.
func (x *scene) of(v topology.Vertex) (holds claim) {
	i, ok := x.place(v)
	if !ok {
		return 0
	}
	switch x.hits[i].state {
	case Down:
		return isDown | isUnwell
	case Degraded:
		holds = isUnwell
	case AtRisk:
		holds = isAtRisk
	case Operational:
	}
	if x.hits[i].has(onBrink) {
		holds |= isTipped
	}
	return holds
}

// suffers reports whether a CI can come to a state by others: what is ruled out has the state that it is given.
func (x *scene) suffers(v topology.Vertex) bool { return len(x.facts.excluded[v]) == 0 }

// strain returns what a group has lost. It is worked out once for each scene.
func (x *scene) strain(g topology.GroupIndex) *strain {
	if known := x.groups[g]; known != nil {
		return known
	}
	t := &strain{Counter: x.snapshot.Counter(g)}
	weights := map[topology.Vertex]uint32{}
	for _, m := range t.Members {
		if m.From == 0 {
			continue
		}
		switch x.stateAt(m.From) {
		case Down:
			t.down += m.Weight
			t.unwell += m.Weight
			continue
		case Degraded:
			t.unwell += m.Weight
		case AtRisk, Operational:
		}
		weights[m.From] += m.Weight
	}
	if t.Total-t.down >= t.Need && t.down > 0 {
		before := t.Total - t.Need
		for _, w := range weights {
			if w <= before && t.down+w > before && (t.tipsAt == 0 || before-w+1 < t.tipsAt) {
				t.tipsAt = before - w + 1
			}
		}
	}
	x.groups[g] = t
	return t
}

// isBroken reports whether what a group lost makes its CI DOWN, or at least DEGRADED.
func (t *strain) isBroken(c claim) bool {
	switch {
	case t.IsShort():
		return false // it is broken by itself
	case c == isDown:
		return t.Total-t.down < t.Need
	}
	return t.Total-t.unwell < t.Need
}

// spares reports whether a group would hold without a member of some weight that is up.
func (t *strain) spares(weight uint32) bool { return t.Total-t.down >= t.Need+weight }

// weight returns what a CI counts in a group, its relationships together.
func (t *strain) weight(v topology.Vertex) uint32 { return weightIn(t.Counter, v) }

// statement is a claim of one CI.
type statement struct {
	v topology.Vertex
	c claim
}

// present lists what the state of a CI stands on.
func (x *scene) present(v topology.Vertex) (all []claim) {
	holds := x.of(v)
	for _, c := range []claim{isDown, isUnwell, isAtRisk, isTipped} {
		if holds&c != 0 && (c != isUnwell || holds&isDown == 0) {
			all = append(all, c)
		}
	}
	return all
}
