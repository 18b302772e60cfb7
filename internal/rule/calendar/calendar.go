// Package calendar computes working time: how much of it lies between two instants, and when so much of it will have
// passed. An instant is working time if the clock on the wall of the calendar's time zone shows working hours: days on
// which the clock is put forward or back have exactly the hours that the clock shows. It refuses to know what time it
// is.
package calendar

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // for systems without a database of zones

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Bounds of a calendar.
const (
	MostHours    = 100
	MostHolidays = 1_000
)

// Calendar is the working hours of a week in a time zone, without its holidays. It never changes.
type Calendar struct {
	zone     *time.Location
	week     [7][]span // by time.Weekday, in order, apart from each other
	holidays map[string]bool
}

// span is from and until a time of day.
type span struct{ from, until time.Duration }

// day is the time in which the clock on the wall goes around the dial twice.
const day = 24 * time.Hour

// New returns a calendar. Hours may neither overlap nor be empty; holidays are dates such as 2027-12-25. Faults have
// the field to blame below "timeZone", "hours" or "holidays".
func New(zone string, hours []domain.WorkingHours, holidays []domain.Holiday) (*Calendar, error) {
	location, err := zoneOf(zone)
	if err != nil {
		return nil, err
	}
	c := &Calendar{zone: location, holidays: make(map[string]bool, len(holidays))}
	if len(hours) == 0 || len(hours) > MostHours {
		return nil, errs.New(errs.Invalid, "a calendar has 1 to %d working hours, and this one %d: around the clock is 00:00 to 24:00 on each weekday", MostHours, len(hours)).At("hours")
	}
	for i, h := range hours {
		place := fmt.Sprint(i)
		weekday := slices.Index(h.Weekday.Values(), string(h.Weekday))
		if weekday < 0 {
			return nil, errs.New(errs.Invalid, "%q is not a weekday: MONDAY to SUNDAY", string(h.Weekday)).At("hours", place, "weekday")
		}
		from, err := timeOfDay(h.From)
		if err != nil {
			return nil, err.At("hours", place, "from")
		}
		until, err := timeOfDay(h.Until)
		if err != nil {
			return nil, err.At("hours", place, "until")
		}
		if from >= until {
			return nil, errs.New(errs.Invalid, "%s to %s is not a time: hours past midnight are two, to 24:00 and from 00:00 of the next day", h.From, h.Until).At("hours", place)
		}
		c.week[(weekday+1)%7] = append(c.week[(weekday+1)%7], span{from, until})
	}
	for weekday := range c.week {
		all := c.week[weekday]
		slices.SortFunc(all, func(a, b span) int { return int(a.from - b.from) })
		for i := 1; i < len(all); i++ {
			if all[i].from < all[i-1].until {
				return nil, errs.New(errs.Invalid, "the hours of %s overlap", strings.ToUpper(time.Weekday(weekday).String())).At("hours")
			}
		}
	}
	if len(holidays) > MostHolidays {
		return nil, errs.New(errs.Invalid, "a calendar has at most %d holidays, and this one %d", MostHolidays, len(holidays)).At("holidays")
	}
	for i, h := range holidays {
		if _, err := time.Parse(time.DateOnly, h.Date); err != nil {
			return nil, errs.New(errs.Invalid, "%.40q is not a date: write it like 2027-12-25", h.Date).At("holidays", fmt.Sprint(i), "date")
		}
		if c.holidays[h.Date] {
			return nil, errs.New(errs.Invalid, "%s is a holiday already", h.Date).At("holidays", fmt.Sprint(i), "date")
		}
		c.holidays[h.Date] = true
	}
	return c, nil
}

func zoneOf(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, errs.New(errs.Invalid, "%.60q is not a time zone: write its IANA name, such as Europe/Berlin or UTC", name).At("timeZone")
	}
	return location, nil
}

// timeOfDay reads 00:00 to 24:00.
func timeOfDay(text string) (time.Duration, *errs.Error) {
	if text == "24:00" {
		return day, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, errs.New(errs.Invalid, "%.40q is not a time of day: write it like 09:00, to 24:00 at most", text)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// Elapsed returns how much working time lies from one instant to another, or 0 if the second is not later. It is
// additive: from a to c lies the sum of the time from a to b and from b to c.
func (c *Calendar) Elapsed(from, to time.Time) time.Duration {
	var sum time.Duration
	if !from.Before(to) {
		return 0
	}
	for a, b := range c.open(from, to) {
		sum += b.Sub(a)
	}
	return sum
}

// horizon is how far After looks.
const horizon = 30 * 366 * day

// After returns the first instant at which n of working time has passed since from; for n = 0 that is from itself. It
// is the inverse of Elapsed. If that instant lies more than 30 years ahead, it returns false.
func (c *Calendar) After(from time.Time, n time.Duration) (time.Time, bool) {
	if n <= 0 {
		return from, true
	}
	for a, b := range c.open(from, from.Add(horizon)) {
		if n <= b.Sub(a) {
			return a.Add(n), true
		}
		n -= b.Sub(a)
	}
	return time.Time{}, false
}

// open yields the working times between two instants, in order. Between two changes of the zone's offset the clock on
// the wall goes evenly: it is the clock of UTC, moved by the offset.
func (c *Calendar) open(from, to time.Time) iter.Seq2[time.Time, time.Time] {
	return func(yield func(a, b time.Time) bool) {
		for from = from.UTC(); from.Before(to); {
			there := from.In(c.zone)
			_, seconds := there.Zone()
			offset := time.Duration(seconds) * time.Second
			_, end := there.ZoneBounds()
			if end.IsZero() || end.After(to) {
				end = to
			}
			wall := from.Add(offset)
			midnight := time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC)
			for ; midnight.Add(-offset).Before(end); midnight = midnight.Add(day) {
				for _, s := range c.on(midnight) {
					a, b := latest(from, midnight.Add(s.from-offset)), earliest(end, midnight.Add(s.until-offset))
					if a.Before(b) && !yield(a, b) {
						return
					}
				}
			}
			from = end.UTC()
		}
	}
}

// on returns the working hours of a date.
func (c *Calendar) on(date time.Time) []span {
	if len(c.holidays) > 0 && c.holidays[date.Format(time.DateOnly)] {
		return nil
	}
	return c.week[date.Weekday()]
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
