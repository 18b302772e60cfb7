package store

import "context"

// MigrateTo migrates by the given files in place of the program's.
func (s *Store) MigrateTo(ctx context.Context, all []Migration) (int, error) {
	return s.migrate(ctx, all)
}
