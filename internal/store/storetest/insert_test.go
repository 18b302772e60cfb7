package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

var moment = time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.FixedZone("CET", 3600))

// odd are texts that JSON, COPY and SQL each write in a way of their own.
var odd = []string{"plain", `back\slash`, "tab\there", "line\nbreak\r", `quo"te'`, "<b>&amp;</b>", "Ünïcödé ☃ 漢字 \u2028", `\N`, "", "\x7f\x01"}

// several returns n records of each kind; every optional field is left out in some. They refer to each other by the ids
// that a fresh database gives.
func several(n int) (teams []*ent.Team, cis []*ent.CI, owners []*ent.Owner, keys []*ent.ExternalIdentity, relationships []*ent.Relationship, groups []*ent.DependencyGroup) {
	at := moment.UTC().Truncate(time.Microsecond)
	soft, kind, stage, target := domain.Soft, domain.BusinessService, domain.PortfolioCatalog, 99.95
	team, ciOf := ident.New(ident.Team, 1), func(i int) ident.ID { return ident.New(ident.CI, int64(1+i%n)) }
	for i := range n {
		text := odd[i%len(odd)]
		t := &ent.Team{Name: fmt.Sprintf("team %d %s", i, text), Description: text, Version: 1, CreatedAt: at, UpdatedAt: at}
		c := &ent.CI{
			ClassID: ident.New(ident.CIClass, 1), Name: fmt.Sprintf("ci %d %s", i, text), Description: text, Lifecycle: domain.Live, Environment: domain.Staging,
			Criticality: domain.CriticalityHigh, Visibility: domain.Everyone, Attributes: map[string]any{}, Labels: map[string]string{}, Version: 1, CreatedAt: at, UpdatedAt: at,
		}
		r := &ent.Relationship{
			TypeID: ident.New(ident.RelationshipType, 1), SourceID: ciOf(i), TargetID: ciOf(i + 1), Attributes: map[string]any{}, ReportedBy: "test",
			Evidence: text, Version: 1, CreatedAt: at, UpdatedAt: at,
		}
		o := &ent.Owner{CiID: ciOf(i), TeamID: &team, Role: "owner", IsPrimary: i%2 == 0}
		if i%3 == 1 {
			t.ParentID = &team
			c.Attributes = map[string]any{"text": text, "n": 1e21, "list": []any{"a", nil, false}, "deep": map[string]any{"b": 1.5, "a": text}}
			c.Labels = map[string]string{"z": text, "a": "b"}
			c.ServiceKind, c.PortfolioStage, c.SupportTeamID, c.AvailabilityTarget = &kind, &stage, &team, &target
			c.Links = []domain.Link{{Kind: domain.Runbook, Title: text, URL: "https://example.org/?a=1&b=2"}}
			c.Locks, c.Category, c.Visibility = []string{"name"}, text, domain.Owners
			r.Strength, r.Attributes = &soft, map[string]any{"a": text}
			o.Role = "odd " + text
		}
		teams, cis, owners, relationships = append(teams, t), append(cis, c), append(owners, o), append(relationships, r)
		keys = append(keys, &ent.ExternalIdentity{RecordID: ciOf(i), Source: "test", ExternalID: fmt.Sprintf("%d %s", i, text), CreatedAt: at})
		groups = append(groups, &ent.DependencyGroup{
			CiID: ciOf(i), Name: "g " + text, Mode: domain.Any, Members: []domain.GroupMember{{Relationship: ident.New(ident.Relationship, int64(i+1)), Weight: 1}},
			Version: 1, CreatedAt: at, UpdatedAt: at,
		})
	}
	return teams, cis, owners, keys, relationships, groups
}

