package read

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Dependencies is what a CI needs, as clients see it. Like impacts, those of a page are one batch.
type Dependencies struct {
	about string
	graph *topology.Snapshot
	work  func() (*impact.Needs, error)
	keep  func(topology.CI) bool // what it shows; nil: everything
	// hidden are CIs that the actor may not see.
	hidden     map[ident.ID]bool
	isSupposed bool // as if the CI were in service
	in         *batch[*Dependencies]
}

// needs returns what was found. A client sees dependencies only when there are some.
func (d *Dependencies) needs() *impact.Needs {
	needs, _ := d.work()
	return needs
}

func dependencies(ctx context.Context, c *CI, maxDepth, maxCIs *int, filter *ImpactFilter, asOf *AsOf) (*Dependencies, error) {
	limits, err := limits(maxDepth, maxCIs)
	if err != nil {
		return nil, err
	}
	keep, err := chosen(ctx, c.in, filter)
	if err != nil {
		return nil, err
	}
	hidden, err := c.in.reader.hidden(ctx)
	if err != nil {
		return nil, err
	}
	about := fmt.Sprint("dependencies ", shown(maxDepth), shown(maxCIs), asOf)
	r, err := readingOf(ctx, c.in, about, asOf, itself)
	if err != nil {
		return nil, err
	}
	about += filter.String()
	d, err := each(c.in, c, about, r.Reader, func(c *CI, all *batch[*Dependencies]) *Dependencies {
		d := &Dependencies{about: about + c.ID.String(), graph: r.graph, keep: keep, hidden: hidden, in: all}
		d.work = sync.OnceValues(func() (needs *impact.Needs, err error) {
			if d.graph, d.isSupposed, err = impact.InServiceWith(ctx, r.graph, []ident.ID{c.ID}); err != nil {
				return nil, err
			}
			return impact.Dependencies(ctx, d.graph, []ident.ID{c.ID}, limits)
		})
		return d
	})
	if err != nil {
		return nil, err
	}
	_, err = d.work()
	return d, err
}

// Revision returns the revision of the graph the answer was worked out on.
func (d *Dependencies) Revision() int64 { return d.needs().Revision }

// Completeness says whether the answer is whole.
func (d *Dependencies) Completeness() *Completeness { return completeness(d.needs().Completeness) }

// FilteredOutCount returns how many needed CIs the filter leaves out.
func (d *Dependencies) FilteredOutCount() int {
	return len(d.needs().CIs) - len(d.chosen()) - d.RestrictedCount()
}

// IsSupposedInService reports whether the answer was worked out as if the CI were in service.
func (d *Dependencies) IsSupposedInService() bool { return d.isSupposed }

// RestrictedCount returns how many needed CIs the actor may not see.
func (d *Dependencies) RestrictedCount() int {
	n := 0
	for _, need := range d.needs().CIs {
		if d.hidden[need.CI] {
			n++
		}
	}
	return n
}

// chosen returns what is needed and shown.
func (d *Dependencies) chosen() []impact.Need {
	return slices.DeleteFunc(slices.Clone(d.needs().CIs), func(n impact.Need) bool {
		return d.hidden[n.CI] || d.keep != nil && !d.keep(d.graph.CI(n.Vertex))
	})
}

// NeededCI is a CI that another one needs.
type NeededCI struct {
	need impact.Need
	Ci   *CI
}

// Distance returns how many relationships lie between them, at least.
func (n *NeededCI) Distance() int { return n.need.Distance }

// Strength returns HARD if some way to the CI is HARD all along.
func (n *NeededCI) Strength() domain.Strength { return domain.Strength(n.need.Strength.String()) }

