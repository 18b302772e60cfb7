package valid

import (
	"net/url"
	"strings"
)

// Bounds of texts that people write, in characters, and of their number in a record.
const (
	LongestName        = 200
	LongestDescription = 10_000
	LongestReason      = 2_000
	LongestEmail       = 320
	LongestURL         = 2_000
	LongestLabelName   = 100
	LongestLabelText   = 500
	MostLabels         = 100
	MostLinks          = 50
	MostOwners         = 50
)

// IsEmail reports whether s looks like an address, as far as one can tell without writing to it.
func IsEmail(s string) bool {
	before, after, ok := strings.Cut(s, "@")
	return ok && before != "" && after != "" && !strings.ContainsAny(s, " \n\r\t,;<>")
}

// IsURL reports whether a browser may be sent to s: http, https and mailto.
func IsURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || strings.ContainsAny(s, " \n\r\t") {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return u.Hostname() != ""
	case "mailto":
		return strings.Contains(u.Opaque, "@")
	}
	return false
}
