package schedule

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// OutageOf works out which services a change takes DOWN by the graph of a snapshot, on the facts of its moment if
// asked.
func OutageOf(ctx context.Context, c *ent.Client, s *topology.Snapshot, row *ent.Change, onFacts bool) (conflict.Outage, error) {
	own := []conflict.Change{{ID: row.ID}}
	if err := scope(ctx, c, change.ID(row.ID), own, []*ent.Change{row}); err != nil {
		return nil, store.Translate(err)
	}
	finder, err := finderOf(ctx, c, s, own)
	if err != nil {
		return nil, store.Translate(err)
	}
	if onFacts {
		finder = finder.OnFacts()
	}
	return finder.OutageOf(ctx, &own[0])
}

// Failing lists, by id, the open incidents and the changes that are being carried out that say of one of some CIs that
// it is DOWN.
func Failing(s *topology.Snapshot, cis map[ident.ID]bool) (records []ident.ID) {
	facts := impact.FactsOf(s)
	for ci := range cis {
		if v, ok := s.Index(ci); ok {
			records = append(records, facts.DownBy(v)...)
		}
	}
	slices.Sort(records)
	return slices.Compact(records)
}
