package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/calendar"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

// writePromises writes the service level targets of a year. It refuses a database that has others: incidents would be
// measured by those too.
func (g *generator) writePromises(ctx context.Context) error {
	return g.write(ctx, func(ctx context.Context, tx *store.Tx) (Generated, error) {
		others, err := tx.ServiceLevelTarget.Query().Exist(ctx)
		if err != nil {
			return Generated{}, err
		}
		if others {
			return Generated{}, errs.New(errs.AlreadyExists, "the database has service level targets already, and a year is generated into an empty one only: name another with --database")
		}
		clock, err := tx.Calendar.Query().Where(calendar.Name(cmdb.AroundTheClock)).OnlyID(ctx)
		if err != nil {
			return Generated{}, err
		}
		verb := map[domain.ServiceLevelMetric]string{domain.AcknowledgeMetric: "acknowledged", domain.ResolveMetric: "resolved"}
		for i := range g.year.Promises {
			p := &g.year.Promises[i]
			g.targets = append(g.targets, &ent.ServiceLevelTarget{
				Name: fmt.Sprintf("P%d %s within %s", p.Priority, verb[p.Metric], servicelevel.Spoken(p.Within)), Metric: p.Metric, RecordType: domain.IncidentRecord,
				Priority: &p.Priority, Seconds: int64(p.Within.Seconds()), CalendarID: clock, Services: []ident.ID{}, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
			})
		}
		return Generated{Targets: len(g.targets)}, store.Insert(ctx, tx, g.targets)
	})
}

// marks are what the stopwatches of an incident have passed, and what its timeline says of it.
func (g *generator) marks(incident ident.ID, all []synthetic.Mark) (rows []*ent.ServiceLevelMark, said []*ent.TimelineEntry) {
	for _, m := range all {
		target := g.targets[m.Promise]
		rows = append(rows, &ent.ServiceLevelMark{RecordID: incident, TargetID: target.ID, Metric: target.Metric, Percent: m.Percent, ReachedAt: m.At})
		said = append(said, &ent.TimelineEntry{
			RecordID: incident, Kind: domain.ServiceLevel, Body: servicelevel.Said(target, m.Percent, m.At), Actor: auth.System.Name, CreatedAt: m.At,
		})
	}
	return rows, said
}

// chronicle is a timeline in its order.
func chronicle(parts ...[]*ent.TimelineEntry) []*ent.TimelineEntry {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b *ent.TimelineEntry) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all
}
