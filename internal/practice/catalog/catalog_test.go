package catalog_test

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// world is a seeded database and an admin who writes to it.
type world struct {
	*testing.T
	*catalog.Practice
	s   *store.Store
	ctx context.Context
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := cmdb.Seed(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		test(&world{t, catalog.New(s), s, auth.With(t.Context(), auth.System)})
	})
}

func must[T any](w *world) func(T, error) T {
	return func(v T, err error) T {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return v
	}
}

func (w *world) refused(err error, want ...string) {
	w.Helper()
	all, ok := errs.All(err)
	if err == nil || !ok || len(all) != len(want) {
		w.Errorf("got %v, want %v", err, want)
		return
	}
	for i, e := range all {
		code, rest, _ := strings.Cut(want[i], " ")
		path, message, _ := strings.Cut(rest, " ")
		if string(e.Code) != code || strings.Join(e.Field, ".") != path || !strings.Contains(e.Message, message) {
			w.Errorf("got %s %s %s\nwant %s", e.Code, strings.Join(e.Field, "."), e.Message, want[i])
		}
	}
}

func (w *world) team(name string) *ent.Team {
	w.Helper()
	return must[*ent.Team](w)(w.CreateTeam(w.ctx, catalog.CreateTeam{Name: name}))
}

func (w *world) person(name string) *ent.Person {
	w.Helper()
	return must[*ent.Person](w)(w.CreatePerson(w.ctx, catalog.CreatePerson{Name: name}))
}

func set[T any](v T) graphql.Omittable[*T] { return graphql.OmittableOf(&v) }

func null[T any]() graphql.Omittable[*T] { return graphql.OmittableOf[*T](nil) }

func pointer[T any](v T) *T { return &v }

func second[T any](_ T, err error) error { return err }

func TestANewServiceIsACIOfItsClass(t *testing.T) {
	each(t, func(w *world) {
		ops := w.team("ops")
		got := must[*ent.CI](w)(w.CreateService(w.ctx, catalog.CreateService{
			Kind: domain.ApplicationService, Name: "checkout", Tier: pointer("tier-1"), SupportTeam: &ops.ID, AvailabilityTarget: pointer(99.9),
			Links:  []catalog.ServiceLink{{Kind: domain.Runbook, Title: "Runbook", URL: "https://example.com/run"}, {Kind: domain.Chat, Title: "Mail", URL: "mailto:ops@example.com"}},
			Owners: []cmdb.Owner{{Team: &ops.ID}}, ExternalIdentity: &domain.ExternalKey{Source: "backstage", ExternalID: "component:checkout"}, Labels: []domain.LabelInput{{Name: "a", Value: pointer("b")}, {Name: "c"}},
		}))
		class := w.s.Read.CIClass.GetX(w.ctx, got.ClassID)
		if class.Code != "application_service" || *got.ServiceKind != domain.ApplicationService || *got.PortfolioStage != domain.PortfolioCatalog ||
			got.TierID == nil || *got.SupportTeamID != ops.ID || len(got.Links) != 2 || len(got.Labels) != 1 {
			w.Errorf("got %+v", got)
		}
		if n := w.s.Read.Owner.Query().CountX(w.ctx); n != 1 {
			w.Errorf("%d owners", n)
		}
	})
}

func TestEverythingWrongWithANewServiceIsSaidAtOnce(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.CreateService(w.ctx, catalog.CreateService{
			Kind: domain.BusinessService, Name: "", Tier: pointer("tier-7"), AvailabilityTarget: pointer(100.1), SupportTeam: pointer(ident.New(ident.Person, 1)),
			Links: []catalog.ServiceLink{
				{Kind: domain.Runbook, Title: "x", URL: "javascript:alert(1)"},
				{Kind: domain.Runbook, Title: "", URL: "https://"},
				{Kind: domain.Runbook, Title: "x", URL: "https://"},
				{Kind: domain.Chat, Title: "x", URL: "mailto:nobody"},
				{Kind: "PHONE", Title: "x", URL: "http://x"},
			},
		})
		w.refused(err,
			"NOT_FOUND tier tier-1?", "REQUIRED name", "INVALID availabilityTarget 0 to 100",
			"INVALID links.0.url \"javascript:alert(1)\" is not an address of http, https or mailto", "REQUIRED links.1.title", "INVALID links.2.url", "INVALID links.3.url", "INVALID links.4.kind",
			"INVALID supportTeam team_",
		)
	})
}

