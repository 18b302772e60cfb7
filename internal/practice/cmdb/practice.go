// Package cmdb owns the verbs of the configuration graph: CIs and their classes, relationships and their types,
// dependency groups, external identities, dangling references. It refuses to leave the graph in a state that its
// classes and types forbid.
//
// Each verb checks the policy, then writes in one transaction. Importers apply changes in bulk by the functions ending
// in Tx: the same rules, inside a transaction that the caller opened, without policy and without locking fields.
package cmdb

import "github.com/linchpin-cmdb/linchpin/internal/store"

// Practice holds the verbs of the configuration graph.
type Practice struct{ store *store.Store }

// New makes the practice over a database.
func New(s *store.Store) *Practice { return &Practice{store: s} }
