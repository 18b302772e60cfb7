package read

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// namedCIs bounds the CIs that an answer names beside those it is about.
const namedCIs = 20

// SinglePoint is a CI whose failure alone takes others DOWN.
type SinglePoint struct {
	point impact.SinglePoint
	Ci    *CI
	in    *batch[*SinglePoint]
}

// IsTarget reports whether the CI is itself among those asked about.
func (p *SinglePoint) IsTarget() bool { return p.point.IsTarget }

// TargetsDownCount returns how many of those asked about the CI takes DOWN.
func (p *SinglePoint) TargetsDownCount() int { return p.point.TargetsDown }

// ServicesDownCount returns how many services the CI takes DOWN.
func (p *SinglePoint) ServicesDownCount() int { return p.point.ServicesDown }

// CisDownCount returns how many CIs the CI takes DOWN.
func (p *SinglePoint) CisDownCount() int { return p.point.CIsDown }

// Targets returns those asked about that the CI takes DOWN.
func (p *SinglePoint) Targets(ctx context.Context) ([]*CI, error) {
	found, err := once(p.in, "targets", func() (vertices, error) {
		var ids []ident.ID
		for _, row := range p.in.Rows {
			ids = append(ids, row.point.Targets...)
		}
		return loadVertices(ctx, p.in.reader, ids)
	})
	return found.list(p.point.Targets), err
}

// singlePoints is an answer about single points of failure. Like impacts, those of a page are one batch.
type singlePoints struct {
	about string
	graph *topology.Snapshot
	work  func() (*impact.SinglePointsAnswer, error)
	keep  func(topology.CI) bool // what it lists; nil: everything
	// hidden are CIs that the actor may not see. They are counted as such, whatever keep says of them.
	hidden     map[ident.ID]bool
	isSupposed bool // as if what is asked about were in service
	in         *batch[*singlePoints]
}

// points returns the points that the answer lists.
func (s *singlePoints) points() ([]impact.SinglePoint, error) {
	answer, err := s.work()
	if err != nil {
		return nil, err
	}
	if s.keep == nil {
		return answer.Points, nil
	}
	return slices.DeleteFunc(slices.Clone(answer.Points), func(p impact.SinglePoint) bool {
		v, ok := s.graph.Index(p.CI)
		return !s.hidden[p.CI] && (!ok || !s.keep(s.graph.CI(v)))
	}), nil
}

// SinglePointsOfFailure lists the CIs whose failure alone takes a service DOWN: any service, or one of some tiers.
func (r *Reader) SinglePointsOfFailure(ctx context.Context, tiers []string, overlay *Overlay, facts Facts, filter *ImpactFilter, p page.Args) (*page.Connection[*SinglePoint], error) {
	targets := impact.Targets{AllServices: tiers == nil}
	if tiers != nil {
		rows, err := r.store.Show.ServiceTier.Query().Where(servicetier.CodeIn(tiers...)).All(ctx)
		if err != nil {
			return nil, store.Translate(err)
		}
		if len(rows) < len(tiers) {
			return nil, errs.New(errs.BadUserInput, "tiers names a tier that does not exist: see serviceTiers for their codes")
		}
		for _, row := range rows {
			targets.Tiers = append(targets.Tiers, row.ID)
		}
		if targets.Except, err = r.hidden(ctx); err != nil {
			return nil, err
		}
	}
	return singlePointsOf(ctx, newBatch(r, []*impact.Targets{&targets}), &targets, overlay, facts, filter, func(t *impact.Targets) impact.Targets { return *t }, p)
}

// SinglePointsOfFailure lists the CIs whose failure alone takes this one DOWN.
func (c *CI) SinglePointsOfFailure(ctx context.Context, overlay *Overlay, facts Facts, filter *ImpactFilter, first *int, after *string, last *int, before *string) (*page.Connection[*SinglePoint], error) {
	targets := func(c *CI) impact.Targets { return impact.Targets{CIs: []ident.ID{c.ID}} }
	return singlePointsOf(ctx, c.in, c, overlay, facts, filter, targets, page.Args{First: first, After: after, Last: last, Before: before})
}

