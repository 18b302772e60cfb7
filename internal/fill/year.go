package fill

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

// ticketsAtOnce bounds the incidents or changes of one revision: each brings links and a timeline.
const ticketsAtOnce = 3_000

// plan draws the year that ends with a day's first moment.
func (f *filler) plan(now time.Time, seed uint64) {
	f.year = synthetic.NewYear(f.Estate, now.Truncate(24*time.Hour).AddDate(-1, 0, 0), seed)
	f.total.Targets, f.total.Changes, f.total.Incidents = len(f.year.Promises), len(f.year.Changes), len(f.year.Incidents)
	for _, c := range f.year.Changes {
		f.total.Links += len(c.CIs)
		f.total.Moves += len(c.Moves)
		f.total.Findings += len(c.Clashes)
	}
	for _, i := range f.year.Incidents {
		f.total.Links += len(i.CIs)
		f.total.Moves += len(i.Moves) + len(i.Marks)
		f.total.Marks += len(i.Marks)
	}
}

// writeChanges writes the changes of a year as they stand at its end, each with its scope and timeline.
func (f *filler) writeChanges(ctx context.Context) error {
	f.changes = make([]ident.ID, len(f.year.Changes))
	for from := 0; from < len(f.year.Changes); from += ticketsAtOnce {
		some := f.year.Changes[from:min(from+ticketsAtOnce, len(f.year.Changes))]
		err := f.write(ctx, func(ctx context.Context, tx *store.Tx) (wrote Count, err error) {
			rows := make([]*ent.Change, len(some))
			for i := range some {
				rows[i] = f.change(from+i, &some[i])
			}
			if err := store.Insert(ctx, tx, rows); err != nil {
				return wrote, err
			}
			var scopes []*ent.ChangeCI
			var timeline []*ent.TimelineEntry
			for i, c := range some {
				id := rows[i].ID
				f.changes[from+i] = id
				role := domain.ChangedRole
				if c.IsOutage {
					role = domain.TakenDownRole
				}
				for _, ci := range c.CIs {
					scopes = append(scopes, &ent.ChangeCI{ChangeID: id, CiID: f.cis[ci], Role: role})
				}
				timeline = append(timeline, moves(tx, id, c.Moves)...)
			}
			if err := store.Insert(ctx, tx, scopes); err != nil {
				return wrote, err
			}
			return Count{Changes: len(rows), Links: len(scopes), Moves: len(timeline)}, store.Insert(ctx, tx, timeline)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeFindings writes the conflicts in which the changes of a year were found to be.
func (f *filler) writeFindings(ctx context.Context) error {
	var all []*ent.ConflictFinding
	for i, c := range f.year.Changes {
		for _, clash := range c.Clashes {
			all = append(all, &ent.ConflictFinding{ChangeID: f.changes[i], Kind: domain.SameCI, OtherID: f.changes[clash.With], FoundAt: clash.At})
		}
	}
	for some := range slices.Chunk(all, recordsAtOnce) {
		err := f.write(ctx, func(ctx context.Context, tx *store.Tx) (Count, error) {
			return Count{Findings: len(some)}, store.Insert(ctx, tx, some)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) change(at int, c *synthetic.Change) *ent.Change {
	row := &ent.Change{
		Title: fmt.Sprintf("%s change %d of %s", c.Type, at+1, f.CIs[c.CIs[0]].Name), Type: c.Type, State: domain.ChangeNew, RequestedBy: f.by.Actor,
		PlannedStart: &c.PlannedStart, PlannedEnd: &c.PlannedEnd, AssignmentTeamID: f.team(c.Team), Version: 1, CreatedAt: c.DraftedAt, UpdatedAt: c.DraftedAt,
	}
	for _, m := range c.Moves {
		row.State, row.UpdatedAt = m.To, m.At
		row.Version++
		switch m.To { //nolint:exhaustive // the other states leave no other trace
		case domain.ChangeImplement:
			row.ActualStart = &m.At
		case domain.ChangeReview:
			row.ActualEnd = &m.At
		case domain.ChangeClosed:
			row.Outcome, row.ClosureNotes = &c.Outcome, "Invented."
		}
	}
	if c.Type != domain.Standard {
		row.Justification, row.Plan, row.BackoutPlan = "Invented.", "Invented.", "Invented."
	}
	return row
}

// writeIncidents writes the incidents of a year as they stand at its end, each with its CIs and timeline.
func (f *filler) writeIncidents(ctx context.Context) error {
	for from := 0; from < len(f.year.Incidents); from += ticketsAtOnce {
		some := f.year.Incidents[from:min(from+ticketsAtOnce, len(f.year.Incidents))]
		err := f.write(ctx, func(ctx context.Context, tx *store.Tx) (wrote Count, err error) {
			rules, err := tx.PriorityRule.Query().All(ctx)
			if err != nil {
				return wrote, err
			}
			priority := map[[2]int]int{}
			for _, r := range rules {
				priority[[2]int{r.Impact, r.Urgency}] = r.Priority
			}
			rows := make([]*ent.Incident, len(some))
			for i := range some {
				rows[i] = f.incident(from+i, &some[i])
				rows[i].Priority = priority[[2]int{some[i].Impact, some[i].Urgency}]
			}
			if err := store.Insert(ctx, tx, rows); err != nil {
				return wrote, err
			}
			var links []*ent.IncidentCI
			var timeline []*ent.TimelineEntry
			var marks []*ent.ServiceLevelMark
			for i, incident := range some {
				id, role := rows[i].ID, domain.RootRole
				for _, ci := range incident.CIs {
					links = append(links, &ent.IncidentCI{IncidentID: id, CiID: f.cis[ci], Role: role})
					role = domain.AffectedRole
				}
				passed, said := f.marks(id, incident.Marks)
				marks = append(marks, passed...)
				timeline = append(timeline, chronicle(moves(tx, id, incident.Moves), said)...)
			}
			if err := store.Insert(ctx, tx, links); err != nil {
				return wrote, err
			}
			if err := store.Insert(ctx, tx, marks); err != nil {
				return wrote, err
			}
			return Count{Incidents: len(rows), Links: len(links), Moves: len(timeline), Marks: len(marks)}, store.Insert(ctx, tx, timeline)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) incident(at int, i *synthetic.Incident) *ent.Incident {
	row := &ent.Incident{
		Title: fmt.Sprintf("Incident %d at %s", at+1, f.CIs[i.CIs[0]].Name), State: domain.IncidentNew, Impact: i.Impact, Urgency: i.Urgency, Channel: i.Channel,
		OpenedBy: f.by.Actor, AssignmentTeamID: f.team(i.Team), DetectedAt: i.OpenedAt, Version: 1, CreatedAt: i.OpenedAt, UpdatedAt: i.OpenedAt,
	}
	if i.CausedBy >= 0 {
		row.CausedByChangeID = &f.changes[i.CausedBy]
	}
	for _, m := range i.Moves {
		row.State, row.UpdatedAt = m.To, m.At
		row.Version++
		switch m.To { //nolint:exhaustive // the other states leave no other trace
		case domain.IncidentInProgress:
			if row.AcknowledgedAt == nil {
				row.AcknowledgedAt = &m.At
			}
			if m.From == domain.IncidentResolved {
				row.ReopenCount++
				row.ResolvedAt = nil
			}
		case domain.IncidentResolved:
			row.ResolvedAt, row.ResolutionNotes = &m.At, "Invented."
		case domain.IncidentClosed:
			row.ClosedAt = &m.At
		}
	}
	if row.ResolvedAt != nil {
		row.ResolutionCode = &i.Resolution
	}
	if row.State == domain.IncidentOnHold {
		reason := domain.AwaitingCaller
		row.HoldReason = &reason
	}
	return row
}

// moves returns the timeline of a ticket.
func moves[S ~string](tx *store.Tx, record ident.ID, all []synthetic.Move[S]) []*ent.TimelineEntry {
	rows := make([]*ent.TimelineEntry, len(all))
	for i, m := range all {
		rows[i] = &ent.TimelineEntry{
			RecordID: record, Kind: domain.StateChange, FromState: string(m.From), ToState: string(m.To), Actor: tx.Actor, CreatedAt: m.At,
		}
	}
	return rows
}

func (f *filler) team(at int32) *ident.ID {
	if at < 0 {
		return nil
	}
	return &f.teams[at]
}
