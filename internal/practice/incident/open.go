package incident

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/practice/ticket"
	"github.com/linchpin-cmdb/linchpin/internal/rule/priority"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	defaultUrgency = 2
	clockSkew      = 5 * time.Minute // by which the clocks of monitoring systems may be ahead of ours
)

// Open opens an incident. If its external identity is known, it returns the incident that has it, whatever else the
// input says, and opens that again if the trouble was noticed after it had been resolved.
func (p *Practice) Open(ctx context.Context, in Open) (*ent.Incident, error) {
	write := func() (*ent.Incident, error) {
		return auth.Write(ctx, p.store, "incident.open", func(ctx context.Context, tx *store.Tx) (*ent.Incident, error) {
			return p.open(ctx, tx, in)
		})
	}
	record, err := write()
	if in.ExternalIdentity != nil && errs.CodeOf(err) == errs.AlreadyExists {
		return write() // somebody else opened it at the same time: now it is found
	}
	return record, err
}

func (p *Practice) open(ctx context.Context, tx *store.Tx, in Open) (*ent.Incident, error) {
	var f form.Form
	key := externalKey(&f, in.ExternalIdentity)
	detectedAt := detected(&f, in.DetectedAt, tx.Now)
	var before *ent.Incident // had the key
	if key != nil && f.Err() == nil {
		record, row, err := p.known(ctx, tx, *key)
		if err != nil {
			return nil, err
		}
		if record != nil {
			if err := p.desk.Mine(ctx, tx, record); err != nil {
				return nil, err
			}
			if is, isNew, err := p.recur(ctx, tx, *key, record, row, detectedAt); !isNew || err != nil {
				return is, err
			}
			before = record
		}
	}
	author, err := tx.Author(ctx)
	if err != nil {
		return nil, err
	}
	c := tx.Incident.Create().SetOpenedBy(tx.Actor).SetNillableOpenedByID(author).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now)
	c.SetTitle(f.Text("title", in.Title, 1, ticket.LongestTitle))
	c.SetDescription(f.Text("description", form.Or(in.Description, ""), 0, ticket.LongestText))
	c.SetCategory(f.Text("category", form.Or(in.Category, ""), 0, ticket.LongestWord))
	c.SetProblem(f.Text("problem", form.Or(in.Problem, ""), 0, longestProblem))
	c.SetChannel(form.OneOf(&f, "channel", form.Or(in.Channel, domain.ChannelPortal)))
	c.SetIsMajor(form.Or(in.IsMajor, false))
	c.SetDetectedAt(detectedAt)
	c.SetNillableCallerID(ticket.Reference(ctx, tx, &f, "caller", ident.Person, in.Caller))
	c.SetNillableAssigneeID(ticket.Reference(ctx, tx, &f, "assignee", ident.Person, in.Assignee))
	c.SetNillableAssignmentTeamID(ticket.Reference(ctx, tx, &f, "assignmentTeam", ident.Team, in.AssignmentTeam))
	c.SetNillableParentID(ticket.Reference(ctx, tx, &f, "parent", ident.Incident, in.Parent))
	c.SetNillableCausedByChangeID(ticket.Reference(ctx, tx, &f, "causedByChange", ident.Change, in.CausedByChange))
	urgency := f.Number("urgency", form.Or(in.Urgency, defaultUrgency), priority.Most, priority.LeastLevel)
	level := f.Number("impactLevel", form.Or(in.ImpactLevel, priority.LeastLevel), priority.Most, priority.LeastLevel)
	named := check(ctx, tx, &f, in.CIs, nil)
	if err := f.Err(); err != nil {
		return nil, err
	}
	if err := auth.Within(ctx, tx, of(in, key, named)); err != nil {
		return nil, err
	}

	found, err := p.findFor(ctx, tx, 0, named)
	if err != nil {
		return nil, err
	}
	if in.ImpactLevel == nil {
		level = found.suggestion.Level
	}
	pressing, err := priorityOf(ctx, tx, level, urgency)
	if err != nil {
		return nil, err
	}
	record, err := c.SetImpact(level).SetIsImpactOverridden(in.ImpactLevel != nil).SetUrgency(urgency).SetPriority(pressing).
		SetImpactAtOpening(found.snapshot).Save(ctx)
	if err != nil {
		return nil, err
	}
	if err := link(ctx, tx, record.ID, nil, named); err != nil {
		return nil, err
	}
	if err := tellOpened(ctx, tx, record, named); err != nil {
		return nil, err
	}
	if err := p.warnOfOpen(ctx, tx, record, nil, named, found.answer); err != nil {
		return nil, err
	}
	if key == nil {
		return record, nil
	}
	if before != nil {
		if err := remember(ctx, tx, *key, before, record); err != nil {
			return nil, err
		}
	}
	return record, tx.ExternalIdentity.Create().SetRecordID(record.ID).SetSource(key.Source).SetExternalID(key.ExternalID).SetIsEvent(true).
		SetCreatedAt(tx.Now).Exec(ctx)
}

// of says whose an incident will be.
func of(in Open, key *domain.ExternalKey, named []CI) auth.About {
	a := auth.About{Teams: ticket.Teams(in.AssignmentTeam)}
	for _, c := range named {
		a.CIs = append(a.CIs, c.ID)
	}
	if key != nil {
		a.Source = key.Source
	}
	return a
}

const longestKey = 500

func externalKey(f *form.Form, in *domain.ExternalKey) *domain.ExternalKey {
	if in == nil {
		return nil
	}
	var inner form.Form
	key := domain.ExternalKey{
		Source:     inner.Text("source", in.Source, 1, ticket.LongestWord),
		ExternalID: inner.Text("externalId", in.ExternalID, 1, longestKey),
	}
	f.Fault(inner.Err(), "externalIdentity")
	return &key
}

func detected(f *form.Form, at *time.Time, now time.Time) time.Time {
	if at == nil {
		return now
	}
	if at.After(now.Add(clockSkew)) {
		f.Fault(errs.New(errs.Invalid, "detectedAt lies in the future").At("detectedAt"))
	}
	return at.UTC().Truncate(time.Microsecond)
}
