package domain

import (
	"maps"
	"slices"
)

// LabelInput is a label to set or, without a value, to remove.
type LabelInput struct {
	Name  string
	Value *string
}

// LabelsOf returns labels as inputs have them, by name.
func LabelsOf(labels map[string]string) []LabelInput {
	all := make([]LabelInput, 0, len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		value := labels[name]
		all = append(all, LabelInput{name, &value})
	}
	return all
}
