package schedule

import (
	"context"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/predicate"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/risk"
)

// past is what became of changes in the year before.
type past struct {
	failed map[ident.ID][]ident.ID // by CI, the changes that went wrong
	teams  map[ident.ID]risk.Record
}

const remembered = 365 * 24 * time.Hour

// wentWrong returns the condition that a change failed or was backed out, or caused an incident.
func wentWrong() predicate.Change {
	return change.Or(change.OutcomeIn(domain.Failed, domain.BackedOut), func(s *sql.Selector) {
		caused := sql.Dialect(s.Dialect()).Table(incident.Table)
		s.Where(some(sql.Dialect(s.Dialect()).Select(caused.C(incident.FieldID)).From(caused).
			Where(sql.ColumnsEQ(caused.C(incident.FieldCausedByChangeID), s.C(change.FieldID)))))
	})
}

// pastOf reads what became of changes of the same CIs and teams, in three statements.
func pastOf(ctx context.Context, c *ent.Client, changes []*ent.Change, now time.Time) (p past, err error) {
	p = past{map[ident.ID][]ident.ID{}, map[ident.ID]risk.Record{}}
	var own, teams []ident.ID
	for _, row := range changes {
		own = append(own, row.ID)
		if row.AssignmentTeamID != nil {
			teams = append(teams, *row.AssignmentTeamID)
		}
	}
	over := change.And(change.StateEQ(domain.ChangeClosed), change.ActualEndGTE(now.Add(-remembered)))
	links, err := c.ChangeCI.Query().Where(func(s *sql.Selector) {
		scope := sql.Dialect(s.Dialect()).Table(changeci.Table)
		s.Where(in(s.C(changeci.FieldCiID), sql.Dialect(s.Dialect()).Select(scope.C(changeci.FieldCiID)).From(scope).
			Where(sql.In(scope.C(changeci.FieldChangeID), anys(own)...))))
		of := sql.Dialect(s.Dialect()).Table(change.Table)
		wrong := sql.Dialect(s.Dialect()).Select(of.C(change.FieldID)).From(of).Where(sql.ColumnsEQ(of.C(change.FieldID), s.C(changeci.FieldChangeID)))
		change.And(over, wentWrong())(wrong)
		s.Where(some(wrong))
	}).Select(changeci.FieldCiID, changeci.FieldChangeID).All(ctx)
	if err != nil {
		return p, err
	}
	for _, l := range links {
		p.failed[l.CiID] = append(p.failed[l.CiID], l.ChangeID)
	}
	if len(teams) == 0 {
		return p, nil
	}
	count := func(which ...predicate.Change) (map[ident.ID]int, error) {
		var rows []struct {
			Team  ident.ID `json:"assignment_team_id"`
			Count int      `json:"count"`
		}
		err := c.Change.Query().Where(append(which, over, change.AssignmentTeamIDIn(teams...))...).
			GroupBy(change.FieldAssignmentTeamID).Aggregate(ent.Count()).Scan(ctx, &rows)
		counts := make(map[ident.ID]int, len(rows))
		for _, row := range rows {
			counts[row.Team] = row.Count
		}
		return counts, err
	}
	closed, err := count()
	if err != nil {
		return p, err
	}
	failed, err := count(wentWrong())
	for team, n := range closed {
		p.teams[team] = risk.Record{Closed: n, Failed: failed[team]}
	}
	return p, err
}

// ofTeam returns what became of the changes of a change's team, without itself.
func (p past) ofTeam(c *ent.Change, now time.Time) risk.Record {
	r := p.teams[*c.AssignmentTeamID]
	if c.State != domain.ChangeClosed || c.ActualEnd == nil || c.ActualEnd.Before(now.Add(-remembered)) {
		return r
	}
	r.Closed--
	for _, wrong := range p.failed {
		if slices.Contains(wrong, c.ID) {
			r.Failed--
			break
		}
	}
	r.Failed = min(r.Failed, r.Closed) // one without scope is in nobody's past
	return r
}

// failures returns the changes of what a change touches that went wrong, without itself.
func (p past) failures(c *conflict.Change) (all []risk.Failure) {
	for _, ci := range c.Scope {
		for _, failed := range p.failed[ci.ID] {
			if failed != c.ID {
				all = append(all, risk.Failure{Change: failed, CI: ci.ID})
			}
		}
	}
	return slices.Clip(all)
}
