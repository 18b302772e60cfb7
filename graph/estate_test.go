package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// estate is a server over rows that tie wherever they can: three names, three moments, three priorities.
type estate struct {
	http.Handler
	s *store.Store

	class, service, dependsOn, tier ident.ID

	revision     int64 // before the last two rows
	team, person ident.ID
	template     ident.ID // of the first change
	aside        ident.ID // a service that needs nothing, once there is a contrast
	hub          ident.ID // related to every other CI, both ways, and to itself
	cis          []ident.ID
	incidents    []ident.ID // all name the hub, and the first is the parent of the others
	changes      []ident.ID // all have the hub in their scope, and the first caused all incidents
}

var dawn = time.Date(2027, 1, 10, 22, 0, 0, 0, time.UTC)

// onEstates runs a test over an estate of each database.
func onEstates(t *testing.T, rows int, test func(t *testing.T, e *estate)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		test(t, newEstate(t, s, rows))
	})
}

func newEstate(t testing.TB, s *store.Store, rows int) *estate {
	t.Helper()
	e := &estate{Handler: serverWithin(t, s, wide()), s: s} // all lists of all records, whose statements are counted
	ctx := t.Context()
	e.class = s.Read.CIClass.Query().Where(ciclass.Code("server")).OnlyX(ctx).ID
	e.service = s.Read.CIClass.Query().Where(ciclass.Code("application_service")).OnlyX(ctx).ID
	e.dependsOn = s.Read.RelationshipType.Query().Where(relationshiptype.Code("depends_on")).OnlyX(ctx).ID
	e.tier = s.Read.ServiceTier.Query().Order(ent.Asc(servicetier.FieldRank)).FirstX(ctx).ID
	e.write(t, 0, func(ctx context.Context, tx *store.Tx) error {
		team, err := tx.Team.Create().SetName("team").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		if err != nil {
			return err
		}
		person, err := tx.Person.Create().SetName("person").SetEmail("person@example.com").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		if err != nil {
			return err
		}
		e.team, e.person = team.ID, person.ID
		_, err = tx.Membership.Create().SetTeamID(team.ID).SetPersonID(person.ID).Save(ctx)
		return err
	})
	for i := range rows {
		e.grow(t, i)
	}
	e.revision = s.Read.Head.Query().OnlyX(ctx).Revision - 2
	return e
}

