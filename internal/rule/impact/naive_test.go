package impact_test

import (
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// naive is the rules of docs/impact.md read aloud: every CI is judged again and again until nothing changes.
type naive struct {
	model  *topologytest.Model
	states map[ident.ID]impact.State
	roots  map[ident.ID]bool
}

func judge(m *topologytest.Model, q impact.Question) naive {
	n := naive{m, map[ident.ID]impact.State{}, map[ident.ID]bool{}}
	given, excluded := map[ident.ID]impact.State{}, map[ident.ID]bool{}
	for _, ci := range q.Excluded {
		excluded[ci] = true
	}
	for _, f := range q.Failed {
		given[f.CI] = max(given[f.CI], f.State)
		n.roots[f.CI] = !excluded[f.CI]
	}
	for changed := true; changed; {
		changed = false
		for ci := range m.CIs {
			if excluded[ci] {
				continue
			}
			if s := max(given[ci], n.rule(ci)); s > n.states[ci] {
				n.states[ci] = s
				changed = true
			}
		}
	}
	return n
}

func (n naive) rule(ci ident.ID) impact.State {
	worst := impact.Operational
	for _, a := range n.model.Arcs() {
		if a.To != ci || len(a.Groups) > 0 {
			continue
		}
		switch cause := n.states[a.From]; {
		case !a.IsSoft && cause == impact.Down:
			worst = max(worst, impact.Down)
		case !a.IsSoft && cause == impact.Degraded, a.IsSoft && cause == impact.Down:
			worst = max(worst, impact.Degraded)
		}
	}
	for g, f := range n.model.Groups {
		if f.Dependent == ci {
			worst = max(worst, n.group(g))
		}
	}
	return worst
}

// tally counts a group: what is needed, what there is, what is up, what is well.
func (n naive) tally(g ident.ID) (need, total, up, well int) {
	f := n.model.Groups[g]
	for _, a := range n.model.Arcs() {
		for _, of := range a.Groups {
			if of != g {
				continue
			}
			w := topologytest.Weight(f, a.Relationship)
			total += w
			if n.states[a.From] != impact.Down {
				up += w
			}
			if n.states[a.From] <= impact.AtRisk {
				well += w
			}
		}
	}
	return topologytest.Need(f, total), total, up, well
}

func (n naive) group(g ident.ID) impact.State {
	switch need, total, up, well := n.tally(g); {
	case up < need:
		return impact.Down
	case well < need:
		return impact.Degraded
	case well < total:
		return impact.AtRisk
	}
	return impact.Operational
}

// carries reports whether failure passes along an arc: directly, or through one of its groups.
func (n naive) carries(a topologytest.Arc) bool {
	from, to := n.states[a.From], n.states[a.To]
	if from < impact.Degraded || to == impact.Operational {
		return false
	}
	for _, g := range a.Groups {
		if s := n.group(g); s >= impact.Degraded || to == impact.AtRisk {
			return true
		}
	}
	return len(a.Groups) == 0 && (!a.IsSoft || from == impact.Down)
}

func (n naive) distances() map[ident.ID]int {
	d := map[ident.ID]int{}
	for ci, is := range n.roots {
		if is {
			d[ci] = 0
		}
	}
	for changed := true; changed; {
		changed = false
		for _, a := range n.model.Arcs() {
			from, reached := d[a.From]
			to, before := d[a.To]
			if reached && n.carries(a) && (!before || from+1 < to) {
				d[a.To] = from + 1
				changed = true
			}
		}
	}
	return d
}
