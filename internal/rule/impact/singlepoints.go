package impact

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Targets are the CIs that must not go DOWN: those named, and every present service of the tiers named, or
// every present service at all. At least one of the three is said.
type Targets struct {
	CIs         []ident.ID
	Tiers       []ident.ID
	AllServices bool
	// Except are services whose tier is not to be told: they are not among those of Tiers.
	Except map[ident.ID]bool
}

// SinglePointLimits bound what is told of single points of failure; 0 means no limit.
type SinglePointLimits struct {
	MaxPoints  int // the first so many are told; all are counted
	MaxTargets int // of each point the lowest so many targets are told; all are counted
	// InConeOnly counts as CIs and services DOWN only what the targets need, directly or not, and the targets: it does not
	// follow a point to other CIs that it takes down. For the whole estate that saves nothing, and all count.
	InConeOnly bool
	// Given is what has happened already: points are CIs whose failure takes down a target beside all that follows from
	// it, and what is counted is beside that too. CIs that are DOWN by it or excluded are neither points nor
	// targets; those in maintenance are no targets. Its limits are not looked at.
	Given Question
}

// SinglePointsAnswer lists the CIs whose failure alone takes a target DOWN.
type SinglePointsAnswer struct {
	Revision int64
	// Completeness is partial when MaxPoints cut the list, or when the time was over: then the points told are
	// some, in the order of what was counted by then, and their counts and targets may be too few. Explored counts
	// the CIs whose failure was simulated.
	Completeness Completeness
	Targets      int // how many there are
	LeftOut      int // how many more are DOWN already
	Total        int // single points found
	Points       []SinglePoint
}

// SinglePoint is a CI whose failure alone takes others DOWN. Its counts leave it out.
type SinglePoint struct {
	Vertex       topology.Vertex
	CI           ident.ID
	IsTarget     bool
	TargetsDown  int
	Targets      []ident.ID // by id
	ServicesDown int
	CIsDown      int
}

// SinglePoints finds the CIs whose failure, DOWN, takes at least one target other than themselves DOWN: first
// those that take down most targets, then most CIs, then by id. It fails each CI that a target needs, and
// simulates 64 failures in a pass, on all processors: see simulation. Only CIs can matter that a path of HARD
// dependencies and group members leads from, so that for named CIs the work is bounded by their dependency cone.
//
// A CI that is not known is errs.NotFound, no targets said is errs.Invalid; a cancelled context is its
// error, a deadline makes the answer partial.
func SinglePoints(ctx context.Context, s *topology.Snapshot, targets Targets, limits SinglePointLimits) (*SinglePointsAnswer, error) {
	aims, err := targets.locate(s)
	if err != nil {
		return nil, err
	}
	h := hunt{s: s, limits: limits, answer: &SinglePointsAnswer{Revision: s.Revision()}}
	p := patience{ctx: ctx}
	if h.given, err = baselineOf(ctx, s, limits.Given); errors.Is(err, context.DeadlineExceeded) {
		p.err = err
	} else if err != nil {
		return nil, err
	}
	aims = slices.DeleteFunc(aims, func(v topology.Vertex) bool {
		if h.given.isDown(v) {
			h.answer.LeftOut++
		}
		return !h.given.counts(v)
	})
	h.answer.Targets = len(aims)
	var candidates []uint32
	isWhole := targets.AllServices || len(targets.Tiers) > 0
	if isWhole {
		h.r = wholeRegion(s, h.given, &p)
		candidates = h.r.within(aims)
	} else {
		h.r = scope{s: s, given: h.given}.cone(aims, &p)
		candidates = h.r.all()
	}
	if p.err == nil {
		p.err = h.search(ctx, aims, candidates)
	}
	if p.err == nil && !isWhole && !limits.InConeOnly {
		p.err = h.follow(ctx)
	}
	if p.err == nil {
		p.err = h.tell(ctx)
	}
	if err := p.verdict(); err != nil {
		return nil, err
	}
	if p.err != nil {
		h.answer.Completeness.cut(Time)
	}
	h.answer.Points = h.points
	return h.answer, nil
}