func TestAServiceIsUpdatedAndLocked(t *testing.T) {
	each(t, func(w *world) {
		ops := w.team("ops")
		svc := must[*ent.CI](w)(w.CreateService(w.ctx, catalog.CreateService{
			Kind: domain.BusinessService, Name: "shop", Tier: pointer("tier-1"), SupportTeam: &ops.ID, AvailabilityTarget: pointer(99.0), ExternalIdentity: &domain.ExternalKey{Source: "x", ExternalID: "y"},
		}))
		got := must[*ent.CI](w)(w.UpdateService(w.ctx, catalog.UpdateService{
			ID: svc.ID.As(ident.Service), ExpectedVersion: &svc.Version, Tier: set("tier-2"), Category: set("retail"), SupportTeam: null[ident.ID](), AvailabilityTarget: null[float64](),
			Links: graphql.OmittableOf([]catalog.ServiceLink{{Kind: domain.Other, Title: "t", URL: "http://x"}}), PortfolioStage: set(domain.PortfolioRetired),
		}))
		if got.Category != "retail" || got.SupportTeamID != nil || got.AvailabilityTarget != nil || len(got.Links) != 1 || *got.TierID == *svc.TierID || *got.PortfolioStage != domain.PortfolioRetired {
			w.Errorf("got %+v", got)
		}
		if want := []string{"availabilityTarget", "category", "links", "portfolioStage", "supportTeam", "tier"}; !reflect.DeepEqual(got.Locks, want) {
			w.Errorf("locks %v, want %v", got.Locks, want)
		}
		same := must[*ent.CI](w)(w.UpdateService(w.ctx, catalog.UpdateService{ID: svc.ID, Tier: set("tier-2"), Links: graphql.OmittableOf([]catalog.ServiceLink{{Kind: domain.Other, Title: "t", URL: "http://x"}})}))
		if same.Version != got.Version {
			w.Error("nothing changed and it was written")
		}
		_, err := w.UpdateService(w.ctx, catalog.UpdateService{ID: svc.ID, ExpectedVersion: pointer(1)})
		w.refused(err, "STALE expectedVersion")
		_, err = w.UpdateService(w.ctx, catalog.UpdateService{ID: svc.ID, FieldsInput: cmdb.FieldsInput{Name: null[string]()}, PortfolioStage: null[domain.PortfolioStage]()})
		w.refused(err, "REQUIRED name", "REQUIRED portfolioStage")
		if got = must[*ent.CI](w)(w.UpdateService(w.ctx, catalog.UpdateService{ID: svc.ID, Tier: null[string]()})); got.TierID != nil {
			w.Error("null clears the tier")
		}
		server := must[*ent.CI](w)(cmdb.New(w.s).CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "s"}))
		_, err = w.UpdateService(w.ctx, catalog.UpdateService{ID: server.ID, FieldsInput: cmdb.FieldsInput{Name: set("x")}})
		w.refused(err, "NOT_FOUND id no service")
	})
}

func TestTheScaleOfTiersHasOnePlaceForEach(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.CreateServiceTier(w.ctx, catalog.CreateServiceTier{Code: "tier-1", Name: "x", Rank: 2})
		w.refused(err, "ALREADY_EXISTS code", "ALREADY_EXISTS rank the tier tier-2 has")
		_, err = w.CreateServiceTier(w.ctx, catalog.CreateServiceTier{Code: "Tier 0", Name: "", Rank: 0})
		w.refused(err, "INVALID code", "REQUIRED name", "INVALID rank")
		got := must[*ent.ServiceTier](w)(w.CreateServiceTier(w.ctx, catalog.CreateServiceTier{Code: "tier-5", Name: "Five", Rank: 5}))
		got = must[*ent.ServiceTier](w)(w.UpdateServiceTier(w.ctx, catalog.UpdateServiceTier{Code: "tier-5", ExpectedVersion: &got.Version, Name: set("Last"), Rank: set(9)}))
		if got.Name != "Last" || got.Rank != 9 || got.Version != 2 {
			w.Errorf("got %v", got)
		}
		_, err = w.UpdateServiceTier(w.ctx, catalog.UpdateServiceTier{Code: "tier-5", Rank: set(1)})
		w.refused(err, "ALREADY_EXISTS rank")
		_, err = w.UpdateServiceTier(w.ctx, catalog.UpdateServiceTier{Code: "tier-5", ExpectedVersion: pointer(1)})
		w.refused(err, "STALE expectedVersion")
		_, err = w.UpdateServiceTier(w.ctx, catalog.UpdateServiceTier{Code: "tier-6"})
		w.refused(err, "NOT_FOUND code")
	})
}

