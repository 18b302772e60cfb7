package graph_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// contrast adds a row to the lists of the hub and of two services that differs from theirs in all that filters compare.
func (e *estate) contrast(t *testing.T) {
	t.Helper()
	connects := e.s.Read.RelationshipType.Query().Where(relationshiptype.Code("connects_to")).OnlyX(t.Context()).ID
	business := e.s.Read.CIClass.Query().Where(ciclass.Code("business_service")).OnlyX(t.Context()).ID
	e.write(t, 2, func(ctx context.Context, tx *store.Tx) error {
		now := tx.Now
		if err := tx.Team.Create().SetName("twin 1").SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx); err != nil {
			return err
		}
		if err := tx.Person.Create().SetName("else").SetEmail("else@example.com").SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx); err != nil {
			return err
		}
		// The one who asks is in the team, and has work of their own.
		me, err := tx.Person.Create().SetName("viewer").SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		if err := tx.Membership.Create().SetTeamID(e.team).SetPersonID(me.ID).Exec(ctx); err != nil {
			return err
		}
		account, err := tx.Named(ctx, "viewer")
		if err != nil {
			return err
		}
		other, err := tx.CI.Create().SetName("other").SetClassID(business).SetServiceKind(domain.BusinessService).SetPortfolioStage(domain.PortfolioPipeline).
			SetLifecycle(domain.Deprecated).SetEnvironment(domain.Staging).SetCriticality(domain.CriticalityLow).SetCategory("twin 1").SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
			SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		aside, err := tx.CI.Create().SetName("aside").SetClassID(e.service).SetServiceKind(domain.ApplicationService).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
			SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		e.aside = aside.ID
		private, err := tx.CI.Create().SetName("private").SetClassID(e.class).SetVisibility(domain.Owners).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
			SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		if err := tx.Owner.Create().SetCiID(private.ID).SetPersonID(me.ID).Exec(ctx); err != nil {
			return err
		}
		apart, err := tx.CI.Create().SetName("apart").SetClassID(e.class).SetAttributes(map[string]any{}).SetLabels(map[string]string{}).
			SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		if err := tx.CI.UpdateOneID(e.cis[2]).SetLifecycle(domain.Deprecated).SetEnvironment(domain.Staging).AddVersion(1).Exec(ctx); err != nil {
			return err
		}
		incident, err := tx.Incident.Create().SetTitle("other").SetProblem("twin 1").SetState(domain.IncidentResolved).SetIsMajor(true).SetImpact(3).SetUrgency(3).SetPriority(5).
			SetCategory("twin 1").SetChannel(domain.ChannelPhone).SetResolvedAt(now).
			SetOpenedBy("test").SetAssignmentTeamID(e.team).SetAssigneeID(me.ID).SetParentID(e.incidents[0]).SetCausedByChangeID(e.changes[1]).SetDetectedAt(now).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		lone, err := tx.Incident.Create().SetTitle("lone").SetImpact(1).SetUrgency(1).SetPriority(1).SetOpenedBy("test").SetDetectedAt(now).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		change, err := tx.Change.Create().SetTitle("other").SetType(domain.Emergency).SetState(domain.ChangeClosed).SetOutcome(domain.Successful).SetRequestedBy("another").SetAssigneeID(me.ID).
			SetPlannedStart(dawn.Add(2 * time.Hour)).SetPlannedEnd(dawn.Add(3 * time.Hour)).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		ballot, err := tx.Change.Create().SetTitle("ballot").SetType(domain.Emergency).SetState(domain.ChangeAuthorize).SetRequestedBy("test").
			SetPlannedStart(dawn.Add(2 * time.Hour)).SetPlannedEnd(dawn.Add(3 * time.Hour)).SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		if err := tx.Approval.Create().SetRecordID(ballot.ID).SetApprover("viewer").SetApproverID(account.ID).SetCreatedAt(now).Exec(ctx); err != nil {
			return err
		}
		second, err := tx.Change.Create().SetTitle("apart").SetType(domain.Normal).SetState(domain.ChangeImplement).SetRequestedBy("test").SetPlannedStart(dawn).SetPlannedEnd(dawn.Add(time.Hour)).
			SetCreatedAt(now).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return err
		}
		if err := tx.ChangeCI.Create().SetChangeID(change.ID).SetCiID(aside.ID).SetRole(domain.ChangedRole).Exec(ctx); err != nil {
			return err
		}
		if err := tx.ChangeCI.Create().SetChangeID(second.ID).SetCiID(apart.ID).SetRole(domain.ChangedRole).Exec(ctx); err != nil {
			return err
		}
		if err := tx.ChangeCI.Create().SetChangeID(second.ID).SetCiID(aside.ID).SetRole(domain.ChangedRole).Exec(ctx); err != nil {
			return err
		}
		for _, id := range []ident.ID{e.hub, e.cis[1], e.cis[3]} {
			if err := tx.IncidentCI.Create().SetIncidentID(incident.ID).SetCiID(id).SetRole(domain.AffectedRole).Exec(ctx); err != nil {
				return err
			}
			if err := tx.IncidentCI.Create().SetIncidentID(lone.ID).SetCiID(id).SetRole(domain.AffectedRole).Exec(ctx); err != nil {
				return err
			}
			for _, of := range []ident.ID{change.ID, ballot.ID} {
				if err := tx.ChangeCI.Create().SetChangeID(of).SetCiID(id).SetRole(domain.ChangedRole).Exec(ctx); err != nil {
					return err
				}
			}
			if err := relate(ctx, tx, connects, id, other.ID); err != nil {
				return err
			}
		}
		return errors.Join(relate(ctx, tx, e.dependsOn, e.hub, other.ID), relate(ctx, tx, e.dependsOn, other.ID, e.hub), e.contrastSettings(ctx, tx))
	})
}

// contrastSettings adds a row to the lists of what is set up that differs from theirs in all that filters compare.
func (e *estate) contrastSettings(ctx context.Context, tx *store.Tx) error {
	now := tx.Now
	return errors.Join(
		tx.ChangeTemplate.Create().SetName("retired").SetRetiredAt(now).SetClasses([]ident.ID{}).SetMayTakeDown(false).SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx),
		tx.ChangeWindow.Create().SetName("upkeep").SetKind(domain.Maintenance).
			SetCis([]ident.ID{}).SetClasses([]ident.ID{}).SetLabels(map[string]string{}).SetStartsAt(dawn).SetDurationMinutes(30).SetTimeZone("UTC").SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx),
		writeBy(ctx, tx, "INSERT INTO x_run (id, source, scope, kind, state, started_at, actor) VALUES (1000, 'elsewhere', 'twin 1', 'EVENT', 'FAILED', $1, 'test')", now),
		tx.DanglingReference.Create().SetRecordID(e.hub).SetSource("elsewhere").SetExternalID("missing").SetKind(domain.DanglingRelationship).SetDetail("depends_on").SetCreatedAt(now).Exec(ctx),
	)
}

func relate(ctx context.Context, tx *store.Tx, kind, source, target ident.ID) error {
	return tx.Relationship.Create().SetTypeID(kind).SetSourceID(source).SetTargetID(target).SetAttributes(map[string]any{}).
		SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
}

func writeBy(ctx context.Context, tx *store.Tx, statement string, args ...any) error {
	_, err := tx.ExecContext(ctx, statement, args...)
	return err
}