// Needs lists what is needed, the nearest first.
func (d *Dependencies) Needs(ctx context.Context, classes []string, first *int, after *string, last *int, before *string) (*page.Connection[*NeededCI], error) {
	keep, err := subtreeOf(ctx, d.in, classes)
	if err != nil {
		return nil, err
	}
	return computed[*Dependencies, impact.Need, *NeededCI]{
		name: fmt.Sprintf("needs %q", classes), about: func(d *Dependencies) string { return d.about },
		rows: func(d *Dependencies) ([]impact.Need, error) {
			if _, err := d.work(); err != nil {
				return nil, err
			}
			needs := d.chosen()
			if classes != nil {
				needs = slices.DeleteFunc(needs, func(n impact.Need) bool { return !keep[d.graph.CI(n.Vertex).Class] })
			}
			slices.SortStableFunc(needs, func(a, b impact.Need) int { return a.Distance - b.Distance })
			return needs, nil
		},
		ci:   func(n impact.Need) ident.ID { return n.CI },
		show: func(_ *Dependencies, n impact.Need, c *CI) *NeededCI { return &NeededCI{n, c} },
	}.page(ctx, d.in, d, page.Args{First: first, After: after, Last: last, Before: before})
}

// ImpactPath is a way along which failure can travel.
type ImpactPath struct {
	Cis                 []*CI
	Relationships       []*Relationship
	IsSupposedInService bool
}

// between returns the graph in which there may be ways between two CIs, whether it supposes them in service, and the
// reader that shows them.
func (r *Reader) between(ctx context.Context, from, to ident.ID, asOf *AsOf) (*Reader, *topology.Snapshot, bool, error) {
	r, err := r.asOf(ctx, asOf)
	if err == nil {
		err = r.mayName(ctx, []ident.ID{from, to})
	}
	if err != nil {
		return nil, nil, false, err
	}
	graph, err := r.snapshotWith(ctx, from, to)
	if err != nil {
		return nil, nil, false, err
	}
	graph, isSupposed, err := impact.InServiceWith(ctx, graph, []ident.ID{asCI(from), asCI(to)})
	return r, graph, isSupposed, err
}

// Path returns a shortest way on which the failure of the one CI can reach the other. If there is none, it returns nil.
func (r *Reader) Path(ctx context.Context, from, to ident.ID, asOf *AsOf) (*ImpactPath, error) {
	r, graph, isSupposed, err := r.between(ctx, from, to, asOf)
	if err != nil {
		return nil, err
	}
	steps, err := impact.ShortestPath(ctx, graph, asCI(from), asCI(to))
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	all, err := r.showPaths(ctx, [][]impact.Step{steps})
	if err != nil {
		return nil, err
	}
	return suppose(all, isSupposed)[0], nil
}

// maxPaths bounds the ways of one answer.
const maxPaths = 20

// Paths returns ways on which the failure of the one CI can reach the other, the shortest first.
func (r *Reader) Paths(ctx context.Context, from, to ident.ID, first int, asOf *AsOf) ([]*ImpactPath, error) {
	if first < 1 || first > maxPaths {
		return nil, errs.New(errs.BadUserInput, "first is %d: 1 to %d ways", first, maxPaths)
	}
	r, graph, isSupposed, err := r.between(ctx, from, to, asOf)
	if err != nil {
		return nil, err
	}
	answer, err := impact.Paths(ctx, graph, asCI(from), asCI(to), impact.PathLimits{MaxPaths: first})
	if err != nil {
		return nil, err
	}
	all, err := r.showPaths(ctx, answer.Paths)
	return suppose(all, isSupposed), err
}

// suppose marks ways that were looked for as if their ends were in service.
func suppose(all []*ImpactPath, isSupposed bool) []*ImpactPath {
	for _, p := range all {
		p.IsSupposedInService = isSupposed
	}
	return all
}

// showPaths loads what some paths pass, in two statements.
func (r *Reader) showPaths(ctx context.Context, paths [][]impact.Step) ([]*ImpactPath, error) {
	var stations, links []ident.ID
	for _, steps := range paths {
		for _, step := range steps {
			stations = append(stations, step.From, step.To)
			links = append(links, step.Relationship)
		}
	}
	cis, err := loadVertices(ctx, r, stations)
	if err != nil {
		return nil, err
	}
	relationships, err := loadRelationships(ctx, r, links)
	if err != nil {
		return nil, err
	}
	all := make([]*ImpactPath, len(paths))
	for i, steps := range paths {
		all[i] = &ImpactPath{Cis: []*CI{cis.shown[steps[0].From]}}
		for _, step := range steps {
			all[i].Cis = append(all[i].Cis, cis.shown[step.To])
			all[i].Relationships = append(all[i].Relationships, relationships[step.Relationship])
		}
	}
	return all, nil
}
