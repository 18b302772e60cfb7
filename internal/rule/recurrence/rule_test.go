package recurrence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	_ "github.com/linchpin-cmdb/linchpin/internal/propertytest" // the gate draws the same cases
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func rule(t testing.TB, start, zone, text string) *recurrence.Rule {
	t.Helper()
	r, err := recurrence.New(at(t, start), 120, zone, text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func begins(t testing.TB, r *recurrence.Rule, from, to string) (all []string) {
	t.Helper()
	for _, s := range r.Between(recurrence.Span{From: at(t, from), To: at(t, to)}) {
		all = append(all, s.From.UTC().Format("01-02 15:04"))
	}
	return all
}

func TestARuleKeepsTheTimeOfDayOfItsZone(t *testing.T) {
	for _, c := range []struct {
		start, zone, text, from, to string
		want                        []string
	}{
		// Berlin goes to summer time on 2027-03-28 and back on 2027-10-31.
		{"2027-03-20T21:00:00Z", "Europe/Berlin", "FREQ=WEEKLY;BYDAY=SA", "2027-03-20T00:00:00Z", "2027-04-05T00:00:00Z", []string{"03-20 21:00", "03-27 21:00", "04-03 20:00"}},
		{"2027-10-29T00:30:00Z", "Europe/Berlin", "FREQ=DAILY", "2027-10-30T00:00:00Z", "2027-11-01T12:00:00Z", []string{"10-30 00:30", "10-31 00:30", "11-01 01:30"}},
		{"2027-01-09T22:00:00Z", "UTC", "FREQ=MONTHLY;BYDAY=2SA", "2027-02-01T00:00:00Z", "2027-04-30T00:00:00Z", []string{"02-13 22:00", "03-13 22:00", "04-10 22:00"}},
		{"2024-02-29T10:00:00Z", "UTC", "FREQ=YEARLY", "2027-01-01T00:00:00Z", "2028-12-31T00:00:00Z", []string{"02-29 10:00"}},
		{"2027-01-01T10:00:00Z", "UTC", "", "2027-01-01T11:59:00Z", "2027-01-02T00:00:00Z", []string{"01-01 10:00"}},
		{"2027-01-01T10:00:00Z", "UTC", "", "2027-01-01T12:00:00Z", "2027-01-02T00:00:00Z", nil},
		{"2027-01-01T10:00:00Z", "UTC", "FREQ=DAILY;COUNT=3", "2027-01-02T13:00:00Z", "2027-02-02T00:00:00Z", []string{"01-03 10:00"}},
		{"2027-01-01T10:00:00Z", "UTC", "FREQ=DAILY;UNTIL=20270103T100000Z", "2027-01-02T13:00:00Z", "2027-02-02T00:00:00Z", []string{"01-03 10:00"}},
		{"2027-01-01T10:00:00Z", "UTC", "FREQ=DAILY;UNTIL=20270103T100000Z", "2028-01-02T13:00:00Z", "2028-02-02T00:00:00Z", nil},
		{"2027-01-31T10:00:00Z", "UTC", "FREQ=MONTHLY;BYMONTHDAY=-1", "2027-02-01T00:00:00Z", "2027-04-01T00:00:00Z", []string{"02-28 10:00", "03-31 10:00"}},
	} {
		if got := begins(t, rule(t, c.start, c.zone, c.text), c.from, c.to); !slices.Equal(got, c.want) {
			t.Errorf("%s %q: got %v, want %v", c.start, c.text, got, c.want)
		}
	}
}

// TestFarFromItsBeginningARuleMeansTheSame compares the occurrences of a rule begun near the period with those counted
// from the start.
func TestFarFromItsBeginningARuleMeansTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		start := at(t, "2026-01-01T00:30:00Z").Add(time.Duration(rapid.IntRange(0, 24*400).Draw(rt, "hours")) * time.Hour)
		text := rapid.SampledFrom([]string{
			"FREQ=DAILY", "FREQ=DAILY;BYDAY=MO,TU", "FREQ=DAILY;BYMONTH=3,10", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=SU,WE", "FREQ=WEEKLY;WKST=SU;BYDAY=SU,MO",
			"FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
			"FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=12;BYDAY=1SA", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=-1,60", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
		}).Draw(rt, "rule")
		if n := rapid.IntRange(1, 5).Draw(rt, "interval"); n > 1 {
			text += ";INTERVAL=" + string(rune('0'+n))
		}
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"}).Draw(rt, "zone")
		duration := time.Duration(rapid.IntRange(1, 24*40).Draw(rt, "duration")) * time.Hour
		r, err := recurrence.New(start, int(duration/time.Minute), zone, text)
		if err != nil {
			rt.Skip(err) // an interval that never fits
		}
		var all []recurrence.Span // month by month, so that no call is cut
		seen := map[time.Time]bool{}
		for from := start.AddDate(0, -2, 0); from.Before(start.AddDate(12, 0, 0)); from = from.AddDate(0, 1, 0) {
			for _, s := range counted(t, start, duration, zone, text, recurrence.Span{From: from, To: from.AddDate(0, 1, 0)}) {
				if !seen[s.From.UTC()] {
					seen[s.From.UTC()] = true
					all = append(all, s)
				}
			}
		}
		from := start.AddDate(0, 0, rapid.IntRange(-50, 365*10).Draw(rt, "from"))
		period := recurrence.Span{From: from, To: from.Add(time.Duration(rapid.IntRange(1, 24*300).Draw(rt, "period")) * time.Hour)}
		var want []string
		for _, s := range all {
			if s.Overlaps(period) {
				want = append(want, s.From.UTC().String())
			}
		}
		var got []string
		for _, s := range r.Between(period) {
			got = append(got, s.From.UTC().String())
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%s of %s in %v:\ngot  %v\nwant %v", text, start, period, got, want)
		}
	})
}

