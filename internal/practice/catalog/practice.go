// Package catalog owns the verbs of the service catalogue: services and their tiers, teams, people and memberships.
// It refuses services whose CI the graph would refuse, and teams that contain themselves.
package catalog

import "github.com/linchpin-cmdb/linchpin/internal/store"

// Practice holds the verbs of the service catalogue.
type Practice struct{ store *store.Store }

// New makes the practice over a database.
func New(s *store.Store) *Practice { return &Practice{store: s} }
