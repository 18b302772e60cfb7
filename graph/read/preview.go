package read

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	practice "github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// ChangePreview is what the operations of a change would do to the graph. Those of a page are one batch, on one graph.
type ChangePreview struct {
	change     *Change
	operations []operation.Operation
	conflicts  [][]practice.Conflict
	graph      *topology.Snapshot
	view       *operation.View
	err        error // the operations cannot be laid over the graph
	in         *batch[*ChangePreview]
}

// Preview returns what the change's operations would do. If there are none to apply, it returns nil.
func (c *Change) Preview(ctx context.Context) (*ChangePreview, error) {
	all, err := once(c.in, "previews", func() (map[ident.ID]*ChangePreview, error) { return c.in.reader.previews(ctx, c.in) })
	if err != nil || all[c.ID] == nil {
		return nil, err
	}
	return all[c.ID], all[c.ID].err
}

// previews lays the operations of a batch of changes over the newest graph, each over a view of its own.
func (r *Reader) previews(ctx context.Context, changes *batch[*Change]) (map[ident.ID]*ChangePreview, error) {
	applied, err := practice.Applied(ctx, r.store.Show, changes.ids((*Change).id)...)
	if err != nil {
		return nil, store.Translate(err)
	}
	b, shown := newBatch[*ChangePreview](r, nil), map[ident.ID]*ChangePreview{}
	var every []operation.Operation
	for _, c := range changes.Rows {
		planned, err := c.Operations(ctx)
		if err != nil {
			return nil, err
		}
		if len(planned) == 0 || applied[c.ID] != 0 {
			continue
		}
		rows := make([]*ent.PlannedOperation, len(planned))
		for i, o := range planned {
			rows[i] = o.PlannedOperation
		}
		p := &ChangePreview{change: c, operations: practice.Operations(rows), in: b}
		every = append(every, p.operations...)
		b.Rows, shown[c.ID] = append(b.Rows, p), p
	}
	if len(every) == 0 {
		return nil, nil
	}
	conflicts, err := practice.FindConflicts(ctx, r.store.Show, every)
	if err != nil {
		return nil, store.Translate(err)
	}
	words, err := cmdb.Words(ctx, r.store.Show)
	if err != nil {
		return nil, err
	}
	graph, at := r.snapshot(), 0
	for _, p := range b.Rows {
		p.conflicts, p.graph = conflicts[at:at+len(p.operations)], graph
		p.view, p.err = operation.On(graph, p.operations, words)
		at += len(p.operations)
	}
	return shown, nil
}

// Revision returns the revision of the graph that the preview was worked out on.
func (p *ChangePreview) Revision() int64 { return p.graph.Revision() }

// OperationConflict is a field that somebody changed since an operation on it was planned.
type OperationConflict struct {
	practice.Conflict
	Operation int
	Summary   string
	entry     *Entry
}

// Planned returns the value when the operation was planned.
func (c *OperationConflict) Planned() any { return c.Base }

// Entry returns the write that changed it.
func (c *OperationConflict) Entry() *Entry { return c.entry }

// Conflicts returns what stands in the way of the operations that the actor may see.
func (p *ChangePreview) Conflicts(ctx context.Context) ([]*OperationConflict, error) {
	all := []*OperationConflict{}
	planned, err := p.change.Operations(ctx)
	if err != nil {
		return nil, err
	}
	for i, conflicts := range p.conflicts {
		if restricted, err := planned[i].IsRestricted(ctx); restricted || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		for _, c := range conflicts {
			all = append(all, &OperationConflict{Conflict: c, Operation: i, Summary: c.Sentence(p.operations[i])})
		}
	}
	entries, _ := once(p.in, "entries", func() (map[ident.ID]*Entry, error) {
		found := map[ident.ID]*ent.Entry{}
		for _, row := range p.in.Rows {
			for _, c := range slices.Concat(row.conflicts...) {
				if c.Entry != nil {
					found[c.Entry.ID] = c.Entry
				}
			}
		}
		return index(p.in.reader.wrapEntries(slices.Collect(maps.Values(found))), func(e *Entry) ident.ID { return e.ID }), nil
	})
	for _, c := range all {
		if c.Conflict.Entry != nil {
			c.entry = entries[c.Conflict.Entry.ID]
		}
	}
	return all, nil
}

// ImpactBefore returns what breaks during the change by the graph as it is.
func (p *ChangePreview) ImpactBefore(ctx context.Context) (*Impact, error) {
	return p.impact(ctx, "before", func(p *ChangePreview) *topology.Snapshot { return p.graph })
}

// ImpactAfter returns what would break by the graph as it would be.
func (p *ChangePreview) ImpactAfter(ctx context.Context) (*Impact, error) {
	return p.impact(ctx, "after", func(p *ChangePreview) *topology.Snapshot { return p.view.Snapshot })
}

func (p *ChangePreview) impact(ctx context.Context, when string, on func(*ChangePreview) *topology.Snapshot) (*Impact, error) {
	hidden, err := p.in.reader.hidden(ctx)
	if err != nil {
		return nil, err
	}
	i, err := each(p.in, p, when, p.in.reader, func(p *ChangePreview, answers *batch[*Impact]) *Impact {
		return &Impact{about: strings.Join([]string{"preview", when, p.change.ID.String()}, " "), work: sync.OnceValues(func() (*impact.Answer, error) {
			if p.err != nil {
				return nil, p.err
			}
			links, err := p.change.links(ctx)
			if err != nil {
				return nil, err
			}
			return impact.OfView(ctx, p.graph, on(p), outage(links, on(p)))
		}), keep: p.isStored, hidden: hidden, in: answers}
	})
	if err != nil {
		return nil, err
	}
	_, err = i.work()
	return i, err
}

// isStored reports whether a CI is more than planned.
func (p *ChangePreview) isStored(c topology.CI) bool { _, ok := p.graph.Index(c.ID); return ok }
