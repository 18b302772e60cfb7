package read

import (
	"context"
	"fmt"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// SharedGroup is a dependency group whose members share something.
type SharedGroup struct {
	shared impact.SharedGroup
	in     *batch[SharedGroup]
}

// Group is the group.
func (g *SharedGroup) Group(ctx context.Context) (*DependencyGroup, error) {
	return one(ctx, g.in, g, "group", func(g *SharedGroup) *ident.ID { return &g.shared.Group }, loadGroups)
}

// IsRedundant reports whether the group bears the loss of any one member.
func (g *SharedGroup) IsRedundant() bool { return g.shared.IsRedundant }

// NeededCount is how many members, or how much weight, the group needs.
func (g *SharedGroup) NeededCount() int { return g.shared.Need }

// MemberCount is how many members, or how much weight, the group has.
func (g *SharedGroup) MemberCount() int { return g.shared.Total }

// SharedCount is how many CIs cost the group two members or more.
func (g *SharedGroup) SharedCount() int { return g.shared.Shared }

// BreakingCount is how many of them break the group.
func (g *SharedGroup) BreakingCount() int { return g.shared.Breaking }

// CommonCause is a CI whose failure alone costs a group two members or more.
type CommonCause struct {
	IsBreaking bool
	LostCount  int
	Ci         *CI
	Members    []*CI
}

// Causes are the CIs that the group's members share, those that break it first.
func (g *SharedGroup) Causes(ctx context.Context) ([]*CommonCause, error) {
	found, err := once(g.in, "causes", func() (vertices, error) {
		var ids []ident.ID
		for _, row := range g.in.rows {
			for _, c := range row.shared.Causes {
				ids = append(append(ids, c.CI), c.Members...)
			}
		}
		return loadVertices(ctx, g.in.Reader, ids)
	})
	if err != nil {
		return nil, err
	}
	all := []*CommonCause{}
	for _, c := range g.shared.Causes {
		if found.has(c.CI) {
			all = append(all, &CommonCause{c.Breaks, c.Lost, found.shown[c.CI], found.list(c.Members)})
		}
	}
	return all, nil
}

// CommonCauses lists the groups whose members share something: some groups, or all redundant ones.
func (r *Reader) CommonCauses(ctx context.Context, groups []ident.ID, overlay *Overlay, p Page) (*Connection[SharedGroup], error) {
	if groups != nil && (len(groups) == 0 || len(groups) > MaxPage) {
		return nil, errs.New(errs.BadUserInput, "groups lists %d groups: 1 to %d, or leave it out", len(groups), MaxPage)
	}
	if err := r.mayName(ctx, groups); err != nil {
		return nil, err
	}
	graph, err := r.snapshotWith(ctx, append(overlay.names(), groups...)...)
	if err != nil {
		return nil, err
	}
	view, given, err := r.suppose(ctx, graph, overlay)
	if err != nil {
		return nil, err
	}
	answer, err := impact.CommonCauses(ctx, view, groups, impact.CommonCauseLimits{MaxCauses: namedCIs, Given: given})
	if err != nil {
		return nil, err
	}
	if answer.Completeness.IsPartial {
		return nil, errs.New(errs.Timeout, "the time for the question ran out: ask about fewer groups")
	}
	shown := newBatch[SharedGroup](r, nil)
	return computed[impact.CommonCausesAnswer, impact.SharedGroup, SharedGroup]{
		name: "common causes", about: func(*impact.CommonCausesAnswer) string { return fmt.Sprint(groups, overlay) },
		has:  func(*impact.CommonCausesAnswer) bool { return true },
		rows: func(a *impact.CommonCausesAnswer) ([]impact.SharedGroup, error) { return a.Groups, nil },
		ci:   func(g impact.SharedGroup) ident.ID { return g.Dependent },
		show: func(_ *impact.CommonCausesAnswer, g impact.SharedGroup, _ *CI) *SharedGroup {
			shown.rows = append(shown.rows, &SharedGroup{g, shown})
			return shown.rows[len(shown.rows)-1]
		},
	}.page(ctx, newBatch(r, []*impact.CommonCausesAnswer{answer}), answer, p)
}
