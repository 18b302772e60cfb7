package incident

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// moving writes down what an incident's stopwatches have passed, while its clock goes, and what the new state says of
// it.
func moving(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne, to domain.IncidentState) error {
	if err := servicelevel.Settle(ctx, tx, servicelevel.Incidents(was)...); err != nil {
		return err
	}
	if was.HoldReason != nil && to != domain.IncidentOnHold {
		u.ClearHoldReason()
	}
	if to == domain.IncidentInProgress && was.AcknowledgedAt == nil {
		u.SetAcknowledgedAt(tx.Now)
	}
	return nil
}

// Start takes an incident on: NEW or ON_HOLD to IN_PROGRESS.
func (p *Practice) Start(ctx context.Context, in Start) (*ent.Incident, error) {
	return p.desk.Move(ctx, "startIncident", ticket.Seen(in.ID, in.ExpectedVersion), p.desk.Nothing)
}

// Hold puts an incident on hold; the note becomes a work note.
func (p *Practice) Hold(ctx context.Context, in Hold) (*ent.Incident, error) {
	return p.desk.Move(ctx, "holdIncident", ticket.Seen(in.ID, in.ExpectedVersion),
		func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) (string, error) {
			var f form.Form
			reason := form.OneOf(&f, "reason", in.Reason)
			note := f.Text("note", form.Or(in.Note, ""), 0, ticket.LongestText)
			if err := f.Err(); err != nil {
				return "", err
			}
			u.SetHoldReason(reason)
			if note == "" {
				return "", nil
			}
			_, err := ticket.Write(ctx, tx, was.ID, domain.WorkNote, note)
			return "", err
		})
}

// Reopen takes up a resolved incident again. Its resolution stays in the timeline and the journal only.
func (p *Practice) Reopen(ctx context.Context, in Reopen) (*ent.Incident, error) {
	return p.desk.Move(ctx, "reopenIncident", ticket.Seen(in.ID, in.ExpectedVersion), reopening(p.desk.Because(in.Reason)))
}

// reopening returns a step that takes back what a resolution said.
func reopening(say step) step {
	return func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) (string, error) {
		u.SetReopenCount(was.ReopenCount + 1).ClearResolvedAt().ClearResolutionCode().SetResolutionNotes("").ClearImpactAtResolution()
		return say(ctx, tx, was, u)
	}
}

// Close closes a resolved incident.
func (p *Practice) Close(ctx context.Context, in Close) (*ent.Incident, error) {
	return p.desk.Move(ctx, "closeIncident", ticket.Seen(in.ID, in.ExpectedVersion),
		func(_ context.Context, tx *store.Tx, _ *ent.Incident, u *ent.IncidentUpdateOne) (string, error) {
			u.SetClosedAt(tx.Now)
			return "", nil
		})
}

// Cancel cancels an incident that was opened in error.
func (p *Practice) Cancel(ctx context.Context, in Cancel) (*ent.Incident, error) {
	because := p.desk.Because(in.Reason)
	return p.desk.Move(ctx, "cancelIncident", ticket.Seen(in.ID, in.ExpectedVersion),
		func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) (string, error) {
			if err := p.warnOfEnd(ctx, tx, was.ID); err != nil {
				return "", err
			}
			return because(ctx, tx, was, u)
		})
}

// Comment writes into an incident's timeline, whatever its state. It leaves the incident's version alone.
func (p *Practice) Comment(ctx context.Context, in Comment) (*ent.TimelineEntry, error) {
	return p.desk.Comment(ctx, in.ID, in.Kind, in.Body)
}
