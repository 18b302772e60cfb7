package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// before returns the list of migrations up to one that is left out.
func before(t *testing.T, s *store.Store, name string) []store.Migration {
	t.Helper()
	all, err := s.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(m store.Migration) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("there is no migration %s", name)
	}
	return all[:i]
}

func TestVotesAndPoliciesOfChangesOutlastTheMigrationToAnyRecord(t *testing.T) {
	fresh(t, func(t *testing.T, address string) {
		s := open(t, address)
		if _, err := s.MigrateTo(t.Context(), before(t, s, "20261130025235_approvals_of_any_record.sql")); err != nil {
			t.Fatal(err)
		}
		const at = "'2026-11-22 10:00:00+00:00'"
		change, vote, policy := ident.New(ident.Change, 7), ident.New(ident.Approval, 3), ident.New(ident.ApprovalPolicy, 2)
		raw(t, s, "INSERT INTO change (id, title, type, requested_by, created_at, updated_at) VALUES ($1, 'patch', 'NORMAL', 'olga', "+at+", "+at+")", int64(change))
		raw(t, s, "INSERT INTO approval (id, change_id, approver, decision, comment, teams, created_at, decided_at) VALUES ($1, $2, 'carl', 'APPROVED', 'fine', '[\"team_1\"]', "+at+", "+at+")", int64(vote), int64(change))
		raw(t, s, "INSERT INTO approval_policy (id, name, change_types, risk_above, approvals, created_at, updated_at) VALUES ($1, 'Board', '[\"NORMAL\"]', 60, 2, "+at+", "+at+")", int64(policy))
		if n, err := s.Migrate(t.Context()); n == 0 || err != nil {
			t.Fatalf("applied %d, %v", n, err)
		}
		a, err := s.Read.Approval.Get(t.Context(), vote)
		if err != nil || a.RecordID != change || a.Approver != "carl" || a.Decision != domain.Approved || a.Comment != "fine" ||
			!slices.Equal(a.Teams, []ident.ID{ident.New(ident.Team, 1)}) || a.DecidedAt == nil {
			t.Errorf("got %v, %v", a, err)
		}
		p, err := s.Read.ApprovalPolicy.Get(t.Context(), policy)
		if err != nil || p.RecordType != domain.ChangeSubject || p.Name != "Board" || p.Approvals != 2 || p.RiskAbove == nil || *p.RiskAbove != 60 ||
			!slices.Equal(p.ChangeTypes, []domain.ChangeType{domain.Normal}) {
			t.Errorf("got %v, %v", p, err)
		}
	})
}

func TestTargetsOutlastTheMigrationToPlannedOutages(t *testing.T) {
	fresh(t, func(t *testing.T, address string) {
		s := open(t, address)
		if _, err := s.MigrateTo(t.Context(), before(t, s, "20261130065537_planned_outages_and_detection.sql")); err != nil {
			t.Fatal(err)
		}
		const at = "'2026-11-22 10:00:00+00:00'"
		change, calendar, target := ident.New(ident.Change, 7), ident.New(ident.Calendar, 2), ident.New(ident.ServiceLevelTarget, 4)
		raw(t, s, "INSERT INTO change (id, title, type, state, requested_by, created_at, updated_at) VALUES ($1, 'patch', 'NORMAL', 'SCHEDULED', 'olga', "+at+", "+at+")", int64(change))
		raw(t, s, "INSERT INTO calendar (id, name, time_zone, hours, holidays, created_at, updated_at) VALUES ($1, 'always', 'UTC', '[]', '[]', "+at+", "+at+")", int64(calendar))
		raw(t, s, "INSERT INTO service_level_target (id, name, metric, priority, seconds, calendar_id, services, created_at, updated_at) VALUES ($1, 'P1', 'RESOLVE', 1, 3600, $2, '[\"ci_3\"]', "+at+", "+at+")",
			int64(target), int64(calendar))
		if n, err := s.Migrate(t.Context()); n == 0 || err != nil {
			t.Fatalf("applied %d, %v", n, err)
		}
		got, err := s.Read.ServiceLevelTarget.Get(t.Context(), target)
		if err != nil || got.Name != "P1" || got.Metric != domain.ResolveMetric || got.Priority == nil || *got.Priority != 1 || got.Seconds != 3600 ||
			got.CalendarID != calendar || !slices.Equal(got.Services, []ident.ID{ident.New(ident.CI, 3)}) || got.StartsAtDetection {
			t.Errorf("got %v, %v", got, err)
		}
		_, err = store.Write(t.Context(), s, store.By{Actor: "olga", Verb: "test"}, func(ctx context.Context, tx *store.Tx) (int, error) {
			next := tx.ServiceLevelTarget.Create().SetName("P2").SetMetric(domain.ResolveMetric).SetSeconds(60).SetCalendarID(calendar).SetServices(nil).
				SetStartsAtDetection(true).SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).SaveX(ctx)
			outage := tx.PlannedOutage.Create().SetChangeID(change).SetRevision(1).SetServices([]ident.ID{ident.New(ident.CI, 3)}).SaveX(ctx)
			if next.ID.Kind() != ident.ServiceLevelTarget || next.ID == target || outage.ID != ident.New(ident.PlannedOutage, 1) {
				t.Errorf("they are numbered %s and %s", next.ID, outage.ID)
			}
			return 0, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
