package change

import (
	"context"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Assess hands a NORMAL change in for assessment: NEW to ASSESS.
func (p *Practice) Assess(ctx context.Context, in Assess) (*ent.Change, error) {
	return p.desk.Move(ctx, "assessChange", ticket.Seen(in.ID, in.ExpectedVersion), p.desk.Nothing)
}

// Schedule puts a change into its window. It needs window and scope, and unless it is STANDARD the votes that policies
// ask for at its risk as it is then; a STANDARD one a template that covers it.
func (p *Practice) Schedule(ctx context.Context, in Schedule) (*ent.Change, error) {
	return p.desk.Move(ctx, "scheduleChange", ticket.Seen(in.ID, in.ExpectedVersion),
		func(ctx context.Context, tx *store.Tx, was *ent.Change, _ *ent.ChangeUpdateOne) (string, error) {
			rows, err := scopeOf(ctx, tx, was.ID)
			if err != nil {
				return "", err
			}
			if was.PlannedEnd != nil && !was.PlannedEnd.After(tx.Now) {
				return "", refused(was, "cannot be scheduled: its window ended at %s, before now: give it a later one by updateChange", was.PlannedEnd.Format(time.RFC3339)).At("id")
			}
			missing := append(missingForWindow(was, len(rows)), missingForApproval(was)...)
			if was.Type == domain.Standard && was.TemplateID == nil {
				missing = append(missing, "template")
			}
			required, err := p.requirements(ctx, tx, was)
			if err != nil {
				return "", err
			}
			var open []string
			if was.Type != domain.Standard {
				if open, err = approval.Open(ctx, tx, was.ID, required); err != nil {
					return "", err
				}
			}
			if len(missing) == 0 && len(open) == 0 {
				warnOfBegun(tx, was.PlannedStart, "id")
				if err := stillCovered(ctx, tx, was, cisOf(rows)); err != nil {
					return "", err
				}
				return approval.Said(required), p.keepOutage(ctx, tx, was)
			}
			var faults []string
			if len(missing) > 0 {
				faults = append(faults, "missing: "+form.List(missing, "and"))
			}
			return "", refused(was, "cannot be scheduled: %s", strings.Join(append(faults, open...), "; ")).At("id")
		})
}

// Start begins to carry a change out: SCHEDULED to IMPLEMENT, in its window and with the outage that was planned,
// unless other is accepted. Its planned operations are applied in the same transaction.
func (p *Practice) Start(ctx context.Context, in Start) (*ent.Change, error) {
	return p.desk.Move(ctx, "startChange", ticket.Seen(in.ID, in.ExpectedVersion),
		func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) (string, error) {
			said, err := p.mayStart(ctx, tx, was, in)
			if err != nil {
				return "", err
			}
			u.SetActualStart(tx.Now)
			applied, err := apply(ctx, tx, was)
			if applied != "" {
				said = append(said, applied)
			}
			return strings.Join(said, "\n"), err
		})
}

// Review says that a change has been carried out: IMPLEMENT to REVIEW.
func (p *Practice) Review(ctx context.Context, in Review) (*ent.Change, error) {
	return p.desk.Move(ctx, "reviewChange", ticket.Seen(in.ID, in.ExpectedVersion),
		func(_ context.Context, tx *store.Tx, _ *ent.Change, u *ent.ChangeUpdateOne) (string, error) {
			u.SetActualEnd(tx.Now)
			return "", nil
		})
}

// Close closes a change with its outcome.
func (p *Practice) Close(ctx context.Context, in Close) (*ent.Change, error) {
	return p.desk.Move(ctx, "closeChange", ticket.Seen(in.ID, in.ExpectedVersion),
		func(_ context.Context, _ *store.Tx, _ *ent.Change, u *ent.ChangeUpdateOne) (string, error) {
			var f form.Form
			u.SetOutcome(form.OneOf(&f, "outcome", in.Outcome))
			notes := f.Text("notes", in.Notes, 1, ticket.LongestText)
			u.SetClosureNotes(notes)
			return notes, f.Err()
		})
}

// Cancel cancels a change that is not reviewed yet. One that was being carried out ends now.
func (p *Practice) Cancel(ctx context.Context, in Cancel) (*ent.Change, error) {
	say := p.desk.Because(in.Reason)
	return p.desk.Move(ctx, "cancelChange", ticket.Seen(in.ID, in.ExpectedVersion),
		func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) (string, error) {
			if was.State == domain.ChangeImplement {
				u.SetActualEnd(tx.Now)
			}
			return say(ctx, tx, was, u)
		})
}

// Return sends a change back to NEW from ASSESS, AUTHORIZE or SCHEDULED. Votes are voided.
func (p *Practice) Return(ctx context.Context, in Return) (*ent.Change, error) {
	say := p.desk.Because(in.Reason)
	return p.desk.Move(ctx, "returnChange", ticket.Seen(in.ID, in.ExpectedVersion),
		func(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne) (string, error) {
			said, err := say(ctx, tx, was, u)
			if err != nil {
				return "", err
			}
			return said, approval.Void(ctx, tx, was.ID, "The change was sent back: "+said)
		})
}

// setBack makes the move that no mutation asks for: the change that was voted on is no longer the one that would be
// carried out.
func setBack(ctx context.Context, tx *store.Tx, was *ent.Change, u *ent.ChangeUpdateOne, to domain.ChangeState, why string) error {
	if err := approval.Void(ctx, tx, was.ID, why); err != nil {
		return err
	}
	u.SetState(to)
	return ticket.Moved(ctx, tx, was.ID, was.State, to, why)
}

// missingForWindow names what a change lacks to be carried out at a time.
func missingForWindow(c *ent.Change, scope int) (missing []string) {
	if c.PlannedStart == nil {
		missing = append(missing, "plannedStart")
	}
	if c.PlannedEnd == nil {
		missing = append(missing, "plannedEnd")
	}
	if scope == 0 {
		missing = append(missing, "scope")
	}
	return missing
}

// missingForApproval names what a NORMAL change lacks to be approved.
func missingForApproval(c *ent.Change) (missing []string) {
	if c.Type != domain.Normal {
		return nil
	}
	for _, need := range []struct{ field, text string }{
		{"plan", c.Plan}, {"backoutPlan", c.BackoutPlan}, {"justification", c.Justification},
	} {
		if need.text == "" {
			missing = append(missing, need.field)
		}
	}
	return missing
}

func equal(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}

// planned returns what an update says about one end of the window. If it says nothing, planned returns what was.
func planned(in graphql.Omittable[*time.Time], was *time.Time) *time.Time {
	if said, ok := in.ValueOK(); ok {
		return moment(said)
	}
	return was
}
