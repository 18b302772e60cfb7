package change

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/plannedoutage"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// keepOutage notes which services a scheduled change takes DOWN by the newest graph, whatever has failed there: its
// start is held to that.
func (p *Practice) keepOutage(ctx context.Context, tx *store.Tx, c *ent.Change) error {
	graph := p.graph.Snapshot()
	outage, err := schedule.OutageOf(ctx, tx.Client(), graph, c, false)
	if err != nil {
		return err
	}
	services := append([]ident.ID{}, outage.Services()...)
	was, err := tx.PlannedOutage.Query().Where(plannedoutage.ChangeID(c.ID)).Only(ctx)
	if ent.IsNotFound(err) {
		return tx.PlannedOutage.Create().SetChangeID(c.ID).SetRevision(graph.Revision()).SetServices(services).Exec(ctx)
	}
	if err != nil {
		return err
	}
	return tx.PlannedOutage.UpdateOne(was).SetRevision(graph.Revision()).SetServices(services).Exec(ctx)
}

// mayStart refuses a start outside of the planned window, and one that takes services DOWN that the change did not take
// DOWN when it was scheduled, unless either is accepted. It returns what the timeline has to tell of what was.
func (p *Practice) mayStart(ctx context.Context, tx *store.Tx, c *ent.Change, in Start) (said []string, err error) {
	var f form.Form
	outside, err := form.Consent(in.OutsideWindow, "outsideWindow")
	f.Fault(err)
	accepted, err := form.Consent(in.AcceptImpact, "acceptImpact")
	f.Fault(err)
	if err := f.Err(); err != nil {
		return nil, err
	}
	if isOutside(c, tx.Now) {
		if outside == "" {
			f.Fault(refused(c, "is planned from %s to %s, and it is %s: start it then, or say by outsideWindow why it is started now",
				c.PlannedStart.Format(time.RFC3339), c.PlannedEnd.Format(time.RFC3339), tx.Now.Truncate(time.Second).Format(time.RFC3339)).At("outsideWindow"))
		}
		said = append(said, "Started outside of its window: "+outside)
	}
	grown, err := p.grown(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	if grown.services > 0 {
		if accepted == "" {
			f.Fault(errs.New(errs.ImpactGrew, "%s would take services DOWN that it did not take DOWN when it was scheduled: %s", Number(c.ID), grown.said).At("acceptImpact"))
		}
		said = append(said, fmt.Sprintf("Started though it takes %s DOWN that it did not take DOWN when it was scheduled: %s", form.Plural(grown.services, "service"), accepted))
	}
	return said, f.Err()
}

// isOutside reports whether a moment lies outside of the planned window of a change.
func isOutside(c *ent.Change, at time.Time) bool {
	return c.PlannedStart != nil && at.Before(*c.PlannedStart) || c.PlannedEnd != nil && !at.Before(*c.PlannedEnd)
}

// growth is the services that a change takes DOWN now and did not when it was scheduled.
type growth struct {
	services int
	said     string // which, and what has failed beside them
}

// grown works out anew what a change takes DOWN, by all that is committed and on the facts of now. Starts take turns:
// of two that are harmless alone the second sees the first.
func (p *Practice) grown(ctx context.Context, tx *store.Tx, c *ent.Change) (g growth, err error) {
	if err := tx.TakeTurns(ctx, "linchpin.change.start"); err != nil {
		return g, err
	}
	graph, err := journal.CaughtUp(ctx, tx, p.graph.Snapshot()) // it does not wait for the feed: others wait for this
	if err != nil {
		return g, err
	}
	now, err := schedule.OutageOf(ctx, tx.Client(), graph, c, true)
	if err != nil || len(now) == 0 {
		return g, err
	}
	planned, err := p.planned(ctx, tx, graph, c)
	if err != nil {
		return g, err
	}
	for _, id := range planned {
		delete(now, id)
	}
	g.services = len(now)
	if g.services > 0 {
		g.said, err = tell(ctx, tx, graph, now)
	}
	return g, err
}

// planned returns the services that a change took DOWN when it was scheduled. For one that was scheduled before that
// was kept, it works them out on the graph of now.
func (p *Practice) planned(ctx context.Context, tx *store.Tx, graph *topology.Snapshot, c *ent.Change) ([]ident.ID, error) {
	kept, err := tx.PlannedOutage.Query().Where(plannedoutage.ChangeID(c.ID)).Only(ctx)
	if err == nil {
		return kept.Services, nil
	}
	if !ent.IsNotFound(err) {
		return nil, err
	}
	outage, err := schedule.OutageOf(ctx, tx.Client(), graph, c, false)
	return outage.Services(), err
}

const mostNamed = 20 // services in a refusal

// tell names services that go DOWN, but for those that the actor may not see, and the records that take part in it.
func tell(ctx context.Context, tx *store.Tx, graph *topology.Snapshot, outage conflict.Outage) (string, error) {
	hidden, err := sight.Within(ctx, tx.Client())
	if err != nil {
		return "", err
	}
	services := outage.Services()
	seen := slices.DeleteFunc(slices.Clone(services), func(id ident.ID) bool { return hidden[id] })
	rows, err := tx.CI.Query().Where(ci.IDIn(seen[:min(len(seen), mostNamed)]...)).Order(ent.Asc(ci.FieldID)).Select(ci.FieldName).All(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, row := range rows {
		names = append(names, row.Name)
	}
	if more := len(seen) - len(rows); more > 0 {
		names = append(names, fmt.Sprint(more, " more"))
	}
	if n := len(services) - len(seen); n > 0 {
		names = append(names, fmt.Sprint(n, " that you may not see"))
	}
	causes := map[ident.ID]bool{}
	for _, some := range outage {
		for _, id := range some {
			causes[id] = true
		}
	}
	var records []string
	for _, id := range schedule.Failing(graph, causes) {
		prefix := ticket.IncidentPrefix
		if id.Kind() == ident.Change {
			prefix = ticket.ChangePrefix
		}
		records = append(records, ticket.Number(prefix, id))
	}
	said := form.List(names, "and")
	switch {
	case len(records) > mostNamed:
		said += fmt.Sprintf("; %s and %d more take part in that: wait for their end", form.List(records[:mostNamed], ","), len(records)-mostNamed)
	case len(records) == 1:
		said += "; " + records[0] + " takes part in that: wait for its end"
	case len(records) > 1:
		said += "; " + form.List(records, "and") + " take part in that: wait for their end"
	default:
		said += "; the graph is another than it was: return the change"
	}
	return said + ", or say by acceptImpact why it is accepted", nil
}
