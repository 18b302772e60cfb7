package read

import (
	"maps"
	"slices"
)

// Label is a name and a text.
type Label struct{ Name, Value string }

func labelsByName(labels map[string]string) []*Label {
	all := make([]*Label, 0, len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, &Label{name, labels[name]})
	}
	return all
}
