package read

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	practice "github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Change is a planned alteration as clients see it.
type Change struct {
	*ent.Change
	in *batch[*Change]
}

// IsNode marks records with a global id.
func (*Change) IsNode() {}

func (c *Change) id() ident.ID { return c.ID }

func (r *Reader) wrapChanges(rows []*ent.Change) []*Change {
	b := newBatch(r, make([]*Change, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Change{row, b}
	}
	return b.Rows
}

// ShowChange shows a change that a verb returned.
func (r *Reader) ShowChange(row *ent.Change) *Change { return r.wrapChanges([]*ent.Change{row})[0] }

func loadChanges(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Change, error) {
	rows, err := r.store.Show.Change.Query().Where(having(change.FieldID, ids)).All(ctx)
	return index(r.wrapChanges(rows), func(c *Change) ident.ID { return c.ID }), store.Translate(err)
}

// ChangeFilter chooses changes.
type ChangeFilter struct {
	IsOpen         *bool
	Number         *CodeFilter
	State          *where.Choice[domain.ChangeState]
	Type           *where.Choice[domain.ChangeType]
	Title          *where.Text
	Outcome        *where.Choice[domain.ChangeOutcome]
	RequestedBy    *where.Text
	Requester      *IDFilter
	Template       *IDFilter
	AssignmentTeam *IDFilter
	Assignee       *IDFilter
	AssignedToMe   *bool
	AwaitingMyVote *bool
	Ci             *IDFilter
	Service        *IDFilter
	PlannedStart   *where.Time
	PlannedEnd     *where.Time
	CreatedAt      *where.Time
	UpdatedAt      *where.Time
	RiskLevel      *where.Choice[domain.RiskLevel]
	HasConflicts   *bool
	And            []*ChangeFilter
	Or             []*ChangeFilter
	Not            *ChangeFilter
}

var openChangeStates = []any{
	domain.ChangeNew, domain.ChangeAssess, domain.ChangeAuthorize, domain.ChangeScheduled, domain.ChangeImplement, domain.ChangeReview,
}

func (s *seen) changes(c *where.Conditions, f *ChangeFilter) {
	if f == nil {
		return
	}
	open(c, change.FieldState, f.IsOpen, openChangeStates)
	where.Among(c, change.FieldState, f.State)
	where.Among(c, change.FieldType, f.Type)
	numbered(c, practice.ParseNumber, f.Number)
	c.Text(change.FieldTitle, f.Title)
	where.Among(c, change.FieldOutcome, f.Outcome)
	c.Text(change.FieldRequestedBy, f.RequestedBy)
	where.Among(c, change.FieldRequesterID, f.Requester)
	where.Among(c, change.FieldTemplateID, f.Template)
	where.Among(c, change.FieldAssignmentTeamID, f.AssignmentTeam)
	where.Among(c, change.FieldAssigneeID, f.Assignee)
	s.assigned(c, change.FieldAssigneeID, f.AssignedToMe)
	among(c, change.FieldID, f.AwaitingMyVote, s.awaiting)
	s.linkedCI(c, "change_ci", "change_id", f.Ci)
	s.aroundService(c, f.Service)
	c.Time(change.FieldPlannedStart, f.PlannedStart)
	c.Time(change.FieldPlannedEnd, f.PlannedEnd)
	c.Time(change.FieldCreatedAt, f.CreatedAt)
	c.Time(change.FieldUpdatedAt, f.UpdatedAt)
	s.weighed(c, f.RiskLevel, f.HasConflicts)
	where.Combine(c, f.And, f.Or, f.Not, s.changes)
}

// ChangeOrderField is what changes can be ordered by.
type ChangeOrderField string

// ChangeOrder is one step of the order of changes.
type ChangeOrder struct {
	Field     ChangeOrderField
	Direction OrderDirection
}

var (
	changeTerms = map[ChangeOrderField]page.Term[*ent.Change]{
		"CREATED_AT": page.By(change.FieldCreatedAt, func(e *ent.Change) time.Time { return e.CreatedAt }),
		"UPDATED_AT": page.By(change.FieldUpdatedAt, func(e *ent.Change) time.Time { return e.UpdatedAt }),
		"PLANNED_START": page.By(change.FieldPlannedStart, func(e *ent.Change) time.Time {
			if e.PlannedStart == nil {
				return unplanned
			}
			return *e.PlannedStart
		}).Over(" or never", func(b *sql.Builder, column func(string) string) {
			b.WriteString("COALESCE(").Ident(column(change.FieldPlannedStart)).WriteString(", '9999-12-31 23:59:59.999999+00:00')")
		}),
	}
	unplanned  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC) // the start of a change that has none
	byChangeID = page.By(change.FieldID, func(e *ent.Change) ident.ID { return e.ID })
)

