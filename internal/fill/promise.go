package fill

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
func (f *filler) writePromises(ctx context.Context) error {
	return f.write(ctx, func(ctx context.Context, tx *store.Tx) (Count, error) {
		others, err := tx.ServiceLevelTarget.Query().Exist(ctx)
		if err != nil {
			return Count{}, err
		}
		if others {
			return Count{}, errs.New(errs.AlreadyExists, "the database has service level targets already, and only an empty one is filled with a year: name another with --database")
		}
		clock, err := tx.Calendar.Query().Where(calendar.Name(cmdb.AroundTheClock)).OnlyID(ctx)
		if err != nil {
			return Count{}, err
		}
		verb := map[domain.ServiceLevelMetric]string{domain.AcknowledgeMetric: "acknowledged", domain.ResolveMetric: "resolved"}
		for i := range f.year.Promises {
			p := &f.year.Promises[i]
			f.targets = append(f.targets, &ent.ServiceLevelTarget{
				Name: fmt.Sprintf("P%d %s within %s", p.Priority, verb[p.Metric], servicelevel.Spoken(p.Within)), Metric: p.Metric, RecordType: domain.IncidentRecord,
				Priority: &p.Priority, Seconds: int64(p.Within.Seconds()), CalendarID: clock, Services: []ident.ID{}, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
			})
		}
		return Count{Targets: len(f.targets)}, store.Insert(ctx, tx, f.targets)
	})
}

// marks returns the marks that the stopwatches of an incident have passed, and their timeline entries.
func (f *filler) marks(incident ident.ID, all []synthetic.Mark) (rows []*ent.ServiceLevelMark, said []*ent.TimelineEntry) {
	for _, m := range all {
		target := f.targets[m.Promise]
		rows = append(rows, &ent.ServiceLevelMark{RecordID: incident, TargetID: target.ID, Metric: target.Metric, Percent: m.Percent, ReachedAt: m.At})
		said = append(said, &ent.TimelineEntry{
			RecordID: incident, Kind: domain.ServiceLevel, Body: servicelevel.Said(target, m.Percent, m.At), Actor: auth.System.Name, CreatedAt: m.At,
		})
	}
	return rows, said
}

// chronicle returns a timeline in its order.
func chronicle(parts ...[]*ent.TimelineEntry) []*ent.TimelineEntry {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b *ent.TimelineEntry) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all
}
