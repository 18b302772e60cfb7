package impact

import (
	"cmp"
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// rank orders and cuts what was found, and names the members lost.
func (c *commonSearch) rank(ctx context.Context) error {
	if !c.isWhole {
		if err := c.measure(ctx); err != nil {
			return err
		}
	}
	first := map[ident.ID][]share{}
	for g := range c.finds {
		f := &c.finds[g]
		if f.shared == 0 {
			continue
		}
		c.cut(f)
		index := c.r.groups[g].index
		counter := c.s.Counter(index)
		shared := SharedGroup{
			Group: c.s.GroupID(index), Dependent: c.s.ID(counter.Dependent), Mode: counter.Mode, Need: int(counter.Need), Total: int(counter.Total + counter.Retired),
			IsRedundant: c.isRedundant(index), Shared: f.shared, Breaking: f.breaking,
		}
		first[shared.Group] = f.first
		c.answer.Groups = append(c.answer.Groups, shared)
		c.answer.Total++
		if shared.isBroken() {
			c.answer.Broken++
		}
	}
	slices.SortFunc(c.answer.Groups, func(a, b SharedGroup) int {
		return cmp.Or(
			compareFlags(b.isBroken(), a.isBroken()), compareFlags(c.isService(b), c.isService(a)),
			cmp.Compare(b.Breaking, a.Breaking), cmp.Compare(b.Shared, a.Shared), cmp.Compare(a.Group, b.Group))
	})
	if most := c.limits.MaxGroups; most > 0 && len(c.answer.Groups) > most {
		c.answer.Groups = slices.Clone(c.answer.Groups[:most])
		c.answer.Completeness.cut(MaxCIs)
	}
	c.rankCauses()
	return c.tell(ctx, first)
}

func (g SharedGroup) isBroken() bool { return g.IsRedundant && g.Breaking > 0 }

func (c *commonSearch) isService(g SharedGroup) bool {
	v, _ := c.s.Index(g.Dependent)
	return c.s.IsService(v)
}

// measure counts what the causes take down beyond the region.
func (c *commonSearch) measure(ctx context.Context) error {
	var vertices []topology.Vertex
	for at, n := range c.shared {
		if n > 0 {
			vertices = append(vertices, c.r.vertices[at])
		}
	}
	totals, err := takenDown(ctx, c.s, c.given, vertices)
	if err != nil {
		return err
	}
	cis := make(map[uint32]int, len(vertices))
	for i, v := range vertices {
		cis[c.placeOf[v]] = totals[i].cis
	}
	for g := range c.finds {
		for i := range c.finds[g].first {
			c.finds[g].first[i].cis = cis[c.finds[g].first[i].at]
		}
	}
	return nil
}

func (c *commonSearch) rankCauses() {
	for at, shared := range c.shared {
		if shared > 0 {
			v := c.r.vertices[at]
			c.answer.Causes = append(c.answer.Causes, SharedCause{Vertex: v, CI: c.s.ID(v), Shared: int(shared), Breaks: int(c.breaks[at])})
		}
	}
	slices.SortFunc(c.answer.Causes, func(a, b SharedCause) int {
		return cmp.Or(cmp.Compare(b.Breaks, a.Breaks), cmp.Compare(b.Shared, a.Shared), cmp.Compare(a.CI, b.CI))
	})
	if most := c.limits.MaxCauses; most > 0 && len(c.answer.Causes) > most {
		c.answer.Causes = slices.Clone(c.answer.Causes[:most])
	}
}

// tell fails the causes that are told once more, for the names of the members lost.
func (c *commonSearch) tell(ctx context.Context, first map[ident.ID][]share) error {
	told := map[uint32][]*CommonCause{} // by place; each knows its group
	groupOf := map[*CommonCause]*topology.Counter{}
	var places []uint32
	for i := range c.answer.Groups {
		g := &c.answer.Groups[i]
		counter := c.s.Counter(topology.GroupIndex(g.Group.Number()))
		g.Causes = make([]CommonCause, len(first[g.Group]))
		for k, f := range first[g.Group] {
			v := c.r.vertices[f.at]
			g.Causes[k] = CommonCause{Vertex: v, CI: c.s.ID(v), Breaks: f.breaks, Lost: int(f.lost), CIsDown: f.cis}
			if told[f.at] == nil {
				places = append(places, f.at)
			}
			told[f.at] = append(told[f.at], &g.Causes[k])
			groupOf[&g.Causes[k]] = counter
		}
	}
	slices.Sort(places)
	swept, err := c.r.sweep(ctx, places, false, func(_ int, m *simulation, batch []uint32) {
		for lane, at := range batch {
			for _, cause := range told[at] {
				for _, member := range groupOf[cause].Members {
					if !c.isLeft(member) || m.cells[c.placeOf[member.From]].down>>lane&1 == 0 {
						continue
					}
					cause.Members = append(cause.Members, c.s.ID(member.From))
					cause.IsMember = cause.IsMember || member.From == cause.Vertex
				}
				slices.Sort(cause.Members)
				cause.Members = slices.Compact(cause.Members)
			}
		}
	})
	return incomplete(err, swept, places)
}
