package table

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed prepared/*.yaml
var prepared embed.FS

// PreparedNames lists the names of the mappings that are prepared for what others export.
func PreparedNames() (names []string) {
	files, err := fs.ReadDir(prepared, "prepared")
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return names
}

// PreparedText returns a prepared mapping as it is written.
func PreparedText(name string) ([]byte, error) {
	if known := PreparedNames(); !slices.Contains(known, name) {
		return nil, fmt.Errorf("no mapping is prepared by this name: %s", noneOf(name, known))
	}
	return prepared.ReadFile("prepared/" + name + ".yaml")
}

// Prepared returns a prepared mapping.
func Prepared(name string) (*Mapping, error) {
	text, err := PreparedText(name)
	if err != nil {
		return nil, err
	}
	return parseMapping(name+".yaml", text)
}
