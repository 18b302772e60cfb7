package recurrence

import "time"

// Span is the time from a moment until before another.
type Span struct{ From, To time.Time }

// Overlaps reports whether two spans share a moment.
func (s Span) Overlaps(other Span) bool { return s.From.Before(other.To) && other.From.Before(s.To) }

// Common returns the time that two spans share. If they do not overlap, it is empty.
func (s Span) Common(other Span) Span {
	if other.From.After(s.From) {
		s.From = other.From
	}
	if other.To.Before(s.To) {
		s.To = other.To
	}
	return s
}

// Uncovered returns the first part of s that lies in none of some spans, which are sorted by their beginning. If there
// is none, it returns false.
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