// write writes at one of three moments.
func (e *estate) write(t testing.TB, i int, decide func(context.Context, *store.Tx) error) {
	t.Helper()
	ctx := store.At(t.Context(), dawn.Add(time.Duration(i%3)*time.Second))
	_, err := store.Write(ctx, e.s, store.By{Actor: "test", Verb: "test.write", IsFounding: true}, func(ctx context.Context, tx *store.Tx) (int, error) {
		return 0, decide(ctx, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// grow adds the i-th row to every list.
func (e *estate) grow(t testing.TB, i int) {
	t.Helper()
	e.write(t, i/3, func(ctx context.Context, tx *store.Tx) error {
		now := tx.Now
		c := tx.CI.Create().SetName(fmt.Sprintf("twin %d", i%3)).SetDescription("a row").SetClassID(e.class).
			SetAttributes(map[string]any{"row": i}).SetLabels(map[string]string{"row": fmt.Sprint(i)}).SetCreatedAt(now).SetUpdatedAt(now)
		if i%2 == 1 {
			c.SetClassID(e.service).SetServiceKind(domain.ApplicationService).SetTierID(e.tier).SetSupportTeamID(e.team)
		}
		made, err := c.Save(ctx)
		if err != nil {
			return err
		}
		if i == 0 {
			e.hub = made.ID
		}
		e.cis = append(e.cis, made.ID)
		if _, err := tx.Owner.Create().SetCiID(made.ID).SetTeamID(e.team).SetIsPrimary(true).Save(ctx); err != nil {
			return err
		}
		if _, err := tx.Owner.Create().SetCiID(made.ID).SetTeamID(e.team).SetRole("operator").Save(ctx); err != nil {
			return err
		}
		if _, err := tx.Owner.Create().SetCiID(made.ID).SetPersonID(e.person).SetRole("expert").Save(ctx); err != nil {
			return err
		}
		relate := func(source, target ident.ID) (*ent.Relationship, error) {
			return tx.Relationship.Create().SetTypeID(e.dependsOn).SetSourceID(source).SetTargetID(target).
				SetAttributes(map[string]any{}).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		}
		out, err := relate(made.ID, e.hub)
		if err != nil {
			return err
		}
		if made.ID != e.hub {
			if _, err := relate(e.hub, made.ID); err != nil {
				return err
			}
			if _, err := tx.DependencyGroup.Create().SetCiID(made.ID).SetName("group").SetMode(domain.Any).SetCreatedAt(now).SetUpdatedAt(now).
				SetMembers([]domain.GroupMember{{Relationship: out.ID, Weight: 1}}).Save(ctx); err != nil {
				return err
			}
		}
		if _, err := tx.ExternalIdentity.Create().SetRecordID(made.ID).SetSource("test").SetExternalID(made.ID.String()).SetCreatedAt(now).Save(ctx); err != nil {
			return err
		}
		if _, err := tx.DanglingReference.Create().SetRecordID(made.ID).SetSource("test").SetExternalID(fmt.Sprint("missing ", i)).
			SetKind(domain.DanglingRelationship).SetDetail("depends_on").SetCreatedAt(now).Save(ctx); err != nil {
			return err
		}
		if err := e.read(ctx, tx, i, made.ID); err != nil {
			return err
		}
		if _, err := tx.Team.Create().SetName(fmt.Sprintf("team %d", i)).SetParentID(e.team).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx); err != nil {
			return err
		}
		friend, err := tx.Person.Create().SetName(fmt.Sprintf("twin %d", i%3)).SetEmail(fmt.Sprintf("%d@example.com", i)).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.Membership.Create().SetTeamID(e.team).SetPersonID(friend.ID).Save(ctx); err != nil {
			return err
		}
		if _, err := tx.CIClass.Create().SetCode(fmt.Sprintf("class_%d", i)).SetLabel("Class").SetParentID(e.class).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx); err != nil {
			return err
		}
		if _, err := tx.RelationshipType.Create().SetCode(fmt.Sprintf("type_%d", i)).SetForwardLabel("f").SetReverseLabel("r").
			SetImpactDirection(domain.NoImpact).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx); err != nil {
			return err
		}
		calendar, err := tx.Calendar.Create().SetName(fmt.Sprintf("calendar %d", i)).SetTimeZone("Europe/Berlin").SetHolidays([]domain.Holiday{}).
			SetHours([]domain.WorkingHours{{Weekday: domain.Monday, From: "09:00", Until: "17:00"}}).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		usual := []operation.Operation{
			{Kind: domain.UpdateCI, Record: made.ID, Planned: operation.Fields{"name": "row"}}, {Kind: domain.UnrelateCIs, Record: out.ID},
		}
		template, err := tx.ChangeTemplate.Create().SetName(fmt.Sprintf("template %d", i)).SetPlan("as ever").SetClasses([]ident.ID{e.class, e.service}[:i%3]).
			SetMayTakeDown(true).SetOperations(usual[:(i+1)%3]).SetCalendarID(calendar.ID).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		if i == 0 {
			e.template = template.ID
		}
		if _, err := tx.ApprovalPolicy.Create().SetName(fmt.Sprintf("policy %d", i)).SetChangeTypes([]domain.ChangeType{domain.Normal, domain.Emergency}[:i%3]).
			SetApprovals(1 + i%2).SetTeamID(e.team).SetRiskAbove(i % 5).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx); err != nil {
			return err
		}
		if _, err := tx.ServiceLevelTarget.Create().SetName(fmt.Sprintf("target %d", i)).SetMetric(domain.ResolveMetric).SetSeconds(int64(3600 + i)).
			SetCalendarID(calendar.ID).SetServices([]ident.ID{made.ID}[:i%2]).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx); err != nil {
			return err
		}
		change, err := tx.Change.Create().SetTitle(fmt.Sprintf("twin %d", i%3)).SetType(domain.Normal).SetRequestedBy("test").
			SetRequesterID(e.person).SetAssigneeID(e.person).SetAssignmentTeamID(e.team).SetTemplateID(template.ID).SetPlannedStart(dawn).SetPlannedEnd(dawn.Add(time.Hour)).SetActualStart(now.Add(-time.Minute)).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		e.changes = append(e.changes, change.ID)
		for _, id := range []ident.ID{e.hub, made.ID}[:min(2, i+1)] {
			if _, err := tx.ChangeCI.Create().SetChangeID(change.ID).SetCiID(id).SetRole(domain.TakenDownRole).Save(ctx); err != nil {
				return err
			}
		}
		planned := func(place int, kind domain.OperationKind, record *ident.ID, planned, base map[string]any) error {
			return tx.PlannedOperation.Create().SetChangeID(change.ID).SetPlace(place).SetKind(kind).SetNillableRecordID(record).SetUndoesID(e.changes[0]).
				SetPlanned(planned).SetBase(base).SetBaseRevision(0).Exec(ctx)
		}
		if err := planned(0, domain.UpdateCI, &made.ID, map[string]any{"name": "third"}, map[string]any{"name": "second"}); err != nil {
			return err
		}
		if err := planned(1, domain.UnrelateCIs, &out.ID, map[string]any{}, map[string]any{"type": "depends_on"}); err != nil {
			return err
		}
		if _, err := tx.ChangeWindow.Create().SetName(fmt.Sprintf("window %d", i)).SetKind(domain.Blackout).SetStartsAt(dawn).SetDurationMinutes(30).SetTimeZone("UTC").
			SetCis([]ident.ID{e.hub}).SetClasses([]ident.ID{e.class}).SetLabels(map[string]string{"row": fmt.Sprint(i)}).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx); err != nil {
			return err
		}
		asked, err := tx.Account.Create().SetName(fmt.Sprintf("twin %d", i%3)).SetIssuer("https://id.example").SetSubject(fmt.Sprint(i)).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		if err := tx.RoleBinding.Create().SetAccountID(asked.ID).SetRole("VIEWER").SetCreatedAt(now).Exec(ctx); err != nil {
			return err
		}
		if err := tx.APIToken.Create().SetAccountID(asked.ID).SetCreatedByID(asked.ID).SetName("nightly").SetRoles([]string{"VIEWER"}).SetLastFour("0000").
			SetExpiresAt(now.Add(time.Hour)).SetCreatedAt(now).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.Approval.Create().SetRecordID(change.ID).SetApprover("ada").SetApproverID(asked.ID).SetCreatedAt(now).Save(ctx); err != nil {
			return err
		}
		open := tx.Incident.Create().SetTitle(fmt.Sprintf("twin %d", i%3)).SetImpact(1).SetUrgency(1).SetPriority(1 + i%3).SetOpenedBy("test").
			SetCallerID(e.person).SetAssigneeID(e.person).SetDetectedAt(now).SetCausedByChangeID(e.changes[0]).SetCreatedAt(now).SetUpdatedAt(now).
			SetImpactAtOpening(&domain.ImpactSnapshot{Revision: 1, Affected: 1, Services: []domain.ImpactedRecord{{CI: made.ID, Name: "then", State: "DOWN"}}}).
			SetImpactAtResolution(&domain.ImpactSnapshot{Revision: 1, Services: []domain.ImpactedRecord{}})
		if i%2 == 0 {
			open.SetAssignmentTeamID(e.team)
		}
		if i > 0 {
			open.SetParentID(e.incidents[0])
		}
		incident, err := open.Save(ctx)
		if err != nil {
			return err
		}
		e.incidents = append(e.incidents, incident.ID)
		if _, err := tx.ServiceLevelMark.Create().SetRecordID(incident.ID).SetTargetID(calendar.ID).SetMetric(domain.ResolveMetric).SetPercent(100).SetReachedAt(now).Save(ctx); err != nil {
			return err
		}
		for _, id := range []ident.ID{e.hub, made.ID}[:min(2, i+1)] {
			if _, err := tx.IncidentCI.Create().SetIncidentID(incident.ID).SetCiID(id).SetRole(domain.RootRole).Save(ctx); err != nil {
				return err
			}
		}
		for _, id := range []ident.ID{e.incidents[0], e.changes[0]} {
			if _, err := tx.TimelineEntry.Create().SetRecordID(id).SetKind(domain.Comment).SetBody("a row").SetActor("test").SetCreatedAt(now).Save(ctx); err != nil {
				return err
			}
		}
		return tx.CI.UpdateOneID(e.hub).SetDescription(fmt.Sprintf("a row, the hub %d", i)).AddVersion(1).SetUpdatedAt(now).Exec(ctx)
	})
}

