// Package recurrence decides when something that recurs takes place: RFC 5545 rules in a time zone, expanded within a
// period only. It refuses rules that take place more than once a day, or never.
package recurrence

import (
	"sync"
	"time"
	_ "time/tzdata" // so that zones do not depend on the machine

	"github.com/teambition/rrule-go"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Bounds of a rule.
const (
	LongestDuration = 366 * 24 * time.Hour
	LongestText     = 500
	MostInterval    = 999
	MostCount       = 1000
	// MostOccurrences is how many occurrences one call returns: more than two years of days, the longest duration
	// included.
	MostOccurrences = 1000
)

var earliest, latest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// Rule is the times at which something takes place: once, or again and again by the clock of a zone. It never changes.
type Rule struct {
	start    time.Time // in its zone
	duration time.Duration
	option   *rrule.ROption // nil: once; the parts that follow from the start are written out
}

// New returns a rule. The text is that of an RFC 5545 RRULE; empty stands for once. Occurrences begin at the time of
// day of the start in the zone, also if daylight saving time begins or ends in between. Failures name the field:
// startsAt, duration, timeZone, recurrence.
func New(start time.Time, minutes int, zone, text string) (*Rule, error) {
	const longest = int(LongestDuration / time.Minute)
	location, ok := zoneOf(zone)
	switch {
	case !ok:
		return nil, errs.New(errs.Invalid, "%q is not a time zone: they are named as in the IANA database, such as Europe/Berlin or UTC", zone).At("timeZone")
	case start.Before(earliest) || !start.Before(latest):
		return nil, errs.New(errs.Invalid, "%s is out of range: from %d until %d", start.UTC().Format(time.RFC3339), earliest.Year(), latest.Year()).At("startsAt")
	case minutes < 1 || minutes > longest: // more would not fit into a time.Duration
		return nil, errs.New(errs.Invalid, "a duration of %d minutes: PT1M to P366D", minutes).At("duration")
	}
	r := &Rule{start: start.In(location).Truncate(time.Second), duration: time.Duration(minutes) * time.Minute}
	if text == "" {
		return r, nil
	}
	var err error
	if r.option, err = parse(text, location); err != nil {
		return nil, err
	}
	r.option.Dtstart = r.start
	spellOut(r.option)
	if until := r.option.Until; !until.IsZero() && until.Before(r.start) {
		return nil, invalid("UNTIL=%s lies before startsAt, %s: it would never take place", until.UTC().Format("20060102T150405Z"), r.start.UTC().Format(time.RFC3339))
	}
	for _, o := range []rrule.ROption{lastCycle(*r.option), *r.option} { // the second ends soon if the first finds a day
		whole, err := rrule.NewRRule(o)
		if err != nil {
			return nil, invalid("%v", err)
		}
		if _, ok := whole.Iterator()(); !ok {
			return nil, invalid("%s never takes place: no day fits all of its parts", text)
		}
	}
	return r, nil
}

// lastYear is the last year in which rrule looks for a day.
const lastYear = 9999

// lastCycle returns the rule without its end, begun so late that it is tried for one cycle of the calendar or two, and
// not for eight thousand years: after 400 years each date has its weekday again, and after some such cycles the steps
// of the rule fall on the same dates.
func lastCycle(o rrule.ROption) rrule.ROption {
	steps := map[rrule.Frequency]int{rrule.DAILY: 146_097, rrule.WEEKLY: 20_871, rrule.MONTHLY: 4_800, rrule.YEARLY: 400}[o.Freq]
	interval := max(1, o.Interval)
	cycle := 400 * interval / gcd(steps, interval)
	o.Count, o.Until = 0, time.Time{}
	if cycles := (lastYear-o.Dtstart.Year())/cycle - 1; cycles > 0 {
		o.Dtstart = o.Dtstart.AddDate(cycles*cycle, 0, 0)
	}
	return o
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// zones caches the zones that were asked for: reading one takes longer than expanding a rule.
var zones sync.Map // name → *time.Location

func zoneOf(name string) (*time.Location, bool) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), true
	}
	location, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, false
	}
	zones.Store(name, location)
	return location, true
}

