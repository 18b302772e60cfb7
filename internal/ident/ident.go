// Package ident owns the identifiers of Linchpin's records: one int64 that contains the kind of the record it names, so
// that a global look-up needs no table and dense arrays can stand where others use hash maps.
package ident

import (
	"io"
	"strconv"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// ID names one record. The upper 16 bits are its Kind, the lower 48 a number that is dense within
// the kind and starts at 1. The zero ID names nothing. At the border it reads "ci_1z": the kind's
// prefix and the number in base 36.
type ID int64

const numberBits = 48

// New returns the ID of the number-th record of a kind.
func New(k Kind, number int64) ID { return ID(int64(k)<<numberBits | number) }

// Kind returns the kind of record that i names, or 0 if i names nothing.
func (i ID) Kind() Kind { return Kind(i >> numberBits) }

// Number returns i's dense number within its kind, from 1.
func (i ID) Number() int64 { return int64(i) & (1<<numberBits - 1) }

// As returns the ID with the same number of another kind. It exists for services, which are CIs seen from the
// catalogue: svc_7 and ci_7 are one record.
func (i ID) As(k Kind) ID { return New(k, i.Number()) }

// String returns the ID as clients see it, or "" for the zero ID.
func (i ID) String() string {
	if i == 0 {
		return ""
	}
	return i.Kind().Prefix() + "_" + strconv.FormatInt(i.Number(), 36)
}

// Parse reads what String wrote. It accepts exactly that form, so that each record has one name.
func Parse(s string) (ID, error) {
	prefix, number, found := strings.Cut(s, "_")
	k, ok := kindsByPrefix[prefix]
	n, err := strconv.ParseInt(number, 36, numberBits+1)
	if !found || !ok || err != nil || n <= 0 || strconv.FormatInt(n, 36) != number {
		return 0, errs.New(errs.BadUserInput, "%q is not an id; ids look like %q", shorten(s), New(CI, 1295).String())
	}
	return New(k, n), nil
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// MarshalGQL writes i as a GraphQL ID.
func (i ID) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(i.String())) }

// UnmarshalGQL reads a GraphQL ID.
func (i *ID) UnmarshalGQL(v any) (err error) {
	s, ok := v.(string)
	if !ok {
		return errs.New(errs.BadUserInput, "an id is a string such as %q", New(CI, 1295).String())
	}
	*i, err = Parse(s)
	return err
}

// MarshalText writes i as clients see it, so that JSON in the journal reads like the API.
func (i ID) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads what MarshalText wrote; empty text is the zero ID.
func (i *ID) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*i = 0
		return nil
	}
	*i, err = Parse(string(text))
	return err
}