// read adds the i-th run of a source, two claims on a CI, and a row of the first run about that.
func (e *estate) read(ctx context.Context, tx *store.Tx, i int, ci ident.ID) error {
	run := int64(i + 1)
	steps := [][]any{{int64(1), int64(i)}, {run, int64(100)}}
	if i == 0 {
		steps = steps[:1]
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO x_run (id, source, scope, kind, state, started_at, finished_at, is_complete, counts, from_revision, actor)
		VALUES ($1, 'test', '', 'FULL', 'APPLIED', $2, $2, true, '{"planned": {"ci": {"create": 1}}, "written": {"ci": {"create": 1}}}', 1, 'test')`, run, tx.Now); err != nil {
		return err
	}
	for _, at := range steps {
		if _, err := tx.ExecContext(ctx, "INSERT INTO x_run_row (run, place, id, outcome, step, about, is_told) VALUES ($1, $2, $3, 'create', $4, $5, true)",
			at[0], at[1], at[0].(int64)<<24+at[1].(int64), fmt.Sprintf(`{"kind": "ci", "outcome": "create", "externalId": "row %d", "changes": [{"field": "name", "before": null, "after": "row"}]}`, i), int64(ci)); err != nil {
			return err
		}
	}
	for _, source := range []string{"test", "elsewhere"} {
		if _, err := tx.ExecContext(ctx, "INSERT INTO x_claim (source, key, scope, record, hash, body, first_run, changed_run, changed_at) VALUES ($1, $2, '', $3, $4, $5, 1, 1, $6)",
			source, ci.String(), int64(ci), []byte("hash"), fmt.Sprintf(`{"ci": {"key": %q, "name": "of %s", "attributes": {"row": %d}, "owners": [{"team": "t"}]}}`, ci, source, i), tx.Now); err != nil {
			return err
		}
	}
	return nil
}
