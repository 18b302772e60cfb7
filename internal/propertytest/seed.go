// Package propertytest seeds property tests. If LINCHPIN_RAPID_SEED is set to a number, every run draws the same cases
// from it, so that a gate gives the same verdict twice; otherwise each run draws cases of its own. A test package
// imports it, and calls nothing.
package propertytest

import (
	"flag"
	"os"

	_ "pgregory.net/rapid" // declares the flag
)

func init() {
	if seed := os.Getenv("LINCHPIN_RAPID_SEED"); seed != "" {
		if err := flag.Set("rapid.seed", seed); err != nil {
			panic("LINCHPIN_RAPID_SEED: " + err.Error())
		}
	}
}
