package servicelevel

import (
	"context"
	"fmt"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/ent/serviceleveltarget"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/servicelevel"
)

// Level is how an incident stands against the target that holds for it.
type Level struct {
	Target *ent.ServiceLevelTarget
	rule.Stopwatch
}

// Levels are the stopwatches of incidents as they stand at now, one for each metric that a target holds for, in at most
// four statements whatever their number. A canceled incident has none: it was opened in error.
func Levels(ctx context.Context, c *ent.Client, incidents []*ent.Incident, now time.Time) (map[ident.ID][]Level, error) {
	promised, err := loadPromises(ctx, c)
	if err != nil || len(promised.targets) == 0 {
		return nil, err
	}
	return promised.measure(ctx, c, incidents, now)
}

// promises are all targets, with their calendars.
type promises struct {
	targets   []*rule.Target
	rows      map[ident.ID]*ent.ServiceLevelTarget
	calendars map[ident.ID]*calendar.Calendar
	attached  []ident.ID // the services that any target names
}

func loadPromises(ctx context.Context, c *ent.Client) (*promises, error) {
	rows, err := c.ServiceLevelTarget.Query().Where(serviceleveltarget.RecordTypeEQ(domain.IncidentRecord)).Order(ent.Asc(serviceleveltarget.FieldID)).All(ctx)
	if err != nil || len(rows) == 0 {
		return &promises{}, err
	}
	all, err := c.Calendar.Query().All(ctx)
	if err != nil {
		return nil, err
	}
	p := &promises{rows: map[ident.ID]*ent.ServiceLevelTarget{}, calendars: map[ident.ID]*calendar.Calendar{}}
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
		p.targets = append(p.targets, &rule.Target{
			ID: row.ID, Metric: row.Metric, Priority: row.Priority, Services: row.Services, Duration: time.Duration(row.Seconds) * time.Second,
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

func (p *promises) measure(ctx context.Context, c *ent.Client, incidents []*ent.Incident, now time.Time) (map[ident.ID][]Level, error) {
	ids := make([]ident.ID, len(incidents))
	for i, one := range incidents {
		ids[i] = one.ID
	}
	services, err := p.services(ctx, c, incidents, ids)
	if err != nil {
		return nil, err
	}
	said, err := c.TimelineEntry.Query().Where(timelineentry.RecordIDIn(ids...), timelineentry.KindEQ(domain.StateChange)).
		Order(ent.Asc(timelineentry.FieldID)).All(ctx)
	if err != nil {
		return nil, err
	}
	moves := make(map[ident.ID][]rule.Move, len(incidents))
	for _, e := range said {
		moves[e.RecordID] = append(moves[e.RecordID], rule.Move{At: e.CreatedAt, To: domain.IncidentState(e.ToState)})
	}
	levels := make(map[ident.ID][]Level, len(incidents))
	for _, one := range incidents {
		levels[one.ID] = p.of(one, services[one.ID], moves[one.ID], now)
	}
	return levels, nil
}

func (p *promises) of(one *ent.Incident, services []ident.ID, moves []rule.Move, now time.Time) []Level {
	var all []Level
	if one.State == domain.IncidentCanceled {
		return nil
	}
	for _, metric := range []domain.ServiceLevelMetric{domain.AcknowledgeMetric, domain.ResolveMetric} {
		if t := rule.Match(p.targets, metric, one.Priority, services); t != nil {
			row := p.rows[t.ID]
			all = append(all, Level{row, rule.Measure(t, p.calendars[row.CalendarID], one.CreatedAt, moves, now)})
		}
	}
	return all
}

// services are those that targets name and incidents concern: an incident concerns the services it names, but for those it
// excludes, and those that the engine found affected when it was opened.
func (p *promises) services(ctx context.Context, c *ent.Client, incidents []*ent.Incident, ids []ident.ID) (map[ident.ID][]ident.ID, error) {
	concerned := map[ident.ID][]ident.ID{}
	if len(p.attached) == 0 {
		return concerned, nil
	}
	named, err := c.IncidentCI.Query().
		Where(incidentci.IncidentIDIn(ids...), incidentci.CiIDIn(p.attached...), incidentci.RoleNEQ(domain.ExcludedRole)).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range named {
		concerned[n.IncidentID] = append(concerned[n.IncidentID], n.CiID)
	}
	for _, one := range incidents {
		if one.ImpactAtOpening != nil {
			for _, s := range one.ImpactAtOpening.Services {
				concerned[one.ID] = append(concerned[one.ID], s.CI)
			}
		}
	}
	return concerned, nil
}
