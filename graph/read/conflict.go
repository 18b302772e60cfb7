package read

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// Conflict is one way in which a change is in the way of another, or of a window. Those of a page of changes are one
// batch.
type Conflict struct {
	row conflict.Conflict
	of  *Change
	in  *batch[*Conflict]
}

// conflictsOf returns the conflicts of every change of the batch, on the graph as it is.
func conflictsOf(ctx context.Context, b *batch[*Change]) (map[ident.ID][]conflict.Conflict, error) {
	return once(b, "found conflicts", func() (map[ident.ID][]conflict.Conflict, error) {
		rows := make([]*ent.Change, len(b.Rows))
		for i, c := range b.Rows {
			rows[i] = c.Change
		}
		return schedule.Conflicts(ctx, b.reader.store.Show, b.reader.snapshot(), rows, b.reader.store.Now(ctx))
	})
}

// Conflicts returns what is in the change's way, of some kinds or all.
func (c *Change) Conflicts(ctx context.Context, kinds []domain.ConflictKind, first *int, after *string, last *int, before *string) (*page.Connection[*Conflict], error) {
	hidden, err := c.in.reader.hidden(ctx)
	if err != nil {
		return nil, err
	}
	return page.Slice[*Change, keyedConflict, *Conflict]{
		Name: "conflicts", About: func(c *Change) string { return fmt.Sprint(c.ID, kinds) }, Key: func(c keyedConflict) string { return c.key },
		Rows: func(row *Change) ([]keyedConflict, error) {
			found, err := conflictsOf(ctx, c.in)
			return keyed(ofKinds(found[row.ID], kinds), hidden), err
		},
		Show: func(context.Context, []keyedConflict) (func(*Change, keyedConflict) (*Conflict, error), error) {
			all := newBatch[*Conflict](c.in.reader, nil)
			return func(of *Change, one keyedConflict) (*Conflict, error) {
				all.Rows = append(all.Rows, &Conflict{one.Conflict, of, all})
				return all.Rows[len(all.Rows)-1], nil
			}, nil
		},
	}.Page(ctx, &c.in.Batch, c, page.Args{First: first, After: after, Last: last, Before: before})
}

// ConflictCount returns how many conflicts the change has.
func (c *Change) ConflictCount(ctx context.Context) (int, error) {
	found, err := conflictsOf(ctx, c.in)
	return len(found[c.ID]), err
}

func ofKinds(all []conflict.Conflict, kinds []domain.ConflictKind) []conflict.Conflict {
	if kinds == nil {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(c conflict.Conflict) bool { return !slices.Contains(kinds, c.Kind) })
}

// keyedConflict is a conflict with what tells it from the others of its change, for cursors.
type keyedConflict struct {
	conflict.Conflict
	key string
}

// keyed gives conflicts their keys. In the place of a CI that the actor may not see stands a number.
func keyed(all []conflict.Conflict, hidden map[ident.ID]bool) []keyedConflict {
	rows := make([]keyedConflict, len(all))
	for i, c := range all {
		other := c.OtherCI.String()
		if hidden[c.OtherCI] {
			other = strconv.Itoa(i)
		}
		rows[i] = keyedConflict{c, fmt.Sprint(c.Other, page.KeySeparator, c.Kind, page.KeySeparator, other)}
	}
	return rows
}

// Kind says in which way the change is in conflict.
func (c *Conflict) Kind() domain.ConflictKind { return c.row.Kind }

// Facts says whether the conflict holds beside what has failed alone.
func (c *Conflict) Facts() Facts {
	if c.row.IsOnFacts {
		return FactsNow
	}
	return NoFacts
}

// Change returns the change whose conflict it is.
func (c *Conflict) Change() *Change { return c.of }

// StartsAt returns when the conflict begins.
func (c *Conflict) StartsAt() time.Time { return c.row.Span.From }

// EndsAt returns when the conflict ends.
func (c *Conflict) EndsAt() time.Time { return c.row.Span.To }

// CICount returns how many CIs are concerned so.
func (c *Conflict) CICount() int {
	if c.row.Kind == domain.AssigneeDoubleBooked || c.row.Kind == domain.JointFailure {
		return 0
	}
	return c.row.Count
}

// other returns the id of the other side. If that is not a record of the kind, it returns nil.
func (c *Conflict) other(kind ident.Kind) *ident.ID {
	if c.row.Other.Kind() != kind {
		return nil
	}
	return &c.row.Other
}

