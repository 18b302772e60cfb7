package graph_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

const kpiFields = `start end team { id } service { ci { id } } ciClass { id } incidentsOpened incidentsResolved incidentsReopened incidentsBreached
	timeToAcknowledge { mean p50 p90 p95 } timeToResolve { mean p50 p90 p95 } backlog backlogAge { mean p50 p90 p95 }
	changesClosed changesSuccessful changeSuccessRate changesThatCausedIncidents conflictsFound changesWithConflicts`

// tickets writes incidents and changes over five weeks, with their moves.
func (e *estate) tickets(t testing.TB, n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 7))
	var teams []ident.ID
	for _, team := range e.s.Read.Team.Query().Limit(3).AllX(t.Context()) {
		teams = append(teams, team.ID)
	}
	e.write(t, 0, func(ctx context.Context, tx *store.Tx) error {
		for i := range n {
			at := time.Date(2025, 1, 20, 0, 0, 0, 0, time.UTC)
			// later returns some time after the last one, and now and then the very moment at which a day, week or
			// month begins in Berlin.
			later := func(most time.Duration) time.Time {
				at = at.Add(time.Duration(random.Int64N(int64(most)))).Truncate(time.Microsecond)
				if random.IntN(6) == 0 {
					const day = 24 * time.Hour
					at = at.Add(time.Hour).Truncate(day).Add(day - time.Hour)
				}
				return at
			}
			later(35 * 24 * time.Hour)
			say := func(id ident.ID, from, to string) {
				tx.TimelineEntry.Create().SetRecordID(id).SetKind(domain.StateChange).SetFromState(from).SetToState(to).SetActor("test").SetCreatedAt(at).SaveX(ctx)
			}
			cis := slices.Compact([]ident.ID{e.cis[random.IntN(len(e.cis))], e.cis[random.IntN(len(e.cis))]})
			change := tx.Change.Create().SetTitle("c").SetType(domain.Normal).SetRequestedBy("test").SetCreatedAt(at).SetUpdatedAt(at)
			if random.IntN(4) > 0 {
				change.SetAssignmentTeamID(teams[random.IntN(len(teams))])
			}
			isClosed := random.IntN(3) > 0
			drafted := at
			if isClosed {
				change.SetState(domain.ChangeClosed).SetOutcome([]domain.ChangeOutcome{domain.Successful, domain.SuccessfulWithIssues, domain.Failed, domain.BackedOut}[random.IntN(4)])
			}
			c := change.SaveX(ctx)
			for _, id := range cis {
				tx.ChangeCI.Create().SetChangeID(c.ID).SetCiID(id).SetRole(domain.ChangedRole).SaveX(ctx)
			}
			for other := range random.IntN(4) {
				tx.ConflictFinding.Create().SetChangeID(c.ID).SetKind([]domain.ConflictKind{domain.SameCI, domain.Upstream}[other%2]).
					SetOtherID(ident.New(ident.Change, int64(1+other))).SetFoundAt(drafted.Add(time.Duration(random.IntN(3)) * 48 * time.Hour)).SaveX(ctx)
			}
			if isClosed {
				later(72 * time.Hour)
				say(c.ID, "REVIEW", "CLOSED")
			}
			incident := tx.Incident.Create().SetTitle("i").SetImpact(1).SetUrgency(1).SetPriority(1).SetOpenedBy("test").SetDetectedAt(at).SetCreatedAt(at).SetUpdatedAt(at)
			if random.IntN(4) > 0 {
				incident.SetAssignmentTeamID(teams[random.IntN(len(teams))])
			}
			if random.IntN(3) == 0 {
				incident.SetCausedByChangeID(c.ID)
			}
			how := random.IntN(10)
			switch {
			case how == 0:
				incident.SetState(domain.IncidentCanceled)
			case how < 2:
			case how < 3:
				incident.SetState(domain.IncidentOnHold).SetHoldReason(domain.AwaitingCaller)
			case how < 5:
				incident.SetState(domain.IncidentInProgress).SetAcknowledgedAt(later(72 * time.Hour))
			default:
				incident.SetAcknowledgedAt(later(72 * time.Hour)).SetResolvedAt(later(72 * time.Hour)).SetState(domain.IncidentResolved)
			}
			made := incident.SaveX(ctx)
			for j, id := range cis {
				role := []domain.IncidentRole{domain.RootRole, domain.AffectedRole, domain.ExcludedRole}[(i+j)%3]
				tx.IncidentCI.Create().SetIncidentID(made.ID).SetCiID(id).SetRole(role).SaveX(ctx)
			}
			for again := range random.IntN(3) {
				later(72 * time.Hour)
				say(made.ID, "RESOLVED", "IN_PROGRESS")
				tx.ServiceLevelMark.Create().SetRecordID(made.ID).SetTargetID(teams[again]).SetMetric(domain.ResolveMetric).
					SetPercent([]int{75, 100}[random.IntN(2)]).SetReachedAt(at).SaveX(ctx)
			}
		}
		return nil
	})
}

