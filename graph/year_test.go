package graph_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/fill"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

var yearCIs = flag.Int("year-cis", 5_000, "CIs of the estate whose year is replayed; 100,000 have 46,000 incidents and 30,000 changes")

// ended returns when an incident was resolved. If it is not resolved in the end, at is nil.
func ended(i *synthetic.Incident) (at *time.Time, state domain.IncidentState) {
	state = domain.IncidentNew
	for _, m := range i.Moves {
		switch state = m.To; state { //nolint:exhaustive // the others say nothing of it
		case domain.IncidentResolved:
			at = &m.At
		case domain.IncidentInProgress:
			at = nil
		}
	}
	return at, state
}

// broken returns when promises of an incident were broken: its clock runs while it is NEW or IN_PROGRESS, for the
// acknowledgement until it first leaves NEW.
func broken(y *synthetic.Year, i *synthetic.Incident, now time.Time) (all []time.Time) {
	for _, p := range y.Promises {
		if p.Priority != i.Impact+i.Urgency-1 {
			continue
		}
		at, state, left := i.OpenedAt, domain.IncidentNew, p.Within
		for _, m := range append(slices.Clone(i.Moves), synthetic.Move[domain.IncidentState]{At: now}) {
			isRunning := state == domain.IncidentNew || state == domain.IncidentInProgress && p.Metric == domain.ResolveMetric
			if isRunning && m.At.Sub(at) > left {
				all = append(all, at.Add(left))
				break
			}
			if isRunning {
				left -= m.At.Sub(at)
			}
			if at, state = m.At, m.To; p.Metric == domain.AcknowledgeMetric && state != domain.IncidentOnHold {
				break
			}
		}
	}
	return all
}

// figures returns the figures of a period and group, computed from the invented tickets: no row is read.
func figures(y *synthetic.Year, start, end, now time.Time, isIn func(team int32, cis []int32) bool) map[string]any {
	during := func(at time.Time) bool { return !at.Before(start) && at.Before(end) }
	counts := map[string]float64{
		"incidentsOpened": 0, "incidentsResolved": 0, "incidentsReopened": 0, "incidentsBreached": 0, "backlog": 0,
		"changesClosed": 0, "changesSuccessful": 0, "changesThatCausedIncidents": 0, "conflictsFound": 0, "changesWithConflicts": 0,
	}
	var acknowledged, resolved, ages []float64
	caused := map[int32]bool{}
	for n := range y.Incidents {
		i := &y.Incidents[n]
		caused[i.CausedBy] = true
		if !isIn(i.Team, i.CIs) {
			continue
		}
		if during(i.OpenedAt) {
			counts["incidentsOpened"]++
		}
		isAcknowledged := false
		for _, m := range i.Moves {
			if m.To == domain.IncidentInProgress && !isAcknowledged {
				if isAcknowledged = true; during(m.At) {
					acknowledged = append(acknowledged, m.At.Sub(i.OpenedAt).Seconds())
				}
			}
			if m.From == domain.IncidentResolved && m.To == domain.IncidentInProgress && during(m.At) {
				counts["incidentsReopened"]++
			}
		}
		if slices.ContainsFunc(broken(y, i, now), during) {
			counts["incidentsBreached"]++
		}
		at, state := ended(i)
		if at != nil && during(*at) {
			counts["incidentsResolved"]++
			resolved = append(resolved, at.Sub(i.OpenedAt).Seconds())
		}
		if i.OpenedAt.Before(end) && (at == nil && state.IsOpen() || at != nil && !at.Before(end)) {
			counts["backlog"]++
			ages = append(ages, end.Sub(i.OpenedAt).Seconds())
		}
	}
	for n, c := range y.Changes {
		found := 0
		for _, clash := range c.Clashes {
			if during(clash.At) && isIn(c.Team, c.CIs) {
				found++
			}
		}
		counts["conflictsFound"] += float64(found)
		counts["changesWithConflicts"] += min(float64(found), 1)
		if c.Outcome == "" || !during(c.Moves[len(c.Moves)-1].At) || !isIn(c.Team, c.CIs) {
			continue
		}
		counts["changesClosed"]++
		if c.Outcome == domain.Successful || c.Outcome == domain.SuccessfulWithIssues {
			counts["changesSuccessful"]++
		}
		if caused[int32(n)] {
			counts["changesThatCausedIncidents"]++
		}
	}
	all := map[string]any{"timeToAcknowledge": spread(acknowledged), "timeToResolve": spread(resolved), "backlogAge": spread(ages), "changeSuccessRate": nil}
	for name, n := range counts {
		all[name] = n
	}
	if counts["changesClosed"] > 0 {
		all["changeSuccessRate"] = counts["changesSuccessful"] / counts["changesClosed"]
	}
	return all
}

