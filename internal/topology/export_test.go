package topology

// inTests patches rows that are short.
var inTests = patching{longRow: 3, most: 5}

// Patched makes a graph patch rows soon, and copy them soon.
func Patched(g *Graph) { g.writer.patching = inTests }

// Eager makes every write to a small graph start a compaction.
func Eager(g *Graph) { g.slack = 0 }

// IsPatched reports whether what is written over a snapshot patches rows as Patched says.
func (s *Snapshot) IsPatched() bool { return s.patching == inTests }

// RewoundAnew does what Rewound does if b is a large part of the graph.
func (s *Snapshot) RewoundAnew(b Batch) (*Snapshot, error) {
	b, err := b.normalise()
	if err != nil {
		return nil, err
	}
	view, _ := s.view(b, true)
	return view, nil
}
