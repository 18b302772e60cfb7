package servicelevel

import (
	"context"
	"fmt"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/serviceleveltarget"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/servicelevel"
)

// Level is how a record stands against the target that holds for it.
type Level struct {
	Target *ent.ServiceLevelTarget
	rule.Stopwatch
}

// Levels returns the stopwatches of records as they stand at now, one for each metric that a target holds for, in at
// most four statements whatever their number, of one type. A record that was opened in error has none.
func Levels(ctx context.Context, c *ent.Client, subjects []Subject, now time.Time) (map[ident.ID][]Level, error) {
	promised, err := loadPromises(ctx, c)
	if err != nil || len(promised.rows) == 0 {
		return nil, err
	}
	return promised.measure(ctx, c, subjects, now)
}

// promises are all targets, with their calendars.
type promises struct {
	targets   map[domain.RecordType][]*rule.Target
	rows      map[ident.ID]*ent.ServiceLevelTarget
	calendars map[ident.ID]*calendar.Calendar
	attached  []ident.ID // the services that any target names
}

func loadPromises(ctx context.Context, c *ent.Client) (*promises, error) {
	rows, err := c.ServiceLevelTarget.Query().Order(ent.Asc(serviceleveltarget.FieldID)).All(ctx)
	if err != nil || len(rows) == 0 {
		return &promises{}, err
	}
	all, err := c.Calendar.Query().All(ctx)
	if err != nil {
		return nil, err
	}
	p := &promises{targets: map[domain.RecordType][]*rule.Target{}, rows: map[ident.ID]*ent.ServiceLevelTarget{}, calendars: map[ident.ID]*calendar.Calendar{}}
	for _, one := range all {
		if p.calendars[one.ID], err = calendar.New(one.TimeZone, one.Hours, one.Holidays); err != nil {
			return nil, fmt.Errorf("calendar %s: %w", one.ID, err)
		}
	}
	attached := map[ident.ID]bool{}
	for _, row := range rows {
		if p.calendars[row.CalendarID] == nil { // it was created since the targets were read
			continue
		}
		p.rows[row.ID] = row
		p.targets[row.RecordType] = append(p.targets[row.RecordType], &rule.Target{
			ID: row.ID, Of: row.RecordType, Metric: row.Metric, Priority: row.Priority, Services: row.Services, Duration: time.Duration(row.Seconds) * time.Second,
		})
		for _, s := range row.Services {
			if !attached[s] {
				attached[s] = true
				p.attached = append(p.attached, s)
			}
		}
	}
	return p, nil
}

func (p *promises) measure(ctx context.Context, c *ent.Client, subjects []Subject, now time.Time) (map[ident.ID][]Level, error) {
	services, err := p.services(ctx, c, subjects)
	if err != nil {
		return nil, err
	}
	ids := make([]ident.ID, len(subjects))
	for i, one := range subjects {
		ids[i] = one.ID
	}
	said, err := c.TimelineEntry.Query().Where(timelineentry.RecordIDIn(ids...), timelineentry.KindEQ(domain.StateChange)).
		Order(ent.Asc(timelineentry.FieldID)).All(ctx)
	if err != nil {
		return nil, err
	}
	moves := make(map[ident.ID][]rule.Move, len(subjects))
	for _, e := range said {
		moves[e.RecordID] = append(moves[e.RecordID], rule.Move{At: e.CreatedAt, To: e.ToState})
	}
	levels := make(map[ident.ID][]Level, len(subjects))
	for _, one := range subjects {
		levels[one.ID] = p.of(one, services[one.ID], moves[one.ID], now)
	}
	return levels, nil
}

func (p *promises) of(one Subject, services []ident.ID, moves []rule.Move, now time.Time) []Level {
	var all []Level
	for _, metric := range []domain.ServiceLevelMetric{domain.AcknowledgeMetric, domain.ResolveMetric} {
		if phase, _ := rule.PhaseIn(one.Type, metric, one.State); phase == rule.Void {
			continue
		}
		if t := rule.Match(p.targets[one.Type], metric, one.Priority, services); t != nil {
			row := p.rows[t.ID]
			all = append(all, Level{row, rule.Measure(t, p.calendars[row.CalendarID], one.startFor(row), moves, now)})
		}
	}
	return all
}

// services returns those that records concern, as far as targets name them.
func (p *promises) services(ctx context.Context, c *ent.Client, subjects []Subject) (map[ident.ID][]ident.ID, error) {
	concerned := map[ident.ID][]ident.ID{}
	if len(p.attached) == 0 {
		return concerned, nil
	}
	ids := map[domain.RecordType][]ident.ID{}
	for _, one := range subjects {
		ids[one.Type] = append(ids[one.Type], one.ID)
		concerned[one.ID] = one.Services
	}
	for of, those := range ids {
		if err := sources[of].concerned(ctx, c, those, p.attached, concerned); err != nil {
			return nil, err
		}
	}
	return concerned, nil
}