func TestARuleThatIsWrongSaysWhatAndWhere(t *testing.T) {
	for text, word := range map[string]string{
		"FREQ=WEEKLY;BYDAY=XX":                    `part 2, BYDAY=XX: BYDAY is a list of days`,
		"FREQ=HOURLY":                             "FREQ is DAILY, WEEKLY",
		"FREQ=DAILY;BYHOUR=1,2,3":                 "the time of day is that of startsAt",
		"FREQ=DAILY;INTERVAL=0":                   "a number from 1 to 999",
		"FREQ=DAILY;INTERVAL=x":                   "a number from 1 to 999",
		"FREQ=DAILY;COUNT=1000000":                "a number from 1 to 1000",
		"FREQ=DAILY;UNTIL=tomorrow":               "a date such as",
		"FREQ=DAILY;FREQ=WEEKLY":                  "there is a FREQ before it",
		"BYDAY=MO":                                "there is no FREQ",
		"every saturday":                          `part 1, "every saturday"`,
		"FREQ=DAILY;":                             "part 2",
		"FREQ=MONTHLY;BYMONTHDAY=32":              "1 to 31",
		"FREQ=WEEKLY;BYDAY=1MO":                   "numbers its days",
		"FREQ=WEEKLY;BYMONTHDAY=3":                "does not go with",
		"FREQ=MONTHLY;BYYEARDAY=3":                "YEARLY only",
		"FREQ=MONTHLY;BYWEEKNO=3":                 "YEARLY only",
		"FREQ=MONTHLY;BYSETPOS=3":                 "there is none",
		"FREQ=DAILY;COUNT=3;UNTIL=20300101":       "leave one out",
		"FREQ=DAILY;UNTIL=20200101":               "lies before startsAt",
		"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30":      "never takes place",
		"FREQ=DAILY;INTERVAL=7;BYDAY=TU":          "never takes place",
		"FREQ=DAILY\nRRULE:FREQ=DAILY":            "part 1",
		"FREQ=YEARLY;BYEASTER=1":                  "not a part of a rule",
		strings.Repeat("FREQ=DAILY;", 50) + "X=1": "at most 500",
	} {
		_, err := recurrence.New(at(t, "2027-01-04T22:00:00Z"), 60, "UTC", text) // a Monday
		var e *errs.Error
		if all, ok := errs.All(err); ok && len(all) == 1 {
			e = all[0]
		}
		if e == nil || e.Code != errs.Invalid || !slices.Equal(e.Field, []string{"recurrence"}) || !strings.Contains(e.Message, word) {
			t.Errorf("%.60q: got %v, want %q", text, err, word)
		}
	}
	for _, c := range []struct {
		field, start, zone string
		minutes            int
	}{
		{"timeZone", "2027-01-04T22:00:00Z", "Mars/Base", 60},
		{"startsAt", "1900-01-04T22:00:00Z", "UTC", 60},
		{"duration", "2027-01-04T22:00:00Z", "UTC", 0},
		{"duration", "2027-01-04T22:00:00Z", "UTC", 307_445_736}, // as a time.Duration it would be 86 s
	} {
		_, err := recurrence.New(at(t, c.start), c.minutes, c.zone, "")
		if all, _ := errs.All(err); len(all) != 1 || !slices.Equal(all[0].Field, []string{c.field}) {
			t.Errorf("%+v: got %v", c, all)
		}
	}
}

