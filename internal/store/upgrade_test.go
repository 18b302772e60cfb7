package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
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

func TestNamesThatActedBecomeAccountsThatCannotSignIn(t *testing.T) {
	fresh(t, func(t *testing.T, address string) {
		s := open(t, address)
		if _, err := s.MigrateTo(t.Context(), before(t, s, "20261130073000_accounts.sql")); err != nil {
			t.Fatal(err)
		}
		const at = "'2026-11-22 10:00:00+00:00'"
		one := func(kind ident.Kind, n int64) int64 { return int64(ident.New(kind, n)) }
		for i, name := range []string{"Olga", "grace", "ÉMILE", "émile"} { // of the last two nobody knows which one acts
			raw(t, s, "INSERT INTO person (id, name, created_at, updated_at) VALUES ($1, $2, "+at+", "+at+")", one(ident.Person, int64(i+1)), name)
		}
		for i, name := range []string{"linchpin", "grace", "Grace", "cli:root", "dev", "Émile"} {
			raw(t, s, "INSERT INTO entry (id, revision, at, actor, verb, operation, record_id, subject_id) VALUES ($1, 1, "+at+", $2, 'x', 'CREATED', 1, 1)", one(ident.Entry, int64(i+1)), name)
		}
		change := one(ident.Change, 7)
		raw(t, s, "INSERT INTO change (id, title, type, requested_by, created_at, updated_at) VALUES ($1, 'patch', 'NORMAL', 'olga', "+at+", "+at+")", change)
		raw(t, s, "INSERT INTO incident (id, title, opened_by, impact, urgency, priority, detected_at, created_at, updated_at) VALUES ($1, 'late', 'Olga', 1, 1, 1, "+at+", "+at+", "+at+")", one(ident.Incident, 4))
		raw(t, s, "INSERT INTO approval (id, record_id, approver, decision, created_at) VALUES ($1, $2, 'GRACE', 'APPROVED', "+at+")", one(ident.Approval, 3), change)
		raw(t, s, "INSERT INTO timeline_entry (id, record_id, kind, actor, created_at) VALUES ($1, $2, 'COMMENT', 'only here', "+at+"), ($3, $2, 'COMMENT', 'linchpin', "+at+")", one(ident.TimelineEntry, 1), change, one(ident.TimelineEntry, 2))
		for _, actor := range []string{"grace", "Grace"} {
			raw(t, s, "INSERT INTO x_once (actor, key, body, created_at) VALUES ($1, 'k', $2, "+at+")", actor, []byte("b"))
		}
		if n, err := s.Migrate(t.Context()); n == 0 || err != nil {
			t.Fatalf("applied %d, %v", n, err)
		}
		var accounts []string
		names := map[ident.ID]string{}
		for _, a := range s.Read.Account.Query().Order(ent.Asc("id")).AllX(t.Context()) {
			person := "nobody"
			if a.PersonID != nil {
				person = a.PersonID.String()
			}
			accounts = append(accounts, fmt.Sprint(a.ID, " ", *a.Issuer, " ", *a.Subject, " ", person, " ", a.Kind, " ", a.State, " ", a.LocalName == nil))
			names[a.ID] = *a.Subject
		}
		want := []string{
			"acc_1 name dev nobody PERSON ACTIVE true", "acc_2 name grace per_2 PERSON ACTIVE true", "acc_3 name olga per_1 PERSON ACTIVE true",
			"acc_4 name only here nobody PERSON ACTIVE true", "acc_5 name émile nobody PERSON ACTIVE true",
		}
		if !slices.Equal(accounts, want) {
			t.Errorf("got\n%s", strings.Join(accounts, "\n"))
		}
		of := func(id *ident.ID) string {
			if id == nil {
				return "none"
			}
			return names[*id]
		}
		var acted []string
		for _, e := range s.Read.Entry.Query().Order(ent.Asc("id")).AllX(t.Context()) {
			acted = append(acted, e.Actor+" "+of(e.ActorID)+" "+string(e.Via))
		}
		for _, e := range s.Read.TimelineEntry.Query().Order(ent.Asc("id")).AllX(t.Context()) {
			acted = append(acted, e.Actor+" "+of(e.ActorID))
		}
		c, i, a := s.Read.Change.GetX(t.Context(), ident.ID(change)), s.Read.Incident.Query().OnlyX(t.Context()), s.Read.Approval.Query().OnlyX(t.Context())
		acted = append(acted, of(c.RequestedByID), of(i.OpenedByID), of(a.ApproverID))
		if want := []string{
			"linchpin none SYSTEM", "grace grace DEV", "Grace grace DEV", "cli:root none CLI", "dev dev DEV", "Émile émile DEV",
			"only here only here", "linchpin none", "olga", "olga", "grace",
		}; !slices.Equal(acted, want) {
			t.Errorf("got %q", acted)
		}
		key := store.Key{Actor: "DEV grace", Name: "k"}
		copy(key.Body[:], "b")
		if _, err := s.Answered(t.Context(), key); errs.CodeOf(err) != errs.KeyReused { // the row is there: its body is shorter
			t.Errorf("the key of a name is lost: %v", err)
		}
	})
}

func TestRecordsFromBeforeAreFoundAfterTheMigrationToASearchOfAll(t *testing.T) {
	fresh(t, func(t *testing.T, address string) {
		s := open(t, address)
		if _, err := s.MigrateTo(t.Context(), before(t, s, "20261130182022_search_of_records.sql")); err != nil {
			t.Fatal(err)
		}
		const at = "'2026-11-22 10:00:00+00:00'"
		raw(t, s, "INSERT INTO team (id, name, created_at, updated_at) VALUES ($1, 'Checkout team', "+at+", "+at+")", int64(ident.New(ident.Team, 1)))
		raw(t, s, "INSERT INTO incident (id, title, impact, urgency, priority, opened_by, detected_at, created_at, updated_at) VALUES ($1, 'Checkout is slow', 1, 1, 1, 'olga', "+at+", "+at+", "+at+")",
			int64(ident.New(ident.Incident, 1)))
		if n, err := s.Migrate(t.Context()); n == 0 || err != nil {
			t.Fatalf("applied %d, %v", n, err)
		}
		for _, of := range []store.Searchable{store.SearchableTeams, store.SearchableIncidents} {
			for what, find := range map[string]func(b *sql.Builder){
				"words": func(b *sql.Builder) { of.Match(b, []string{"checkout"}) },
				"parts": func(b *sql.Builder) { of.Hold(b, [][]string{{"kout", "nothing"}}) },
			} {
				p := sql.P(func(b *sql.Builder) {
					b.WriteString("SELECT count(*) FROM (")
					find(b)
					b.WriteString(") AS found")
				})
				p.SetDialect(s.Dialect())
				text, args := p.Query()
				found := 0
				if err := s.Writer().QueryRowContext(t.Context(), text, args...).Scan(&found); err != nil || found != 1 {
					t.Errorf("%s of %s: %d found, %v", what, of.Table, found, err)
				}
			}
		}
	})
}