func TestTeamsHaveUniqueNamesAndNoCycles(t *testing.T) {
	each(t, func(w *world) {
		a := w.team("a")
		b := must[*ent.Team](w)(w.CreateTeam(w.ctx, catalog.CreateTeam{Name: "b", Parent: &a.ID, Email: pointer("b@example.com")}))
		c := must[*ent.Team](w)(w.CreateTeam(w.ctx, catalog.CreateTeam{Name: "c", Parent: &b.ID}))
		_, err := w.CreateTeam(w.ctx, catalog.CreateTeam{Name: " a ", Email: pointer("nobody"), Parent: pointer(ident.New(ident.Team, 99))})
		w.refused(err, "INVALID email", "NOT_FOUND parent", "ALREADY_EXISTS name")
		_, err = w.UpdateTeam(w.ctx, catalog.UpdateTeam{ID: a.ID, Parent: set(c.ID)})
		w.refused(err, "INVALID parent part of")
		_, err = w.UpdateTeam(w.ctx, catalog.UpdateTeam{ID: a.ID, Parent: set(a.ID)})
		w.refused(err, "INVALID parent")
		_, err = w.UpdateTeam(w.ctx, catalog.UpdateTeam{ID: a.ID, Name: set("b"), ExpectedVersion: pointer(7)})
		w.refused(err, "STALE expectedVersion", "ALREADY_EXISTS name")
		got := must[*ent.Team](w)(w.UpdateTeam(w.ctx, catalog.UpdateTeam{ID: c.ID, Parent: null[ident.ID](), Description: set("d")}))
		if got.ParentID != nil || got.Description != "d" || got.Version != 2 {
			w.Errorf("got %v", got)
		}
		same := must[*ent.Team](w)(w.UpdateTeam(w.ctx, catalog.UpdateTeam{ID: c.ID, Name: set("c")}))
		if same.Version != 2 {
			w.Error("nothing changed and it was written")
		}
		_, err = w.UpdateTeam(w.ctx, catalog.UpdateTeam{ID: ident.New(ident.CI, 1)})
		w.refused(err, "INVALID id team_")
	})
}

func TestTwoMovesAtOnceMakeNoCycle(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.team("a"), w.team("b")
		var wg sync.WaitGroup
		for _, move := range [][2]*ent.Team{{a, b}, {b, a}} {
			wg.Go(func() {
				_, _ = w.UpdateTeam(w.ctx, catalog.UpdateTeam{ID: move[0].ID, Parent: set(move[1].ID)})
			})
		}
		wg.Wait()
		above := 0
		for _, team := range w.s.Read.Team.Query().AllX(w.ctx) {
			if team.ParentID != nil {
				above++
			}
		}
		if above != 1 {
			w.Errorf("%d teams have a parent", above)
		}
	})
}

func TestMembersJoinAndLeave(t *testing.T) {
	each(t, func(w *world) {
		team, ada := w.team("ops"), w.person("Ada")
		for range 2 {
			must[*ent.Team](w)(w.AddTeamMember(w.ctx, catalog.AddTeamMember{Team: team.ID, Person: ada.ID}))
		}
		if n := w.s.Read.Membership.Query().CountX(w.ctx); n != 1 {
			w.Errorf("%d memberships", n)
		}
		_, err := w.AddTeamMember(w.ctx, catalog.AddTeamMember{Team: ident.New(ident.Team, 9), Person: ident.New(ident.Person, 9)})
		w.refused(err, "NOT_FOUND team", "NOT_FOUND person")
		_, err = w.AddTeamMember(w.ctx, catalog.AddTeamMember{Team: ada.ID, Person: team.ID})
		w.refused(err, "INVALID team", "INVALID person")
		must[*ent.Team](w)(w.RemoveTeamMember(w.ctx, catalog.RemoveTeamMember{Team: team.ID, Person: ada.ID}))
		_, err = w.RemoveTeamMember(w.ctx, catalog.RemoveTeamMember{Team: team.ID, Person: ada.ID})
		w.refused(err, "NOT_FOUND person not in")
	})
}

