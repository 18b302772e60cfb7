package impact

import "github.com/linchpin-cmdb/linchpin/internal/ident"

// Saviour is a CI whose survival alone keeps another one up.
type Saviour struct {
	CI       ident.ID
	Distance int  // hops on which its failure reaches the CI that it would save
	IsRoot   bool // the question says that it fails
}

// Saviours lists what would save a CI.
func (a *Answer) Saviours(ci ident.ID) []Saviour { return nil }
