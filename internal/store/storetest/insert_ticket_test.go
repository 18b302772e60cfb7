package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// tickets returns n records of each kind; every optional field is left out in some. They need CIs and teams.
func tickets(n int) (changes []*ent.Change, scopes []*ent.ChangeCI, incidents []*ent.Incident, links []*ent.IncidentCI, timeline []*ent.TimelineEntry) {
	at := moment.UTC().Truncate(time.Microsecond)
	later, team := at.Add(90*time.Minute), ident.New(ident.Team, 1)
	outcome, code, hold := domain.BackedOut, domain.Workaround, domain.AwaitingVendor
	for i := range n {
		text, number := odd[i%len(odd)], int64(i+1)
		c := &ent.Change{Title: "c " + text, Description: text, Type: domain.Emergency, State: domain.ChangeNew, RequestedBy: "ada", Version: 1, CreatedAt: at, UpdatedAt: at}
		inc := &ent.Incident{
			Title: "i " + text, Description: text, State: domain.IncidentNew, Impact: 2, Urgency: 3, Priority: 4, Channel: domain.ChannelPhone, OpenedBy: "ada",
			DetectedAt: at, Version: 1, CreatedAt: at, UpdatedAt: at,
		}
		if i%3 == 1 {
			c.State, c.Outcome, c.ClosureNotes, c.AssignmentTeamID = domain.ChangeClosed, &outcome, text, &team
			c.PlannedStart, c.PlannedEnd, c.ActualStart, c.ActualEnd = &at, &later, &at, &later
			cause := ident.New(ident.Change, number)
			inc.State, inc.HoldReason, inc.ResolutionCode, inc.ResolutionNotes = domain.IncidentOnHold, &hold, &code, text
			inc.AssignmentTeamID, inc.CausedByChangeID, inc.ReopenCount = &team, &cause, 2
			inc.AcknowledgedAt, inc.ResolvedAt, inc.ClosedAt = &at, &later, &later
		}
		changes, incidents = append(changes, c), append(incidents, inc)
		scopes = append(scopes, &ent.ChangeCI{ChangeID: ident.New(ident.Change, number), CiID: ident.New(ident.CI, number), Role: domain.TakenDownRole})
		links = append(links, &ent.IncidentCI{IncidentID: ident.New(ident.Incident, number), CiID: ident.New(ident.CI, number), Role: domain.RootRole})
		timeline = append(timeline, &ent.TimelineEntry{
			RecordID: ident.New(ident.Incident, number), Kind: domain.StateChange, Body: text, FromState: "NEW", ToState: "ON_HOLD", Actor: "ada", CreatedAt: later,
		})
	}
	return changes, scopes, incidents, links, timeline
}

// beside returns n service level targets, marks and findings. They need a calendar, incidents and changes.
func beside(n int) (targets []*ent.ServiceLevelTarget, marks []*ent.ServiceLevelMark, findings []*ent.ConflictFinding) {
	at := moment.UTC().Truncate(time.Microsecond)
	for i := range n {
		target := &ent.ServiceLevelTarget{
			Name: fmt.Sprint("t ", i, odd[i%len(odd)]), Metric: domain.ResolveMetric, RecordType: domain.IncidentRecord, Seconds: int64(60 * i),
			CalendarID: ident.New(ident.Calendar, 1), Services: []ident.ID{}, Version: 1, CreatedAt: at, UpdatedAt: at,
		}
		if i%3 == 1 {
			priority := 2
			target.Priority, target.Services = &priority, []ident.ID{ident.New(ident.CI, 1), ident.New(ident.CI, 2)}
		}
		targets = append(targets, target)
		marks = append(marks, &ent.ServiceLevelMark{
			RecordID: ident.New(ident.Incident, int64(i+1)), TargetID: ident.New(ident.ServiceLevelTarget, 1), Metric: domain.AcknowledgeMetric, Percent: 75, ReachedAt: at,
		})
		findings = append(findings, &ent.ConflictFinding{
			ChangeID: ident.New(ident.Change, int64(i+1)), Kind: domain.JointFailure, OtherID: ident.New(ident.ChangeWindow, int64(i+1)), FoundAt: at,
		})
	}
	return targets, marks, findings
}

