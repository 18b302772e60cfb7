package calendar_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
)

// daily returns the same hours for each day.
func daily(from, until string) []domain.WorkingHours {
	var all []domain.WorkingHours
	for _, d := range domain.Weekday("").Values() {
		all = append(all, domain.WorkingHours{Weekday: domain.Weekday(d), From: from, Until: until})
	}
	return all
}

func office() []domain.WorkingHours { return daily("09:00", "17:00")[:5] }

func must(t testing.TB, zone string, hours []domain.WorkingHours, holidays ...string) *calendar.Calendar {
	t.Helper()
	var all []domain.Holiday
	for _, date := range holidays {
		all = append(all, domain.Holiday{Date: date})
	}
	c, err := calendar.New(zone, hours, all)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestWorkingTimeIsWhatTheClockOnTheWallShows(t *testing.T) {
	for name, c := range map[string]struct {
		zone     string
		hours    []domain.WorkingHours
		from, to string
		want     time.Duration
	}{
		"a day":                            {"Europe/Berlin", office(), "2027-01-11T00:00:00+01:00", "2027-01-12T00:00:00+01:00", 8 * time.Hour},
		"over a weekend":                   {"Europe/Berlin", office(), "2027-01-15T16:00:00+01:00", "2027-01-18T10:30:00+01:00", 150 * time.Minute},
		"outside of hours":                 {"Europe/Berlin", office(), "2027-01-15T17:00:00+01:00", "2027-01-18T09:00:00+01:00", 0},
		"backwards":                        {"Europe/Berlin", office(), "2027-01-18T12:00:00+01:00", "2027-01-15T12:00:00+01:00", 0},
		"around the clock over a leap":     {"UTC", daily("00:00", "24:00"), "2028-02-28T00:00:00Z", "2028-03-01T00:00:00Z", 48 * time.Hour},
		"Berlin springs forward":           {"Europe/Berlin", daily("00:00", "24:00"), "2027-03-28T00:00:00+01:00", "2027-03-29T00:00:00+02:00", 23 * time.Hour},
		"Berlin falls back":                {"Europe/Berlin", daily("00:00", "24:00"), "2027-10-31T00:00:00+02:00", "2027-11-01T00:00:00+01:00", 25 * time.Hour},
		"an office day of a long day":      {"Europe/Berlin", daily("09:00", "17:00"), "2027-10-31T00:00:00+02:00", "2027-11-01T00:00:00+01:00", 8 * time.Hour},
		"hours that the clock leaves out":  {"Europe/Berlin", daily("02:15", "03:30"), "2027-03-28T00:00:00+01:00", "2027-03-29T00:00:00+02:00", 30 * time.Minute},
		"hours that the clock shows twice": {"Europe/Berlin", daily("02:15", "03:30"), "2027-10-31T00:00:00+02:00", "2027-11-01T00:00:00+01:00", 2 * time.Hour},
		"New York springs forward":         {"America/New_York", daily("01:00", "04:00"), "2027-03-14T00:00:00-05:00", "2027-03-15T00:00:00-04:00", 2 * time.Hour},
		"New York falls back":              {"America/New_York", daily("00:00", "01:30"), "2027-11-07T00:00:00-04:00", "2027-11-08T00:00:00-05:00", 2 * time.Hour},
		"Lord Howe goes half an hour on":   {"Australia/Lord_Howe", daily("01:00", "04:00"), "2027-10-03T00:00:00+10:30", "2027-10-04T00:00:00+11:00", 150 * time.Minute},
		"and half an hour back":            {"Australia/Lord_Howe", daily("01:00", "04:00"), "2027-04-04T00:00:00+11:00", "2027-04-05T00:00:00+10:30", 210 * time.Minute},
		"midnight that is left out":        {"America/Havana", daily("00:00", "02:00"), "2027-03-14T00:00:00-05:00", "2027-03-15T00:00:00-04:00", time.Hour},
		"a day that is left out":           {"Pacific/Apia", daily("09:00", "17:00"), "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", 16 * time.Hour},
	} {
		if got := must(t, c.zone, c.hours).Elapsed(at(t, c.from), at(t, c.to)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestHolidaysAreDatesOfTheZone(t *testing.T) {
	c := must(t, "America/New_York", daily("00:00", "24:00"), "2027-12-24")
	from, to := at(t, "2027-12-24T00:00:00Z"), at(t, "2027-12-26T00:00:00Z")
	if got := c.Elapsed(from, to); got != 24*time.Hour {
		t.Errorf("%s of 48 hours", got)
	}
	due, _ := c.After(from, 6*time.Hour)
	if want := at(t, "2027-12-25T06:00:00Z"); !due.Equal(want) { // five hours of the 23rd are left there, and one of the 25th
		t.Errorf("due at %s, want %s", due, want)
	}
}

func TestADurationBeyondThirtyYearsIsNeverDue(t *testing.T) {
	c := must(t, "UTC", []domain.WorkingHours{{Weekday: domain.Monday, From: "09:00", Until: "09:01"}})
	if due, ok := c.After(at(t, "2027-01-01T00:00:00Z"), 8760*time.Hour); ok {
		t.Errorf("due at %s", due)
	}
}

func TestACalendarRefusesHoursAndDaysThatCannotBe(t *testing.T) {
	overlap := append(office(), domain.WorkingHours{Weekday: domain.Monday, From: "16:00", Until: "18:00"})
	for field, make := range map[string]func() (*calendar.Calendar, error){
		"timeZone":      func() (*calendar.Calendar, error) { return calendar.New("Berlin", office(), nil) },
		"hours":         func() (*calendar.Calendar, error) { return calendar.New("UTC", overlap, nil) },
		"hours.0.from":  func() (*calendar.Calendar, error) { return calendar.New("UTC", daily("9:00", "17:00"), nil) },
		"hours.0.until": func() (*calendar.Calendar, error) { return calendar.New("UTC", daily("09:00", "24:01"), nil) },
		"hours.0":       func() (*calendar.Calendar, error) { return calendar.New("UTC", daily("22:00", "06:00"), nil) },
		"hours.0.weekday": func() (*calendar.Calendar, error) {
			return calendar.New("UTC", []domain.WorkingHours{{Weekday: "Monday", From: "09:00", Until: "17:00"}}, nil)
		},
		"holidays.1.date": func() (*calendar.Calendar, error) {
			return calendar.New("UTC", office(), []domain.Holiday{{Date: "2027-12-24"}, {Date: "2027-12-24"}})
		},
		"holidays.0.date": func() (*calendar.Calendar, error) {
			return calendar.New("UTC", office(), []domain.Holiday{{Date: "2027-02-29"}})
		},
	} {
		_, err := make()
		all, ok := errs.All(err)
		if err == nil || !ok || strings.Join(all[0].Field, ".") != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, zone := range []string{"", "Local", "../etc/passwd"} {
		if _, err := calendar.New(zone, office(), nil); err == nil {
			t.Errorf("the zone %q is one", zone)
		}
	}
}

var zones = []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "UTC", "Asia/Kathmandu", "Africa/Casablanca"}

// drawn draws a calendar, and returns it with its zone, hours and holidays.
func drawn(t *rapid.T) (*calendar.Calendar, string, []domain.WorkingHours, []domain.Holiday) {
	zone := rapid.SampledFrom(zones).Draw(t, "zone")
	var hours []domain.WorkingHours
	for _, d := range domain.Weekday("").Values() {
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(0, 96), 0, 4, rapid.ID[int]).Draw(t, d)
		slices.Sort(cuts)
		for i := 1; i < len(cuts); i += 2 {
			text := func(quarters int) string { return fmt.Sprintf("%02d:%02d", quarters/4, quarters%4*15) }
			hours = append(hours, domain.WorkingHours{Weekday: domain.Weekday(d), From: text(cuts[i-1]), Until: text(cuts[i])})
		}
	}
	if len(hours) == 0 {
		hours = daily("00:00", "24:00")
	}
	var holidays []domain.Holiday
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 365), 0, 5, rapid.ID[int]).Draw(t, "holidays") {
		holidays = append(holidays, domain.Holiday{Date: time.Date(2027, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)})
	}
	c, err := calendar.New(zone, hours, holidays)
	if err != nil {
		t.Fatal(err)
	}
	return c, zone, hours, holidays
}

// moment draws an instant near a change of the clock, or anywhere in the year.
func moment(t *rapid.T, label string) time.Time {
	around := rapid.SampledFrom([]string{"2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z", "2027-03-14T06:00:00Z", "2027-04-03T15:00:00Z", "2027-10-02T15:30:00Z", "2027-07-01T00:00:00Z"}).Draw(t, label+" around")
	near, err := time.Parse(time.RFC3339, around)
	if err != nil {
		t.Fatal(err)
	}
	return near.Add(time.Duration(rapid.Int64Range(int64(-72*time.Hour), int64(72*time.Hour)).Draw(t, label)))
}

// naive counts the minutes whose time of day is within the hours.
func naive(zone string, hours []domain.WorkingHours, holidays []domain.Holiday, from, to time.Time) time.Duration {
	location, _ := time.LoadLocation(zone)
	var sum time.Duration
	for ; from.Before(to); from = from.Add(time.Minute) {
		wall := from.In(location)
		isHoliday := slices.ContainsFunc(holidays, func(h domain.Holiday) bool { return h.Date == wall.Format(time.DateOnly) })
		for _, h := range hours {
			clock := wall.Format("15:04")
			if !isHoliday && string(h.Weekday) == strings.ToUpper(wall.Weekday().String()) && clock >= h.From && clock < h.Until {
				sum += time.Minute
			}
		}
	}
	return sum
}

func TestElapsedCountsTheMinutesWithinHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, zone, hours, holidays := drawn(t)
		from := moment(t, "from").Truncate(time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(0, 5_000).Draw(t, "minutes")) * time.Minute)
		if got, want := c.Elapsed(from, to), naive(zone, hours, holidays, from, to); got != want {
			t.Fatalf("%s from %s to %s: %s, want %s", zone, from, to, got, want)
		}
	})
}

func TestElapsedAddsUpAndAfterUndoesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _, _, _ := drawn(t)
		all := []time.Time{moment(t, "a"), moment(t, "b"), moment(t, "c")}
		slices.SortFunc(all, time.Time.Compare)
		if whole, parts := c.Elapsed(all[0], all[2]), c.Elapsed(all[0], all[1])+c.Elapsed(all[1], all[2]); whole != parts {
			t.Fatalf("%s, and %s in parts", whole, parts)
		}
		n := time.Duration(rapid.Int64Range(0, int64(200*time.Hour)).Draw(t, "n"))
		due, ok := c.After(all[0], n)
		if !ok {
			t.Fatalf("%s is never over", n)
		}
		if got := c.Elapsed(all[0], due); got != n {
			t.Fatalf("after %s, %s have elapsed", n, got)
		}
		if n > 0 && c.Elapsed(all[0], due.Add(-1)) != n-1 {
			t.Fatalf("%s have elapsed before %s", n, due)
		}
		if passed := c.Elapsed(all[0], all[1]); passed > 0 {
			if earliest, _ := c.After(all[0], passed); earliest.After(all[1]) {
				t.Fatalf("%s elapsed by %s and not before %s", passed, all[1], earliest)
			}
		}
	})
}

func BenchmarkAfterAYear(b *testing.B) {
	c := must(b, "Europe/Berlin", office(), "2027-12-24")
	from := at(b, "2027-01-01T00:00:00Z")
	for b.Loop() {
		if _, ok := c.After(from, 2_000*time.Hour); !ok {
			b.Fatal("never")
		}
	}
}
