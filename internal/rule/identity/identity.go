// Package identity says when two values name the same thing: sources spell serial numbers, addresses and host names
// each in their own way, and fill in what identifies nothing.
package identity

import (
	"encoding/json"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// The names in identity rules that are no attributes. They are compared as they are, since case may tell names apart.
const (
	Name        = "name"
	Environment = "environment"
)

// Key returns the values of an identity rule as JSON, in the form in which they are compared. It returns false if the
// rule names nothing, or if one of the values is missing, empty or a placeholder: then the rule says nothing.
func Key(rule []string, value func(name string) any) (key string, ok bool) {
	values := make([]any, len(rule))
	for i, name := range rule {
		switch v := Normal(name, value(name)); v {
		case nil, "":
			return "", false
		default:
			values[i] = v
		}
	}
	text, err := json.Marshal(values)
	return string(text), err == nil && len(rule) > 0
}

// Normal returns the value of a name in the form in which it is compared: text of attributes in NFC, trimmed, ASCII in
// lower case, UUIDs and hardware addresses as their digits; lists and objects as JSON. A placeholder is nil.
func Normal(name string, value any) any {
	switch v := value.(type) {
	case string:
		if name == Name || name == Environment {
			return v
		}
		text := fold(norm.NFC.String(v))
		if IsPlaceholder(text) {
			return nil
		}
		if digits := Squeezed(text); uuid.MatchString(text) || address.MatchString(text) {
			return digits
		}
		return text
	case map[string]any, []any:
		text, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return string(text)
	default:
		return value
	}
}

var (
	uuid    = regexp.MustCompile(`^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$`)
	address = regexp.MustCompile(`^([0-9a-f]{2}([:-][0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2})$`)
)

// placeholders are what firmware, forms and inventories write if they know nothing. They are in the form of fold.
var placeholders = map[string]bool{
	"": true, "0": true, "none": true, "n/a": true, "na": true, "null": true, "nil": true, "unknown": true, "-": true, "--": true, "?": true,
	"default": true, "default string": true, "to be filled by o.e.m.": true, "to be filled by oem": true, "o.e.m.": true, "oem": true,
	"system serial number": true, "serial number": true, "chassis serial number": true, "base board serial number": true, "not specified": true, "not applicable": true,
	"not available": true, "not provided": true, "no asset tag": true, "invalid": true, "empty": true, "tbd": true,
	"123456789": true, "1234567890": true, "0123456789": true,
}

// IsPlaceholder reports whether a text stands for "not known" and identifies nothing: a word of a list, or nothing but
// zeros, or nothing but the letter F or x, as in a UUID of all zeros.
func IsPlaceholder(text string) bool {
	text = fold(text)
	if placeholders[text] {
		return true
	}
	digits := Squeezed(text)
	return len(digits) > 1 && (strings.Trim(digits, "0") == "" || strings.Trim(digits, "x") == "") || len(digits) >= 8 && strings.Trim(digits, "f") == ""
}

// Squeezed returns a text without the signs that its spellings differ by, ASCII in lower case. Texts that are the same
// in the form of Normal are the same here, but not the other way round: databases look candidates up by it.
func Squeezed(text string) string { return separators.Replace(fold(text)) }

var separators = strings.NewReplacer("-", "", ":", "", ".", "", "{", "", "}", "", " ", "")

// fold trims a text and puts its ASCII letters into lower case, which both databases do alike.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.TrimSpace(text))
}
