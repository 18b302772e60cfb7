package synthetic

import (
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// Clash is a conflict of a change: another change touches a CI that it touches, at the same time.
type Clash struct {
	With int32 // a change
	At   time.Time
}

// clash finds the clashes of all changes as people find them: each change is looked at when it is handed in, when its
// approval is asked for, and when it is scheduled. Its cost is a comparison of each two changes of a CI.
func (y *yearMaker) clash() {
	touching := map[int32][]int32{}
	for n, c := range y.Changes {
		for _, ci := range c.CIs {
			touching[ci] = append(touching[ci], int32(n))
		}
	}
	for n := range y.Changes {
		c := &y.Changes[n]
		known := []int32{int32(n)}
		for _, m := range c.Moves {
			if m.To != domain.ChangeAssess && m.To != domain.ChangeAuthorize && m.To != domain.ChangeScheduled {
				continue
			}
			for _, ci := range c.CIs {
				for _, with := range touching[ci] {
					other := &y.Changes[with]
					if other.isPlannedAt(m.At) && c.PlannedStart.Before(other.PlannedEnd) && other.PlannedStart.Before(c.PlannedEnd) && !slices.Contains(known, with) {
						known = append(known, with)
						c.Clashes = append(c.Clashes, Clash{with, m.At})
					}
				}
			}
		}
	}
}

// isPlannedAt reports whether a change has been drafted by then, and neither carried out nor canceled.
func (c *Change) isPlannedAt(at time.Time) bool {
	state := domain.ChangeNew
	for _, m := range c.Moves {
		if !m.At.After(at) {
			state = m.To
		}
	}
	return !c.DraftedAt.After(at) && state != domain.ChangeReview && state != domain.ChangeClosed && state != domain.ChangeCanceled
}