// TestTheKeyFiguresOfAGeneratedYearAreThoseOfAPlainComputation inserts a year of tickets at the rates of a bank's log
// in bulk, and compares the key figures with a plain computation over the invented tickets.
func TestTheKeyFiguresOfAGeneratedYearAreThoseOfAPlainComputation(t *testing.T) {
	n, seed := *yearCIs, uint64(4)
	if testing.Short() {
		n = 1_000
	}
	estate, err := synthetic.New(n, seed)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	begin := until.AddDate(-1, 0, 0)
	year := synthetic.NewYear(estate, begin, seed)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := store.At(auth.With(t.Context(), auth.System), until)
		if err := cmdb.Seed(ctx, s); err != nil {
			t.Fatal(err)
		}
		done, err := fill.Database(ctx, s, fill.Plan{CIs: n, Seed: seed, Year: true}, nil)
		if err != nil || done.Incidents != n*46/100 || done.Changes != n*30/100 {
			t.Fatalf("%+v, %v", done, err)
		}
		if _, err := servicelevel.New(s).Pass(ctx); err != nil {
			t.Fatal(err)
		}
		if n := s.Read.ServiceLevelMark.Query().CountX(ctx); n != done.Marks || n < done.Incidents/20 {
			t.Errorf("%d marks of %d incidents were written, and then there were %d", done.Marks, done.Incidents, n)
		}
		handler := serverOver(t, s)
		for _, c := range []struct {
			period, by string
			pages      int
		}{{"WEEK", "NONE", 2}, {"MONTH", "NONE", 1}, {"MONTH", "TEAM", 12}, {"MONTH", "CLASS", 8}, {"MONTH", "SERVICE", 4}} {
			after, seen, breached, conflicts := "", 0, 0.0, 0.0
			for page := range c.pages {
				asked := time.Now()
				got, _ := ask(t, handler, fmt.Sprintf(`{ kpis(period: %s, groupBy: %s, from: %q, to: %q, first: 40%s) { pageInfo { hasNextPage endCursor }
					nodes { start end team { name } service { ci { name } } ciClass { code } %s } } }`, c.period, c.by,
					begin.Format(time.RFC3339), begin.AddDate(0, 10, 0).Format(time.RFC3339), after, kpiFigures), nil, "")
				t.Logf("%s by %s, page %d: %v", c.period, c.by, page+1, time.Since(asked).Round(time.Millisecond))
				var answer struct {
					Data struct {
						Kpis struct {
							PageInfo struct {
								HasNextPage bool
								EndCursor   string
							}
							Nodes []map[string]any
						}
					}
				}
				text, _ := json.Marshal(got)
				if err := json.Unmarshal(text, &answer); err != nil || len(answer.Data.Kpis.Nodes) == 0 {
					t.Fatalf("%s by %s: %v %.600s", c.period, c.by, err, text)
				}
				for _, node := range answer.Data.Kpis.Nodes {
					seen++
					team, _ := at(node, "team.name").(string)
					service, _ := at(node, "service.ci.name").(string)
					class, _ := at(node, "ciClass.code").(string)
					isIn := func(of int32, cis []int32) bool {
						switch c.by {
						case "TEAM":
							return of >= 0 && estate.Teams[of].Name == team
						case "SERVICE":
							return slices.ContainsFunc(cis, func(ci int32) bool { return estate.CIs[ci].ServiceKind() != "" && estate.CIs[ci].Name == service })
						case "CLASS":
							return slices.ContainsFunc(cis, func(ci int32) bool { return estate.CIs[ci].Class == class })
						}
						return true
					}
					start, _ := time.Parse(time.RFC3339, node["start"].(string))
					end, _ := time.Parse(time.RFC3339, node["end"].(string))
					breached += node["incidentsBreached"].(float64)
					conflicts += node["conflictsFound"].(float64)
					for name, want := range figures(year, start, end, until, isIn) {
						if !sameFigure(t, want, node[name]) {
							t.Errorf("%s by %s, %s%s%s of %v: %s is %v, want %v", c.period, c.by, team, service, class, start, name, node[name], want)
						}
					}
				}
				if t.Failed() || !answer.Data.Kpis.PageInfo.HasNextPage {
					break
				}
				after = fmt.Sprintf(", after: %q", answer.Data.Kpis.PageInfo.EndCursor)
			}
			if least := map[string]int{"WEEK": 40, "MONTH": 10}[c.period]; seen < least {
				t.Errorf("%s by %s: %d rows", c.period, c.by, seen)
			}
			if c.by == "NONE" && !testing.Short() && (breached == 0 || conflicts == 0) { // a short year is a small estate's
				t.Errorf("%s by %s: %v breached, %v conflicts", c.period, c.by, breached, conflicts)
			}
		}
	})
}

const kpiFigures = `incidentsOpened incidentsResolved incidentsReopened incidentsBreached timeToAcknowledge { mean p50 p90 p95 } timeToResolve { mean p50 p90 p95 }
	backlog backlogAge { mean p50 p90 p95 } changesClosed changesSuccessful changeSuccessRate changesThatCausedIncidents conflictsFound changesWithConflicts`