// OtherChange returns the change that is in the way. For a window, it returns nil.
func (c *Conflict) OtherChange(ctx context.Context) (*Change, error) {
	return one(ctx, c.in, c, "other change", func(c *Conflict) *ident.ID { return c.other(ident.Change) }, loadChanges)
}

// Window returns the window that is in the way. For a change, it returns nil.
func (c *Conflict) Window(ctx context.Context) (*ChangeWindow, error) {
	return one(ctx, c.in, c, "window", func(c *Conflict) *ident.ID { return c.other(ident.ChangeWindow) }, loadWindows)
}

// Assignee returns the person that is to carry both changes out. For conflicts of other kinds, it returns nil.
func (c *Conflict) Assignee(ctx context.Context) (*Person, error) {
	return one(ctx, c.in, c, "assignee", func(c *Conflict) *ident.ID {
		if c.row.Kind != domain.AssigneeDoubleBooked {
			return nil
		}
		return c.of.AssigneeID
	}, loadPeople)
}

// Ci returns the CI of the change.
func (c *Conflict) Ci(ctx context.Context) (*CI, error) {
	return one(ctx, c.in, c, "ci", func(c *Conflict) *ident.ID { return &c.row.CI }, loadCIs)
}

// OtherCI returns the CI of the other side.
func (c *Conflict) OtherCI(ctx context.Context) (*CI, error) {
	return one(ctx, c.in, c, "other ci", func(c *Conflict) *ident.ID { return &c.row.OtherCI }, loadCIs)
}

// State returns the state that the suffering side would be in. If nothing suffers, it returns nil.
func (c *Conflict) State() *string {
	if c.row.State == impact.Operational {
		return nil
	}
	state := c.row.State.String()
	return &state
}

// Path returns the way on which failure travels from the one that harms.
func (c *Conflict) Path(ctx context.Context) (*ImpactPath, error) { return c.way(ctx, c.row.Path) }

// OtherPath returns the way on which failure travels from the other change.
func (c *Conflict) OtherPath(ctx context.Context) (*ImpactPath, error) {
	return c.way(ctx, c.row.OtherPath)
}

// way shows a path. Those of all conflicts of the batch are loaded together.
func (c *Conflict) way(ctx context.Context, steps []impact.Step) (*ImpactPath, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	found, err := once(c.in, "ways", func() (map[*impact.Step]*ImpactPath, error) {
		var all [][]impact.Step
		for _, row := range c.in.Rows {
			for _, way := range [][]impact.Step{row.row.Path, row.row.OtherPath} {
				if len(way) > 0 {
					all = append(all, way)
				}
			}
		}
		paths, err := c.in.reader.showPaths(ctx, all)
		ways := make(map[*impact.Step]*ImpactPath, len(paths))
		for i, path := range paths {
			ways[&all[i][0]] = path
		}
		return ways, err
	})
	return found[&steps[0]], err
}

// Group returns the dependency group that breaks.
func (c *Conflict) Group(ctx context.Context) (*DependencyGroup, error) {
	return one(ctx, c.in, c, "group", func(c *Conflict) *ident.ID { return &c.row.Group }, loadGroups)
}

const mostJointServices = 100

// Services returns the services that go DOWN together and not alone, the first hundred of them.
func (c *Conflict) Services(ctx context.Context) ([]*Service, error) {
	found, err := several(ctx, c.in, c, "services", func(c *Conflict) []ident.ID { return c.row.Services[:min(len(c.row.Services), mostJointServices)] }, loadCIs)
	services := make([]*Service, len(found))
	for i, ci := range found {
		services[i] = ci.Service()
	}
	return services, err
}

// ServiceCount returns how many services go DOWN together and not alone.
func (c *Conflict) ServiceCount() int { return len(c.row.Services) }

// Record returns what both changes write.
func (c *Conflict) Record(ctx context.Context) (Node, error) {
	found, err := once(c.in, "records", func() (map[ident.ID]Node, error) {
		var ids []ident.ID
		for _, row := range c.in.Rows {
			if row.row.Record != 0 {
				ids = append(ids, row.row.Record)
			}
		}
		return c.in.reader.nodes(ctx, ids)
	})
	return found[c.row.Record], err
}

// Fields returns the fields of it that both write. For an actor that may not see it, it returns none.
func (c *Conflict) Fields(ctx context.Context) ([]string, error) {
	record, err := c.Record(ctx)
	if record == nil || err != nil {
		return []string{}, err
	}
	return c.row.Fields, nil
}
