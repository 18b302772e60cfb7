package auth

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Policy returns the table of verbs as text: a line each, with the role that it takes and what it asks beside.
func Policy() string {
	var table strings.Builder
	for _, verb := range slices.Sorted(maps.Keys(verbs)) {
		beside := ""
		if c := conditions[verb]; c.isFresh {
			beside = "a person that signed in within 15 minutes"
		} else if c.isPersonal {
			beside = "a person that signed in"
		}
		fmt.Fprintln(&table, strings.TrimRight(fmt.Sprintf("%-32s %-15s %s", verb, verbs[verb], beside), " "))
	}
	return table.String()
}
