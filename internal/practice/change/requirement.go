package change

import (
	"context"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	rule "github.com/linchpin-cmdb/linchpin/internal/rule/approval"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Requirements lists what approvals changes need, by policies as they are and by their risk as schedule.Risks weighs it
// on a snapshot at a time. The number of statements does not depend on that of the changes. STANDARD changes need none.
func Requirements(ctx context.Context, c *ent.Client, s *topology.Snapshot, changes []*ent.Change, now time.Time) (map[ident.ID][]approval.Requirement, error) {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c *ent.Change) bool { return c.Type == domain.Standard })
	if len(changes) == 0 {
		return nil, nil
	}
	all, err := subjects(ctx, c, changes)
	if err != nil {
		return nil, err
	}
	return approval.Requirements(ctx, c, all, func(ids []ident.ID) (map[ident.ID]int, error) {
		weighed := slices.DeleteFunc(slices.Clone(changes), func(c *ent.Change) bool { return !slices.Contains(ids, c.ID) })
		risks, err := schedule.Risks(ctx, c, s, weighed, now)
		scores := make(map[ident.ID]int, len(risks))
		for id, r := range risks {
			scores[id] = r.Score
		}
		return scores, err
	})
}

// Ballots returns how changes in AUTHORIZE stand to the actor of ctx as a voter. The number of statements does not
// depend on that of the changes.
func Ballots(ctx context.Context, c *ent.Client, s *topology.Snapshot, changes []*ent.Change, now time.Time) (map[ident.ID]approval.Ballot, error) {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c *ent.Change) bool { return c.State != domain.ChangeAuthorize })
	required, err := Requirements(ctx, c, s, changes, now)
	if err != nil {
		return nil, err
	}
	all, err := subjects(ctx, c, changes)
	if err != nil {
		return nil, err
	}
	return approval.Ballots(ctx, c, all, required)
}

// requirements returns what approvals a change needs, as a transaction sees it.
func (p *Practice) requirements(ctx context.Context, tx *store.Tx, c *ent.Change) ([]approval.Requirement, error) {
	all, err := Requirements(ctx, tx.Client(), p.graph.Snapshot(), []*ent.Change{c}, tx.Now)
	return all[c.ID], err
}

// subject returns a change as it is approved, as a transaction sees it.
func subject(ctx context.Context, tx *store.Tx, c *ent.Change) (approval.Subject, error) {
	all, err := subjects(ctx, tx.Client(), []*ent.Change{c})
	if err != nil {
		return approval.Subject{}, err
	}
	return all[0], nil
}

// subjects returns changes as they are approved: a person that drafted or asked for one has no vote on it.
func subjects(ctx context.Context, c *ent.Client, changes []*ent.Change) ([]approval.Subject, error) {
	all := make([]approval.Subject, len(changes))
	var drafters []ident.ID
	for _, change := range changes {
		if change.RequestedByID != nil {
			drafters = append(drafters, *change.RequestedByID)
		}
	}
	people, err := auth.People(ctx, c, drafters)
	if err != nil {
		return nil, err
	}
	for i, change := range changes {
		involved := map[ident.ID]string{}
		if change.RequesterID != nil {
			involved[*change.RequesterID] = "asked for the change"
		}
		if by := change.RequestedByID; by != nil {
			involved[*by] = "drafted the change"
			if person, ok := people[*by]; ok {
				involved[person] = "drafted the change"
			}
		}
		all[i] = approval.Subject{
			ID: change.ID, Type: domain.ChangeSubject, ChangeType: change.Type, Number: Number(change.ID), Involved: involved,
			Otherwise: rule.Somebody.Approvals,
		}
	}
	return all, nil
}