func (r *Reader) changeList(ctx context.Context, name string, filter *ChangeFilter, by []*ChangeOrder) (page.List[*ent.Change, *Change], error) {
	s, err := r.seen(ctx)
	if err != nil {
		return page.List[*ent.Change, *Change]{}, err
	}
	c := &where.Conditions{}
	s.changes(c, filter)
	if len(by) == 0 {
		by = []*ChangeOrder{{"CREATED_AT", "DESC"}}
	}
	o := steps(c, by, changeTerms, byChangeID, func(o *ChangeOrder) (ChangeOrderField, OrderDirection) { return o.Field, o.Direction })
	return page.List[*ent.Change, *Change]{
		Name: name, Filter: filter, Order: o, Wrap: r.wrapChanges,
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Change, error) {
			q := r.store.Show.Change.Query()
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}, c.Err()
}

// Changes lists changes.
func (r *Reader) Changes(ctx context.Context, filter *ChangeFilter, by []*ChangeOrder, p page.Args) (*page.Connection[*Change], error) {
	l, err := r.changeList(ctx, "changes", filter, by)
	if err != nil {
		return nil, err
	}
	return l.Page(ctx, p)
}

// Change returns the change with an id. If there is none, it returns nil.
func (r *Reader) Change(ctx context.Context, id ident.ID) (*Change, error) {
	found, err := loadChanges(ctx, r, []ident.ID{id})
	return found[id], err
}

// ChangeByNumber returns the change with a number. If there is none, it returns nil.
func (r *Reader) ChangeByNumber(ctx context.Context, number string) (*Change, error) {
	id, ok := practice.ParseNumber(number)
	if !ok {
		return nil, nil
	}
	return r.Change(ctx, id)
}

// Number returns the number people say.
func (c *Change) Number() string { return practice.Number(c.ID) }

// Requester returns the person that asked for the change.
func (c *Change) Requester(ctx context.Context) (*Person, error) {
	return one(ctx, c.in, c, "requester", func(c *Change) *ident.ID { return c.RequesterID }, loadPeople)
}

// Assignee carries the change out.
func (c *Change) Assignee(ctx context.Context) (*Person, error) {
	return one(ctx, c.in, c, "assignee", func(c *Change) *ident.ID { return c.AssigneeID }, loadPeople)
}

// AssignmentTeam carries the change out.
func (c *Change) AssignmentTeam(ctx context.Context) (*Team, error) {
	return one(ctx, c.in, c, "assignment team", func(c *Change) *ident.ID { return c.AssignmentTeamID }, loadTeams)
}

// ChangeCI is a CI in a change's scope.
type ChangeCI struct {
	*ent.ChangeCI
	in *batch[*ChangeCI]
}

// Ci returns the CI.
func (l *ChangeCI) Ci(ctx context.Context) (*CI, error) {
	return one(ctx, l.in, l, "ci", func(l *ChangeCI) *ident.ID { return &l.CiID }, loadCIs)
}

// Scope returns the CIs the change alters and the actor may see.
func (c *Change) Scope(ctx context.Context) ([]*ChangeCI, error) {
	links, err := c.links(ctx)
	if err != nil {
		return nil, err
	}
	hidden, err := c.in.reader.hidden(ctx)
	return slices.DeleteFunc(slices.Clone(links), func(l *ChangeCI) bool { return hidden[l.CiID] }), err
}

// RestrictedCICount returns how many more CIs the change alters.
func (c *Change) RestrictedCICount(ctx context.Context) (int, error) {
	links, err := c.links(ctx)
	if err != nil {
		return 0, err
	}
	hidden, err := c.in.reader.hidden(ctx)
	n := 0
	for _, l := range links {
		if hidden[l.CiID] {
			n++
		}
	}
	return n, err
}

