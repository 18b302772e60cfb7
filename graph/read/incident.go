package read

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/ent/priorityrule"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	practice "github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/rule/priority"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Incident is an interruption of a service as clients see it.
type Incident struct {
	*ent.Incident
	in *batch[*Incident]
}

// IsNode marks records with a global id.
func (*Incident) IsNode() {}

func (i *Incident) id() ident.ID { return i.ID }

func (r *Reader) wrapIncidents(rows []*ent.Incident) []*Incident {
	b := newBatch(r, make([]*Incident, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Incident{row, b}
	}
	return b.Rows
}

// ShowIncident shows an incident that a verb returned.
func (r *Reader) ShowIncident(row *ent.Incident) *Incident {
	return r.wrapIncidents([]*ent.Incident{row})[0]
}

// ShowIncidents shows incidents that a verb returned.
func (r *Reader) ShowIncidents(rows []*ent.Incident) []*Incident { return r.wrapIncidents(rows) }

func loadIncidents(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Incident, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := r.store.Show.Incident.Query().Where(having(incident.FieldID, ids)).All(ctx)
	return index(r.wrapIncidents(rows), func(i *Incident) ident.ID { return i.ID }), store.Translate(err)
}

// IncidentFilter chooses incidents.
type IncidentFilter struct {
	IsOpen         *bool
	Number         *CodeFilter
	State          *where.Choice[domain.IncidentState]
	Priority       *where.Int
	Title          *where.Text
	Problem        *where.Text
	Urgency        *where.Int
	Category       *where.Text
	Channel        *where.Choice[domain.Channel]
	AssignmentTeam *IDFilter
	Assignee       *IDFilter
	AssignedToMe   *bool
	Caller         *IDFilter
	Parent         *IDFilter
	CausedByChange *IDFilter
	Ci             *IDFilter

	AffectedService *IDFilter

	IsMajor    *bool
	CreatedAt  *where.Time
	ResolvedAt *where.Time
	UpdatedAt  *where.Time
	IsBreached *bool
	And        []*IncidentFilter
	Or         []*IncidentFilter
	Not        *IncidentFilter
}

var openIncidentStates = []any{domain.IncidentNew, domain.IncidentInProgress, domain.IncidentOnHold}

func (s *seen) incidents(c *where.Conditions, f *IncidentFilter) {
	if f == nil {
		return
	}
	open(c, incident.FieldState, f.IsOpen, openIncidentStates)
	numbered(c, practice.ParseNumber, f.Number)
	where.Among(c, incident.FieldState, f.State)
	c.Int(incident.FieldPriority, f.Priority)
	c.Int(incident.FieldUrgency, f.Urgency)
	c.Text(incident.FieldCategory, f.Category)
	where.Among(c, incident.FieldChannel, f.Channel)
	where.Among(c, incident.FieldCallerID, f.Caller)
	where.Among(c, incident.FieldParentID, f.Parent)
	where.Among(c, incident.FieldCausedByChangeID, f.CausedByChange)
	c.Text(incident.FieldTitle, f.Title)
	c.Text(incident.FieldProblem, f.Problem)
	where.Among(c, incident.FieldAssignmentTeamID, f.AssignmentTeam)
	where.Among(c, incident.FieldAssigneeID, f.Assignee)
	s.assigned(c, incident.FieldAssigneeID, f.AssignedToMe)
	s.linkedCI(c, "incident_ci", "incident_id", f.Ci)
	s.affecting(c, f.AffectedService)
	major(c, f.IsMajor)
	c.Time(incident.FieldCreatedAt, f.CreatedAt)
	c.Time(incident.FieldResolvedAt, f.ResolvedAt)
	c.Time(incident.FieldUpdatedAt, f.UpdatedAt)
	breached(c, f.IsBreached)
	where.Combine(c, f.And, f.Or, f.Not, s.incidents)
}

// IncidentOrderField is what incidents can be ordered by.
type IncidentOrderField string

// IncidentOrder is one step of the order of incidents.
type IncidentOrder struct {
	Field     IncidentOrderField
	Direction OrderDirection
}

var (
	incidentTerms = map[IncidentOrderField]page.Term[*ent.Incident]{
		"CREATED_AT": page.By(incident.FieldCreatedAt, func(e *ent.Incident) time.Time { return e.CreatedAt }),
		"UPDATED_AT": page.By(incident.FieldUpdatedAt, func(e *ent.Incident) time.Time { return e.UpdatedAt }),
		"PRIORITY":   page.By(incident.FieldPriority, func(e *ent.Incident) int { return e.Priority }),
	}
	byIncidentID = page.By(incident.FieldID, func(e *ent.Incident) ident.ID { return e.ID })
)

func (r *Reader) incidentList(ctx context.Context, name string, filter *IncidentFilter, by []*IncidentOrder) (page.List[*ent.Incident, *Incident], error) {
	s, err := r.seen(ctx)
	if err != nil {
		return page.List[*ent.Incident, *Incident]{}, err
	}
	c := &where.Conditions{}
	s.incidents(c, filter)
	if len(by) == 0 {
		by = []*IncidentOrder{{"CREATED_AT", "DESC"}}
	}
	o := steps(c, by, incidentTerms, byIncidentID, func(o *IncidentOrder) (IncidentOrderField, OrderDirection) { return o.Field, o.Direction })
	return page.List[*ent.Incident, *Incident]{
		Name: name, Filter: filter, Order: o, Wrap: r.wrapIncidents,
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.Incident, error) {
			q := r.store.Show.Incident.Query()
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}, c.Err()
}

// Incidents lists incidents.
func (r *Reader) Incidents(ctx context.Context, filter *IncidentFilter, by []*IncidentOrder, p page.Args) (*page.Connection[*Incident], error) {
	l, err := r.incidentList(ctx, "incidents", filter, by)
	if err != nil {
		return nil, err
	}
	return l.Page(ctx, p)
}

// Incident returns the incident with an id. If there is none, it returns nil.
func (r *Reader) Incident(ctx context.Context, id ident.ID) (*Incident, error) {
	found, err := loadIncidents(ctx, r, []ident.ID{id})
	return found[id], err
}

// IncidentByNumber returns the incident with a number. If there is none, it returns nil.
func (r *Reader) IncidentByNumber(ctx context.Context, number string) (*Incident, error) {
	id, ok := practice.ParseNumber(number)
	if !ok {
		return nil, nil
	}
	return r.Incident(ctx, id)
}

// PriorityRule is one cell of the priority table.
type PriorityRule struct{ ImpactLevel, Urgency, Priority int }

// ShowPriorityRule shows a cell that a verb returned.
func (*Reader) ShowPriorityRule(row *ent.PriorityRule) *PriorityRule {
	return &PriorityRule{row.Impact, row.Urgency, row.Priority}
}

// PriorityRules returns the priority table.
func (r *Reader) PriorityRules(ctx context.Context) ([]*PriorityRule, error) {
	rows, err := r.store.Show.PriorityRule.Query().Order(ent.Asc(priorityrule.FieldImpact, priorityrule.FieldUrgency)).All(ctx)
	all := make([]*PriorityRule, len(rows))
	for i, row := range rows {
		all[i] = r.ShowPriorityRule(row)
	}
	return all, store.Translate(err)
}

// Number returns the number people say.
func (i *Incident) Number() string { return practice.Number(i.ID) }

// IsOpen reports whether somebody still has to restore service.
func (i *Incident) IsOpen() bool { return i.State.IsOpen() }

// ImpactLevel returns how many suffer.
func (i *Incident) ImpactLevel() int { return i.Incident.Impact }

// IsImpactLevelOverridden reports whether a person set the impact level.
func (i *Incident) IsImpactLevelOverridden() bool { return i.IsImpactOverridden }

// Caller returns the person that reported the incident.
func (i *Incident) Caller(ctx context.Context) (*Person, error) {
	return one(ctx, i.in, i, "caller", func(i *Incident) *ident.ID { return i.CallerID }, loadPeople)
}

// Assignee works on the incident.
func (i *Incident) Assignee(ctx context.Context) (*Person, error) {
	return one(ctx, i.in, i, "assignee", func(i *Incident) *ident.ID { return i.AssigneeID }, loadPeople)
}

// AssignmentTeam works on the incident.
func (i *Incident) AssignmentTeam(ctx context.Context) (*Team, error) {
	return one(ctx, i.in, i, "assignment team", func(i *Incident) *ident.ID { return i.AssignmentTeamID }, loadTeams)
}

// Parent returns the incident this one is part of.
func (i *Incident) Parent(ctx context.Context) (*Incident, error) {
	return one(ctx, i.in, i, "parent", func(i *Incident) *ident.ID { return i.ParentID }, loadIncidents)
}

// Children returns the incidents that are part of this one.
func (i *Incident) Children(ctx context.Context, filter *IncidentFilter, first *int, after *string, last *int, before *string) (*page.Connection[*Incident], error) {
	return nestedPage(ctx, i.in, i, (*Incident).id, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*ent.Incident, *Incident], error) {
		l, err := i.in.reader.incidentList(ctx, "children", filter, nil)
		l.Belongs = []page.Link{{Parent: incident.FieldParentID}}
		return l, err
	})
}

