// Package scalar reads and writes the scalars of the contract. It accepts whole numbers of 32 bits, moments in UTC,
// JSON objects of bounded size, and addresses with a known scheme.
package scalar

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// MarshalInt writes a GraphQL Int.
func MarshalInt(i int) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Itoa(i)) })
}

// shown returns the beginning of a value, for a message.
func shown(v any) string { return fmt.Sprintf("%.40s", fmt.Sprint(v)) }

// UnmarshalInt reads a GraphQL Int: a whole number of 32 bits.
func UnmarshalInt(v any) (int, error) {
	i, err := UnmarshalRevision(v)
	if err != nil || i < math.MinInt32 || i > math.MaxInt32 {
		return 0, errs.New(errs.BadUserInput, "%s is not a whole number of 32 bits", shown(v))
	}
	return int(i), nil
}

// MarshalRevision writes a whole number.
func MarshalRevision(i int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatInt(i, 10)) })
}

// UnmarshalRevision reads a whole number.
func UnmarshalRevision(v any) (int64, error) {
	switch n := v.(type) {
	case int:
		return int64(n), nil
	case int64:
		return n, nil
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i, nil
		}
		if f, err := n.Float64(); err == nil { // 2.0 is 2
			return UnmarshalRevision(f)
		}
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), nil
		}
	}
	return 0, errs.New(errs.BadUserInput, "%s is not a whole number", shown(v))
}

const moment = "2006-01-02T15:04:05.999999Z07:00"

// MarshalDateTime writes a moment in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(t.UTC().Format(moment))) })
}

// UnmarshalDateTime reads a moment of any offset, cut to microseconds, or a date, which is its first moment in UTC.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	if len(s) == len(time.DateOnly) {
		t, err = time.Parse(time.DateOnly, s)
	}
	t = t.UTC() // an offset may lead out of the years that can be written
	if !ok || err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errs.New(errs.BadUserInput, "%s is not a moment; write it like 2027-01-10T22:00:00Z", shown(v))
	}
	return t.Truncate(time.Microsecond), nil
}

// MarshalDuration writes a length of time as ISO 8601 does, down to microseconds.
func MarshalDuration(d time.Duration) graphql.Marshaler {
	d = d.Truncate(time.Microsecond)
	text := "PT"
	if d < 0 {
		text, d = "-PT", -d
	}
	if h := d / time.Hour; h > 0 {
		text += strconv.FormatInt(int64(h), 10) + "H"
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		text += strconv.FormatInt(int64(m), 10) + "M"
	}
	if s := d % time.Minute; s > 0 || d == 0 {
		text += strconv.FormatFloat(s.Seconds(), 'f', -1, 64) + "S"
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(text)) })
}

var duration = regexp.MustCompile(`^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{1,6}))?S)?)?$`)

// longestDuration is more than anything lasts, and far from what overflows.
const longestDuration = 100 * 366 * day

const day = 24 * time.Hour

// UnmarshalDuration reads a length of time of weeks, days of 24 hours, hours, minutes and seconds.
func UnmarshalDuration(v any) (time.Duration, error) {
	s, _ := v.(string)
	parts := duration.FindStringSubmatch(s)
	if parts == nil || s == "P" || strings.HasSuffix(s, "T") {
		return 0, errs.New(errs.BadUserInput, "%s is not a length of time; write it like PT4H30M, or P1D for 24 hours; months and years have no length", shown(v))
	}
	long := errs.New(errs.BadUserInput, "%s is longer than 100 years", shown(v))
	micro, _ := strconv.ParseInt((parts[6] + "000000")[:6], 10, 64)
	sum := time.Duration(micro) * time.Microsecond
	for i, unit := range []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.ParseInt("0"+parts[1+i], 10, 64)
		if time.Duration(n) > longestDuration/unit {
			return 0, long
		}
		if sum += time.Duration(n) * unit; sum > longestDuration {
			return 0, long
		}
	}
	return sum, nil
}

// MarshalURL writes an address.
func MarshalURL(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalURL reads an address with the scheme http, https or mailto.
func UnmarshalURL(v any) (string, error) {
	s, ok := v.(string)
	u, err := url.Parse(s)
	if !ok || err != nil || len(s) > 2000 || u.Scheme != "mailto" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return "", errs.New(errs.BadUserInput, "%s is not an address with the scheme http, https or mailto", shown(v))
	}
	return s, nil
}

const jsonLimit = 64 << 10

func marshalJSON(v any) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // every value came out of JSON
		}
		_, _ = w.Write(text)
	})
}

// MarshalJSON writes a JSON object.
func MarshalJSON(v map[string]any) graphql.Marshaler {
	if v == nil {
		v = map[string]any{}
	}
	return marshalJSON(v)
}

// UnmarshalJSON reads a JSON object of at most 64 KiB.
func UnmarshalJSON(v any) (map[string]any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errs.New(errs.BadUserInput, "a JSON object is wanted, such as {\"cpuCores\": 4}")
	}
	text, err := json.Marshal(object)
	if err != nil || len(text) > jsonLimit {
		return nil, errs.New(errs.BadUserInput, "the JSON object is larger than 64 KiB")
	}
	// Encoding and decoding it again makes numbers float64, however they were read.
	object = nil
	if err = json.Unmarshal(text, &object); err != nil {
		return nil, errs.New(errs.BadUserInput, "the JSON object holds a number of more than 64 bits: at most about 1.8e308")
	}
	return object, nil
}

// MarshalJSONValue writes a JSON value.
func MarshalJSONValue(v any) graphql.Marshaler { return marshalJSON(v) }

// UnmarshalJSONValue reads text, a number or a boolean; numbers become float64.
func UnmarshalJSONValue(v any) (any, error) {
	switch n := v.(type) {
	case string, bool, float64:
		return n, nil
	case int64:
		return float64(n), nil
	case int:
		return float64(n), nil
	case json.Number:
		if f, err := n.Float64(); err == nil {
			return f, nil
		}
	}
	return nil, errs.New(errs.BadUserInput, "text, a number or a boolean is wanted")
}