func TestPeopleAreRecordedAndChanged(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.CreatePerson(w.ctx, catalog.CreatePerson{Name: "", Email: pointer("a b@c")})
		w.refused(err, "REQUIRED name", "INVALID email")
		ada := w.person("Ada")
		got := must[*ent.Person](w)(w.UpdatePerson(w.ctx, catalog.UpdatePerson{ID: ada.ID, ExpectedVersion: pointer(1), Email: set("ada@example.com")}))
		if got.Email != "ada@example.com" || got.Version != 2 {
			w.Errorf("got %v", got)
		}
		got = must[*ent.Person](w)(w.UpdatePerson(w.ctx, catalog.UpdatePerson{ID: ada.ID, Email: null[string]()}))
		if got.Email != "" {
			w.Errorf("got %v", got)
		}
		_, err = w.UpdatePerson(w.ctx, catalog.UpdatePerson{ID: ada.ID, ExpectedVersion: pointer(1), Name: set("")})
		w.refused(err, "STALE expectedVersion", "REQUIRED name")
	})
}

func TestBatchesOfTeamsAndPeople(t *testing.T) {
	each(t, func(w *world) {
		apply := func(f func(context.Context, *store.Tx) error) error {
			_, err := store.Write(w.ctx, w.s, store.By{Actor: "test", Verb: "import.apply"}, func(ctx context.Context, tx *store.Tx) (int, error) { return 0, f(ctx, tx) })
			return err
		}
		err := apply(func(ctx context.Context, tx *store.Tx) error {
			_, err := catalog.CreateTeamsTx(ctx, tx, []catalog.NewTeam{{Name: "a"}, {Name: ""}, {Name: "a"}})
			return err
		})
		w.refused(err, "REQUIRED 1.name", "ALREADY_EXISTS 2.name")
		err = apply(func(ctx context.Context, tx *store.Tx) error {
			teams, err := catalog.CreateTeamsTx(ctx, tx, []catalog.NewTeam{{Name: "a"}, {Name: "b"}})
			if err != nil {
				return err
			}
			people, err := catalog.CreatePeopleTx(ctx, tx, []catalog.NewPerson{{Name: "Ada"}, {Name: "Bob"}})
			if err != nil {
				return err
			}
			rows := []catalog.Member{{Team: teams[0].ID, Person: people[0].ID}, {Team: teams[1].ID, Person: people[1].ID}, {Team: teams[0].ID, Person: people[0].ID}}
			if err := catalog.AddMembersTx(ctx, tx, rows); err != nil {
				return err
			}
			if err := catalog.RemoveMembersTx(ctx, tx, rows[:1]); err != nil {
				return err
			}
			if _, err := catalog.UpdateTeamsTx(ctx, tx, []catalog.TeamChange{{ID: teams[0].ID, Parent: &teams[1].ID, Email: pointer("a@example.com")}}); err != nil {
				return err
			}
			_, err = catalog.UpdatePeopleTx(ctx, tx, []catalog.PersonChange{{ID: people[1].ID, Name: pointer("Bill")}})
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
		if n := w.s.Read.Membership.Query().CountX(w.ctx); n != 1 {
			w.Errorf("%d memberships", n)
		}
	})
}

func TestVerbsAskThePolicy(t *testing.T) {
	each(t, func(w *world) {
		ctx := auth.With(t.Context(), auth.Dev("vi", auth.Viewer))
		for name, err := range map[string]error{
			"createService":     second(w.CreateService(ctx, catalog.CreateService{})),
			"updateService":     second(w.UpdateService(ctx, catalog.UpdateService{})),
			"createServiceTier": second(w.CreateServiceTier(ctx, catalog.CreateServiceTier{})),
			"updateServiceTier": second(w.UpdateServiceTier(ctx, catalog.UpdateServiceTier{})),
			"createTeam":        second(w.CreateTeam(ctx, catalog.CreateTeam{})),
			"updateTeam":        second(w.UpdateTeam(ctx, catalog.UpdateTeam{})),
			"addTeamMember":     second(w.AddTeamMember(ctx, catalog.AddTeamMember{})),
			"removeTeamMember":  second(w.RemoveTeamMember(ctx, catalog.RemoveTeamMember{})),
			"createPerson":      second(w.CreatePerson(ctx, catalog.CreatePerson{})),
			"updatePerson":      second(w.UpdatePerson(ctx, catalog.UpdatePerson{})),
		} {
			if errs.CodeOf(err) != errs.Forbidden {
				w.Errorf("%s: got %v", name, err)
			}
		}
	})
}