// CausedByChange returns the change that caused the incident.
func (i *Incident) CausedByChange(ctx context.Context) (*Change, error) {
	return one(ctx, i.in, i, "caused by", func(i *Incident) *ident.ID { return i.CausedByChangeID }, loadChanges)
}

// FixedByChange returns the change that fixed the incident.
func (i *Incident) FixedByChange(ctx context.Context) (*Change, error) {
	return one(ctx, i.in, i, "fixed by", func(i *Incident) *ident.ID { return i.FixedByChangeID }, loadChanges)
}

// IncidentCI is a CI that an incident names.
type IncidentCI struct {
	*ent.IncidentCI
	in *batch[*IncidentCI]
}

// Ci returns the CI.
func (l *IncidentCI) Ci(ctx context.Context) (*CI, error) {
	return one(ctx, l.in, l, "ci", func(l *IncidentCI) *ident.ID { return &l.CiID }, loadCIs)
}

// Cis returns the CIs the incident names and the actor may see, with their roles.
func (i *Incident) Cis(ctx context.Context) ([]*IncidentCI, error) {
	links, err := i.links(ctx)
	if err != nil {
		return nil, err
	}
	hidden, err := i.in.reader.hidden(ctx)
	return slices.DeleteFunc(slices.Clone(links), func(l *IncidentCI) bool { return hidden[l.CiID] }), err
}