// prepare makes the class and the type that the records need.
func prepare(t *testing.T, s *store.Store) {
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CIClass.Create().SetCode("server").SetLabel("Server").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx); err != nil {
			return err
		}
		if err := tx.Calendar.Create().SetName("always").SetTimeZone("UTC").SetHours([]domain.WorkingHours{}).SetHolidays([]domain.Holiday{}).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx); err != nil {
			return err
		}
		return tx.RelationshipType.Create().SetCode("depends_on").SetForwardLabel("a").SetReverseLabel("b").SetImpactDirection(domain.TargetToSource).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
	})
}

func write(t *testing.T, s *store.Store, f func(context.Context, *store.Tx) error) {
	t.Helper()
	if err := tryWrite(t, s, f); err != nil {
		t.Fatal(err)
	}
}

func tryWrite(t *testing.T, s *store.Store, f func(context.Context, *store.Tx) error) error {
	_, err := store.Write(store.At(t.Context(), moment), s, store.By{Actor: "ada", Verb: "test"}, func(ctx context.Context, tx *store.Tx) (int, error) {
		return 0, f(ctx, tx)
	})
	return err
}

// built writes the records by ent's builders, one by one.
func built(ctx context.Context, tx *store.Tx, n int) error {
	teams, cis, owners, keys, relationships, groups := several(n)
	for _, r := range teams {
		if err := tx.Team.Create().SetName(r.Name).SetDescription(r.Description).SetEmail(r.Email).SetNillableParentID(r.ParentID).
			SetCreatedAt(r.CreatedAt).SetUpdatedAt(r.UpdatedAt).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range cis {
		b := tx.CI.Create().SetClassID(r.ClassID).SetName(r.Name).SetDescription(r.Description).SetLifecycle(r.Lifecycle).SetEnvironment(r.Environment).
			SetCriticality(r.Criticality).SetVisibility(r.Visibility).SetAttributes(r.Attributes).SetLabels(r.Labels).SetNillableServiceKind(r.ServiceKind).SetCategory(r.Category).
			SetNillablePortfolioStage(r.PortfolioStage).SetNillableSupportTeamID(r.SupportTeamID).SetNillableAvailabilityTarget(r.AvailabilityTarget).
			SetCreatedAt(r.CreatedAt).SetUpdatedAt(r.UpdatedAt)
		if r.Links != nil {
			b.SetLinks(r.Links).SetLocks(r.Locks)
		}
		if err := b.Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range owners {
		if err := tx.Owner.Create().SetCiID(r.CiID).SetNillableTeamID(r.TeamID).SetRole(r.Role).SetIsPrimary(r.IsPrimary).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range keys {
		if err := tx.ExternalIdentity.Create().SetRecordID(r.RecordID).SetSource(r.Source).SetExternalID(r.ExternalID).SetCreatedAt(r.CreatedAt).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range relationships {
		if err := tx.Relationship.Create().SetTypeID(r.TypeID).SetSourceID(r.SourceID).SetTargetID(r.TargetID).SetNillableStrength(r.Strength).
			SetAttributes(r.Attributes).SetReportedBy(r.ReportedBy).SetEvidence(r.Evidence).SetCreatedAt(r.CreatedAt).SetUpdatedAt(r.UpdatedAt).Exec(ctx); err != nil {
			return err
		}
	}
	for _, r := range groups {
		if err := tx.DependencyGroup.Create().SetCiID(r.CiID).SetName(r.Name).SetMode(r.Mode).SetMembers(r.Members).
			SetCreatedAt(r.CreatedAt).SetUpdatedAt(r.UpdatedAt).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// inserted writes them by Insert.
func inserted(ctx context.Context, tx *store.Tx, n int) error {
	teams, cis, owners, keys, relationships, groups := several(n)
	for _, insert := range []func() error{
		func() error { return store.Insert(ctx, tx, teams) }, func() error { return store.Insert(ctx, tx, cis) },
		func() error { return store.Insert(ctx, tx, owners) }, func() error { return store.Insert(ctx, tx, keys) },
		func() error { return store.Insert(ctx, tx, relationships) }, func() error { return store.Insert(ctx, tx, groups) },
	} {
		if err := insert(); err != nil {
			return err
		}
	}
	if cis[0].ID != ident.New(ident.CI, 1) || groups[n-1].ID != ident.New(ident.DependencyGroup, int64(n)) {
		return fmt.Errorf("the records were told the ids %v and %v", cis[0].ID, groups[n-1].ID)
	}
	return nil
}

func TestInsertWritesWhatBuildersWrite(t *testing.T) {
	for _, open := range []func(testing.TB) *store.Store{SQLite, Postgres} {
		for _, n := range []int{3, 30, 600} { // a statement, several; COPY
			if testing.Short() && n > 30 {
				continue // more of the same shows the race detector nothing new
			}
			one, other := open(t), open(t)
			t.Run(fmt.Sprintf("%s/%d", one.Dialect(), n), func(t *testing.T) {
				for s, f := range map[*store.Store]func(context.Context, *store.Tx, int) error{one: built, other: inserted} {
					prepare(t, s)
					write(t, s, func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, n) })
					// The next write goes on from the same numbers after either.
					write(t, s, func(ctx context.Context, tx *store.Tx) error {
						c := tx.CI.Query().FirstX(ctx)
						if err := tx.CI.UpdateOne(c).SetName("later").AddVersion(1).Exec(ctx); err != nil {
							return err
						}
						return tx.Team.Create().SetName("later").SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Exec(ctx)
					})
				}
				want, got := Dump(t, one), Dump(t, other)
				if len(want) < 8*n {
					t.Fatalf("only %d rows", len(want))
				}
				for i := range max(len(want), len(got)) {
					if i >= len(want) || i >= len(got) || want[i] != got[i] {
						t.Fatalf("row %d of %d and %d: built\n%s\ninserted\n%s", i, len(want), len(got), at(want, i), at(got, i))
					}
				}
			})
		}
	}
}

func at(all []string, i int) string { return slices.Concat(all, make([]string, i+1))[i] }

func TestInsertRefusesWhatBuildersRefuse(t *testing.T) {
	Each(t, func(t *testing.T, s *store.Store) {
		prepare(t, s)
		for name, test := range map[string]struct {
			spoil func(*ent.CI)
			want  errs.Code
		}{
			"an environment that is none": {func(c *ent.CI) { c.Environment = "MOON" }, errs.Invalid},
			"a NUL":                       {func(c *ent.CI) { c.Name = "a\x00b" }, errs.Invalid},
			"a NUL far down":              {func(c *ent.CI) { c.Attributes = map[string]any{"a": []any{"\x00"}} }, errs.Invalid},
			"a text that is no UTF-8":     {func(c *ent.CI) { c.Labels = map[string]string{"a": "\xff"} }, errs.Invalid},
			"a class that is not there":   {func(c *ent.CI) { c.ClassID = ident.New(ident.CIClass, 99) }, errs.NotFound},
		} {
			for _, n := range []int{3, 100} {
				_, cis, _, _, _, _ := several(n)
				for _, c := range cis {
					c.SupportTeamID = nil
				}
				test.spoil(cis[n/2])
				err := tryWrite(t, s, func(ctx context.Context, tx *store.Tx) error { return store.Insert(ctx, tx, cis) })
				if errs.CodeOf(err) != test.want {
					t.Errorf("%s among %d: got %v", name, n, err)
				}
			}
		}
		_, cis, _, _, _, _ := several(66_000)
		if err := tryWrite(t, s, func(ctx context.Context, tx *store.Tx) error { return store.Insert(ctx, tx, cis) }); err == nil {
			t.Error("66,000 records went into one revision")
		}
		if n := s.Read.CI.Query().CountX(t.Context()); n != 0 {
			t.Errorf("%d CIs were left behind", n)
		}
		if r, err := s.Revision(t.Context()); err != nil || r != 1 {
			t.Errorf("revision %d, %v", r, err)
		}
	})
}
