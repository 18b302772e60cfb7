// Package servicelevel owns the promises about records: calendars, service level targets, and the marks that the
// stopwatches of records pass. It computes each stopwatch from the record's timeline and refuses to keep counters.
package servicelevel

import "github.com/linchpin-cmdb/linchpin/internal/store"

// Practice holds the verbs. The records they return belong to a closed transaction: read their fields only.
type Practice struct{ store *store.Store }

// New makes the practice over a database.
func New(s *store.Store) *Practice { return &Practice{s} }
