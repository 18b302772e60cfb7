package topology

// CompactEagerly makes every write to a small graph start a compaction.
func (g *Graph) CompactEagerly() { g.slack = 0 }
