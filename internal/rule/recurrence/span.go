package recurrence

import "time"

// Span is the time from a moment until before another.
type Span struct{ From, To time.Time }

// Overlaps reports whether two spans share a moment.
func (s Span) Overlaps(other Span) bool { return s.From.Before(other.To) && other.From.Before(s.To) }

// Common is the time that two spans share, which is no time at all unless they overlap.
func (s Span) Common(other Span) Span {
	if other.From.After(s.From) {
		s.From = other.From
	}
	if other.To.Before(s.To) {
		s.To = other.To
	}
	return s
}

// Uncovered is the first part of s that lies in none of some spans, which are given by their beginning; false when there is none.
func (s Span) Uncovered(by []Span) (Span, bool) {
	for _, b := range by {
		if b.From.After(s.From) {
			break
		}
		if b.To.After(s.From) {
			s.From = b.To
		}
	}
	for _, b := range by {
		if b.From.After(s.From) && b.From.Before(s.To) {
			s.To = b.From
		}
	}
	return s, s.From.Before(s.To)
}
