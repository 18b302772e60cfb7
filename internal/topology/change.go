package topology

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// changes are the facts of a batch by place; the zero fact stands for a removal.
type changes struct {
	types         map[uint16]Type
	cis           map[Vertex]ciFact
	relationships map[uint32]relationshipFact
	groups        map[uint32]Counter
}

func (w *writer) gather(b Batch) changes {
	c := changes{map[uint16]Type{}, make(map[Vertex]ciFact, len(b.CIs)), make(map[uint32]relationshipFact, len(b.Relationships)), map[uint32]Counter{}}
	for _, f := range b.Types {
		c.types[uint16(f.ID.Number())] = f
	}
	for _, f := range b.CIs {
		c.cis[w.vertexOf(f.ID)] = packCI(f)
	}
	for _, f := range b.Relationships {
		c.relationships[uint32(f.ID.Number())] = packRelationship(f)
	}
	for _, f := range b.Groups {
		c.groups[uint32(f.ID.Number())] = w.packGroup(f)
	}
	for _, r := range b.Removed {
		switch r.Kind() { //nolint:exhaustive // normalise refused the others
		case ident.CI:
			c.cis[w.vertexOf(r)] = ciFact{}
		case ident.RelationshipType:
			c.types[uint16(r.Number())] = Type{}
		case ident.Relationship:
			c.relationships[uint32(r.Number())] = relationshipFact{}
		case ident.DependencyGroup:
			c.groups[uint32(r.Number())] = Counter{}
		}
	}
	return c
}

// retype writes the types and reports whether existing arcs depend on the difference.
func (w *writer) retype(types map[uint16]Type) (hangs bool) {
	if len(types) == 0 {
		return false
	}
	w.types = slices.Clone(w.types)
	for number, f := range types {
		before := w.typeOf(number)
		if before == f {
			continue
		}
		if w.perType[number] > 0 || w.branch != nil {
			hangs = true
		}
		for len(w.types) <= int(number) {
			w.types = append(w.types, Type{})
		}
		w.types[number] = f
		swap(&w.digest, before.ID != 0, f.ID != 0, before.digest, f.digest)
	}
	return hangs
}

// swap adjusts a digest for a fact that another replaces; was and is tell whether there is one before and after.
func swap(d *Digest, was, is bool, before, after func() Digest) {
	if was {
		d.remove(before())
	}
	if is {
		d.add(after())
	}
}

func (w *writer) writeCI(v Vertex, f ciFact) {
	before := *w.cis.at(uint32(v))
	swap(&w.digest, before.isKnown(), f.isKnown(),
		func() Digest { return before.unpack(w.idOf(v)).digest() }, func() Digest { return f.unpack(w.idOf(v)).digest() })
	w.setCI(v, f)
}

// writeRelationship writes the fact of a relationship, and keeps its memberships and whether it is listed as waiting.
func (w *writer) writeRelationship(r uint32, f relationshipFact) {
	before := *w.relationships.at(r)
	f.group = before.group
	f.tags |= before.tags & inSeveralGroups
	if f.isKnown() && f.source == before.source {
		f.tags |= before.tags & awaitsSource
	}
	if f.isKnown() && f.target == before.target {
		f.tags |= before.tags & awaitsTarget
	}
	if before.isKnown() {
		w.perType[before.typ]--
	}
	if f.isKnown() {
		w.perType[f.typ]++
	}
	swap(&w.digest, before.isKnown(), f.isKnown(),
		func() Digest { return before.unpack(r).digest() }, func() Digest { return f.unpack(r).digest() })
	w.setRelationship(r, f)
}

