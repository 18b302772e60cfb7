package impact

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"

	"github.com/linchpin-cmdb/linchpin/internal/safe"
)

var noHurry = context.Background()

// lanes is how many scenarios are simulated at once, one in each bit of a word.
const lanes = 64

// simulation works out what goes DOWN in 64 scenarios at once over a region: bitwise OR stands for a HARD
// dependency, a bit-sliced counter for a group (Knuth, The Art of Computer Programming 4A, 7.1.3, "broadword"
// counting). A CI passes on the lanes in which it newly fell. The CIs that have some are kept in a bitmap and
// taken in the order of places, so that each is taken once unless it is in a cycle: a pass costs the arcs of the
// CIs that fall in any lane, and a scan of the bitmap between the first and the last of them.
type simulation struct {
	r       *region
	cells   []cell // by place
	dirty   []uint64
	low     int // word of the first dirty bit
	high    int // word of the last
	fallen  []uint32
	planes  []uint64
	epoch   uint32
	epochs  []uint32 // by group: that in which its planes were set
	touched []uint32 // groups
	pairs   []pair   // by group; nil unless members are noted
}

// cell is the lanes in which a CI is DOWN, and those of which it has not yet told its dependents.
type cell struct{ down, fresh uint64 }

// pair is the lanes in which a group lost a member, and in which it lost another.
type pair struct{ one, two uint64 }

func (r *region) simulation(notesPairs bool) *simulation {
	m := &simulation{
		r: r, cells: make([]cell, len(r.vertices)), dirty: make([]uint64, len(r.vertices)/64+1),
		planes: make([]uint64, r.planes), epochs: make([]uint32, len(r.groups)),
	}
	if notesPairs {
		m.pairs = make([]pair, len(r.groups))
	}
	m.begin()
	return m
}

// begin makes all CIs stand in all lanes.
func (m *simulation) begin() {
	for _, at := range m.fallen {
		m.cells[at] = cell{}
	}
	m.fallen, m.touched = m.fallen[:0], m.touched[:0]
	m.low, m.high = math.MaxInt, -1
	if m.epoch++; m.epoch == 0 {
		clear(m.epochs)
		m.epoch = 1
	}
}

// spare makes a CI stand in lanes whatever happens: it passes nothing on in them. It reads as DOWN there.
func (m *simulation) spare(at uint32, in uint64) {
	if m.cells[at].down == 0 {
		m.fallen = append(m.fallen, at)
	}
	m.cells[at].down |= in
}

func (m *simulation) fall(at uint32, in uint64) {
	c := &m.cells[at]
	in &^= c.down
	if in == 0 {
		return
	}
	if c.down == 0 {
		m.fallen = append(m.fallen, at)
	}
	c.down |= in
	c.fresh |= in
	word := int(at >> 6)
	m.dirty[word] |= 1 << (at & 63)
	m.low, m.high = min(m.low, word), max(m.high, word)
}

// run goes on until nothing more falls.
func (m *simulation) run() {
	for m.low <= m.high {
		word := m.dirty[m.low]
		if word == 0 {
			m.low++
			continue
		}
		at := uint32(m.low<<6 | bits.TrailingZeros64(word))
		m.dirty[m.low] = word & (word - 1)
		m.pass(at)
	}
}

func (m *simulation) pass(at uint32) {
	in := m.cells[at].fresh
	m.cells[at].fresh = 0
	arcs := m.r.arcs[m.r.offsets[at]:m.r.offsets[at+1]]
	for i := 0; i < len(arcs); i++ {
		to := arcs[i] & placeMask
		switch arcs[i] & kindMask {
		case hardArc:
			m.fall(to, in)
		case unitArc:
			if broken := m.count(to, in); broken != 0 {
				m.fall(m.r.groups[to].dependent, broken)
			}
		case heavyArc:
			i++
			if broken := m.weigh(to, arcs[i], in); broken != 0 {
				m.fall(m.r.groups[to].dependent, broken)
			}
		case pairArc:
			m.open(to)
			m.note(to, in)
		}
	}
}

