// Command graphql generates graph/exec with gqlgen and makes what it wrote lean: no goroutine a field, no closures
// around plain values and objects, nothing for @defer, which the contract does not have. It runs in the repository's root.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
	"golang.org/x/tools/imports"
)

func main() {
	c, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		log.Fatal(err)
	}
	if err := api.Generate(c, api.PrependPlugin(federation{}), api.PrependPlugin(inTurn{})); err != nil {
		log.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(c.Exec.DirName, "*.go"))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name) //nolint:gosec // the files that were generated just now
		if err != nil {
			log.Fatal(err)
		}
		if text, err = imports.Process(name, []byte(lean(string(text))), nil); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		if err := os.WriteFile(name, text, 0o644); err != nil { //nolint:gosec // source is for everyone to read
			log.Fatal(err)
		}
	}
}
