package read

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Subgraph is the part of the graph that an answer speaks of.
type Subgraph struct {
	Relationships     []*Relationship
	IsPartial         bool
	RelationshipCount int
	RestrictedCount   int
}

const maxSubgraph = 1000

// Subgraph gives the relationships between the CIs of the answer.
func (i *Impact) Subgraph(ctx context.Context) (*Subgraph, error) {
	found, err := once(i.in, "subgraphs", func() (map[ident.ID]*Relationship, error) {
		var ids []ident.ID
		for _, row := range i.answered() {
			all, _ := row.between()
			ids = append(ids, all[:min(len(all), maxSubgraph)]...)
		}
		return loadRelationships(ctx, i.in.reader, ids)
	})
	if err != nil {
		return nil, err
	}
	ids, restricted := i.between()
	shown := ids[:min(len(ids), maxSubgraph)]
	s := &Subgraph{
		Relationships: []*Relationship{}, IsPartial: len(shown) < len(ids),
		RelationshipCount: len(ids) + restricted, RestrictedCount: restricted,
	}
	for _, id := range shown {
		if l := found[id]; l != nil {
			s.Relationships = append(s.Relationships, l)
		}
	}
	return s, nil
}

// between lists the relationships between the CIs that the answer shows and the failed ones, by id, and counts those
// with an end that may not be seen.
func (i *Impact) between() (ids []ident.ID, restricted int) {
	graph := i.answer().Snapshot()
	var vertices []topology.Vertex
	for _, h := range i.answer().Affected(impact.Filter{}) {
		if c := graph.CI(h.Vertex); h.IsRoot || i.hidden[c.ID] || i.shows(c) {
			vertices = append(vertices, h.Vertex)
		}
	}
	var unseen []ident.ID
	for _, link := range i.answer().Subgraph(vertices) {
		if i.hidden[graph.ID(link.From)] || i.hidden[graph.ID(link.To)] {
			unseen = append(unseen, link.Relationship)
		} else {
			ids = append(ids, link.Relationship)
		}
	}
	slices.Sort(ids)
	slices.Sort(unseen)
	return slices.Compact(ids), len(slices.Compact(unseen))
}