// open sets the counter of a group to its start when this pass first comes to it.
func (m *simulation) open(g uint32) []uint64 {
	group := &m.r.groups[g]
	planes := m.planes[group.first : group.first+group.planes]
	if m.epochs[g] != m.epoch {
		m.epochs[g] = m.epoch
		m.touched = append(m.touched, g)
		for i := range planes {
			planes[i] = -(group.start >> i & 1)
		}
		if m.pairs != nil {
			m.pairs[g] = pair{}
		}
	}
	return planes
}

func (m *simulation) note(g uint32, in uint64) {
	if m.pairs != nil {
		p := &m.pairs[g]
		p.two |= p.one & in
		p.one |= in
	}
}

// count adds 1 in lanes, and says in which the counter overflowed. One that has overflowed may do so again.
func (m *simulation) count(g uint32, in uint64) (broken uint64) {
	planes := m.open(g)
	m.note(g, in)
	for i, p := range planes {
		planes[i] = p ^ in
		if in &= p; in == 0 {
			return 0
		}
	}
	return in
}

// weigh adds a weight, which is less than what the counter holds.
func (m *simulation) weigh(g, weight uint32, in uint64) (broken uint64) {
	planes := m.open(g)
	m.note(g, in)
	carry := uint64(0)
	for i, p := range planes {
		add := in & -(uint64(weight) >> i & 1)
		planes[i] = p ^ add ^ carry
		carry = p&add | carry&(p|add)
	}
	return carry
}

// laneCounts counts in each of 64 lanes: plane i holds bit i of the counts.
type laneCounts [32]uint64

func (c *laneCounts) add(in uint64) {
	for i := 0; in != 0; i++ {
		carry := c[i] & in
		c[i] ^= in
		in = carry
	}
}

func (c *laneCounts) of(lane int) (n int) {
	for i, plane := range c {
		n |= int(plane>>lane&1) << i
	}
	return n
}

// counts returns how many CIs are DOWN in each lane, and how many of them are flagged.
func (m *simulation) counts(flagged flags) (all, those laneCounts) {
	for _, at := range m.fallen {
		down := m.cells[at].down
		all.add(down)
		if flagged != nil && flagged.has(at) {
			those.add(down)
		}
	}
	return all, those
}

// sweep fails each candidate alone, 64 in a pass, over all processors, and shows each pass when it is done; lane
// i is candidate i of the batch. Shows of one worker follow each other. Neighbours in the region harm much
// the same CIs, so that their lanes share the work: candidates are best given in the order of places.
// It says how many it got through before the context ended.
func (r *region) sweep(ctx context.Context, candidates []uint32, notesPairs bool, show func(worker int, m *simulation, batch []uint32)) (swept int, err error) {
	batches := (len(candidates) + lanes - 1) / lanes
	var next, done atomic.Int64
	safe.Crew(crewSize(batches), func(worker int) {
		m := r.simulation(notesPairs)
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= batches {
				return
			}
			batch := candidates[i*lanes : min(i*lanes+lanes, len(candidates))]
			m.begin()
			for lane, at := range batch {
				m.fall(at, 1<<lane)
			}
			m.run()
			show(worker, m, batch)
			done.Add(int64(len(batch)))
		}
	})
	if swept = int(done.Load()); swept < len(candidates) && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return swept, ctx.Err()
	}
	return swept, nil
}

// incomplete returns the error of a sweep, also when only its time was over.
func incomplete(err error, swept int, candidates []uint32) error {
	if err == nil && swept < len(candidates) {
		return context.DeadlineExceeded
	}
	return err
}

// crewSize returns how many goroutines share so many pieces of work.
func crewSize(pieces int) int { return max(1, min(runtime.GOMAXPROCS(0), pieces)) }

func (r *region) all() []uint32 {
	places := make([]uint32, len(r.vertices))
	for i := range places {
		places[i] = uint32(i)
	}
	return places
}
