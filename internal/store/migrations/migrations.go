// Package migrations holds the versioned SQL of both dialects. ent and the atlas library write the files of the
// tables (go run ./internal/generate/migration NAME); full-text and other indexes that ent does not know are
// written by hand and named x_. atlas.sum guards against later edits.
package migrations

import "embed"

// Files are the directories sqlite and postgres.
//
//go:embed sqlite postgres
var Files embed.FS
