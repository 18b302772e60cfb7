package read

import (
	"context"
	"fmt"

	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// namedCIs bounds the CIs that an answer names beside those it is about.
const namedCIs = 20

// SinglePoint is a CI whose failure alone takes others DOWN.
type SinglePoint struct {
	point impact.SinglePoint
	Ci    *CI
	in    *batch[SinglePoint]
}

// IsTarget reports whether the CI is itself among those asked about.
func (p *SinglePoint) IsTarget() bool { return p.point.IsTarget }

// TargetsDownCount is how many of those asked about the CI takes DOWN.
func (p *SinglePoint) TargetsDownCount() int { return p.point.TargetsDown }

// ServicesDownCount is how many services the CI takes DOWN.
func (p *SinglePoint) ServicesDownCount() int { return p.point.ServicesDown }

// CisDownCount is how many CIs the CI takes DOWN.
func (p *SinglePoint) CisDownCount() int { return p.point.CIsDown }

// Targets are those asked about that the CI takes DOWN.
func (p *SinglePoint) Targets(ctx context.Context) ([]*CI, error) {
	found, err := once(p.in, "targets", func() (map[ident.ID]*CI, error) {
		var ids []ident.ID
		for _, row := range p.in.rows {
			ids = append(ids, row.point.Targets...)
		}
		return loadCIs(ctx, p.in.Reader, ids)
	})
	return pick(found, p.point.Targets), err
}

// pick lists the CIs with some ids, in their order; those that are gone are left out.
func pick(found map[ident.ID]*CI, ids []ident.ID) []*CI {
	all := make([]*CI, 0, len(ids))
	for _, id := range ids {
		if c := found[id]; c != nil {
			all = append(all, c)
		}
	}
	return all
}

// SinglePointsOfFailure lists the CIs whose failure alone takes a service DOWN: any service, or one of some tiers.
func (r *Reader) SinglePointsOfFailure(ctx context.Context, tiers []string, p Page) (*Connection[SinglePoint], error) {
	targets := impact.Targets{AllServices: tiers == nil}
	if tiers != nil {
		rows, err := r.store.Read.ServiceTier.Query().Where(servicetier.CodeIn(tiers...)).All(ctx)
		if err != nil {
			return nil, store.Translate(err)
		}
		if len(rows) < len(tiers) {
			return nil, errs.New(errs.BadUserInput, "tiers names a tier that does not exist: see serviceTiers for their codes")
		}
		for _, row := range rows {
			targets.Tiers = append(targets.Tiers, row.ID)
		}
	}
	return r.singlePoints(ctx, targets, p)
}

// SinglePointsOfFailure lists the CIs whose failure alone takes this one DOWN.
func (c *CI) SinglePointsOfFailure(ctx context.Context, first *int, after *string, last *int, before *string) (*Connection[SinglePoint], error) {
	return c.in.singlePoints(ctx, impact.Targets{CIs: []ident.ID{c.ID}}, Page{first, after, last, before})
}

// singlePoints asks the engine and shows a page of its answer.
func (r *Reader) singlePoints(ctx context.Context, targets impact.Targets, p Page) (*Connection[SinglePoint], error) {
	answer, err := impact.SinglePoints(ctx, r.snapshot(), targets, impact.SinglePointLimits{MaxTargets: namedCIs})
	if err != nil {
		return nil, err
	}
	if answer.Completeness.IsPartial {
		return nil, errs.New(errs.Timeout, "the time for the question ran out: ask about fewer services")
	}
	points := newBatch[SinglePoint](r, nil)
	return computed[impact.SinglePointsAnswer, impact.SinglePoint, SinglePoint]{
		name: "single points", about: func(*impact.SinglePointsAnswer) string { return fmt.Sprint(targets) },
		has:  func(*impact.SinglePointsAnswer) bool { return true },
		rows: func(a *impact.SinglePointsAnswer) ([]impact.SinglePoint, error) { return a.Points, nil },
		ci:   func(p impact.SinglePoint) ident.ID { return p.CI },
		show: func(_ *impact.SinglePointsAnswer, p impact.SinglePoint, c *CI) *SinglePoint {
			points.rows = append(points.rows, &SinglePoint{p, c, points})
			return points.rows[len(points.rows)-1]
		},
	}.page(ctx, newBatch(r, []*impact.SinglePointsAnswer{answer}), answer, p)
}
