package page

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

const (
	cursorVersion = 1
	maxMoment     = 253_402_300_799_999_999 // the last microsecond of the year 9999
)

// fingerprint binds cursors to what they were made for: a list, its filter and its order.
func (o order) fingerprint(list string, filter any) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s|%s", list, plain(filter))
	for _, t := range o {
		_, _ = fmt.Fprintf(h, "|%s%s %t", t.Column, t.name, t.desc)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// keyCursor names a place in a list by the values that it is ordered by.
type keyCursor struct {
	Version     int    `json:"v"`
	Fingerprint string `json:"f"`
	Values      []any  `json:"k"`
	Mark        string `json:"m,omitempty"` // of the row
}

// placeCursor names a place in a list that was computed and not read: the key that stood there, and where, in case
// it has left the list since.
type placeCursor struct {
	Version     int    `json:"v"`
	Fingerprint string `json:"f"`
	Key         string `json:"i"`
	Place       int    `json:"p"`
}

func encode(cursor any) string { return base64.RawURLEncoding.EncodeToString([]byte(plain(cursor))) }

// decode reads a cursor of at most so many characters.
func decode(text string, most int, into any) (ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(text) <= most && json.Unmarshal(raw, into) == nil
}

func badCursor(argument, of string) error {
	return errs.New(errs.BadCursor, "%s: the cursor does not belong to this %s; take cursors from pageInfo or edges of the same query", argument, of)
}

// cursor names a record's place in the list.
func (o order) cursor(fingerprint string, record any, mark string) string {
	c := keyCursor{cursorVersion, fingerprint, make([]any, len(o)), mark}
	for i, t := range o {
		c.Values[i] = t.kind.write(t.value(record))
	}
	return encode(c)
}

// parse reads a cursor back into typed values and its mark: nothing of it reaches SQL but as an argument of its
// column's kind.
func (o order) parse(fingerprint, argument, text string) (values []any, mark string, err error) {
	bad := badCursor(argument, "list, filter and order")
	var c keyCursor
	if !decode(text, 4096, &c) || c.Version != cursorVersion || c.Fingerprint != fingerprint || len(c.Values) != len(o) {
		return nil, "", bad
	}
	values = make([]any, len(o))
	for i, t := range o {
		var ok bool
		if values[i], ok = t.kind.read(c.Values[i]); !ok {
			return nil, "", bad
		}
	}
	return values, c.Mark, nil
}

// whole returns a whole number of a cursor, at most that of the last moment.
func whole(text any) (int64, bool) {
	number, ok := text.(float64)
	if !ok || number != math.Trunc(number) || math.Abs(number) > maxMoment {
		return 0, false
	}
	return int64(number), true
}

// find returns where a cursor's record stands in rows now; where it stood, and false, if it is gone.
func find[E any](text, argument, fingerprint string, rows []E, key func(E) string) (place int, ok bool, err error) {
	var c placeCursor
	if !decode(text, 1023, &c) || c.Version != cursorVersion || c.Fingerprint != fingerprint || c.Place < 0 {
		return 0, false, badCursor(argument, "list")
	}
	id, _, _ := strings.Cut(c.Key, KeySeparator)
	if _, err := ident.Parse(id); err != nil {
		return 0, false, badCursor(argument, "list")
	}
	if c.Place < len(rows) && key(rows[c.Place]) == c.Key {
		return c.Place, true, nil
	}
	if place := slices.IndexFunc(rows, func(e E) bool { return key(e) == c.Key }); place >= 0 {
		return place, true, nil
	}
	return min(c.Place, len(rows)), false, nil
}
