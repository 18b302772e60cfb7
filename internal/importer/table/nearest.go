package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// noneOf says that a text is not one of the known ones, and which it is likely meant to be.
func noneOf(text string, known []string) string {
	shown := make([]string, 0, len(known))
	for _, k := range known {
		if k != "" {
			shown = append(shown, document.Quote(k))
		}
	}
	return fmt.Sprintf("%s is none of %s%s", document.Quote(text), enumerate(shown, 12), nearestOf(text, known))
}

// nearestOf returns "; nearest …" with the known text that is most like the given one, or "" if none is. Of two that
// differ in case alone it takes the one whose case is nearer.
func nearestOf(text string, known []string) string {
	best, distance, exact := "", len(text)/2+2, 0
	for _, k := range known {
		d, e := levenshtein.ComputeDistance(strings.ToLower(text), strings.ToLower(k)), levenshtein.ComputeDistance(text, k)
		if k != "" && (d < distance || d == distance && e < exact) {
			best, distance, exact = k, d, e
		}
	}
	if best == "" {
		return ""
	}
	return "; nearest " + document.Quote(best)
}

// enumerate lists texts, at most so many.
func enumerate(all []string, most int) string {
	if len(all) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
	}
	return strings.Join(all, ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
