package read

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// KPIPeriod is how long a period is.
type KPIPeriod string

// KPIGroup is how records are grouped.
type KPIGroup string

// KPI is the key figures of a period and group. Each is computed for the whole page in one statement.
type KPI struct {
	Start, End time.Time
	group      ident.ID // 0: all together
	by         KPIGroup
	in         *batch[*KPI]
}

// KPIQuery is what KPIs are asked for.
type KPIQuery struct {
	Period   KPIPeriod
	From, To time.Time
	Zone     string
	By       KPIGroup
}

// Bounds of a list of key figures.
const (
	mostPeriods = 400
	mostGroups  = 10_000
)

// periods returns the calendar's days, weeks or months from that which holds From until To.
func (q KPIQuery) periods() ([]KPI, error) {
	zone, err := time.LoadLocation(q.Zone)
	if err != nil || q.Zone == "" || q.Zone == "Local" {
		return nil, errs.New(errs.BadUserInput, "timeZone: %.60q is not a time zone; write its IANA name, such as Europe/Berlin or UTC", q.Zone)
	}
	if !q.From.Before(q.To) {
		return nil, errs.New(errs.BadUserInput, "from is not before to: there is no period between them")
	}
	at := q.From.In(zone)
	year, month, date := at.Date()
	days, months := 0, 0
	switch q.Period {
	case "WEEK":
		date, days = date-(int(at.Weekday())+6)%7, 7
	case "MONTH":
		date, months = 1, 1
	default:
		days = 1
	}
	var all []KPI
	for n := 0; ; n++ {
		begin := func(n int) time.Time {
			return time.Date(year, month+time.Month(n*months), date+n*days, 0, 0, 0, 0, zone).UTC()
		}
		p := KPI{Start: begin(n), End: begin(n + 1), by: q.By}
		if !p.Start.Before(q.To) {
			return all, nil
		}
		if p.Start.Year() < 1 || p.End.Year() > 9999 {
			return nil, errs.New(errs.BadUserInput, "the period that begins at %s does not lie in the years 1 to 9999", p.Start.Format(time.RFC3339))
		}
		if n == mostPeriods {
			return nil, errs.New(errs.BadUserInput, "between from and to lie more than %d periods: ask for longer ones, or for fewer", mostPeriods)
		}
		all = append(all, p)
	}
}

// order returns the order by period, then by group if there are groups.
func (q KPIQuery) order() []page.Term[KPI] {
	byStart := page.By("at", func(k KPI) time.Time { return k.Start })
	if q.By == "NONE" {
		return []page.Term[KPI]{byStart}
	}
	return []page.Term[KPI]{byStart, page.By("id", func(k KPI) ident.ID { return k.group })}
}

// KPIs lists the key figures of incidents and changes.
func (r *Reader) KPIs(ctx context.Context, q KPIQuery, p page.Args) (*page.Connection[*KPI], error) {
	periods, err := q.periods()
	if err != nil {
		return nil, err
	}
	restricted := 0
	found, err := page.List[KPI, *KPI]{
		Name: "KPIs", Filter: q, Order: q.order(),
		All: func(ctx context.Context) (iter.Seq[KPI], int, error) {
			groups, hidden, err := r.kpiGroups(ctx, q.By, periods)
			restricted = len(periods) * hidden
			return func(yield func(KPI) bool) {
				for _, k := range periods {
					for _, k.group = range groups {
						if !yield(k) {
							return
						}
					}
				}
			}, len(periods) * len(groups), err
		},
		Wrap: func(rows []KPI) []*KPI {
			b := newBatch(r, make([]*KPI, len(rows)))
			for i, row := range rows {
				row.in = b
				b.Rows[i] = &row
			}
			return b.Rows
		},
	}.Page(ctx, p)
	if err != nil {
		return nil, err
	}
	found.RestrictedCount = restricted
	return found, nil
}

