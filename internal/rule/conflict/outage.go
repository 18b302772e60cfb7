package conflict

import (
	"context"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Outage is the services that a change takes DOWN, each with the failed CIs that bring it about: those of the change,
// and those that have failed beside it.
type Outage map[ident.ID][]ident.ID

// Services lists the services by id.
func (o Outage) Services() []ident.ID { return slices.Sorted(maps.Keys(o)) }

// OutageOf returns the services that a change takes DOWN on the graph as it is, or on the graph as its operations are
// going to leave it. Those that are DOWN without it, and those that do not exist yet, are none of them.
func (f *Finder) OutageOf(ctx context.Context, c *Change) (Outage, error) {
	all, err := f.Outlooks(ctx, c)
	if err != nil {
		return nil, err
	}
	found := Outage{}
	for _, on := range all {
		for _, h := range on.Planned.Affected(impact.Filter{AtLeast: impact.Down, Keep: func(c topology.CI) bool { return c.IsService }}) {
			if h.Without == impact.Down || !f.graph.Knows(h.CI) {
				continue
			}
			found[h.CI] = append(found[h.CI], causesOf(on.Planned, h.CI)...)
		}
	}
	return found, nil
}

// causesOf lists the failed CIs to which the proof of a state leads.
func causesOf(a *impact.Answer, ci ident.ID) (causes []ident.ID) {
	proof, ok := a.Proof(ci)
	if !ok {
		return nil
	}
	for _, e := range proof.Explanations {
		if e.Ground == impact.Given {
			causes = append(causes, e.CI)
		}
	}
	return causes
}
