package topology

import (
	"iter"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/hugepage"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

// compaction makes a new base from one snapshot while writes go on.
type compaction struct {
	done   chan struct{}
	rounds int // of following the writers
}

// A compaction publishes when at most fewPlaces are left to lay over its base, or after so many rounds.
const (
	fewPlaces = 256
	maxRounds = 8
)

// places are those that writes laid over the old base since a compaction began, and that have to be laid over the new
// one.
type places struct{ cis, relationships, groups, out, in []uint32 }

func (p *places) len() int {
	return len(p.cis) + len(p.relationships) + len(p.groups) + len(p.out) + len(p.in)
}

// driftShare is the share of the rows that may change before vertices are numbered anew: 1/8. Most compactions only
// copy, which costs an eighth of finding a good order.
const driftShare = 8

// isDue reports whether the overlay has outgrown its share: reading a row through it costs about twice a
// row of the base, so that at 3 per cent readers lose 3 per cent on the average. A large graph that was loaded is
// due at once: its vertices lie in the order of ids.
func (g *Graph) isDue() bool {
	w := &g.writer
	rows := w.out.delta.count + w.in.delta.count
	return w.places == nil && w.vertices() > 16*g.slack || rows > g.slack+(len(w.out.offsets)+len(w.in.offsets))/32 ||
		w.relationships.delta.count > 2*g.slack+len(w.relationships.flat)/8 ||
		w.cis.delta.count > g.slack+len(w.cis.flat)/8 || w.groups.delta.count > g.slack+len(w.groups.flat)/16
}

// compactWhenDue starts a compaction unless one runs. g.mu is held.
func (g *Graph) compactWhenDue() {
	if g.compaction == nil && g.isDue() {
		g.compact()
	}
}

func (g *Graph) compact() {
	c := &compaction{done: make(chan struct{})}
	from := g.writer.tables
	g.compaction = c
	g.writer.changed = &places{}
	safe.Go(nil, "a compaction of the graph", func() {
		defer close(c.done)
		defer g.abandon(c)
		base, to := from.compacted()
		for g.follow(c, &base, to) {
		}
	})
}

// abandon drops a compaction that did not come to its end: the next begins anew.
func (g *Graph) abandon(c *compaction) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.compaction == c {
		g.writer.changed, g.compaction = nil, nil
	}
}

// follow lays over a new base the writes since it was begun or last followed. If they are many, it does so beside the
// writers and reports that there is more to come; otherwise it publishes the base.
func (g *Graph) follow(c *compaction, base *tables, to move) (more bool) {
	g.mu.Lock()
	w := &g.writer
	if g.compaction != c { // a load or a full compilation came between
		g.mu.Unlock()
		return false
	}
	w.edit++ // no other edit writes to the chunks laid over
	now, changed, edit := w.tables, w.changed, w.edit
	if c.rounds++; changed.len() > fewPlaces && c.rounds < maxRounds {
		w.changed = &places{}
		g.mu.Unlock()
		base.lay(&now, changed, to, edit)
		return true
	}
	defer g.mu.Unlock()
	begun := time.Now()
	defer func() { g.published.Store(int64(time.Since(begun))) }()
	base.lay(&now, changed, to, edit)
	base.types, base.incidents, base.changes, base.digest = now.types, now.incidents, now.changes, now.digest
	base.memberships, base.awaiting, base.unmet, base.short = now.memberships, now.awaiting, now.unmet, now.short
	w.tables, w.changed, g.compaction = *base, nil, nil
	g.compacted++
	d := g.Snapshot().descent
	if to != nil {
		d = &descent{}
	}
	g.publish(g.Snapshot().revision, d)
	return false
}

// Settle waits until no compaction runs: before exit, and in tests.
func (g *Graph) Settle() {
	for {
		g.mu.Lock()
		c := g.compaction
		g.mu.Unlock()
		if c == nil {
			return
		}
		<-c.done
	}
}

// Compact makes a new base and returns when it is published, whether it was due or not.
func (g *Graph) Compact() {
	g.Settle()
	g.mu.Lock()
	if g.compaction == nil {
		g.compact()
	}
	g.mu.Unlock()
	g.Settle()
}

// compacted returns a new base of everything, and where vertices moved. It only reads the tables it is given.
func (t tables) compacted() (base tables, to move) {
	base = tables{numbering: t.numbering, patching: t.patching, drift: t.drift + t.out.delta.count, relationships: table[relationshipFact]{flat: t.relationships.compacted()}}
	var order []Vertex
	if n := t.vertices(); t.places == nil || base.drift > n/driftShare {
		order = t.order()
		base.numbering, to = t.inOrder(order)
		base.drift = 0
	} else {
		order = asTheyLie(n)
	}
	base.cis.flat = hugepage.Make[ciFact](len(order), len(order))
	for at, v := range order {
		base.cis.flat[at] = *t.cis.at(uint32(v))
	}
	base.groups.flat = t.groups.flatten()
	ownMembers(base.groups.flat)
	for g := range base.groups.flat {
		to.counterInto(&base.groups.flat[g])
	}
	base.out, base.in = t.out.moved(order, to), t.in.moved(order, to)
	return base, to
}

// lay lays over a base the changes in the tables from which it was made. O(changes).
func (t *tables) lay(now *tables, changed *places, to move, edit uint64) {
	for v := range each(changed.cis) {
		t.cis.delta.set(uint32(to.vertex(Vertex(v))), *now.cis.at(v), edit)
	}
	for r := range each(changed.relationships) {
		t.relationships.delta.set(r, *now.relationships.at(r), edit)
	}
	for g := range each(changed.groups) {
		t.groups.delta.set(g, to.counter(*now.groups.at(g)), edit)
	}
	for v := range each(changed.out) {
		t.out.delta.set(uint32(to.vertex(Vertex(v))), to.row(now.out.row(Vertex(v))), edit)
	}
	for v := range each(changed.in) {
		t.in.delta.set(uint32(to.vertex(Vertex(v))), to.row(now.in.row(Vertex(v))), edit)
	}
}

// each returns the numbers of a list, each once.
func each(list []uint32) iter.Seq[uint32] {
	slices.Sort(list)
	return slices.Values(slices.Compact(list))
}