// RestrictedCICount returns how many more CIs the incident names.
func (i *Incident) RestrictedCICount(ctx context.Context) (int, error) {
	links, err := i.links(ctx)
	if err != nil {
		return 0, err
	}
	hidden, err := i.in.reader.hidden(ctx)
	n := 0
	for _, l := range links {
		if hidden[l.CiID] {
			n++
		}
	}
	return n, err
}

// links returns all CIs the incident names, for the engine.
func (i *Incident) links(ctx context.Context) ([]*IncidentCI, error) {
	return many(ctx, i.in, i, "cis", (*Incident).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*IncidentCI, error) {
		rows, err := r.incidentCIs().Where(having(incidentci.FieldIncidentID, ids)).Order(ent.Asc(incidentci.FieldID)).All(ctx)
		b := newBatch(r, make([]*IncidentCI, len(rows)))
		for n, row := range rows {
			b.Rows[n] = &IncidentCI{row, b}
		}
		return bundle(b.Rows, func(l *IncidentCI) ident.ID { return l.IncidentID }), store.Translate(err)
	})
}

// inIncident returns the CIs that an incident names.
func inIncident(ctx context.Context, i *Incident) ([]ident.ID, error) {
	links, err := i.Cis(ctx)
	return page.Distinct(links, func(l *IncidentCI) *ident.ID { return &l.CiID }), err
}

// Impact returns what breaks because of the incident's ROOT CIs, by the graph as it is now: while it is open that in
// whose state it takes part, afterwards what they would break in an estate in which nothing else has failed.
func (i *Incident) Impact(ctx context.Context, filter *ImpactFilter) (*Impact, error) {
	links, err := i.links(ctx)
	if err != nil {
		return nil, err
	}
	found, err := asked(ctx, i.in, i, (*Incident).id, inIncident, "impact of an incident", filter, nil, func(i *Incident, graph *topology.Snapshot) (*impact.Answer, error) {
		if answer, ok := impact.OfRecord(graph, i.ID); ok {
			return answer, nil
		}
		links, err := i.links(ctx)
		if err != nil {
			return nil, err
		}
		named := make([]practice.CI, len(links))
		for n, l := range links {
			named[n] = practice.CI{ID: l.CiID, Role: l.Role}
		}
		return answerTo(ctx, graph, practice.Question(graph, named))
	})
	if err == nil && found.reported == nil {
		found.reported = map[ident.ID]bool{}
		for _, l := range links {
			if l.Role == domain.AffectedRole {
				found.reported[l.CiID] = true
			}
		}
	}
	return found, err
}