// links returns all CIs the change alters, for the engine.
func (c *Change) links(ctx context.Context) ([]*ChangeCI, error) {
	return many(ctx, c.in, c, "scope", (*Change).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*ChangeCI, error) {
		rows, err := r.changeCIs().Where(having(changeci.FieldChangeID, ids)).Order(ent.Asc(changeci.FieldID)).All(ctx)
		b := newBatch(r, make([]*ChangeCI, len(rows)))
		for n, row := range rows {
			b.Rows[n] = &ChangeCI{row, b}
		}
		return bundle(b.Rows, func(l *ChangeCI) ident.ID { return l.ChangeID }), store.Translate(err)
	})
}

// inScope returns the CIs that a change names.
func inScope(ctx context.Context, c *Change) ([]ident.ID, error) {
	links, err := c.links(ctx)
	return page.Distinct(links, func(l *ChangeCI) *ident.ID { return &l.CiID }), err
}

// Impact returns what breaks while the change's TAKEN_DOWN CIs are down, by the graph as it is now.
func (c *Change) Impact(ctx context.Context, filter *ImpactFilter, facts Facts) (*Impact, error) {
	return asked(ctx, c.in, c, (*Change).id, inScope, fmt.Sprint("impact of a change ", facts.hold()), filter, nil, func(c *Change, graph *topology.Snapshot) (*impact.Answer, error) {
		if answer, ok := impact.OfRecord(graph, c.ID); ok && facts.hold() {
			return answer, nil
		}
		links, err := c.links(ctx)
		if err != nil {
			return nil, err
		}
		q := outage(links, graph)
		q.OnFacts = facts.hold()
		return answerTo(ctx, graph, q)
	})
}

// outage returns the question that supposes the TAKEN_DOWN CIs of a scope down, those that a graph has.
func outage(scope []*ChangeCI, graph *topology.Snapshot) (q impact.Question) {
	for _, l := range scope {
		if v, ok := graph.Index(l.CiID); ok && graph.InService(v) && l.Role == domain.TakenDownRole {
			q.Failed = append(q.Failed, impact.Failure{CI: l.CiID, State: impact.Down})
		}
	}
	return q
}

// Approvals returns the votes on the change, the oldest first.
func (c *Change) Approvals(ctx context.Context) ([]*Approval, error) {
	return many(ctx, c.in, c, "approvals", (*Change).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*Approval, error) {
		rows, err := r.store.Show.Approval.Query().Where(having(approval.FieldRecordID, ids)).Order(ent.Asc(approval.FieldID)).All(ctx)
		return bundle(r.wrapApprovals(rows), func(a *Approval) ident.ID { return a.RecordID }), store.Translate(err)
	})
}

// AvailableTransitions returns what can be done with the change next.
func (c *Change) AvailableTransitions(ctx context.Context) ([]*lifecycle.ChangeTransition, error) {
	how, err := standing(ctx, c.in, c, "change.update", (*Change).id, ownChanges(c.in.Rows))
	return pointers(practice.Available(ctx, c.Change, how)), err
}

// ViewerCanUpdate reports whether the caller may edit the change.
func (c *Change) ViewerCanUpdate(ctx context.Context) (bool, error) {
	return viewerCan(ctx, c.in, c, "change.update", (*Change).id, ownChanges(c.in.Rows))
}

// CausedIncidents returns the incidents that the change caused.
func (c *Change) CausedIncidents(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*Incident], error) {
	return nestedPage(ctx, c.in, c, (*Change).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.Incident, *Incident], error) {
		l, err := c.in.reader.incidentList(ctx, "caused incidents", nil, nil)
		l.Belongs = []page.Link{{Parent: incident.FieldCausedByChangeID}}
		return l, err
	})
}

// Timeline returns what was said and done about the change, the oldest first.
func (c *Change) Timeline(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*TimelineEntry], error) {
	return timeline(ctx, c.in, c, (*Change).id, page.Args{First: first, After: after, Last: last, Before: before})
}

// History returns who wrote what to the change and when.
func (c *Change) History(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*Entry], error) {
	return history(ctx, c.in, c, (*Change).id, page.Args{First: first, After: after, Last: last, Before: before})
}
