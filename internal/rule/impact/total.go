package impact

import (
	"context"
	"slices"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// total is how much one CI takes down, itself not counted.
type total struct{ cis, services int }

// takenDown counts what each of some CIs takes down, failing alone beside the baseline. The snapshot keeps the totals
// that are found without other failures: few CIs are single points of many services.
func takenDown(ctx context.Context, s *topology.Snapshot, given *baseline, vertices []topology.Vertex) ([]total, error) {
	if !given.isKept() {
		return simulateTotals(ctx, s, given, vertices)
	}
	kept := s.Memo(totalsKey{given}, func() any { return &keptTotals{of: map[topology.Vertex]total{}} }).(*keptTotals)
	totals, missing := kept.find(vertices)
	found, err := simulateTotals(ctx, s, given, missing)
	if err != nil {
		return totals, err
	}
	kept.keep(missing, found)
	totals, _ = kept.find(vertices)
	return totals, nil
}

type totalsKey struct{ given *baseline }

// keptTotals are totals by CI. Several questions may use it at once.
type keptTotals struct {
	mu sync.Mutex
	of map[topology.Vertex]total
}

func (k *keptTotals) find(vertices []topology.Vertex) (totals []total, missing []topology.Vertex) {
	k.mu.Lock()
	defer k.mu.Unlock()
	totals = make([]total, len(vertices))
	for i, v := range vertices {
		var ok bool
		if totals[i], ok = k.of[v]; !ok {
			missing = append(missing, v)
		}
	}
	return totals, missing
}

func (k *keptTotals) keep(vertices []topology.Vertex, totals []total) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, v := range vertices {
		k.of[v] = totals[i]
	}
}

// simulateTotals fails each of some CIs alone. The CIs that go down if all of them fail together are the region to
// simulate: one alone takes down no others.
func simulateTotals(ctx context.Context, s *topology.Snapshot, given *baseline, vertices []topology.Vertex) ([]total, error) {
	if len(vertices) == 0 {
		return nil, nil
	}
	r, err := fallout(ctx, s, given, vertices)
	if err != nil {
		return nil, err
	}
	isService := r.flags(func(at uint32) bool { return s.IsService(r.vertices[at]) })
	totals := make([]total, len(vertices))
	at := make(map[topology.Vertex]int, len(vertices))
	for i, v := range vertices {
		at[v] = i
	}
	places := r.places(vertices)
	slices.Sort(places)
	swept, err := r.sweep(ctx, places, false, func(_ int, m *simulation, batch []uint32) {
		cis, services := m.counts(isService)
		for lane, place := range batch {
			t := &totals[at[r.vertices[place]]]
			t.cis, t.services = cis.of(lane)-1, services.of(lane)
			if isService.has(place) {
				t.services--
			}
		}
	})
	return totals, incomplete(err, swept, places)
}

// fallout returns the region of all that goes DOWN when some CIs fail together, beside a baseline, or a larger one: if
// nothing has failed before and much goes DOWN, the whole estate, which is compiled once for each snapshot.
func fallout(ctx context.Context, s *topology.Snapshot, given *baseline, failed []topology.Vertex) (*region, error) {
	m := borrow(s)
	defer m.release()
	p := propagation{s: s, m: m, patience: patience{ctx: ctx}, down: failed}
	p.resume(given)
	p.enough = func() bool { return given.isKept() && len(m.hits) > s.Vertices()/8 }
	p.closeDown()
	switch {
	case p.err != nil:
		return nil, p.err
	case p.whole.IsPartial:
		r := wholeRegion(s, given, &p.patience)
		return r, p.err
	}
	fallen := make([]topology.Vertex, len(m.hits))
	for i, h := range m.hits {
		fallen[i] = h.vertex
	}
	slices.Reverse(fallen) // the last to fall have the causes that the search should go down first
	r := scope{s: s, given: given, admits: func(v topology.Vertex) bool { _, ok := m.marked(v); return ok }}.cone(fallen, &p.patience)
	return r, p.err
}
