package topology

import (
	"cmp"
	"maps"
	"slices"
)

// writer holds the newest tables, and data that only writing needs. One goroutine at a time uses it.
type writer struct {
	tables
	edit      uint64
	perType   map[uint16]int  // known relationships of each type
	isLoading bool            // facts go straight into the flat arrays, which are long enough
	changed   *places         // what was laid over since a compaction began; nil: none runs
	branch    *branch         // what it owns, if it writes a view and not the graph
	renewed   map[Vertex]bool // by the last edit: CIs whose needs may be others
	named     []Vertex        // by the last edit: CIs of which records say something else, or that go into service or out of it
}

func newWriter(edit uint64, by patching) writer {
	return writer{tables: tables{patching: by}, edit: edit, perType: map[uint16]int{}}
}

func (w *writer) setCI(v Vertex, f ciFact) {
	if w.isLoading {
		w.cis.flat[v] = f
		return
	}
	w.cis.delta.set(uint32(v), f, w.edit)
	if w.changed != nil {
		w.changed.cis = append(w.changed.cis, uint32(v))
	}
}

func (w *writer) setRelationship(r uint32, f relationshipFact) {
	if w.isLoading {
		w.relationships.flat[r] = f
		return
	}
	w.relationships.delta.set(r, f, w.edit)
	if w.changed != nil {
		w.changed.relationships = append(w.changed.relationships, r)
	}
}

func (w *writer) setCounter(g uint32, c Counter) {
	if w.isLoading {
		w.groups.flat[g] = c
		return
	}
	w.groups.delta.set(g, c, w.edit)
	if w.changed != nil {
		w.changed.groups = append(w.changed.groups, g)
	}
}

func (w *writer) setOut(v Vertex, r row) {
	w.branch.ownOut(v)
	w.out.delta.set(uint32(v), r, w.edit)
	if w.changed != nil {
		w.changed.out = append(w.changed.out, uint32(v))
	}
}

func (w *writer) setIn(v Vertex, r row) {
	w.branch.ownIn(v)
	w.renew(v)
	w.in.delta.set(uint32(v), r, w.edit)
	if w.changed != nil {
		w.changed.in = append(w.changed.in, uint32(v))
	}
}

// apply makes the tables those of the next revision. It costs what the batch touches, including the degree of CIs that
// come and go and the members of groups that change. It compiles everything anew, and reports that, if a type gets
// another flow or strength while relationships have it, or a view is vast.
func (w *writer) apply(b Batch) (recompiled bool) {
	w.edit++
	w.renewed, w.named = map[Vertex]bool{}, nil
	c := w.gather(b)
	recompiled = w.retype(c.types) || w.branch.isVast()
	var touched []uint32
	dirty := map[uint32]bool{}
	if !recompiled {
		touched = w.touch(c)
		w.retract(touched, dirty)
	}
	for v, f := range c.cis {
		if f.stage() != w.cis.at(uint32(v)).stage() {
			w.named = append(w.named, v)
		}
		w.writeCI(v, f)
	}
	for r, f := range c.relationships {
		w.writeRelationship(r, f)
	}
	for _, g := range slices.Sorted(maps.Keys(c.groups)) {
		before, after := *w.groups.at(g), c.groups[g]
		if !recompiled {
			w.attach(g, &before, &after)
		}
		w.writeGroup(g, after)
		dirty[g] = true
	}
	w.mark(b)
	if recompiled {
		w.recompile()
		return true
	}
	for _, r := range touched {
		w.await(r)
		w.assert(r, dirty)
		w.lacks(r, false)
	}
	for _, g := range slices.Sorted(maps.Keys(dirty)) {
		c := w.compile(*w.groups.at(g))
		w.setCounter(g, c)
		if c.isKnown {
			w.renew(c.Dependent)
			w.lack(c.Dependent, shortKey(g), c.IsShort())
		}
	}
	return false
}

// recompile lays everything out anew, and lists again the relationships that wait for an end.
func (w *writer) recompile() {
	w.relationships = table[relationshipFact]{flat: w.relationships.flatten()}
	w.awaiting = overlay[[]uint32]{}
	for r := range w.relationships.flat {
		f := &w.relationships.flat[r]
		f.tags &^= awaitsSource | awaitsTarget
		w.list(uint32(r), f)
	}
	w.tables = w.compileAll()
	w.lackAll()
	w.changed = nil
}

