// Package propertytest lets property tests draw the same cases in each run where LINCHPIN_RAPID_SEED says from which
// number: a gate has to give the same verdict twice. Elsewhere each run draws cases of its own. Importing it is enough.
package propertytest

import (
	"flag"
	"os"

	_ "pgregory.net/rapid" // which declares the flag
)

func init() {
	if seed := os.Getenv("LINCHPIN_RAPID_SEED"); seed != "" {
		if err := flag.Set("rapid.seed", seed); err != nil {
			panic("LINCHPIN_RAPID_SEED: " + err.Error())
		}
	}
}
