package read

import (
	"context"
	"encoding/json"

	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// ImpactFilter chooses which CIs an answer of the engine shows and counts. The engine does not know it.
type ImpactFilter struct {
	Class       *CodeFilter
	Environment *EnvironmentFilter
}

// String returns the filter as text, by which cursors are bound to it.
func (f *ImpactFilter) String() string {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // filters are plain data
	}
	return string(text)
}

// chosen returns what a filter keeps, worked out once for a batch: with one statement if it names classes. If
// everything is kept, it returns nil.
func chosen[T any](ctx context.Context, b *batch[T], f *ImpactFilter) (func(topology.CI) bool, error) {
	if f == nil || f.Class == nil && f.Environment == nil {
		return nil, nil
	}
	return once(b, "filter "+f.String(), func() (func(topology.CI) bool, error) { return b.reader.chosen(ctx, f) })
}

func (r *Reader) chosen(ctx context.Context, f *ImpactFilter) (func(topology.CI) bool, error) {
	c := &where.Conditions{}
	inClass, inEnvironment := everything[topology.CI], everything[topology.CI]
	if f.Class != nil {
		if codes, ok := where.Choose(c, f.Class); ok && c.Err() == nil {
			ids, err := r.coded(ctx, ciclass.Table, codes.Values)
			if err != nil {
				return nil, err
			}
			classes := map[ident.ID]bool{}
			for _, id := range ids {
				classes[id] = true
			}
			inClass = func(ci topology.CI) bool { return classes[ci.Class] }
		}
	}
	if f.Environment != nil {
		if named, ok := where.Choose(c, f.Environment); ok {
			environments := map[topology.Environment]bool{}
			for _, e := range named.Values {
				if known, ok := topology.ParseEnvironment(string(e.(domain.Environment))); ok {
					environments[known] = true
				}
			}
			inEnvironment = func(ci topology.CI) bool { return environments[ci.Environment] }
		}
	}
	return func(ci topology.CI) bool { return inClass(ci) && inEnvironment(ci) }, c.Err()
}

func everything[T any](T) bool { return true }
