package read

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// SinglePointShift is a CI on which alone services begin or cease to hang.
type SinglePointShift struct {
	shift operation.PointShift
	p     *ChangePreview
}

// RedundancyShift is a dependency group before and after.
type RedundancyShift struct {
	operation.GroupShift
	p *ChangePreview
}

// shifts returns what the operations of a preview do to single points and redundancy.
func (p *ChangePreview) shifts(ctx context.Context) (operation.Shifts, error) {
	all, err := once(p.in, "shifts", func() (map[*ChangePreview]operation.Shifts, error) {
		all := map[*ChangePreview]operation.Shifts{}
		for _, row := range p.in.Rows {
			if row.err != nil {
				continue
			}
			found, err := row.view.Shifts(ctx, row.graph)
			if err != nil {
				return nil, store.Translate(err)
			}
			all[row] = found
		}
		return all, nil
	})
	return all[p], err
}

// records returns the CIs and groups that the shifts of the batch name, in one statement each.
func (p *ChangePreview) records(ctx context.Context) (map[ident.ID]Node, error) {
	if _, err := p.shifts(ctx); err != nil {
		return nil, err
	}
	return once(p.in, "records of shifts", func() (map[ident.ID]Node, error) {
		named := map[ident.ID]bool{}
		for _, row := range p.in.Rows {
			s, err := row.shifts(ctx)
			if err != nil {
				return nil, err
			}
			for _, point := range slices.Concat(s.Gained, s.Lost) {
				named[point.CI] = true
				for _, id := range point.Services[:min(len(point.Services), namedCIs)] {
					named[id] = true
				}
			}
			for _, group := range s.Redundancy {
				named[group.CI], named[group.Group] = true, true
				for _, id := range group.Services {
					named[id] = true
				}
			}
		}
		return p.in.reader.nodes(ctx, slices.Sorted(maps.Keys(named)))
	})
}

// find returns the record with an id. If only the preview knows it, it returns nil.
func find[V any](ctx context.Context, p *ChangePreview, id ident.ID) (*V, error) {
	found, err := p.records(ctx)
	record, _ := any(found[id]).(*V)
	return record, err
}

// SinglePointsGained returns the CIs on which alone more services would hang.
func (p *ChangePreview) SinglePointsGained(ctx context.Context) ([]*SinglePointShift, error) {
	s, err := p.shifts(ctx)
	return p.points(s.Gained), err
}

// SinglePointsLost returns the CIs on which alone fewer services would hang.
func (p *ChangePreview) SinglePointsLost(ctx context.Context) ([]*SinglePointShift, error) {
	s, err := p.shifts(ctx)
	return p.points(s.Lost), err
}

func (p *ChangePreview) points(shifts []operation.PointShift) []*SinglePointShift {
	all := make([]*SinglePointShift, len(shifts))
	for i, s := range shifts {
		all[i] = &SinglePointShift{s, p}
	}
	return all
}

// Redundancy returns the groups that become more or less redundant.
func (p *ChangePreview) Redundancy(ctx context.Context) ([]*RedundancyShift, error) {
	s, err := p.shifts(ctx)
	all := make([]*RedundancyShift, len(s.Redundancy))
	for i, g := range s.Redundancy {
		all[i] = &RedundancyShift{g, p}
	}
	return all, err
}

// key names what an operation creates under an id that only the preview knows.
func (p *ChangePreview) key(id ident.ID) *string {
	for i, planned := range p.view.Planned {
		if o := p.operations[i]; planned == id && o.Record == 0 && o.Key != "" {
			return &o.Key
		}
	}
	return nil
}

// services returns the services with these ids that exist.
func (p *ChangePreview) services(ctx context.Context, ids []ident.ID) ([]*Service, error) {
	found, err := p.records(ctx)
	all := []*Service{}
	for _, id := range ids[:min(len(ids), namedCIs)] {
		if c, ok := found[id].(*CI); ok && c.ServiceKind != nil {
			all = append(all, c.Service())
		}
	}
	return all, err
}

// Ci returns the CI.
func (s *SinglePointShift) Ci(ctx context.Context) (*CI, error) {
	return find[CI](ctx, s.p, s.shift.CI)
}

// Key names the operation that creates the CI.
func (s *SinglePointShift) Key() *string { return s.p.key(s.shift.CI) }

// ServiceCount returns how many services it is about.
func (s *SinglePointShift) ServiceCount() int { return len(s.shift.Services) }

// Services returns the first services it is about.
func (s *SinglePointShift) Services(ctx context.Context) ([]*Service, error) {
	return s.p.services(ctx, s.shift.Services)
}

// Ci returns the CI whose dependencies the group combines.
func (s *RedundancyShift) Ci(ctx context.Context) (*CI, error) { return find[CI](ctx, s.p, s.CI) }

// DependencyGroup returns the group.
func (s *RedundancyShift) DependencyGroup(ctx context.Context) (*DependencyGroup, error) {
	return find[DependencyGroup](ctx, s.p, s.Group)
}

// Key names the operation that creates the group.
func (s *RedundancyShift) Key() *string { return s.p.key(s.Group) }

// MembersBefore returns how many members count now.
func (s *RedundancyShift) MembersBefore() int { return s.Before.Members }

// MembersAfter returns how many members would count.
func (s *RedundancyShift) MembersAfter() int { return s.After.Members }

// SparesBefore returns how much the group can lose now.
func (s *RedundancyShift) SparesBefore() int { return s.Before.Spares }

// SparesAfter returns how much the group could lose.
func (s *RedundancyShift) SparesAfter() int { return s.After.Spares }

// Services returns the services that the group's CI can harm.
func (s *RedundancyShift) Services(ctx context.Context) ([]*Service, error) {
	return s.p.services(ctx, s.GroupShift.Services)
}
