package operation

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Shifts are the effects of operations on single points of failure and on redundancy.
type Shifts struct {
	Gained, Lost []PointShift
	Redundancy   []GroupShift
}

// PointShift is a CI with the services, by id, that it alone takes DOWN in one of two graphs and not in the other.
type PointShift struct {
	CI       ident.ID
	Services []ident.ID
}

// GroupShift is a dependency group in two graphs. Services are the first ones that its CI can harm, itself included.
type GroupShift struct {
	Group, CI     ident.ID
	Before, After Redundancy
	Services      []ident.ID
}

// Redundancy is how many members of a group count, and how many of them it can lose.
type Redundancy struct{ Members, Spares int }

// mostServices is how many services a group's shift names.
const mostServices = 20

// Shifts compares the view with the graph that it lies over, for the services that the touched CIs can harm in either.
// Its cost is that of impact.SinglePoints for these services, twice. Errors: errs.Timeout if the time runs out.
func (v *View) Shifts(ctx context.Context, before *topology.Snapshot) (s Shifts, err error) {
	targets := map[ident.ID]bool{}
	for _, graph := range []*topology.Snapshot{before, v.Snapshot} {
		reached, err := services(ctx, graph, v.Touched)
		if err != nil {
			return s, err
		}
		for _, id := range reached {
			targets[id] = true
		}
	}
	ids := slices.Sorted(maps.Keys(targets))
	was, err := points(ctx, before, ids)
	if err != nil {
		return s, err
	}
	is, err := points(ctx, v.Snapshot, ids)
	if err != nil {
		return s, err
	}
	s.Gained, s.Lost = beyond(is, was), beyond(was, is)
	s.Redundancy, err = v.redundancy(ctx, before)
	return s, err
}

// known returns those of the CIs that a graph has.
func known(s *topology.Snapshot, cis []ident.ID) []ident.ID {
	return slices.DeleteFunc(slices.Clone(cis), func(id ident.ID) bool { _, ok := s.Index(id); return !ok })
}

// services returns the present services that some CIs can harm, themselves included, by id.
func services(ctx context.Context, s *topology.Snapshot, cis []ident.ID) (ids []ident.ID, err error) {
	reached, err := impact.Reach(ctx, s, known(s, cis))
	for _, v := range reached {
		if s.IsService(v) && s.InService(v) {
			ids = append(ids, s.ID(v))
		}
	}
	slices.Sort(ids)
	return ids, outOfTime(err)
}

// points returns for each CI the targets that it alone takes DOWN.
func points(ctx context.Context, s *topology.Snapshot, targets []ident.ID) (map[ident.ID][]ident.ID, error) {
	all := map[ident.ID][]ident.ID{}
	if targets = known(s, targets); len(targets) == 0 {
		return all, nil
	}
	answer, err := impact.SinglePoints(ctx, s, impact.Targets{CIs: targets}, impact.SinglePointLimits{InConeOnly: true})
	if err == nil && answer.Completeness.IsPartial {
		err = context.DeadlineExceeded
	}
	if err != nil {
		return nil, outOfTime(err)
	}
	for _, p := range answer.Points {
		all[p.CI] = p.Targets
	}
	return all, nil
}

func outOfTime(err error) error {
	if err == context.DeadlineExceeded { //nolint:errorlint // the engine returns it unwrapped
		return errs.New(errs.Timeout, "the time for the preview ran out: the operations reach too many services for one answer")
	}
	return err
}

// beyond returns the services that CIs take DOWN in one graph and not in the other, most services first.
func beyond(in, other map[ident.ID][]ident.ID) (all []PointShift) {
	for ci, targets := range in {
		only := slices.DeleteFunc(slices.Clone(targets), func(id ident.ID) bool {
			_, ok := slices.BinarySearch(other[ci], id)
			return ok
		})
		if len(only) > 0 {
			all = append(all, PointShift{ci, only})
		}
	}
	slices.SortFunc(all, func(a, b PointShift) int {
		return cmp.Or(cmp.Compare(len(b.Services), len(a.Services)), cmp.Compare(a.CI, b.CI))
	})
	return all
}

// redundancy compares the groups of the touched CIs and those in which these count.
func (v *View) redundancy(ctx context.Context, before *topology.Snapshot) (all []GroupShift, err error) {
	groups := map[ident.ID]bool{}
	for _, id := range v.Groups {
		groups[id] = true
	}
	for _, graph := range []*topology.Snapshot{before, v.Snapshot} {
		for _, ci := range known(graph, v.Touched) {
			at, _ := graph.Index(ci)
			for _, g := range graph.GroupsOf(at) {
				groups[graph.GroupID(g)] = true
			}
			for edge := range graph.Affects(at) {
				if edge.Group != 0 {
					groups[graph.GroupID(edge.Group)] = true
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		s := GroupShift{Group: id, Before: redundancyOf(before, id), After: redundancyOf(v.Snapshot, id)}
		if s.Before == s.After {
			continue
		}
		graph := v.Snapshot
		fact, ok := graph.Group(id)
		if !ok {
			graph = before
			fact, _ = graph.Group(id)
		}
		s.CI = fact.Dependent
		harmed, err := services(ctx, graph, []ident.ID{s.CI})
		if err != nil {
			return nil, err
		}
		s.Services = harmed[:min(len(harmed), mostServices)]
		all = append(all, s)
	}
	return all, nil
}

func redundancyOf(s *topology.Snapshot, group ident.ID) (r Redundancy) {
	if _, ok := s.Group(group); !ok {
		return r
	}
	c := s.Counter(topology.GroupIndex(group.Number()))
	for _, m := range c.Members {
		if m.From != 0 {
			r.Members++
		}
	}
	r.Spares = max(0, c.Spares())
	return r
}
