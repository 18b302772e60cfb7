// Command graphql generates graph/exec with gqlgen and makes what it wrote lean: no goroutine a field, no closures
// around plain values and objects, nothing for @defer, which the contract does not have. It runs in the repository's
// root.
package main

import (
	"log"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	c, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		log.Fatal(err)
	}
	if err := bindContract(c); err != nil {
		log.Fatal(err)
	}
	if err := api.Generate(c, api.PrependPlugin(federation{}), api.PrependPlugin(inTurn{})); err != nil {
		log.Fatal(err)
	}
	if err := makeLean(c.Exec.DirName); err != nil {
		log.Fatal(err)
	}
}