// Between returns the occurrences that overlap a period, in order, at most MostOccurrences. Its cost depends on the
// occurrences in the period, however long ago the rule began.
func (r *Rule) Between(period Span) []Span {
	if !period.From.Before(period.To) {
		return nil
	}
	if r.option == nil {
		return overlapping(nil, Span{r.start, r.start.Add(r.duration)}, period)
	}
	near := r.near(period.From.Add(-r.duration))
	if !near.Until.IsZero() && near.Until.Before(near.Dtstart) {
		return nil
	}
	rule, err := rrule.NewRRule(near)
	if err != nil {
		return nil // not reached: New has made a rule of it
	}
	var spans []Span
	for next := rule.Iterator(); len(spans) < MostOccurrences; {
		start, ok := next()
		start = firstAt(start)
		if !ok || !start.Before(period.To) {
			break
		}
		spans = overlapping(spans, Span{start, start.Add(r.duration)}, period)
	}
	return spans
}

// firstAt returns the first of the two moments that a clock shows alike when it is put back, which RFC 5545 means.
func firstAt(t time.Time) time.Time {
	const clock = "15:04"
	for _, back := range []time.Duration{30 * time.Minute, time.Hour} {
		if before := t.Add(-back); before.Format(clock) == t.Format(clock) {
			return before
		}
	}
	return t
}

func overlapping(spans []Span, s, period Span) []Span {
	if s.Overlaps(period) {
		spans = append(spans, s)
	}
	return spans
}

// spellOut writes out the parts that the rule takes from its start, so that it can begin at another moment and mean the
// same.
func spellOut(o *rrule.ROption) {
	start := o.Dtstart
	if o.Interval == 0 {
		o.Interval = 1
	}
	o.Byhour, o.Byminute, o.Bysecond = []int{start.Hour()}, []int{start.Minute()}, []int{start.Second()}
	if len(o.Byweekno)+len(o.Byyearday)+len(o.Bymonthday)+len(o.Byweekday) > 0 {
		return
	}
	switch o.Freq { //nolint:exhaustive // the others are refused
	case rrule.YEARLY:
		if len(o.Bymonth) == 0 {
			o.Bymonth = []int{int(start.Month())}
		}
		o.Bymonthday = []int{start.Day()}
	case rrule.MONTHLY:
		o.Bymonthday = []int{start.Day()}
	case rrule.WEEKLY:
		o.Byweekday = []rrule.Weekday{weekdays[start.Weekday()]}
	}
}

var weekdays = [...]rrule.Weekday{rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA}

// near returns the rule, begun at most two of its steps before a moment. A rule that counts its occurrences keeps its
// beginning.
func (r *Rule) near(from time.Time) rrule.ROption {
	o := *r.option
	from = from.In(r.start.Location())
	if o.Count > 0 || !from.After(r.start) {
		return o
	}
	year, month, day := r.start.Date()
	hour, minute, second := r.start.Clock()
	at := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, hour, minute, second, 0, r.start.Location())
	}
	midnight := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	days := int(midnight(from).Sub(midnight(r.start)).Hours() / 24)
	months := (from.Year()-year)*12 + int(from.Month()-month)
	steps := func(units int) int { return max(0, units/o.Interval-1) * o.Interval }
	switch o.Freq { //nolint:exhaustive // the others are refused
	case rrule.DAILY:
		o.Dtstart = at(year, month, day+steps(days))
	case rrule.WEEKLY:
		o.Dtstart = at(year, month, day+7*steps(days/7))
	case rrule.MONTHLY:
		if n := steps(months); n > 0 {
			o.Dtstart = at(year, month+time.Month(n), 1)
		}
	case rrule.YEARLY:
		if n := steps(from.Year() - year); n > 0 {
			o.Dtstart = at(year+n, 1, 1)
		}
	}
	return o
}
