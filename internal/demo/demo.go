// Package demo holds Harbour & Pine, an invented furniture shop on the web: its estate, and the incidents and
// changes of an ordinary week, and loads it as people would have written it.
package demo

import (
	"embed"
	"io/fs"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/estate"
)

//go:embed estate/*.yaml records.yaml
var files embed.FS

// SourceName is the provenance of everything in the demo estate.
const SourceName = "demo"

// Estate returns the source of the demo's teams, people and CIs.
func Estate() importer.Source {
	sub, err := fs.Sub(files, "estate")
	if err != nil {
		panic(err) // the path is a constant and valid
	}
	return estate.New(SourceName, sub)
}
