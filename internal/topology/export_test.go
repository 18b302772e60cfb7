package topology

// In tests rows are soon long, and soon patched enough.
func init() { longRow, maxPatch = 3, 5 }

// CompactEagerly makes every write to a small graph start a compaction.
func (g *Graph) CompactEagerly() { g.slack = 0 }

// RewoundAnew is Rewound as it goes where b is a large part of the graph.
func (s *Snapshot) RewoundAnew(b Batch) (*Snapshot, error) {
	b, err := b.normalise()
	if err != nil {
		return nil, err
	}
	return s.view(b, true), nil
}
