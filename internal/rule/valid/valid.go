// Package valid checks texts that people write: lengths, characters, codes, versions. It refuses to touch the database.
package valid

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Stale returns errs.Stale if the caller stated a version that the record does not have.
func Stale(expected *int, actual int) error {
	if expected == nil || *expected == actual {
		return nil
	}
	return errs.New(errs.Stale, "the record is at version %d, you saw version %d: read it again and repeat what still applies", actual, *expected).At("expectedVersion")
}

// Text returns s in Unicode's composed form (NFC) and without white space around it, and checks its length in
// characters; least 1 makes it required. It refuses what nobody can read: control characters other than line breaks and
// tabs, marks that turn the direction of writing, and texts of characters without width alone.
func Text(field, s string, least, most int) (string, error) {
	s = strings.TrimSpace(norm.NFC.String(s))
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		return "", errs.New(errs.Invalid, "the text is not valid UTF-8").At(field)
	case n < least && n == 0:
		return "", errs.New(errs.Required, "%s must not be empty", field).At(field)
	case n > most:
		return "", errs.New(errs.Invalid, "%s has %d characters: at most %d", field, n, most).At(field)
	}
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7f {
			return "", errs.New(errs.Invalid, "%s holds the control character U+%04X", field, r).At(field)
		}
		if unicode.Is(unicode.Bidi_Control, r) {
			return "", errs.New(errs.Invalid, "%s holds U+%04X, which turns the direction of writing: leave it out", field, r).At(field)
		}
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.Is(unicode.Cf, r) && !unicode.IsSpace(r) }) {
		return "", errs.New(errs.Invalid, "%s holds characters without width alone: write something that can be seen", field).At(field)
	}
	return s, nil
}

// Code checks a name that stays: lower-case letters, digits, dashes and underscores, starting with a letter.
func Code(field, s string) error {
	if len(s) == 0 || len(s) > 60 {
		return errs.New(errs.Invalid, "%s has 1 to 60 characters", field).At(field)
	}
	for i, r := range s {
		letter := r >= 'a' && r <= 'z'
		other := r >= '0' && r <= '9' || r == '_' || r == '-'
		if !letter && (i == 0 || !other) {
			return errs.New(errs.Invalid, "%q is not a code: lower-case letters, digits, dashes and underscores, starting with a letter", s).At(field)
		}
	}
	return nil
}
