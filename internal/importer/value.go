package importer

import "strings"

func trim(s string) string { return strings.TrimSpace(s) }

// reported is nil for what a source leaves empty.
func reported(s string) *string {
	if s = trim(s); s == "" {
		return nil
	}
	return &s
}

func ptr[T any](v T) *T { return &v }
