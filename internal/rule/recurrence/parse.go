package recurrence

import (
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// parts describes the right values of each part of a rule.
var parts = map[string]string{
	"FREQ":       "DAILY, WEEKLY, MONTHLY or YEARLY",
	"INTERVAL":   "a number from 1 to 999",
	"COUNT":      "a number from 1 to 1000",
	"UNTIL":      "a date such as 20271231 or a time such as 20271231T235959Z",
	"WKST":       "a day: MO, TU, WE, TH, FR, SA or SU",
	"BYDAY":      "a list of days such as MO,WE or, by month and year, +1SA for the first and -1SA for the last Saturday",
	"BYMONTHDAY": "a list of days of the month: 1 to 31, or -31 to -1 from its end",
	"BYMONTH":    "a list of months: 1 to 12",
	"BYYEARDAY":  "a list of days of the year: 1 to 366, or -366 to -1 from its end",
	"BYWEEKNO":   "a list of weeks of the year: 1 to 53, or -53 to -1 from its end",
	"BYSETPOS":   "a list of places among the days that the other parts choose: 1 to 366, or -366 to -1 from the end",
}

func invalid(format string, args ...any) error {
	return errs.New(errs.Invalid, format, args...).At("recurrence")
}

// parse reads the text of a rule part by part, so that an error can name the part.
func parse(text string, zone *time.Location) (*rrule.ROption, error) {
	if len(text) > LongestText {
		return nil, invalid("the rule has %d characters: at most %d", len(text), LongestText)
	}
	seen := map[string]bool{}
	for i, part := range strings.Split(text, ";") {
		name, value, isPair := strings.Cut(part, "=")
		right, ok := parts[name]
		switch {
		case name == "BYHOUR" || name == "BYMINUTE" || name == "BYSECOND":
			return nil, invalid("part %d, %s: the time of day is that of startsAt; leave it out", i+1, part)
		case !isPair || !ok:
			return nil, invalid("part %d, %q, is not a part of a rule: a rule reads like FREQ=WEEKLY;BYDAY=SA,SU", i+1, part)
		case seen[name]:
			return nil, invalid("part %d, %s: there is a %s before it already", i+1, part, name)
		case !fits(part, name, value, zone):
			return nil, invalid("part %d, %s: %s is %s", i+1, part, name, right)
		}
		seen[name] = true
	}
	if !seen["FREQ"] {
		return nil, invalid("there is no FREQ, which is %s", parts["FREQ"])
	}
	o, err := rrule.StrToROptionInLocation(text, zone)
	if err != nil {
		return nil, invalid("%v", err)
	}
	return o, combine(o, seen)
}

// fits reports whether a part can have a value.
func fits(part, name, value string, zone *time.Location) bool {
	if name != "FREQ" {
		part = "FREQ=YEARLY;" + part
	}
	o, err := rrule.StrToROptionInLocation(part, zone)
	if err != nil {
		return false
	}
	if _, err := rrule.NewRRule(*o); err != nil {
		return false
	}
	switch name {
	case "FREQ":
		return o.Freq <= rrule.DAILY
	case "INTERVAL":
		return o.Interval >= 1 && o.Interval <= MostInterval
	case "COUNT":
		return o.Count >= 1 && o.Count <= MostCount
	case "WKST":
		return len(value) == 2
	}
	return true
}

// combine refuses parts that mean nothing together; see the table of RFC 5545, 3.3.10.
func combine(o *rrule.ROption, seen map[string]bool) error {
	numbered := false
	for _, day := range o.Byweekday {
		numbered = numbered || day.N() != 0
	}
	by := len(seen) - 1
	for _, name := range []string{"INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS"} {
		if seen[name] {
			by--
		}
	}
	switch {
	case seen["COUNT"] && seen["UNTIL"]:
		return invalid("COUNT and UNTIL both say when it ends: leave one out")
	case numbered && o.Freq != rrule.MONTHLY && o.Freq != rrule.YEARLY:
		return invalid("BYDAY numbers its days, which FREQ=%v does not allow: write them without numbers, or by MONTHLY or YEARLY", o.Freq)
	case seen["BYMONTHDAY"] && o.Freq == rrule.WEEKLY:
		return invalid("BYMONTHDAY does not go with FREQ=WEEKLY: take MONTHLY")
	case seen["BYYEARDAY"] && o.Freq != rrule.YEARLY:
		return invalid("BYYEARDAY goes with FREQ=YEARLY only")
	case seen["BYWEEKNO"] && o.Freq != rrule.YEARLY:
		return invalid("BYWEEKNO goes with FREQ=YEARLY only")
	case seen["BYSETPOS"] && by == 0:
		return invalid("BYSETPOS chooses among what another part gives, such as BYDAY: there is none")
	}
	return nil
}
