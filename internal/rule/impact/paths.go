package impact

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// PathLimits bound the search for paths; 0 means the default of MaxPaths, 3, and else no limit.
type PathLimits struct {
	MaxPaths int
	MaxHops  int
}

// PathsAnswer lists paths, shortest first.
type PathsAnswer struct {
	Revision     int64
	Completeness Completeness
	Paths        [][]Step
}

// Paths lists the shortest ways.
func Paths(ctx context.Context, s *topology.Snapshot, from, to ident.ID, limits PathLimits) (*PathsAnswer, error) {
	return &PathsAnswer{}, nil
}