var isoDuration = regexp.MustCompile(`^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$`)

func seconds(t *testing.T, text string) float64 {
	parts := isoDuration.FindStringSubmatch(text)
	if parts == nil {
		t.Fatalf("%q is no duration", text)
	}
	var sum float64
	for i, unit := range []float64{3600, 60, 1} {
		n, _ := strconv.ParseFloat(cmp.Or(parts[1+i], "0"), 64)
		sum += n * unit
	}
	return sum
}

// spread returns the mean and percentiles of lengths of time, in seconds, or nil if there are none.
func spread(all []float64) any {
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	var sum float64
	for _, v := range all {
		sum += v
	}
	at := func(p float64) float64 {
		place := p * float64(len(all)-1)
		low := int(place)
		high := min(low+1, len(all)-1)
		return all[low] + (place-float64(low))*(all[high]-all[low])
	}
	return [4]float64{sum / float64(len(all)), at(0.5), at(0.9), at(0.95)}
}

// plain computes the figures of a period and group from the rows themselves.
func (e *estate) plain(ctx context.Context, start, end time.Time, isIn func(record ident.ID, team *ident.ID) bool) map[string]any {
	during := func(at *time.Time) bool { return at != nil && !at.Before(start) && at.Before(end) }
	counts := map[string]float64{}
	var acknowledged, resolved, ages []float64
	caused, breached := map[ident.ID]bool{}, map[ident.ID]bool{}
	incidents, changes := map[ident.ID]bool{}, map[ident.ID]*ent.Change{}
	for _, i := range e.s.Read.Incident.Query().AllX(ctx) {
		if i.CausedByChangeID != nil {
			caused[*i.CausedByChangeID] = true
		}
		if !isIn(i.ID, i.AssignmentTeamID) {
			continue
		}
		incidents[i.ID] = true
		if during(&i.CreatedAt) {
			counts["incidentsOpened"]++
		}
		if during(i.ResolvedAt) {
			counts["incidentsResolved"]++
			resolved = append(resolved, i.ResolvedAt.Sub(i.CreatedAt).Seconds())
		}
		if during(i.AcknowledgedAt) {
			acknowledged = append(acknowledged, i.AcknowledgedAt.Sub(i.CreatedAt).Seconds())
		}
		if i.CreatedAt.Before(end) && (i.ResolvedAt == nil && i.State.IsOpen() || i.ResolvedAt != nil && !i.ResolvedAt.Before(end)) {
			ages = append(ages, end.Sub(i.CreatedAt).Seconds())
		}
	}
	for _, c := range e.s.Read.Change.Query().AllX(ctx) {
		if isIn(c.ID, c.AssignmentTeamID) {
			changes[c.ID] = c
		}
	}
	for _, x := range e.s.Read.TimelineEntry.Query().AllX(ctx) {
		if !during(&x.CreatedAt) {
			continue
		}
		if c := changes[x.RecordID]; c != nil && x.ToState == "CLOSED" {
			counts["changesClosed"]++
			if *c.Outcome == domain.Successful || *c.Outcome == domain.SuccessfulWithIssues {
				counts["changesSuccessful"]++
			}
			if caused[c.ID] {
				counts["changesThatCausedIncidents"]++
			}
		}
		if incidents[x.RecordID] && x.FromState == "RESOLVED" && x.ToState == "IN_PROGRESS" {
			counts["incidentsReopened"]++
		}
	}
	inConflict := map[ident.ID]bool{}
	for _, f := range e.s.Read.ConflictFinding.Query().AllX(ctx) {
		if changes[f.ChangeID] != nil && during(&f.FoundAt) {
			counts["conflictsFound"]++
			inConflict[f.ChangeID] = true
		}
	}
	for _, m := range e.s.Read.ServiceLevelMark.Query().AllX(ctx) {
		if m.Percent == 100 && incidents[m.RecordID] && during(&m.ReachedAt) {
			breached[m.RecordID] = true
		}
	}
	figures := map[string]any{
		"incidentsBreached": float64(len(breached)), "changesWithConflicts": float64(len(inConflict)), "backlog": float64(len(ages)),
		"timeToAcknowledge": spread(acknowledged), "timeToResolve": spread(resolved), "backlogAge": spread(ages), "changeSuccessRate": nil,
	}
	for _, name := range []string{"incidentsOpened", "incidentsResolved", "incidentsReopened", "changesClosed", "changesSuccessful", "changesThatCausedIncidents", "conflictsFound"} {
		figures[name] = counts[name]
	}
	if counts["changesClosed"] > 0 {
		figures["changeSuccessRate"] = counts["changesSuccessful"] / counts["changesClosed"]
	}
	return figures
}