func besideBuilt(ctx context.Context, tx *store.Tx, n int) error {
	targets, marks, findings := beside(n)
	for _, r := range targets {
		if err := tx.ServiceLevelTarget.Create().SetName(r.Name).SetMetric(r.Metric).SetNillablePriority(r.Priority).SetSeconds(r.Seconds).
			SetCalendarID(r.CalendarID).SetServices(r.Services).SetCreatedAt(r.CreatedAt).SetUpdatedAt(r.UpdatedAt).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range marks {
		if err := tx.ServiceLevelMark.Create().SetRecordID(r.RecordID).SetTargetID(r.TargetID).SetMetric(r.Metric).SetPercent(r.Percent).
			SetReachedAt(r.ReachedAt).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range findings {
		if err := tx.ConflictFinding.Create().SetChangeID(r.ChangeID).SetKind(r.Kind).SetOtherID(r.OtherID).SetFoundAt(r.FoundAt).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

func besideInserted(ctx context.Context, tx *store.Tx, n int) error {
	targets, marks, findings := beside(n)
	return errors.Join(store.Insert(ctx, tx, targets), store.Insert(ctx, tx, marks), store.Insert(ctx, tx, findings))
}

func ticketsBuilt(ctx context.Context, tx *store.Tx, n int) error {
	changes, scopes, incidents, links, timeline := tickets(n)
	for _, r := range changes {
		if err := tx.Change.Create().SetTitle(r.Title).SetDescription(r.Description).SetType(r.Type).SetState(r.State).SetRequestedBy(r.RequestedBy).
			SetNillableOutcome(r.Outcome).SetClosureNotes(r.ClosureNotes).SetNillableAssignmentTeamID(r.AssignmentTeamID).SetNillablePlannedStart(r.PlannedStart).
			SetNillablePlannedEnd(r.PlannedEnd).SetNillableActualStart(r.ActualStart).SetNillableActualEnd(r.ActualEnd).
			SetCreatedAt(r.CreatedAt).SetUpdatedAt(r.UpdatedAt).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range scopes {
		if err := tx.ChangeCI.Create().SetChangeID(r.ChangeID).SetCiID(r.CiID).SetRole(r.Role).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range incidents {
		if err := tx.Incident.Create().SetTitle(r.Title).SetDescription(r.Description).SetState(r.State).SetNillableHoldReason(r.HoldReason).SetImpact(r.Impact).
			SetUrgency(r.Urgency).SetPriority(r.Priority).SetChannel(r.Channel).SetOpenedBy(r.OpenedBy).SetNillableAssignmentTeamID(r.AssignmentTeamID).
			SetNillableCausedByChangeID(r.CausedByChangeID).SetNillableResolutionCode(r.ResolutionCode).SetResolutionNotes(r.ResolutionNotes).
			SetDetectedAt(r.DetectedAt).SetNillableAcknowledgedAt(r.AcknowledgedAt).SetNillableResolvedAt(r.ResolvedAt).SetNillableClosedAt(r.ClosedAt).
			SetReopenCount(r.ReopenCount).SetCreatedAt(r.CreatedAt).SetUpdatedAt(r.UpdatedAt).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range links {
		if err := tx.IncidentCI.Create().SetIncidentID(r.IncidentID).SetCiID(r.CiID).SetRole(r.Role).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range timeline {
		if err := tx.TimelineEntry.Create().SetRecordID(r.RecordID).SetKind(r.Kind).SetBody(r.Body).SetFromState(r.FromState).SetToState(r.ToState).
			SetActor(r.Actor).SetCreatedAt(r.CreatedAt).Exec(ctx); err != nil {
			return err
		}
	}
	return besideBuilt(ctx, tx, n)
}

func ticketsInserted(ctx context.Context, tx *store.Tx, n int) error {
	changes, scopes, incidents, links, timeline := tickets(n)
	for _, insert := range []func() error{
		func() error { return store.Insert(ctx, tx, changes) }, func() error { return store.Insert(ctx, tx, scopes) },
		func() error { return store.Insert(ctx, tx, incidents) }, func() error { return store.Insert(ctx, tx, links) },
		func() error { return store.Insert(ctx, tx, timeline) },
	} {
		if err := insert(); err != nil {
			return err
		}
	}
	return besideInserted(ctx, tx, n)
}

func TestInsertWritesWhatBuildersWriteOfTickets(t *testing.T) {
	for _, open := range []func(testing.TB) *store.Store{SQLite, Postgres} {
		for _, n := range []int{3, 80} { // a statement; COPY
			one, other := open(t), open(t)
			t.Run(fmt.Sprintf("%s/%d", one.Dialect(), n), func(t *testing.T) {
				for s, f := range map[*store.Store]func(context.Context, *store.Tx, int) error{one: ticketsBuilt, other: ticketsInserted} {
					prepare(t, s)
					write(t, s, func(ctx context.Context, tx *store.Tx) error { return inserted(ctx, tx, n) })
					write(t, s, func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, n) })
				}
				want, got := Dump(t, one), Dump(t, other)
				if len(want) < 20*n {
					t.Fatalf("only %d rows", len(want))
				}
				for i := range max(len(want), len(got)) {
					if at(want, i) != at(got, i) {
						t.Fatalf("row %d of %d and %d: built\n%s\ninserted\n%s", i, len(want), len(got), at(want, i), at(got, i))
					}
				}
			})
		}
	}
}
