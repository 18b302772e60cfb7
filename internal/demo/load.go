package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ErrOccupied says that a database has no place for the demo.
var ErrOccupied = errors.New("the database holds another estate")

// Load puts the demo estate and its incidents and changes into a database, by the importer and the verbs of the
// practices. If they have been there before, it returns false, and what a person changed since then stays. A load that
// was cut off goes on where it ended, unless that was after the last incident: then the comments on it stay away. It
// returns ErrOccupied if the database holds something and nothing of the demo.
func Load(ctx context.Context, s *store.Store, changes *change.Practice, incidents *incident.Practice,
	progress func(importer.Progress),
) (loaded bool, err error) {
	records, err := Records()
	if err != nil {
		return false, err
	}
	d := &loader{store: s, changes: changes, incidents: incidents, now: time.Now().UTC().Truncate(time.Minute)}
	if done, err := d.isLoaded(ctx, records); done || err != nil {
		return false, err
	}
	if err := d.mayLoad(ctx); err != nil {
		return false, err
	}
	plan, err := importer.NewPlan(ctx, s, Estate(), importer.Options{Progress: progress})
	if err != nil {
		return false, err
	}
	for _, p := range plan.Notices {
		return false, &p // the demo is ours: any problem is a fault of the program
	}
	result, err := plan.Apply(ctx, s, progress)
	if err != nil {
		return false, err
	}
	for _, p := range result.Conflicts {
		return false, &p // another server loads it at the same moment
	}
	if d.ids, err = d.identities(ctx); err != nil {
		return false, err
	}
	d.made = map[string]ident.ID{}
	for _, key := range slices.Sorted(maps.Keys(records.Templates)) {
		d.scheduleTemplate(key, records.Templates[key])
	}
	for _, key := range slices.Sorted(maps.Keys(records.Changes)) {
		d.scheduleChange(key, records.Changes[key])
	}
	for _, key := range slices.Sorted(maps.Keys(records.Incidents)) {
		d.scheduleIncident(key, records.Incidents[key])
	}
	slices.SortStableFunc(d.events, func(a, b event) int { return a.at.Compare(b.at) })
	done, err := d.told(ctx)
	if err != nil {
		return false, err
	}
	for _, e := range d.events[done:] {
		actor := auth.Dev(e.actor, auth.Admin)
		if err := e.do(store.At(auth.With(ctx, actor), e.at)); err != nil {
			return false, fmt.Errorf("%s of %s at %s: %w", e.verb, e.key, e.at.Format(time.DateTime), err)
		}
	}
	return true, nil
}

// event is one act of a person in the week before the demo starts.
type event struct {
	at    time.Time
	actor string
	verb  string // as the journal names it
	key   string // of the record
	do    func(context.Context) error
}

type loader struct {
	store     *store.Store
	changes   *change.Practice
	incidents *incident.Practice

	now    time.Time
	ids    map[string]ident.ID // by external id
	made   map[string]ident.ID // templates, changes and incidents, by key
	events []event
}

func (d *loader) on(at Offset, actor, verb, key string, do func(context.Context) error) {
	d.events = append(d.events, event{at.From(d.now), actor, verb, key, do})
}

// told returns how many events, from the first on, are in the journal already, and notes the records they created.
func (d *loader) told(ctx context.Context) (done int, err error) {
	var actors []string
	for _, e := range d.events {
		actors = append(actors, e.actor)
	}
	entries, err := d.store.Read.Entry.Query().Where(entry.ActorIn(actors...)).Order(entry.ByRevision(), entry.ByID()).All(ctx)
	if err != nil {
		return 0, store.Translate(err)
	}
	revision := int64(0)
	for _, told := range entries {
		if told.Revision != revision && done < len(d.events) && told.Actor == d.events[done].actor && told.Verb == d.events[done].verb {
			revision = told.Revision
			done++
		}
		made := slices.Contains([]ident.Kind{ident.ChangeTemplate, ident.Change, ident.Incident}, told.RecordID.Kind())
		if told.Revision == revision && made && told.Operation == domain.Created {
			d.made[d.events[done-1].key] = told.RecordID
		}
	}
	return done, nil
}

