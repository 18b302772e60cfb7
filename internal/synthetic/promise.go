package synthetic

import (
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
	"github.com/linchpin-cmdb/linchpin/internal/rule/servicelevel"
)

// Promise is a service level target: incidents of a priority are acknowledged or resolved within so much time, by day
// and by night.
type Promise struct {
	Metric   domain.ServiceLevelMetric
	Priority int
	Within   time.Duration
}

// Mark is the moment at which the clock of an incident passed a share of a promise; at 100 percent the promise is
// broken.
type Mark struct {
	Promise int // a place in the year's
	Percent int
	At      time.Time
}

const days = 24 * time.Hour

// promises are four to six times what such incidents mostly take, so that about a tenth of them are broken.
var promises = []Promise{
	{domain.AcknowledgeMetric, 1, 30 * time.Minute},
	{domain.ResolveMetric, 1, 8 * time.Hour},
	{domain.AcknowledgeMetric, 2, time.Hour},
	{domain.ResolveMetric, 2, days},
	{domain.AcknowledgeMetric, 3, 4 * time.Hour},
	{domain.ResolveMetric, 3, 2 * days},
	{domain.AcknowledgeMetric, 4, 8 * time.Hour},
	{domain.ResolveMetric, 4, 4 * days},
	{domain.AcknowledgeMetric, 5, days},
	{domain.ResolveMetric, 5, 10 * days},
}

// marks returns the marks that an incident of a priority has passed when the year ends, in their order.
func (y *yearMaker) marks(i *Incident, priority int) []Mark {
	moves := make([]servicelevel.Move, len(i.Moves))
	for at, m := range i.Moves {
		moves[at] = servicelevel.Move{At: m.At, To: string(m.To)}
	}
	var all []Mark
	for at, p := range promises {
		if p.Priority != priority {
			continue
		}
		target := servicelevel.Target{Of: domain.IncidentRecord, Metric: p.Metric, Duration: p.Within}
		for _, m := range servicelevel.Measure(&target, y.clock, i.OpenedAt, moves, y.end).Marks {
			if m.IsReached {
				all = append(all, Mark{at, m.Percent, *m.At})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Mark) int { return a.At.Compare(b.At) })
	return all
}

// aroundTheClock returns the calendar of the promises: every hour of every day.
func aroundTheClock() *calendar.Calendar {
	var hours []domain.WorkingHours
	for _, day := range domain.Weekday("").Values() {
		hours = append(hours, domain.WorkingHours{Weekday: domain.Weekday(day), From: "00:00", Until: "24:00"})
	}
	c, err := calendar.New("UTC", hours, nil)
	if err != nil {
		panic(err) // it is written above
	}
	return c
}
