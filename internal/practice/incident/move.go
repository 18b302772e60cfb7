package incident

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/servicelevel"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// step is what a move does beside changing the state. It returns what to say about it in the timeline.
type step func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) (said string, err error)

// move changes the state as the table says for a mutation.
func (p *Practice) move(ctx context.Context, verb, mutation string, of target, do step) (*ent.Incident, error) {
	return p.edit(ctx, verb, of, func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) error {
		return moveTo(ctx, tx, was, u, mutation, do)
	})
}

// moveTo sets the state of a locked incident as the table says for a mutation, and tells the timeline.
func moveTo(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne, mutation string, do step) error {
	to, err := lifecycle.Incident.Move(was.State, mutation)
	if err != nil {
		return err
	}
	if err := servicelevel.Settle(ctx, tx, was); err != nil { // while its clock goes
		return err
	}
	said, err := do(ctx, tx, was, u)
	if err != nil {
		return err
	}
	u.SetState(to)
	if was.HoldReason != nil && to != domain.IncidentOnHold {
		u.ClearHoldReason()
	}
	if to == domain.IncidentInProgress && was.AcknowledgedAt == nil {
		u.SetAcknowledgedAt(tx.Now)
	}
	return ticket.Moved(ctx, tx, was.ID, was.State, to, said)
}

// because is a step that only says why.
func because(field, reason string) step {
	return func(context.Context, *store.Tx, *ent.Incident, *ent.IncidentUpdateOne) (string, error) {
		var f form.Form
		said := f.Text(field, reason, 1, ticket.LongestText)
		return said, f.Err()
	}
}

// Start takes an incident on: NEW or ON_HOLD to IN_PROGRESS.
func (p *Practice) Start(ctx context.Context, in Start) (*ent.Incident, error) {
	return p.move(ctx, "incident.start", "startIncident", target{in.ID, in.ExpectedVersion},
		func(context.Context, *store.Tx, *ent.Incident, *ent.IncidentUpdateOne) (string, error) {
			return "", nil
		})
}

// Hold puts an incident on hold; the note becomes a work note.
func (p *Practice) Hold(ctx context.Context, in Hold) (*ent.Incident, error) {
	return p.move(ctx, "incident.hold", "holdIncident", target{in.ID, in.ExpectedVersion},
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

// Reopen takes up a resolved incident again. What was said about its resolution stays in the timeline and the journal only.
func (p *Practice) Reopen(ctx context.Context, in Reopen) (*ent.Incident, error) {
	return p.move(ctx, "incident.reopen", "reopenIncident", target{in.ID, in.ExpectedVersion}, reopening(because("reason", in.Reason)))
}

// reopening is a step that takes back what a resolution said.
func reopening(say step) step {
	return func(ctx context.Context, tx *store.Tx, was *ent.Incident, u *ent.IncidentUpdateOne) (string, error) {
		u.SetReopenCount(was.ReopenCount + 1).ClearResolvedAt().ClearResolutionCode().SetResolutionNotes("").ClearImpactAtResolution()
		return say(ctx, tx, was, u)
	}
}

// Close closes a resolved incident.
func (p *Practice) Close(ctx context.Context, in Close) (*ent.Incident, error) {
	return p.move(ctx, "incident.close", "closeIncident", target{in.ID, in.ExpectedVersion},
		func(_ context.Context, tx *store.Tx, _ *ent.Incident, u *ent.IncidentUpdateOne) (string, error) {
			u.SetClosedAt(tx.Now)
			return "", nil
		})
}

// Cancel cancels an incident that was opened in error.
func (p *Practice) Cancel(ctx context.Context, in Cancel) (*ent.Incident, error) {
	return p.move(ctx, "incident.cancel", "cancelIncident", target{in.ID, in.ExpectedVersion}, because("reason", in.Reason))
}

// Comment writes into an incident's timeline, whatever its state. It leaves the incident's version alone.
func (p *Practice) Comment(ctx context.Context, in Comment) (*ent.TimelineEntry, error) {
	return auth.Write(ctx, p.store, "incident.comment", func(ctx context.Context, tx *store.Tx) (*ent.TimelineEntry, error) {
		var f form.Form
		ticket.Reference(ctx, tx, &f, "id", ident.Incident, &in.ID)
		body := ticket.CheckComment(&f, in.Kind, in.Body)
		if err := f.Err(); err != nil {
			return nil, err
		}
		return ticket.Write(ctx, tx, in.ID, in.Kind, body)
	})
}