// isLoaded reports whether all incidents of the demo are there: they come last.
func (d *loader) isLoaded(ctx context.Context, records RecordSet) (bool, error) {
	keys := slices.Collect(maps.Keys(records.Incidents))
	n, err := d.store.Read.ExternalIdentity.Query().
		Where(externalidentity.Source(SourceName), externalidentity.ExternalIDIn(keys...)).Count(ctx)
	return n == len(keys), store.Translate(err)
}

// mayLoad returns an error if the database holds an estate that is not the demo's. The first batch of the demo is its
// teams.
func (d *loader) mayLoad(ctx context.Context) error {
	var teams []string
	for row, err := range Estate().Rows(ctx) {
		if err != nil {
			return err
		}
		if row.Team != nil {
			teams = append(teams, row.Team.ExternalID)
		}
	}
	begun, err := d.store.Read.ExternalIdentity.Query().
		Where(externalidentity.Source(SourceName), externalidentity.ExternalIDIn(teams...)).Exist(ctx)
	if err != nil || begun {
		return store.Translate(err)
	}
	c := d.store.Read
	for _, held := range []struct {
		records string
		exist   func(context.Context) (bool, error)
	}{
		{"CIs", c.CI.Query().Exist},
		{"teams", c.Team.Query().Exist},
		{"people", c.Person.Query().Exist},
		{"incidents", c.Incident.Query().Exist},
		{"changes", c.Change.Query().Exist},
		{"change templates", c.ChangeTemplate.Query().Exist},
	} {
		if exist, err := held.exist(ctx); err != nil {
			return store.Translate(err)
		} else if exist {
			return fmt.Errorf("%w: it has %s that are not the demo's", ErrOccupied, held.records)
		}
	}
	return nil
}

