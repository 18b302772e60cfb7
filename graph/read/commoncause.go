package read

import (
	"context"
	"fmt"
	"sync"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// SharedGroup is a dependency group whose members share something.
type SharedGroup struct {
	shared impact.SharedGroup
	in     *batch[*SharedGroup]
}

// Group returns the group.
func (g *SharedGroup) Group(ctx context.Context) (*DependencyGroup, error) {
	return one(ctx, g.in, g, "group", func(g *SharedGroup) *ident.ID { return &g.shared.Group }, loadGroups)
}

// IsRedundant reports whether the group bears the loss of any one member.
func (g *SharedGroup) IsRedundant() bool { return g.shared.IsRedundant }

// NeededCount returns how many members, or how much weight, the group needs.
func (g *SharedGroup) NeededCount() int { return g.shared.Need }

// MemberCount returns how many members, or how much weight, the group has.
func (g *SharedGroup) MemberCount() int { return g.shared.Total }

// SharedCount returns how many CIs cost the group two members or more.
func (g *SharedGroup) SharedCount() int { return g.shared.Shared }

// BreakingCount returns how many of them break the group.
func (g *SharedGroup) BreakingCount() int { return g.shared.Breaking }

// CommonCause is a CI whose failure alone costs a group two members or more.
type CommonCause struct {
	IsBreaking bool
	LostCount  int
	Ci         *CI
	Members    []*CI
}

// Causes returns the CIs that the group's members share, those that break it first.
func (g *SharedGroup) Causes(ctx context.Context) ([]*CommonCause, error) {
	found, err := once(g.in, "causes", func() (vertices, error) {
		var ids []ident.ID
		for _, row := range g.in.Rows {
			for _, c := range row.shared.Causes {
				ids = append(append(ids, c.CI), c.Members...)
			}
		}
		return loadVertices(ctx, g.in.reader, ids)
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

// commonCauses is an answer about common causes. Like impacts, those of a page are one batch.
type commonCauses struct {
	about string
	work  func() (*impact.CommonCausesAnswer, error)
	in    *batch[*commonCauses]
}

// groups returns the groups that the answer lists.
func (c *commonCauses) groups() ([]impact.SharedGroup, error) {
	answer, err := c.work()
	if err != nil {
		return nil, err
	}
	return answer.Groups, nil
}

// CommonCauses lists the groups whose members share something: some groups, or all redundant ones.
func (r *Reader) CommonCauses(ctx context.Context, groups []ident.ID, overlay *Overlay, facts Facts, p page.Args) (*page.Connection[*SharedGroup], error) {
	if groups != nil && (len(groups) == 0 || len(groups) > page.Max) {
		return nil, errs.New(errs.BadUserInput, "groups lists %d groups: 1 to %d, or leave it out", len(groups), page.Max)
	}
	if err := r.mayName(ctx, groups); err != nil {
		return nil, err
	}
	return commonCausesOf(ctx, newBatch(r, []*[]ident.ID{&groups}), &groups, func(groups *[]ident.ID) []ident.ID { return *groups }, overlay, facts, func(groups *[]ident.ID, on supposition) (*impact.CommonCausesAnswer, error) {
		return impact.CommonCauses(ctx, on.view, *groups, impact.CommonCauseLimits{MaxCauses: namedCIs, Given: on.given})
	}, p)
}

// CommonCauses lists the groups of the CI, and of all that it needs, whose members share something.
func (c *CI) CommonCauses(ctx context.Context, overlay *Overlay, facts Facts, first *int, after *string, last *int, before *string) (*page.Connection[*SharedGroup], error) {
	return commonCausesOf(ctx, c.in, c, func(c *CI) []ident.ID { return []ident.ID{c.ID} }, overlay, facts, func(c *CI, on supposition) (*impact.CommonCausesAnswer, error) {
		needs, err := impact.Dependencies(ctx, on.view, []ident.ID{c.ID}, impact.Limits{})
		if err != nil {
			return nil, err
		}
		dependents := make([]topology.Vertex, 0, len(needs.CIs)+1)
		if v, ok := on.view.Index(c.ID); ok {
			dependents = append(dependents, v)
		}
		for _, need := range needs.CIs {
			dependents = append(dependents, need.Vertex)
		}
		var groups []ident.ID
		for _, v := range dependents {
			for _, g := range on.view.GroupsOf(v) {
				groups = append(groups, on.view.GroupID(g))
			}
		}
		if len(groups) == 0 { // which would ask about the whole estate
			return &impact.CommonCausesAnswer{Revision: on.view.Revision(), Completeness: needs.Completeness}, nil
		}
		return impact.CommonCauses(ctx, on.view, groups, impact.CommonCauseLimits{MaxCauses: namedCIs, Given: on.given})
	}, page.Args{First: first, After: after, Last: last, Before: before})
}

// commonCausesOf asks the engine for each row of a batch, which is about some records, and shows a page of row's
// answer.
func commonCausesOf[T comparable](ctx context.Context, b *batch[T], row T, about func(T) []ident.ID, overlay *Overlay, facts Facts, ask func(T, supposition) (*impact.CommonCausesAnswer, error), p page.Args) (*page.Connection[*SharedGroup], error) {
	on, err := suppositionOf(ctx, b, overlay, facts, about)
	if err != nil {
		return nil, err
	}
	mine, err := each(b, row, fmt.Sprint("common causes ", facts.hold(), overlay), b.reader, func(row T, all *batch[*commonCauses]) *commonCauses {
		return &commonCauses{fmt.Sprint(about(row), facts.hold(), overlay), sync.OnceValues(func() (*impact.CommonCausesAnswer, error) {
			answer, err := ask(row, on)
			if err == nil && answer.Completeness.IsPartial {
				return nil, errs.New(errs.Timeout, "the time for the question ran out: ask about fewer groups")
			}
			return answer, err
		}), all}
	})
	if err != nil {
		return nil, err
	}
	answer, err := mine.work()
	if err != nil {
		return nil, err
	}
	shown := newBatch[*SharedGroup](b.reader, nil)
	list, err := computed[*commonCauses, impact.SharedGroup, *SharedGroup]{
		name: "common causes", about: func(c *commonCauses) string { return c.about },
		rows: (*commonCauses).groups,
		ci:   func(g impact.SharedGroup) ident.ID { return g.Dependent },
		show: func(_ *commonCauses, g impact.SharedGroup, _ *CI) *SharedGroup {
			shown.Rows = append(shown.Rows, &SharedGroup{g, shown})
			return shown.Rows[len(shown.Rows)-1]
		},
	}.page(ctx, mine.in, mine, p)
	if err == nil {
		list.LeftOutCount = answer.LeftOut
	}
	return list, err
}
