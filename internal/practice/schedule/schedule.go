// Package schedule is the practice of finding a time for changes: the windows in which CIs may not be changed, or in
// which alone they may, the calendar of both, and what is in a change's way. It refuses rules that recur without
// bounds.
package schedule

import (
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Practice holds the verbs. The records they return belong to a closed transaction: read their fields only.
type Practice struct{ store *store.Store }

// New makes the practice over a database.
func New(s *store.Store) *Practice { return &Practice{s} }

// Occurrences returns the times at which a window takes place in a period, in order.
func Occurrences(w *ent.ChangeWindow, period recurrence.Span) ([]recurrence.Span, error) {
	r, err := ruleOf(w)
	if err != nil {
		return nil, err
	}
	return r.Between(period), nil
}

// LengthOf returns how long each occurrence of a window lasts.
func LengthOf(w *ent.ChangeWindow) time.Duration {
	return time.Duration(w.DurationMinutes) * time.Minute
}

func ruleOf(w *ent.ChangeWindow) (*recurrence.Rule, error) {
	return recurrence.New(w.StartsAt, w.DurationMinutes, w.TimeZone, w.Recurrence)
}
