package store

import (
	"net/url"
	"strings"
)

// Redact returns an address for messages: the path of a file, or a URL without its secrets. Of any other text, which
// may hold a password anywhere, it tells nothing.
func Redact(address string) string {
	if strings.HasPrefix(address, "sqlite:") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" {
		return "the database"
	}
	parameters := u.Query()
	for name := range parameters {
		if strings.Contains(strings.ToLower(name), "pass") {
			parameters.Del(name)
		}
	}
	u.RawQuery = parameters.Encode()
	return u.Redacted()
}