func (w *writer) writeGroup(g uint32, after Counter) {
	before := *w.groups.at(g)
	if before.IsShort() {
		w.lack(before.Dependent, shortKey(g), false)
	}
	swap(&w.digest, before.isKnown, after.isKnown,
		func() Digest { return w.unpackGroup(g, &before).digest() }, func() Digest { return w.unpackGroup(g, &after).digest() })
	for _, m := range before.Members {
		w.leave(m.Relationship, g)
	}
	for _, m := range after.Members {
		w.join(m.Relationship, g)
	}
	w.setCounter(g, after)
}

// attach moves the entry of a group to the row of its new dependent. The entry exists whether or not the dependent
// does: without arriving members it has no effect.
func (w *writer) attach(g uint32, before, after *Counter) {
	if before.isKnown {
		w.setIn(before.Dependent, w.inRow(before.Dependent).without([]key{groupKey(before.arc(g))}, w.patching))
	}
	if after.isKnown {
		w.setIn(after.Dependent, w.inRow(after.Dependent).with(after.arc(g), 0, w.patching))
	}
}

func (w *writer) join(r, g uint32) {
	f := *w.relationships.at(r)
	switch {
	case f.tags&inSeveralGroups != 0:
		w.memberships.set(r, append(w.extensible(w.membershipsOf(r)), g), w.edit)
	case f.group == 0:
		f.group = g
	default:
		w.memberships.set(r, []uint32{f.group, g}, w.edit)
		f.group, f.tags = 0, f.tags|inSeveralGroups
	}
	w.setRelationship(r, f)
}

func (w *writer) leave(r, g uint32) {
	f := *w.relationships.at(r)
	if f.tags&inSeveralGroups == 0 {
		f.group = 0
	} else if left := without(w.membershipsOf(r), g); len(left) > 1 {
		w.memberships.set(r, left, w.edit)
	} else {
		w.memberships.set(r, nil, w.edit)
		f.group, f.tags = left[0], f.tags&^inSeveralGroups
	}
	w.setRelationship(r, f)
}

// without returns a fresh list that lacks one number: earlier snapshots go on seeing the old one.
func without(list []uint32, gone uint32) []uint32 {
	left := make([]uint32, 0, len(list))
	for _, g := range list {
		if g != gone {
			left = append(left, g)
		}
	}
	return left
}

// mark writes the incidents, and the changes that are being carried out.
func (w *writer) mark(b Batch) {
	w.incidents = mark(w, w.incidents, b.Incidents, b.Removed, ident.Incident, Incident.key, func(f Incident) { w.name(f.Root, f.Excluded) })
	w.changes = mark(w, w.changes, b.Changes, b.Removed, ident.Change, Change.key, func(f Change) { w.name(f.TakenDown) })
}

// name notes that a record says something else of CIs.
func (w *writer) name(lists ...[]ident.ID) {
	for _, cis := range lists {
		for _, ci := range cis {
			w.named = append(w.named, w.vertexOf(ci))
		}
	}
}

func (f Incident) key() ident.ID { return f.ID }
func (f Change) key() ident.ID   { return f.ID }

// mark returns the list with the facts that a batch writes and removes. If there are any, the list is a fresh one.
func mark[F interface{ digest() Digest }](w *writer, list, written []F, removed []ident.ID, kind ident.Kind, key func(F) ident.ID, differs func(F)) []F {
	after := make(map[ident.ID]*F, len(written))
	for i := range written {
		after[key(written[i])] = &written[i]
	}
	for _, r := range removed {
		if r.Kind() == kind {
			after[r] = nil
		}
	}
	if len(after) == 0 {
		return list
	}
	marked := make([]F, 0, len(list)+len(after))
	for _, before := range list {
		if _, ok := after[key(before)]; ok {
			w.digest.remove(before.digest())
			differs(before)
		} else {
			marked = append(marked, before)
		}
	}
	for _, f := range after {
		if f != nil {
			w.digest.add((*f).digest())
			differs(*f)
			marked = append(marked, *f)
		}
	}
	slices.SortFunc(marked, func(a, b F) int { return cmp.Compare(key(a), key(b)) })
	return marked
}