func TestTimesThatNoSpanCoversAreFound(t *testing.T) {
	hour := func(n int) time.Time { return time.Date(2027, 1, 1, n, 0, 0, 0, time.UTC) }
	span := func(from, to int) recurrence.Span { return recurrence.Span{From: hour(from), To: hour(to)} }
	for _, c := range []struct {
		by   []recurrence.Span
		want recurrence.Span
		is   bool
	}{
		{nil, span(5, 10), true},
		{[]recurrence.Span{span(4, 11)}, recurrence.Span{}, false},
		{[]recurrence.Span{span(4, 7), span(7, 10)}, recurrence.Span{}, false},
		{[]recurrence.Span{span(4, 7), span(8, 10)}, span(7, 8), true},
		{[]recurrence.Span{span(1, 20), span(8, 9)}, recurrence.Span{}, false},
		{[]recurrence.Span{span(6, 9)}, span(5, 6), true},
		{[]recurrence.Span{span(4, 7)}, span(7, 10), true},
	} {
		if got, ok := span(5, 10).Uncovered(c.by); ok != c.is || ok && got != c.want {
			t.Errorf("%v: got %v, %v", c.by, got, ok)
		}
	}
}

func TestRulesThatNeverTakePlaceAreKnownFromTheirLastCycle(t *testing.T) {
	start := at(t, "2027-01-04T22:00:00Z")
	never, sometimes := 0, 0
	for _, freq := range []string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"} {
		for _, interval := range []int{1, 2, 7, 11, 12, 28, 400, 999} {
			for _, parts := range []string{"BYMONTH=2;BYMONTHDAY=29", "BYMONTH=2;BYMONTHDAY=30", "BYDAY=MO;BYMONTHDAY=13", "BYDAY=FR;BYMONTH=2;BYMONTHDAY=29", "BYMONTHDAY=31;BYMONTH=4,6"} {
				if freq == "WEEKLY" && strings.Contains(parts, "BYMONTHDAY") {
					parts = strings.NewReplacer("BYMONTHDAY=29", "BYDAY=TU", "BYMONTHDAY=30", "BYDAY=WE", "BYMONTHDAY=13", "BYMONTH=5", "BYMONTHDAY=31", "BYDAY=SU").Replace(parts)
				}
				text := fmt.Sprintf("FREQ=%s;INTERVAL=%d;%s", freq, interval, parts)
				option, err := rrule.StrToROption(text)
				if err != nil {
					continue // such as a part that is there twice
				}
				option.Dtstart = start
				whole, err := rrule.NewRRule(*option)
				if err != nil {
					t.Fatal(text, err)
				}
				_, want := whole.Iterator()()
				_, err = recurrence.New(start, 60, "UTC", text)
				if err != nil && !strings.Contains(err.Error(), "never takes place") {
					continue // refused for what it says
				}
				if got := err == nil; got != want {
					t.Errorf("%s takes place: %t, want %t: %v", text, got, want, err)
				}
				if want {
					sometimes++
				} else {
					never++
				}
			}
		}
	}
	if never < 20 || sometimes < 20 {
		t.Errorf("%d that never take place and %d others show little", never, sometimes)
	}
}
