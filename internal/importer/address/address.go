// Package address finds host names in the values of environment variables. It never repeats a value, which may hold a
// password.
package address

import (
	"net/netip"
	"regexp"
	"strings"
)

var scheme = regexp.MustCompile(`^(?:jdbc:)?[A-Za-z][A-Za-z0-9+.-]*://`)

// Is reports whether a variable may hold an address: its name ends in _ADDR or _HOST, or its value is a URL.
func Is(name, value string) bool {
	name = strings.ToUpper(name)
	return strings.HasSuffix(name, "_ADDR") || strings.HasSuffix(name, "_HOST") || scheme.MatchString(value)
}

// Hosts returns the host names in an address: host[:port] or scheme://[user@]host[:port]/…, several with commas
// between. It passes over IP addresses and localhost. If an address can be read in two ways, such as one with an
// unescaped slash in its password, Hosts returns nothing, since a piece of a password must not pass for a name.
func Hosts(value string) []string {
	authority := strings.TrimSpace(value)
	if at := scheme.FindStringIndex(authority); at != nil {
		authority = authority[at[1]:]
	}
	if end := strings.IndexAny(authority, "/?#;"); end >= 0 {
		if strings.Contains(authority[end:], "@") {
			return nil
		}
		authority = authority[:end]
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	var names []string
	for part := range strings.SplitSeq(authority, ",") {
		host, port, _ := strings.Cut(strings.TrimSpace(part), ":")
		host = strings.TrimSuffix(host, ".")
		if _, err := netip.ParseAddr(host); err == nil || host == "localhost" || host == "" || strings.Trim(port, "0123456789") != "" {
			continue
		}
		names = append(names, host)
	}
	return names
}
