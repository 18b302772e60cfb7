package impact

import (
	"context"
	"errors"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/hugepage"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// scratch is the working memory of one question: a word for each vertex and each group of the graph. Words
// of earlier questions are told by their epoch, so that nothing is cleared between questions and a small impact
// in a large graph costs what it touches. See Briggs and Torczon, "An Efficient Representation for Sparse Sets", 1993.
type scratch struct {
	epoch       uint32
	vertices    []uint64 // epoch<<32 | payload
	groups      []uint64
	hits        []hit
	tallies     []tally
	rounds      []int32
	weak        []topology.Vertex
	brink       []topology.Vertex // in the order in which they came to it
	brinkRounds []int32           // the first of each round
	queue       []topology.Vertex
	seen        flags // by vertex; all clear between questions
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// borrow gives a scratch that fits the snapshot and holds no marks.
func borrow(s *topology.Snapshot) *scratch {
	m := scratches.Get().(*scratch)
	if n := s.Vertices(); len(m.vertices) < n {
		m.vertices = hugepage.Make[uint64](n+n/8, n+n/8)
	}
	if n := s.Counters(); len(m.groups) < n {
		m.groups = hugepage.Make[uint64](n+n/8, n+n/8)
	}
	m.forget()
	m.hits, m.tallies, m.rounds, m.weak, m.queue = m.hits[:0], m.tallies[:0], m.rounds[:0], m.weak[:0], m.queue[:0]
	m.brink, m.brinkRounds = m.brink[:0], m.brinkRounds[:0]
	return m
}

func (m *scratch) release() { scratches.Put(m) }

// forget drops all marks.
func (m *scratch) forget() {
	if m.epoch++; m.epoch == 0 {
		clear(m.vertices)
		clear(m.groups)
		m.epoch = 1
	}
}

func (m *scratch) mark(v topology.Vertex, payload uint32) {
	m.vertices[v] = uint64(m.epoch)<<32 | uint64(payload)
}

func (m *scratch) marked(v topology.Vertex) (payload uint32, is bool) {
	word := m.vertices[v]
	return uint32(word), uint32(word>>32) == m.epoch
}

// reached returns the place of a CI among the hits; false if it is none.
func (m *scratch) reached(v topology.Vertex) (at uint32, ok bool) {
	at, ok = m.marked(v)
	return at, ok && at != isExcluded
}

func (m *scratch) unmark(v topology.Vertex) { m.vertices[v] = 0 }

// tally is what a group has lost so far, in the measure of its counter. Members that are down count as unwell too.
type tally struct {
	group        topology.GroupIndex
	down, unwell uint32
}

func (m *scratch) tally(g topology.GroupIndex) *tally {
	word := m.groups[g]
	if uint32(word>>32) != m.epoch {
		word = uint64(m.epoch)<<32 | uint64(len(m.tallies))
		m.groups[g] = word
		m.tallies = append(m.tallies, tally{group: g})
	}
	return &m.tallies[uint32(word)]
}

// patience asks the context every few thousand steps.
type patience struct {
	ctx   context.Context
	steps int
	err   error
}

const stepsBetweenLooks = 4096

// isSpent counts steps and reports whether the time is over.
func (p *patience) isSpent(steps int) bool {
	if p.steps -= steps; p.steps <= 0 {
		p.steps = stepsBetweenLooks
		p.err = p.ctx.Err()
	}
	return p.err != nil
}

// verdict returns the error of a caller that went away, otherwise nil: a deadline makes an answer partial, it is no
// failure.
func (p *patience) verdict() error {
	if p.err != nil && !errors.Is(p.err, context.DeadlineExceeded) {
		return p.err
	}
	return nil
}
