package impact_test

import (
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// naive is the rules of docs/impact.md read aloud: every CI is judged again and again until nothing changes.
type naive struct {
	model   *topologytest.Model
	states  map[ident.ID]impact.State
	roots   map[ident.ID]bool
	without map[ident.ID]impact.State // the states without the failures
	brink   map[ident.ID]bool         // those on the brink
	before  map[ident.ID]bool         // those on it without the failures
	aside   bool                      // what is broken by itself is left aside: only what is lost breaks anything
	silent  map[ident.ID]bool         // records of which the failures do not hold
}

// judge works out a question, with its failures and without.
func judge(m *topologytest.Model, q impact.Question) naive { return judgeOn(m, m, q) }

// judgeOn works out a question on one estate, and without its failures on another: there what it names and is DOWN
// already counts as well.
func judgeOn(then, m *topologytest.Model, q impact.Question) naive {
	n := naive{model: m}
	n.solve(q)
	now := naive{model: then}
	now.solve(impact.Question{Excluded: q.Excluded, OnFacts: q.OnFacts})
	without := naive{model: then}
	without.solve(impact.Question{Excluded: slices.DeleteFunc(append(failing(q), q.Excluded...), func(ci ident.ID) bool {
		return now.states[ci] != impact.Down && !slices.Contains(q.Excluded, ci)
	}), OnFacts: q.OnFacts})
	n.without, n.before = without.states, without.brink
	return n
}

// marked lists what the records of a model say: what is DOWN, and what is ruled out.
func marked(m *topologytest.Model) (down, excluded []ident.ID) { return markedBy(m, nil) }

// markedBy lists the same where some records say nothing of what is DOWN.
func markedBy(m *topologytest.Model, silent map[ident.ID]bool) (down, excluded []ident.ID) {
	for _, i := range m.Incidents {
		if excluded = append(excluded, i.Excluded...); !silent[i.ID] {
			down = append(down, i.Root...)
		}
	}
	for _, c := range m.Changes {
		if !silent[c.ID] {
			down = append(down, c.TakenDown...)
		}
	}
	return down, excluded
}

// judgeAside works out a question on an estate in which nothing is broken by itself.
func judgeAside(m *topologytest.Model, q impact.Question) naive {
	n := naive{model: m, aside: true}
	n.solve(q)
	return n
}

// spelled says in a question what the records of a model say, for those that look only at what is DOWN.
func spelled(m *topologytest.Model, q impact.Question) impact.Question {
	if !q.OnFacts {
		return q
	}
	q.OnFacts = false
	asked := q.Failed
	down, excluded := marked(m)
	isDown := func(ci ident.ID) bool {
		return slices.Contains(down, ci) && m.InService(ci) || slices.Contains(asked, impact.Failure{CI: ci, State: impact.Down})
	}
	for _, ci := range down {
		if m.InService(ci) {
			q.Failed = append(slices.Clip(q.Failed), impact.Failure{CI: ci, State: impact.Down})
		}
	}
	for _, ci := range excluded {
		if m.InService(ci) && !isDown(ci) {
			q.Excluded = append(slices.Clip(q.Excluded), ci)
		}
	}
	for _, c := range m.Changes {
		q.Maintenance = slices.Concat(q.Maintenance, c.TakenDown, c.Changed)
	}
	return q
}

func failing(q impact.Question) (cis []ident.ID) {
	for _, f := range q.Failed {
		cis = append(cis, f.CI)
	}
	return cis
}

func (n *naive) solve(q impact.Question) {
	n.states, n.roots = map[ident.ID]impact.State{}, map[ident.ID]bool{}
	given, excluded, held := map[ident.ID]impact.State{}, map[ident.ID]bool{}, map[ident.ID]bool{}
	for _, ci := range q.Excluded {
		excluded[ci] = true
	}
	for _, f := range q.Failed {
		if n.model.InService(f.CI) {
			given[f.CI] = max(given[f.CI], f.State)
			n.roots[f.CI] = !excluded[f.CI]
		}
	}
	if q.OnFacts {
		down, ruledOut := markedBy(n.model, n.silent)
		for _, ci := range ruledOut {
			held[ci] = true
		}
		for _, ci := range down {
			if n.model.InService(ci) {
				given[ci] = impact.Down
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for ci := range n.model.CIs {
			if excluded[ci] || !n.model.InService(ci) {
				continue
			}
			s := given[ci]
			if !held[ci] {
				s = max(s, n.rule(ci))
			}
			if s > n.states[ci] {
				n.states[ci] = s
				changed = true
			}
		}
	}
	maps.Copy(excluded, held)
	n.solveBrink(excluded)
}

// solveBrink judges by the two clauses of the brink, after the states, until nothing changes.
func (n *naive) solveBrink(excluded map[ident.ID]bool) {
	n.brink = map[ident.ID]bool{}
	for changed := true; changed; {
		changed = false
		for ci := range n.model.CIs {
			if n.model.InService(ci) && !excluded[ci] && n.states[ci] != impact.Down && !n.brink[ci] && (n.strained(ci) || n.cannotSpare(ci)) {
				n.brink[ci], changed = true, true
				n.states[ci] = max(n.states[ci], impact.AtRisk)
			}
		}
	}
}

// counts returns what each CI counts in a group, its relationships together.
func (n naive) counts(g ident.ID) map[ident.ID]int {
	sum := map[ident.ID]int{}
	for _, a := range n.model.Arcs() {
		if slices.Contains(a.Groups, g) {
			sum[a.From] += topologytest.Weight(n.model.Groups[g], a.Relationship)
		}
	}
	return sum
}

// strained reports the first clause: a group stands and would now break by one more CI that it would have borne with
// none lost.
func (n naive) strained(ci ident.ID) bool {
	for g, f := range n.model.Groups {
		if f.Dependent != ci {
			continue
		}
		need, total, up, _, _ := n.tally(g)
		for other, counts := range n.counts(g) {
			if n.states[other] != impact.Down && up >= need && up-counts < need && total-counts >= need {
				return true
			}
		}
	}
	return false
}

// cannotSpare reports the second clause: the CI needs HARD one on the brink, outside any group or as a member without
// which its group would break.
func (n naive) cannotSpare(ci ident.ID) bool {
	for _, a := range n.model.Arcs() {
		if a.To != ci || !n.brink[a.From] {
			continue
		}
		if len(a.Groups) == 0 && !a.IsSoft {
			return true
		}
		for _, g := range a.Groups {
			if need, _, up, _, _ := n.tally(g); up-n.counts(g)[a.From] < need {
				return true
			}
		}
	}
	return false
}

// byBrink reports whether the brink is why a CI is told.
func (n naive) byBrink(ci ident.ID) bool {
	return n.brink[ci] && (n.states[ci] == impact.AtRisk || !n.before[ci] && n.states[ci] == n.without[ci])
}

// tells reports whether the answer names a CI: it failed, or is worse than without the failures, or came to the brink
// by them.
func (n naive) tells(ci ident.ID) bool {
	return n.roots[ci] || n.states[ci] > n.without[ci] || n.brink[ci] && !n.before[ci]
}

// told returns the state in which the answer names a CI.
func (n naive) told(ci ident.ID) impact.State {
	if !n.tells(ci) {
		return impact.Operational
	}
	return n.states[ci]
}

func (n naive) rule(ci ident.ID) impact.State {
	worst := impact.Operational
	if n.model.Misses(ci) && !n.aside {
		worst = impact.Down
	}
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

// tally counts a group: what is needed, what there is, what is up, what is well, what is missing for good.
func (n naive) tally(g ident.ID) (need, total, up, well, retired int) {
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
	need, _, retired = n.model.Need(f)
	return need, total, up, well, retired
}

func (n naive) group(g ident.ID) impact.State {
	switch need, total, up, well, _ := n.tally(g); {
	case up < need && (up < total || !n.aside):
		return impact.Down
	case well < need && (well < total || !n.aside):
		return impact.Degraded
	case well < total:
		return impact.AtRisk
	}
	return impact.Operational
}

// carries reports whether failure passes along an arc: directly, or through one of its groups.
func (n naive) carries(a topologytest.Arc) bool {
	from, to := n.states[a.From], n.states[a.To]
	if to == impact.Operational {
		return false
	}
	if from < impact.Degraded {
		return n.tips(a)
	}
	for _, g := range a.Groups {
		if s := n.group(g); s >= impact.Degraded || to == impact.AtRisk || n.byBrink(a.To) {
			return true
		}
	}
	return len(a.Groups) == 0 && (!a.IsSoft || from == impact.Down)
}

// tips reports whether an arc leads from a CI on the brink to one that cannot spare it.
func (n naive) tips(a topologytest.Arc) bool {
	if !n.brink[a.From] || !n.byBrink(a.To) {
		return false
	}
	for _, g := range a.Groups {
		if need, _, up, _, _ := n.tally(g); up-n.counts(g)[a.From] < need {
			return true
		}
	}
	return len(a.Groups) == 0 && !a.IsSoft
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
			if reached && n.tells(a.To) && n.carries(a) && (!before || from+1 < to) {
				d[a.To] = from + 1
				changed = true
			}
		}
	}
	return d
}
