package store

import (
	"context"
	"time"
)

// MigrateTo migrates by the given files in place of the program's.
func (s *Store) MigrateTo(ctx context.Context, all []Migration) (int, error) {
	return s.migrate(ctx, all)
}

// SetClock changes the clock of this machine that is compared with the database's.
func (s *Store) SetClock(clock func() time.Time) { s.skew.clock = clock }
