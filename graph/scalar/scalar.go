// Package scalar reads and writes the scalars of the contract. What it accepts is what it promises: whole numbers
// of 32 bits, moments in UTC, JSON objects of bounded size, addresses with a known scheme.
package scalar

import (
	"encoding/json"
	"io"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// MarshalInt writes a GraphQL Int.
func MarshalInt(i int) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Itoa(i)) })
}

// UnmarshalInt reads a GraphQL Int: a whole number of 32 bits.
func UnmarshalInt(v any) (int, error) {
	i, err := UnmarshalRevision(v)
	if err != nil || i < math.MinInt32 || i > math.MaxInt32 {
		return 0, errs.New(errs.BadUserInput, "%.40v is not a whole number of 32 bits", v)
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
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), nil
		}
	}
	return 0, errs.New(errs.BadUserInput, "%.40v is not a whole number", v)
}

const moment = "2006-01-02T15:04:05.999999Z07:00"

// MarshalDateTime writes a moment in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(t.UTC().Format(moment))) })
}

// UnmarshalDateTime reads a moment of any offset, cut to microseconds.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	t = t.UTC() // an offset may lead out of the years that can be written
	if !ok || err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errs.New(errs.BadUserInput, "%.40v is not a moment; write it like 2027-01-10T22:00:00Z", v)
	}
	return t.Truncate(time.Microsecond), nil
}

// MarshalURL writes an address.
func MarshalURL(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalURL reads an address with the scheme http, https or mailto.
func UnmarshalURL(v any) (string, error) {
	s, ok := v.(string)
	u, err := url.Parse(s)
	if !ok || err != nil || len(s) > 2000 || u.Scheme != "mailto" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return "", errs.New(errs.BadUserInput, "%.40v is not an address with the scheme http, https or mailto", v)
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
	// Once through JSON, so that numbers are float64 whatever they were read by.
	object = nil
	err = json.Unmarshal(text, &object)
	return object, err
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