// kpiGroups returns the groups that anything is in between the first period and the last, and how many services or CIs
// that make groups the actor may not see. Their classes are not told, so that each counts.
func (r *Reader) kpiGroups(ctx context.Context, by KPIGroup, periods []KPI) (ids []ident.ID, restricted int, err error) {
	if by == "NONE" {
		return []ident.ID{0}, 0, nil
	}
	hidden, err := r.hidden(ctx)
	if err != nil {
		return nil, 0, err
	}
	s := kpiStatement{dialect: r.dialectOfKPIs(), by: by}
	list := func(query string) ([]ident.ID, error) {
		found, err := r.kpiRows(ctx, query, []KPI{{Start: periods[0].Start, End: periods[len(periods)-1].End}}, hidden, nil)
		ids := make([]ident.ID, len(found))
		for i, f := range found {
			ids[i] = f.group
		}
		slices.Sort(ids)
		return ids, err
	}
	seen, err := list(s.groups())
	if err != nil {
		return nil, 0, err
	}
	if len(seen) > mostGroups {
		return nil, 0, errs.New(errs.BadUserInput, "there are more than %d groups: ask for less time, or group by something else", mostGroups)
	}
	if len(hidden) == 0 || by == "TEAM" {
		return seen, 0, nil
	}
	unseen, err := list(s.restricted())
	return seen, len(unseen), err
}

// Team returns the team of the group.
func (k *KPI) Team(ctx context.Context) (*Team, error) {
	return one(ctx, k.in, k, "team", func(k *KPI) *ident.ID { return k.ofGroup("TEAM") }, loadTeams)
}

// CiClass returns the class of the group.
func (k *KPI) CiClass(ctx context.Context) (*CIClass, error) {
	return one(ctx, k.in, k, "class", func(k *KPI) *ident.ID { return k.ofGroup("CLASS") }, loadClasses)
}

// Service returns the service of the group.
func (k *KPI) Service(ctx context.Context) (*Service, error) {
	found, err := one(ctx, k.in, k, "service", func(k *KPI) *ident.ID { return k.ofGroup("SERVICE") }, loadCIs)
	if found == nil || found.ServiceKind == nil {
		return nil, err
	}
	return found.Service(), err
}

func (k *KPI) ofGroup(by KPIGroup) *ident.ID {
	if k.by != by {
		return nil
	}
	return &k.group
}

// KPIDurations is how lengths of time are spread.
type KPIDurations struct{ Mean, P50, P90, P95 time.Duration }

// spreadBy names the fields that show how the numbers of facts are spread.
var spreadBy = map[string]string{"acknowledged": "timeToAcknowledge", "resolved": "timeToResolve", "backlog": "backlogAge"}

// figures returns those of a row for a fact. If there are none, they are zero.
func (k *KPI) figures(ctx context.Context, fact string) (kpiRow, error) {
	all, err := once(k.in, fact, func() (map[kpiKey]kpiRow, error) {
		// The page's periods lie side by side, and its groups are few: they bound the statement.
		var periods []KPI
		var groups []ident.ID
		known := map[time.Time]bool{}
		now := k.in.reader.store.Now(ctx)
		for _, row := range k.in.Rows {
			if !known[row.Start] {
				known[row.Start] = true
				p := *row
				if fact == "backlog" && p.End.After(now) {
					p.End = now
				}
				periods = append(periods, p)
			}
			groups = append(groups, row.group)
		}
		slices.SortFunc(periods, func(a, b KPI) int { return a.Start.Compare(b.Start) })
		slices.Sort(groups)
		hidden, err := k.in.reader.hidden(ctx)
		if err != nil {
			return nil, err
		}
		field, ok := spreadBy[fact]
		s := kpiStatement{dialect: k.in.reader.dialectOfKPIs(), by: k.by, isSpread: ok && shows(ctx, field)}
		rows, err := k.in.reader.kpiRows(ctx, s.figures(fact), periods, hidden, slices.Compact(groups))
		byKey := make(map[kpiKey]kpiRow, len(rows))
		for _, row := range rows {
			byKey[kpiKey{periods[row.period].Start, row.group}] = row
		}
		return byKey, err
	})
	return all[kpiKey{k.Start, k.group}], err
}

type kpiKey struct {
	start time.Time
	group ident.ID
}

func (k *KPI) count(ctx context.Context, fact string) (int, error) {
	f, err := k.figures(ctx, fact)
	return f.count, err
}

func (k *KPI) durations(ctx context.Context, fact string) (*KPIDurations, error) {
	f, err := k.figures(ctx, fact)
	if f.count == 0 {
		return nil, err
	}
	span := func(i int) time.Duration { return time.Duration(f.more[i]+0.5) * time.Microsecond }
	return &KPIDurations{span(0), span(1), span(2), span(3)}, err
}