func (d *loader) identities(ctx context.Context) (map[string]ident.ID, error) {
	rows, err := d.store.Read.ExternalIdentity.Query().Where(externalidentity.Source(SourceName)).All(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	ids := make(map[string]ident.ID, len(rows))
	for _, row := range rows {
		ids[row.ExternalID] = row.RecordID
	}
	return ids, nil
}

// ref returns the id behind an external id. If that is empty, it returns nil.
func (d *loader) ref(externalID string) *ident.ID {
	if externalID == "" {
		return nil
	}
	id := d.ids[externalID]
	return &id
}

func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (d *loader) scheduleTemplate(key string, t Template) {
	create := change.CreateTemplate{
		Name: t.Name, Description: filled(t.Description), Justification: filled(t.Justification), Plan: t.Plan, BackoutPlan: filled(t.BackoutPlan),
		TestPlan: filled(t.TestPlan), Classes: t.Classes, MayTakeDown: &t.MayTakeDown, LongestWindow: &t.LongestWindow,
	}
	d.on(t.CreatedAt, t.CreatedBy, "change_template.create", key, func(ctx context.Context) error {
		made, err := d.changes.CreateTemplate(ctx, create)
		if err == nil {
			d.made[key] = made.ID
		}
		return err
	})
}

func (d *loader) scheduleChange(key string, c Change) {
	draft := change.Draft{
		Type: c.Type, Title: c.Title, Description: filled(c.Description), Justification: filled(c.Justification),
		Plan: filled(c.Plan), BackoutPlan: filled(c.BackoutPlan), TestPlan: filled(c.TestPlan),
		Requester: d.ref(c.RequestedBy), Assignee: d.ref(c.Assignee), AssignmentTeam: d.ref(c.Team),
	}
	start, end := c.PlannedStart.From(d.now), c.PlannedEnd.From(d.now)
	draft.PlannedStart, draft.PlannedEnd = &start, &end
	for _, ci := range c.CIs {
		draft.Scope = append(draft.Scope, change.CI{ID: d.ids[ci.ID], Role: ci.Role})
	}
	later := func(at Offset, after time.Duration) Offset { return at + Offset(after) }
	d.on(c.CreatedAt, c.RequestedBy, "change.draft", key, func(ctx context.Context) error {
		if template, ok := d.made[c.Template]; ok {
			draft.Template = &template
		}
		drafted, err := d.changes.Draft(ctx, draft)
		if err != nil {
			return err
		}
		d.made[key] = drafted.ID
		return nil
	})
	move := func(at Offset, actor, verb string, do func(context.Context, ident.ID) error) {
		d.on(at, actor, verb, key, func(ctx context.Context) error { return do(ctx, d.made[key]) })
	}
	if c.Type == domain.Standard {
		move(later(c.CreatedAt, time.Hour), c.Assignee, "change.schedule", func(ctx context.Context, id ident.ID) error {
			_, err := d.changes.Schedule(ctx, change.Schedule{ID: id})
			return err
		})
	}
	if c.Type == domain.Normal {
		move(later(c.CreatedAt, time.Hour/2), c.RequestedBy, "change.assess", func(ctx context.Context, id ident.ID) error {
			_, err := d.changes.Assess(ctx, change.Assess{ID: id})
			return err
		})
	}
	for _, said := range c.Timeline {
		move(said.At, said.By, "change.comment", func(ctx context.Context, id ident.ID) error {
			_, err := d.changes.Comment(ctx, change.Comment{ID: id, Kind: said.Kind, Body: said.Text})
			return err
		})
	}
	if c.State == domain.ChangeClosed {
		d.carryOut(c, later, move)
	}
}

// carryOut takes a change from its assessment to its end.
func (d *loader) carryOut(c Change, later func(Offset, time.Duration) Offset,
	move func(Offset, string, string, func(context.Context, ident.ID) error),
) {
	move(later(c.CreatedAt, 20*time.Hour), c.RequestedBy, "change.request_approval", func(ctx context.Context, id ident.ID) error {
		_, err := d.changes.RequestApproval(ctx, change.RequestApproval{ID: id, Approvers: c.ApprovedBy})
		return err
	})
	for i, approver := range c.ApprovedBy {
		move(later(c.CreatedAt, time.Duration(40+10*i)*time.Hour), approver, "change.approve", func(ctx context.Context, id ident.ID) error {
			_, err := d.changes.Approve(ctx, change.Approve{ID: id})
			return err
		})
	}
	move(later(c.CreatedAt, 100*time.Hour), c.RequestedBy, "change.schedule", func(ctx context.Context, id ident.ID) error {
		_, err := d.changes.Schedule(ctx, change.Schedule{ID: id})
		return err
	})
	move(*c.ActualStart, c.Assignee, "change.start", func(ctx context.Context, id ident.ID) error {
		_, err := d.changes.Start(ctx, change.Start{ID: id})
		return err
	})
	move(*c.ActualEnd, c.Assignee, "change.review", func(ctx context.Context, id ident.ID) error {
		_, err := d.changes.Review(ctx, change.Review{ID: id})
		return err
	})
	move(*c.ClosedAt, c.RequestedBy, "change.close", func(ctx context.Context, id ident.ID) error {
		_, err := d.changes.Close(ctx, change.Close{ID: id, Outcome: c.Outcome, Notes: c.OutcomeNotes})
		return err
	})
}

func (d *loader) scheduleIncident(key string, i Incident) {
	open := incident.Open{
		Title: i.Title, Description: filled(i.Description), Urgency: &i.Urgency, Category: filled(i.Category), Channel: &i.Channel,
		IsMajor: &i.IsMajor, Caller: d.ref(i.Caller), Assignee: d.ref(i.Assignee), AssignmentTeam: d.ref(i.Team),
		ExternalIdentity: &domain.ExternalKey{Source: SourceName, ExternalID: key},
	}
	if i.Impact > 0 {
		open.ImpactLevel = &i.Impact
	}
	if i.DetectedAt != nil {
		at := i.DetectedAt.From(d.now)
		open.DetectedAt = &at
	}
	for _, ci := range i.CIs {
		open.CIs = append(open.CIs, incident.CI{ID: d.ids[ci.ID], Role: ci.Role})
	}
	d.on(i.OpenedAt, i.Caller, "incident.open", key, func(ctx context.Context) error {
		if change, ok := d.made[i.CausedByChange]; ok {
			open.CausedByChange = &change
		}
		opened, err := d.incidents.Open(ctx, open)
		if err != nil {
			return err
		}
		d.made[key] = opened.ID
		return nil
	})
	if i.AcknowledgedAt != nil {
		d.on(*i.AcknowledgedAt, i.Assignee, "incident.start", key, func(ctx context.Context) error {
			_, err := d.incidents.Start(ctx, incident.Start{ID: d.made[key]})
			return err
		})
	}
	for _, said := range i.Timeline {
		d.on(said.At, said.By, "incident.comment", key, func(ctx context.Context) error {
			_, err := d.incidents.Comment(ctx, incident.Comment{ID: d.made[key], Kind: said.Kind, Body: said.Text})
			return err
		})
	}
}