// SinglePointsOfFailure lists the CIs whose failure alone takes one DOWN that the incident names as ROOT or AFFECTED.
func (i *Incident) SinglePointsOfFailure(ctx context.Context, overlay *Overlay, facts Facts, filter *ImpactFilter, first *int, after *string, last *int, before *string) (*page.Connection[*SinglePoint], error) {
	symptoms, err := i.symptoms(ctx)
	if err != nil {
		return nil, err
	}
	if len(symptoms[i].Seen) == 0 {
		return &page.Connection[*SinglePoint]{Edges: []*page.Edge[*SinglePoint]{}, PageInfo: &page.Info{}}, nil
	}
	targets := func(i *Incident) (t impact.Targets) {
		for _, s := range symptoms[i].Seen {
			t.CIs = append(t.CIs, s.CI)
		}
		return t
	}
	return singlePointsOf(ctx, i.in, i, overlay, facts, filter, targets, page.Args{First: first, After: after, Last: last, Before: before})
}

// supposition is a view of the graph and what has happened on it.
type supposition struct {
	view  *topology.Snapshot
	given impact.Question
}

// suppositionOf returns what an overlay makes of the graph that the first of a batch saw, whose rows ask about the
// records that names gives.
func suppositionOf[T any](ctx context.Context, b *batch[T], o *Overlay, facts Facts, names func(T) []ident.ID) (supposition, error) {
	return once(b, fmt.Sprint("graph under ", facts.hold(), o), func() (supposition, error) {
		named := o.names()
		for _, row := range b.Rows {
			named = append(named, names(row)...)
		}
		graph, err := b.reader.snapshotWith(ctx, named...)
		if err != nil {
			return supposition{}, err
		}
		view, given, err := b.reader.suppose(ctx, graph, o, facts)
		return supposition{view, given}, err
	})
}

// singlePointsOf asks the engine for each row of a batch and shows a page of row's answer.
func singlePointsOf[T comparable](ctx context.Context, b *batch[T], row T, overlay *Overlay, facts Facts, filter *ImpactFilter, targets func(T) impact.Targets, p page.Args) (*page.Connection[*SinglePoint], error) {
	keep, err := chosen(ctx, b, filter)
	if err != nil {
		return nil, err
	}
	hidden, err := b.reader.hidden(ctx)
	if err != nil {
		return nil, err
	}
	about := fmt.Sprint("single points ", facts.hold(), overlay, filter)
	on, err := suppositionOf(ctx, b, overlay, facts, func(row T) []ident.ID { return targets(row).CIs })
	if err != nil {
		return nil, err
	}
	mine, err := each(b, row, about, b.reader, func(row T, all *batch[*singlePoints]) *singlePoints {
		one := &singlePoints{about: fmt.Sprint(targets(row), about), graph: on.view, keep: keep, hidden: hidden, in: all}
		one.work = sync.OnceValues(func() (*impact.SinglePointsAnswer, error) {
			of := targets(row)
			var err error
			if one.graph, one.isSupposed, err = impact.InServiceWith(ctx, on.view, of.CIs); err != nil {
				return nil, err
			}
			answer, err := impact.SinglePoints(ctx, one.graph, of, impact.SinglePointLimits{MaxTargets: namedCIs, Given: on.given})
			if err == nil && answer.Completeness.IsPartial {
				return nil, errs.New(errs.Timeout, "the time for the question ran out: ask about fewer services")
			}
			return answer, err
		})
		return one
	})
	if err != nil {
		return nil, err
	}
	answer, err := mine.work()
	if err != nil {
		return nil, err
	}
	points := newBatch[*SinglePoint](b.reader, nil)
	shown, err := computed[*singlePoints, impact.SinglePoint, *SinglePoint]{
		name: "single points", about: func(s *singlePoints) string { return s.about },
		rows: (*singlePoints).points,
		ci:   func(p impact.SinglePoint) ident.ID { return p.CI },
		show: func(_ *singlePoints, p impact.SinglePoint, c *CI) *SinglePoint {
			points.Rows = append(points.Rows, &SinglePoint{p, c, points})
			return points.Rows[len(points.Rows)-1]
		},
	}.page(ctx, mine.in, mine, p)
	if err == nil {
		shown.LeftOutCount, shown.IsSupposedInService = answer.LeftOut, mine.isSupposed
	}
	return shown, err
}