// successful returns how many of the changes closed were successful, and causes returns how many caused an incident.
func (r kpiRow) successful() int { return int(r.more[0]) }
func (r kpiRow) causes() int     { return int(r.more[1]) }

// IncidentsOpened returns how many incidents were opened.
func (k *KPI) IncidentsOpened(ctx context.Context) (int, error) { return k.count(ctx, "opened") }

// IncidentsResolved returns how many incidents were resolved.
func (k *KPI) IncidentsResolved(ctx context.Context) (int, error) { return k.count(ctx, "resolved") }

// IncidentsReopened returns how often incidents were opened again.
func (k *KPI) IncidentsReopened(ctx context.Context) (int, error) { return k.count(ctx, "reopened") }

// IncidentsBreached returns how many incidents missed a service level target.
func (k *KPI) IncidentsBreached(ctx context.Context) (int, error) { return k.count(ctx, "breached") }

// Backlog returns how many incidents were open at the end.
func (k *KPI) Backlog(ctx context.Context) (int, error) { return k.count(ctx, "backlog") }

// ChangesClosed returns how many changes were closed.
func (k *KPI) ChangesClosed(ctx context.Context) (int, error) { return k.count(ctx, "closed") }

// ChangesSuccessful returns how many of them were successful.
func (k *KPI) ChangesSuccessful(ctx context.Context) (int, error) {
	f, err := k.figures(ctx, "closed")
	return f.successful(), err
}

// ChangesThatCausedIncidents returns how many of them caused an incident.
func (k *KPI) ChangesThatCausedIncidents(ctx context.Context) (int, error) {
	f, err := k.figures(ctx, "closed")
	return f.causes(), err
}

// ConflictsFound returns how many conflicts of changes were found.
func (k *KPI) ConflictsFound(ctx context.Context) (int, error) { return k.count(ctx, "conflicts") }

// ChangesWithConflicts returns how many changes were found to have them.
func (k *KPI) ChangesWithConflicts(ctx context.Context) (int, error) {
	f, err := k.figures(ctx, "conflicts")
	return int(f.more[0]), err
}

// ChangeSuccessRate returns the share of the changes closed that were successful.
func (k *KPI) ChangeSuccessRate(ctx context.Context) (*float64, error) {
	f, err := k.figures(ctx, "closed")
	if f.count == 0 || err != nil {
		return nil, err
	}
	rate := float64(f.successful()) / float64(f.count)
	return &rate, nil
}

// TimeToAcknowledge returns how the times to acknowledge are spread.
func (k *KPI) TimeToAcknowledge(ctx context.Context) (*KPIDurations, error) {
	return k.durations(ctx, "acknowledged")
}

// TimeToResolve returns how the times to resolve are spread.
func (k *KPI) TimeToResolve(ctx context.Context) (*KPIDurations, error) {
	return k.durations(ctx, "resolved")
}

// BacklogAge returns how the ages of the open incidents are spread.
func (k *KPI) BacklogAge(ctx context.Context) (*KPIDurations, error) {
	return k.durations(ctx, "backlog")
}

// kpiRow is what a statement says of a period and group.
type kpiRow struct {
	period, count int
	group         ident.ID
	more          [4]float64 // as kpiStatement.figures says
}

// kpiRows runs a statement over periods, as if the hidden CIs were not there, for some groups where it asks for them.
func (r *Reader) kpiRows(ctx context.Context, query string, periods []KPI, hidden map[ident.ID]bool, groups []ident.ID) ([]kpiRow, error) {
	args := []any{periodList(r.dialectOfKPIs(), periods), page.IDList(r.store.Dialect(), slices.Sorted(maps.Keys(hidden)))}
	if groups != nil {
		args = append(args, page.IDList(r.store.Dialect(), groups))
	}
	rows, err := r.store.Show.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	var all []kpiRow
	for rows.Next() {
		var row kpiRow
		if err := rows.Scan(&row.period, (*int64)(&row.group), &row.count, &row.more[0], &row.more[1], &row.more[2], &row.more[3]); err != nil {
			return nil, store.Translate(err)
		}
		all = append(all, row)
	}
	return all, store.Translate(rows.Err())
}