// touch returns the relationships whose arcs or counts a batch may change: those it writes, those of CIs that come into
// service or leave it or are retired, those that a changed group names or named.
func (w *writer) touch(c changes) []uint32 {
	touched := slices.Collect(maps.Keys(c.relationships))
	for v, f := range c.cis {
		before := w.cis.at(uint32(v))
		if f.stage() == before.stage() {
			continue
		}
		number := w.number(v)
		touched = append(append(touched, w.awaitingAt(number)...), w.out.row(v).relationships...)
		for _, k := range listAt(&w.unmet, uint32(number)) {
			if !k.isGroup() {
				touched = append(touched, uint32(k))
			}
		}
		in := w.in.row(v)
		for i, a := range in.arcs {
			if in.relationships[i] != 0 {
				touched = append(touched, in.relationships[i])
				continue
			}
			for _, m := range w.groups.at(uint32(a.Group())).Members {
				touched = append(touched, m.Relationship)
			}
		}
		if f.isInService() && w.awaitingAt(number) != nil {
			w.awaiting.set(uint32(number), nil, w.edit)
		}
	}
	for g, c := range c.groups {
		for _, members := range [][]Arrival{w.groups.at(g).Members, c.Members} {
			for _, m := range members {
				touched = append(touched, m.Relationship)
			}
		}
	}
	slices.Sort(touched)
	return slices.Compact(touched)
}

// place is an entry, or several of one key, in the row of a vertex.
type place struct {
	at  Vertex
	key key
}

// retract takes the arcs of relationships out of the rows at their ends. Each row is written once, however
// many of its arcs go.
func (w *writer) retract(touched []uint32, dirty map[uint32]bool) {
	var out, in []place
	for _, r := range touched {
		w.lacks(r, true)
		w.count(r, dirty)
		w.arcs(w.relationships.at(r), w.membershipsOf(r), func(h hop, a Arc) {
			out = append(out, place{h.from, relationshipKey(r)})
			if k := a.Kind(); k == HardArc || k == SoftArc {
				in = append(in, place{h.to, relationshipKey(r)})
			}
		})
	}
	w.strip(out, w.outRow, w.setOut)
	w.strip(in, w.inRow, w.setIn)
}

func (w *writer) strip(places []place, read func(Vertex) row, write func(Vertex, row)) {
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key)) })
	places = slices.Compact(places) // one for each group that counts it
	for len(places) > 0 {
		at, gone := places[0].at, []key(nil)
		for len(places) > 0 && places[0].at == at {
			gone = append(gone, places[0].key)
			places = places[1:]
		}
		write(at, read(at).without(gone, w.patching))
	}
}

// assert puts the arcs of a relationship into the rows at its ends.
func (w *writer) assert(r uint32, dirty map[uint32]bool) {
	w.count(r, dirty)
	w.arcs(w.relationships.at(r), w.membershipsOf(r), func(h hop, a Arc) {
		w.setOut(h.from, w.outRow(h.from).with(a, r, w.patching))
		if k := a.Kind(); k == HardArc || k == SoftArc {
			w.setIn(h.to, w.inRow(h.to).with(arcTo(k, uint32(h.from)), r, w.patching))
		}
	})
}

// count notes the groups that name a relationship, whether or not it brings impact: what they need hangs on its ends.
func (w *writer) count(r uint32, dirty map[uint32]bool) {
	if f := w.relationships.at(r); f.tags&inSeveralGroups == 0 {
		if f.group != 0 {
			dirty[f.group] = true
		}
		return
	}
	for _, g := range w.membershipsOf(r) {
		dirty[g] = true
	}
}

// await lists a relationship under its ends that are not in service.
func (w *writer) await(r uint32) {
	f := *w.relationships.at(r)
	if w.list(r, &f); f.tags != w.relationships.at(r).tags {
		w.setRelationship(r, f)
	}
}

func (w *writer) list(r uint32, f *relationshipFact) {
	if !f.isKnown() {
		return
	}
	for _, end := range [2]struct {
		at  ciNumber
		tag uint8
	}{{f.source, awaitsSource}, {f.target, awaitsTarget}} {
		switch {
		case w.isInService(w.place(end.at)):
			f.tags &^= end.tag
		case f.tags&end.tag == 0:
			f.tags |= end.tag
			w.awaiting.set(uint32(end.at), append(w.extensible(w.awaitingAt(end.at)), r), w.edit)
		}
	}
}

func (w *writer) membershipsOf(r uint32) []uint32 { return listAt(&w.memberships, r) }
func (w *writer) awaitingAt(n ciNumber) []uint32  { return listAt(&w.awaiting, uint32(n)) }

func listAt[T any](lists *overlay[[]T], i uint32) []T {
	if list := lists.find(i); list != nil {
		return *list
	}
	return nil
}