// AffectedServices returns the services affected by the incident's ROOT CIs, and those that it names as AFFECTED,
// worst first. A ROOT that is a service counts as one.
func (i *Incident) AffectedServices(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*AffectedCI], error) {
	all, err := once(i.in, "affected services", func() (map[*Incident]*Impact, error) {
		all := map[*Incident]*Impact{}
		for _, row := range i.in.Rows {
			found, err := row.Impact(ctx, nil)
			if err != nil {
				return nil, err
			}
			all[row] = found
		}
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	return all[i].page(ctx, "affected services", page.Args{First: first, After: after, Last: last, Before: before}, func(i *Impact) ([]impact.Hit, error) {
		return i.withReported(i.answer().Affected(impact.Filter{Keep: aService})), nil
	})
}

// withReported adds the services in service that are named as AFFECTED and not told, each in its true state, behind
// those that are as bad.
func (i *Impact) withReported(told []impact.Hit) []impact.Hit {
	s := i.answer().Snapshot()
	estate := impact.Estate(s)
	for _, ci := range slices.Sorted(maps.Keys(i.reported)) {
		v, ok := s.Index(ci)
		if !ok || !s.IsService(v) || !s.InService(v) || slices.ContainsFunc(told, func(h impact.Hit) bool { return h.CI == ci }) {
			continue
		}
		told = append(told, impact.Hit{Vertex: v, CI: ci, State: estate.TrueState(ci), InMaintenance: estate.InMaintenance(ci)})
	}
	slices.SortStableFunc(told, func(a, b impact.Hit) int { return cmp.Compare(b.State, a.State) })
	return told
}

// suggestion returns the impact level that the engine suggests, and why, worked out for the whole batch at once.
func (i *Incident) suggestion(ctx context.Context) (priority.Suggestion, error) {
	all, err := once(i.in, "suggestions", func() (map[ident.ID]priority.Suggestion, error) {
		ids := page.Distinct(i.in.Rows, func(i *Incident) *ident.ID { return &i.ID })
		return i.in.reader.incidents.Suggested(ctx, i.in.reader.snapshot(), ids...)
	})
	return all[i.ID], err
}

// SuggestedImpactLevel returns the impact level that the services found affected suggest.
func (i *Incident) SuggestedImpactLevel(ctx context.Context) (int, error) {
	s, err := i.suggestion(ctx)
	return s.Level, err
}

// SuggestedImpactReason returns why that level is suggested.
func (i *Incident) SuggestedImpactReason(ctx context.Context) (string, error) {
	s, err := i.suggestion(ctx)
	return s.Reason, err
}

// AvailableTransitions returns what can be done with the incident next.
func (i *Incident) AvailableTransitions(ctx context.Context) ([]*lifecycle.IncidentTransition, error) {
	how, err := standing(ctx, i.in, i, "incident.resolve", (*Incident).id, ownIncidents(i.in.Rows)) // which asks for all that any asks
	return pointers(practice.Available(ctx, i.Incident, how)), err
}

// ViewerCanUpdate reports whether the caller may edit the incident.
func (i *Incident) ViewerCanUpdate(ctx context.Context) (bool, error) {
	return viewerCan(ctx, i.in, i, "incident.update", (*Incident).id, ownIncidents(i.in.Rows))
}

func pointers[T any](all []T) []*T {
	list := make([]*T, len(all))
	for i := range all {
		list[i] = &all[i]
	}
	return list
}

// Timeline returns what was said and done about the incident, the oldest first.
func (i *Incident) Timeline(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*TimelineEntry], error) {
	return timeline(ctx, i.in, i, (*Incident).id, page.Args{First: first, After: after, Last: last, Before: before})
}

// ExternalIdentities returns the incident's keys in other systems.
func (i *Incident) ExternalIdentities(ctx context.Context) ([]*ent.ExternalIdentity, error) {
	return many(ctx, i.in, i, "external identities", (*Incident).id, loadExternalIdentities)
}

// History returns who wrote what to the incident and when.
func (i *Incident) History(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*Entry], error) {
	return history(ctx, i.in, i, (*Incident).id, page.Args{First: first, After: after, Last: last, Before: before})
}
