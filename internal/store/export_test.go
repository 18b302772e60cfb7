package store

import "context"

// MigrateTo migrates by other files than the program's.
func (s *Store) MigrateTo(ctx context.Context, all []Migration) (int, error) {
	return s.migrate(ctx, all)
}