func TestKeyFiguresAreThoseOfAPlainComputation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := newEstate(t, s, 6)
		e.tickets(t, 120)
		ctx := t.Context()
		services, classes := map[ident.ID]bool{}, map[ident.ID]ident.ID{}
		for _, c := range s.Read.CI.Query().AllX(ctx) {
			services[c.ID], classes[c.ID] = c.ServiceKind != nil, c.ClassID
		}
		names := map[ident.ID][]ident.ID{}
		for _, l := range s.Read.IncidentCI.Query().AllX(ctx) {
			if l.Role != domain.ExcludedRole {
				names[l.IncidentID] = append(names[l.IncidentID], l.CiID)
			}
		}
		for _, l := range s.Read.ChangeCI.Query().AllX(ctx) {
			names[l.ChangeID] = append(names[l.ChangeID], l.CiID)
		}
		for _, c := range []struct {
			period, by string
			least      int
		}{{"WEEK", "NONE", 5}, {"MONTH", "TEAM", 6}, {"WEEK", "SERVICE", 15}, {"MONTH", "CLASS", 4}, {"DAY", "NONE", 30}} {
			got, _ := ask(t, e, fmt.Sprintf(`{ kpis(period: %s, groupBy: %s, timeZone: "Europe/Berlin", from: "2025-01-20T00:00:00Z", to: "2025-03-05T00:00:00Z", first: 100) { totalCount nodes { %s } } }`, c.period, c.by, kpiFields), nil, "")
			text, _ := json.Marshal(got)
			var answer struct {
				Data struct {
					Kpis struct{ Nodes []map[string]any }
				}
			}
			if err := json.Unmarshal(text, &answer); err != nil || len(answer.Data.Kpis.Nodes) < c.least {
				t.Fatalf("%s by %s: %v %.600s", c.period, c.by, err, text)
			}
			for _, node := range answer.Data.Kpis.Nodes {
				start, _ := time.Parse(time.RFC3339, node["start"].(string))
				end, _ := time.Parse(time.RFC3339, node["end"].(string))
				group := func(path ...string) ident.ID {
					at := node
					for _, p := range path {
						at, _ = at[p].(map[string]any)
					}
					text, _ := at["id"].(string)
					id, _ := ident.Parse(text)
					return id
				}
				team, service, class := group("team"), group("service", "ci"), group("ciClass")
				want := e.plain(ctx, start, end, func(record ident.ID, of *ident.ID) bool {
					switch c.by {
					case "TEAM":
						return of != nil && *of == team
					case "SERVICE":
						return slices.Contains(names[record], service)
					case "CLASS":
						return slices.ContainsFunc(names[record], func(ci ident.ID) bool { return classes[ci] == class })
					}
					return true
				})
				for name, figure := range want {
					if !sameFigure(t, figure, node[name]) {
						t.Errorf("%s by %s, %s of %v: %s is %v, want %v", c.period, c.by, start, cmp.Or(team, service, class), name, node[name], figure)
					}
				}
			}
		}
	})
}

// sameFigure compares a plain figure with an answered one.
func sameFigure(t *testing.T, want, got any) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) < 2e-6*max(1, math.Abs(a)) }
	switch w := want.(type) {
	case [4]float64:
		g, ok := got.(map[string]any)
		if !ok {
			return false
		}
		for i, name := range []string{"mean", "p50", "p90", "p95"} {
			if !near(w[i], seconds(t, g[name].(string))) {
				return false
			}
		}
		return true
	case float64:
		g, ok := got.(float64)
		return ok && near(w, g)
	}
	return got == nil
}

func TestKeyFiguresNameNoRestrictedServiceOrClass(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := sighted(t, s)
		g.do("third", "openIncident", fmt.Sprintf(`title: "another", cis: [{id: %q}, {id: %q}]`, g.ids["svc"], g.ids["server1"]))
		groups := func(by caller, group string) (text string, restricted any) {
			a := g.ask(by, fmt.Sprintf(`{ kpis(period: MONTH, from: %q, to: %q, groupBy: %s) { restrictedCount nodes { service { ci { name } } ciClass { code } incidentsOpened } } }`,
				sightedAt.Format(time.RFC3339), sightedAt.Add(time.Second).Format(time.RFC3339), group))
			for _, node := range at(a, "data.kpis.nodes").([]any) {
				name := at(node, "service.ci.name")
				if group == "CLASS" {
					name = at(node, "ciClass.code")
				}
				text += fmt.Sprint(" ", name, ":", at(node, "incidentsOpened"))
			}
			return text, at(a, "data.kpis.restrictedCount")
		}
		for _, c := range []struct {
			by         caller
			group      string
			want       string
			restricted float64
		}{
			{root, "SERVICE", " canary-svc:1 portal:2", 0},
			{ada, "SERVICE", " canary-svc:1 portal:2", 0},
			{eve, "SERVICE", " portal:2", 1},
			{root, "CLASS", " application_service:3 server:1 load_balancer:2", 0},
			{eve, "CLASS", " application_service:2 server:1", 2}, // two CIs, of a class that is not told
			{eve, "NONE", " <nil>:3", 0},
		} {
			if got, restricted := groups(c.by, c.group); got != c.want || restricted != c.restricted {
				t.Errorf("%s by %s:%s and %v restricted, want%s and %v", c.by.name, c.group, got, restricted, c.want, c.restricted)
			}
		}
	})
}