func (t Targets) locate(s *topology.Snapshot) ([]topology.Vertex, error) {
	if len(t.CIs) == 0 && len(t.Tiers) == 0 && !t.AllServices {
		return nil, errs.New(errs.Invalid, "name CIs or tiers, or ask for all services").At("targets")
	}
	aims, err := locateAll(s, t.CIs)
	if err != nil {
		return nil, err
	}
	aims = slices.DeleteFunc(aims, func(v topology.Vertex) bool { return !s.InService(v) })
	if t.AllServices || len(t.Tiers) > 0 {
		for v := range topology.Vertex(s.Vertices()) {
			if s.IsService(v) && s.InService(v) && (t.AllServices || slices.Contains(t.Tiers, s.CI(v).Tier) && !t.Except[s.ID(v)]) {
				aims = append(aims, v)
			}
		}
	}
	slices.Sort(aims)
	return slices.Compact(aims), nil
}

// hunt is one search for single points.
type hunt struct {
	s        *topology.Snapshot
	limits   SinglePointLimits
	given    *baseline
	r        *region
	isTarget flags
	points   []SinglePoint
	answer   *SinglePointsAnswer
}

// search finds the points and counts what they take down within the region.
func (h *hunt) search(ctx context.Context, aims []topology.Vertex, candidates []uint32) error {
	h.isTarget = make(flags, len(h.r.vertices)/64+1)
	for _, at := range h.r.places(aims) {
		h.isTarget.set(at)
	}
	isService := h.r.flags(func(at uint32) bool { return h.s.IsService(h.r.vertices[at]) })
	found := make([][]SinglePoint, crewSize(len(candidates)))
	swept, err := h.r.sweep(ctx, candidates, false, func(worker int, m *simulation, batch []uint32) {
		cis, services := m.counts(isService)
		_, targets := m.counts(h.isTarget)
		for lane, at := range batch {
			p := SinglePoint{
				Vertex: h.r.vertices[at], IsTarget: h.isTarget.has(at),
				TargetsDown: targets.of(lane), ServicesDown: services.of(lane), CIsDown: cis.of(lane) - 1,
			}
			if p.IsTarget {
				p.TargetsDown--
			}
			if isService.has(at) {
				p.ServicesDown--
			}
			if p.TargetsDown > 0 {
				p.CI = h.s.ID(p.Vertex)
				found[worker] = append(found[worker], p)
			}
		}
	})
	h.points = slices.Concat(found...)
	h.answer.Total, h.answer.Completeness.Explored = len(h.points), swept
	h.rank()
	return incomplete(err, swept, candidates)
}

func (h *hunt) rank() {
	slices.SortFunc(h.points, func(a, b SinglePoint) int {
		return cmp.Or(cmp.Compare(b.TargetsDown, a.TargetsDown), cmp.Compare(b.CIsDown, a.CIsDown), cmp.Compare(a.CI, b.CI))
	})
}

// follow counts what the points take down beyond the cone of the targets.
func (h *hunt) follow(ctx context.Context) error {
	vertices := make([]topology.Vertex, len(h.points))
	for i, p := range h.points {
		vertices[i] = p.Vertex
	}
	totals, err := takenDown(ctx, h.s, h.given, vertices)
	for i, t := range totals {
		h.points[i].CIsDown, h.points[i].ServicesDown = t.cis, t.services
	}
	h.rank()
	return err
}

// tell cuts the list and names the targets of those that stay on it.
func (h *hunt) tell(ctx context.Context) error {
	if h.limits.MaxPoints > 0 && len(h.points) > h.limits.MaxPoints {
		h.points = h.points[:h.limits.MaxPoints]
		h.answer.Completeness.cut(MaxCIs)
	}
	vertices := make([]topology.Vertex, len(h.points))
	pointAt := make(map[topology.Vertex]*SinglePoint, len(h.points))
	for i := range h.points {
		vertices[i] = h.points[i].Vertex
		pointAt[vertices[i]] = &h.points[i]
	}
	places := h.r.places(vertices)
	slices.Sort(places)
	swept, err := h.r.sweep(ctx, places, false, func(_ int, m *simulation, batch []uint32) {
		for _, at := range m.fallen {
			if !h.isTarget.has(at) {
				continue
			}
			for lane, candidate := range batch {
				if m.cells[at].down>>lane&1 != 0 && at != candidate {
					p := pointAt[h.r.vertices[candidate]]
					p.Targets = append(p.Targets, h.s.ID(h.r.vertices[at]))
				}
			}
		}
		for _, candidate := range batch {
			p := pointAt[h.r.vertices[candidate]]
			slices.Sort(p.Targets)
			if h.limits.MaxTargets > 0 && len(p.Targets) > h.limits.MaxTargets {
				p.Targets = slices.Clone(p.Targets[:h.limits.MaxTargets])
			}
		}
	})
	return incomplete(err, swept, places)
}
