package topology

// compaction makes a new base from one snapshot while writes go on.
type compaction struct{ done chan struct{} }

// places are what writes laid over the old base since a compaction began: what has to be laid over the new one.
type places struct{ cis, relationships, groups, out, in []uint32 }

// isDue reports whether the overlay has outgrown its share: reading a row through it costs about twice a
// row of the base, so that at 3 per cent readers lose 3 per cent on the average.
func (g *Graph) isDue() bool {
	w := &g.writer
	rows := w.out.delta.count + w.in.delta.count
	return rows > g.slack+(len(w.out.offsets)+len(w.in.offsets))/32 ||
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
	go func() {
		defer close(c.done)
		base := from.compileAll()
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.compaction == c { // else everything was loaded or compiled anew meanwhile
			g.compaction = nil
			g.writer.rebase(base)
			g.publish(g.Snapshot().revision)
		}
	}()
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

// rebase puts the tables upon a new base, under what changed since the base was begun. O(changes).
func (w *writer) rebase(base tables) {
	w.edit++
	now, changed := w.tables, w.changed
	base.types, base.incidents, base.digest = now.types, now.incidents, now.digest
	base.memberships, base.awaiting = now.memberships, now.awaiting
	for _, v := range changed.cis {
		base.cis.delta.set(v, *now.cis.at(v), w.edit)
	}
	for _, r := range changed.relationships {
		base.relationships.delta.set(r, *now.relationships.at(r), w.edit)
	}
	for _, g := range changed.groups {
		base.groups.delta.set(g, *now.groups.at(g), w.edit)
	}
	for _, v := range changed.out {
		base.out.delta.set(v, now.out.row(Vertex(v)), w.edit)
	}
	for _, v := range changed.in {
		base.in.delta.set(v, now.in.row(Vertex(v)), w.edit)
	}
	w.tables, w.changed = base, nil
}
