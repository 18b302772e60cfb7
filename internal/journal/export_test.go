package journal

// Kept is how many past snapshots are kept.
func (f *Feed) Kept() int {
	f.kept.mu.Lock()
	defer f.kept.mu.Unlock()
	return len(f.kept.snapshots)
}
