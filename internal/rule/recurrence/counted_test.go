package recurrence_test

import (
	"testing"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
)

// counted returns the occurrences that the library counts from the start on, with nothing skipped.
func counted(t testing.TB, start time.Time, duration time.Duration, zone, text string, period recurrence.Span) (all []recurrence.Span) {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	o, err := rrule.StrToROptionInLocation(text, location)
	if err != nil {
		t.Fatal(err)
	}
	o.Dtstart = start.In(location)
	r, err := rrule.NewRRule(*o)
	if err != nil {
		t.Fatal(err)
	}
	for next := r.Iterator(); ; {
		begin, ok := next()
		if hour := begin.Add(-time.Hour); hour.Hour() == begin.Hour() { // the clock was put back
			begin = hour
		}
		if !ok || !begin.Before(period.To) {
			return all
		}
		if s := (recurrence.Span{From: begin, To: begin.Add(duration)}); s.Overlaps(period) {
			all = append(all, s)
		}
	}
}
