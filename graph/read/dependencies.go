package read

import (
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Dependencies is what a CI needs, as clients see it.
type Dependencies struct {
	r     *Reader
	graph *topology.Snapshot
	needs *impact.Needs
}

func (r *Reader) dependencies(ctx context.Context, id ident.ID, maxDepth, maxCIs *int) (*Dependencies, error) {
	limits, err := limits(maxDepth, maxCIs)
	if err != nil {
		return nil, err
	}
	graph := r.snapshot()
	needs, err := impact.Dependencies(ctx, graph, []ident.ID{id}, limits)
	if err != nil {
		return nil, err
	}
	return &Dependencies{r, graph, needs}, nil
}

// Revision is the revision of the graph the answer was worked out on.
func (d *Dependencies) Revision() int64 { return d.needs.Revision }

// Completeness says whether the answer is whole.
func (d *Dependencies) Completeness() *Completeness { return completeness(d.needs.Completeness) }

// NeededCI is a CI that another one needs.
type NeededCI struct {
	need impact.Need
	Ci   *CI
}

// Distance is how many relationships lie between them, at least.
func (n *NeededCI) Distance() int { return n.need.Distance }

// Strength is HARD when some way to the CI is HARD all along.
func (n *NeededCI) Strength() domain.Strength { return domain.Strength(n.need.Strength.String()) }

// Needs lists what is needed, the nearest first.
func (d *Dependencies) Needs(ctx context.Context, classes []string, first *int, after *string, last *int, before *string) (*Connection[NeededCI], error) {
	keep, err := d.r.subtreeOf(ctx, classes)
	if err != nil {
		return nil, err
	}
	needs := slices.Clone(d.needs.CIs)
	if classes != nil {
		needs = slices.DeleteFunc(needs, func(n impact.Need) bool { return !keep[d.graph.CI(n.Vertex).Class] })
	}
	slices.SortStableFunc(needs, func(a, b impact.Need) int { return a.Distance - b.Distance })
	id := func(n impact.Need) ident.ID { return n.CI }
	return slicePage(Page{first, after, last, before}, fmt.Sprint("needs", classes), needs, id, func(needs []impact.Need) ([]*NeededCI, error) {
		ids := make([]ident.ID, len(needs))
		for i, n := range needs {
			ids[i] = n.CI
		}
		found, err := loadCIs(ctx, d.r, ids)
		if err != nil {
			return nil, err
		}
		all := make([]*NeededCI, len(needs))
		for i, n := range needs {
			if found[n.CI] == nil {
				return nil, errs.New(errs.Unavailable, "CI %v is in the graph and not in the database: try again", n.CI)
			}
			all[i] = &NeededCI{n, found[n.CI]}
		}
		return all, nil
	})
}

// ImpactPath is a way along which failure can travel.
type ImpactPath struct {
	Cis           []*CI
	Relationships []*Relationship
}

// Path is a shortest way on which the failure of the one CI can reach the other; nil when there is none.
func (r *Reader) Path(ctx context.Context, from, to ident.ID) (*ImpactPath, error) {
	steps, err := impact.ShortestPath(ctx, r.snapshot(), asCI(from), asCI(to))
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	stations := []ident.ID{steps[0].From}
	links := make([]ident.ID, len(steps))
	for i, step := range steps {
		stations = append(stations, step.To)
		links[i] = step.Relationship
	}
	cis, err := loadCIs(ctx, r, stations)
	if err != nil {
		return nil, err
	}
	relationships, err := loadRelationships(ctx, r, links)
	if err != nil {
		return nil, err
	}
	path := &ImpactPath{}
	for _, id := range stations {
		path.Cis = append(path.Cis, cis[id])
	}
	for _, id := range links {
		path.Relationships = append(path.Relationships, relationships[id])
	}
	return path, nil
}
