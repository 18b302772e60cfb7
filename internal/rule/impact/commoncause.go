package impact

import (
	"cmp"
	"context"
	"errors"
	"math/bits"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// CommonCauseLimits bound what is told of common causes; 0 means no limit.
type CommonCauseLimits struct {
	MaxGroups int // the first so many groups are told; all are counted
	MaxCauses int // of each group, and of the estate, the first so many are told; all are counted
	// Given is what has happened already: members are those that are still up, a group is redundant if it bears the
	// loss of any one of them, and what is lost is beside it. Groups of CIs that are DOWN by it, excluded or in
	// maintenance are not examined.
	Given Question
}

// CommonCausesAnswer says what the members of dependency groups secretly share.
type CommonCausesAnswer struct {
	Revision int64
	// Completeness is partial when MaxGroups cut the list, or when the time was over: what is told then is
	// true, but counts are too low. Explored counts the CIs whose failure was simulated.
	Completeness Completeness
	Examined     int           // groups
	LeftOut      int           // groups of CIs that are DOWN already
	Total        int           // groups whose members share something
	Broken       int           // redundant groups that something shared breaks
	Groups       []SharedGroup // those that share something: see CommonCauses for the order
	Causes       []SharedCause // those that break most redundant groups first
}

// SharedGroup is a group whose members share a cause.
type SharedGroup struct {
	Group, Dependent ident.ID
	Mode             topology.Mode
	Need, Total      int
	IsRedundant      bool // it bears the loss of any one member
	Shared           int  // CIs whose failure alone makes at least two members not up
	Breaking         int  // those of them that leave fewer up than needed
	Causes           []CommonCause
}

// CommonCause is a CI whose failure alone makes at least two members of a group not up.
type CommonCause struct {
	Vertex   topology.Vertex
	CI       ident.ID
	Breaks   bool       // the group then has fewer up than it needs
	IsMember bool       // it is a member itself, on which others depend
	Lost     int        // what the group loses, in its measure
	Members  []ident.ID // the CIs that it loses, by id
	CIsDown  int        // all that it takes down, itself not counted
}

// SharedCause is a common cause seen over all groups examined.
type SharedCause struct {
	Vertex topology.Vertex
	CI     ident.ID
	Shared int // groups that lose at least two members by it
	Breaks int // redundant groups that it breaks
}

// CommonCauses finds what the members of groups secretly share: the CIs whose failure alone makes at least two members
// not up. Without groups it examines every redundant group of the estate, in which no member by itself breaks it; one
// that is named is examined whether it is redundant or not. Groups come in this order: redundant ones that are broken,
// those of services, those with most breaking causes, most causes, by id. The causes of a group: those that break it,
// those that cost it most, then those that take down least, since what everything hangs on is no secret.
//
// It fails each CI that a member needs, and simulates 64 failures in a pass, as SinglePoints does; a
// group notes in two words per pass in which lanes it lost one member and in which two. A group that is not known is
// errs.NotFound; a cancelled context is its error.
func CommonCauses(ctx context.Context, s *topology.Snapshot, groups []ident.ID, limits CommonCauseLimits) (*CommonCausesAnswer, error) {
	c := commonSearch{s: s, limits: limits, answer: &CommonCausesAnswer{Revision: s.Revision()}}
	p := patience{ctx: ctx}
	var err error
	if c.given, err = baselineOf(ctx, s, limits.Given); errors.Is(err, context.DeadlineExceeded) {
		p.err = err
	} else if err != nil {
		return nil, err
	}
	if err := c.choose(groups, &p); err != nil {
		return nil, err
	}
	if p.err == nil {
		p.err = c.search(ctx)
	}
	if p.err == nil {
		p.err = c.rank(ctx)
	}
	if err := p.verdict(); err != nil {
		return nil, err
	}
	if p.err != nil {
		c.answer.Completeness.cut(Time)
	}
	return c.answer, nil
}

type commonSearch struct {
	s       *topology.Snapshot
	limits  CommonCauseLimits
	given   *baseline
	isWhole bool
	chosen  map[topology.GroupIndex]bool
	r       *region
	placeOf []uint32  // by vertex, valid for what is in the region
	finds   []finding // by group of the region
	shared  []uint32  // groups, by place
	breaks  []uint32
	answer  *CommonCausesAnswer
}

// finding is what was found of one group.
type finding struct {
	shared, breaking int
	first            []share
}

// share is one cause of one group, by place.
type share struct {
	at     uint32
	lost   uint64
	cis    int
	breaks bool
}

func (a share) compare(b share) int {
	return cmp.Or(compareFlags(b.breaks, a.breaks), cmp.Compare(b.lost, a.lost), cmp.Compare(a.cis, b.cis))
}

// isRedundant reports whether a group bears the loss of any one member that is left.
func (c *commonSearch) isRedundant(g topology.GroupIndex) bool {
	counter := c.s.Counter(g)
	for _, m := range counter.Members {
		if c.isLeft(m) && uint64(m.Weight) >= c.given.breaksAt(counter, g) {
			return false
		}
	}
	return true
}

// isLeft reports whether a member can still be lost.
func (c *commonSearch) isLeft(m topology.Arrival) bool { return m.From != 0 && !c.given.isGone(m.From) }

// choose finds the groups and the region.
func (c *commonSearch) choose(groups []ident.ID, p *patience) error {
	c.chosen = map[topology.GroupIndex]bool{}
	c.isWhole = len(groups) == 0
	for _, g := range groups {
		if _, ok := c.s.Group(g); !ok {
			return errs.New(errs.NotFound, "there is no group %v at revision %d", name(g), c.s.Revision()).At("groups")
		}
		switch at := topology.GroupIndex(g.Number()); {
		case c.given.counts(c.s.Counter(at).Dependent):
			c.chosen[at] = true
		case c.given.isDown(c.s.Counter(at).Dependent):
			c.answer.LeftOut++
		}
	}
	if c.isWhole {
		for g := range topology.GroupIndex(c.s.Counters()) {
			counter := c.s.Counter(g)
			switch isGroup := len(counter.Members) > 1 && counter.Need > 0; {
			case isGroup && c.given.isDown(counter.Dependent):
				c.answer.LeftOut++
			case isGroup && c.given.counts(counter.Dependent) && c.isRedundant(g):
				c.chosen[g] = true
			}
		}
		c.r = wholeRegion(c.s, c.given, p)
	} else {
		var dependents []topology.Vertex
		for g := range c.chosen {
			dependents = append(dependents, c.s.Counter(g).Dependent)
		}
		slices.Sort(dependents)
		c.r = scope{s: c.s, given: c.given, watched: func(g topology.GroupIndex) bool { return c.chosen[g] }}.cone(dependents, p)
	}
	c.answer.Examined = len(c.chosen)
	return nil
}

// search simulates, and keeps of each group the first causes.
func (c *commonSearch) search(ctx context.Context) error {
	c.placeOf = make([]uint32, c.s.Vertices())
	for at, v := range c.r.vertices {
		c.placeOf[v] = uint32(at)
	}
	c.shared, c.breaks = make([]uint32, len(c.r.vertices)), make([]uint32, len(c.r.vertices))
	candidates := c.r.all()
	byWorker := make([][]finding, crewSize(len(candidates)))
	for i := range byWorker {
		byWorker[i] = make([]finding, len(c.r.groups))
	}
	swept, err := c.r.sweep(ctx, candidates, true, func(worker int, m *simulation, batch []uint32) {
		cis, _ := m.counts(nil)
		for _, g := range m.touched {
			if m.pairs[g].two != 0 && c.chosen[c.r.groups[g].index] {
				c.look(m, g, batch, &cis, &byWorker[worker][g])
			}
		}
	})
	c.answer.Completeness.Explored = swept
	c.finds = make([]finding, len(c.r.groups))
	for g := range c.finds {
		f := &c.finds[g]
		for _, finds := range byWorker {
			f.shared += finds[g].shared
			f.breaking += finds[g].breaking
			f.first = append(f.first, finds[g].first...)
		}
	}
	return incomplete(err, swept, candidates)
}

// look notes the causes of one group among the candidates of a pass.
func (c *commonSearch) look(m *simulation, g uint32, batch []uint32, cis *laneCounts, f *finding) {
	index := c.r.groups[g].index
	counter := c.s.Counter(index)
	var lost [lanes]uint64
	for _, member := range counter.Members {
		if !c.isLeft(member) {
			continue
		}
		for in := m.cells[c.placeOf[member.From]].down & m.pairs[g].two; in != 0; in &= in - 1 {
			lost[bits.TrailingZeros64(in)] += uint64(member.Weight)
		}
	}
	redundant := c.isRedundant(index)
	for in := m.pairs[g].two; in != 0; in &= in - 1 {
		lane := bits.TrailingZeros64(in)
		at := batch[lane]
		if c.r.vertices[at] == counter.Dependent {
			continue
		}
		found := share{at: at, lost: lost[lane], cis: cis.of(lane) - 1, breaks: lost[lane] >= c.given.breaksAt(counter, index)}
		f.shared++
		c.shared[at]++ // a candidate is in one batch, and a batch with one worker
		if found.breaks {
			f.breaking++
			if redundant {
				c.breaks[at]++
			}
		}
		f.first = append(f.first, found)
		if most := c.limits.MaxCauses; c.isWhole && most > 0 && len(f.first) >= 2*most {
			c.cut(f)
		}
	}
}

// cut keeps the first causes.
func (c *commonSearch) cut(f *finding) {
	slices.SortFunc(f.first, c.compare)
	if most := c.limits.MaxCauses; most > 0 && len(f.first) > most {
		f.first = f.first[:most]
	}
}

func (c *commonSearch) compare(a, b share) int {
	return cmp.Or(a.compare(b), cmp.Compare(c.s.ID(c.r.vertices[a.at]), c.s.ID(c.r.vertices[b.at])))
}
