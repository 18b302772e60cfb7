package cmdb_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func TestANewCITakesItsDefaults(t *testing.T) {
	each(t, func(w *world) {
		got := w.ci("server", "  web-1 ")
		if got.Name != "web-1" || got.Lifecycle != domain.Live || got.Environment != domain.Production ||
			got.Criticality != domain.CriticalityMedium || got.Version != 1 || got.ServiceKind != nil || got.CreatedAt.IsZero() {
			w.Errorf("got %+v", got)
		}
	})
}

func TestEverythingWrongWithANewCIIsSaidAtOnce(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.CreateCI(w.ctx, cmdb.CreateCI{
			Class:      "server",
			Fields:     cmdb.Fields{Description: pointer(strings.Repeat("x", 10_001)), Lifecycle: pointer(domain.Retired)},
			Name:       " ",
			Attributes: map[string]any{"cpuCores": "four", "os": 3},
			Owners:     []cmdb.Owner{{Team: pointer(number(ident.Team, 9))}, {}, {Person: pointer(number(ident.Team, 1))}},
		})
		w.refused(err,
			"REQUIRED name",
			"INVALID description 10001 characters",
			"INVALID attributes.cpuCores cpuCores is text: a whole number is expected",
			"INVALID attributes.os os is a number: text is expected",
			"TRANSITION_REFUSED lifecycle a CI becomes RETIRED by retireCI alone",
			"INVALID owners.1 exactly one",
			"INVALID owners.2.person per_",
			"NOT_FOUND owners.0.team team_9",
		)
		if n := w.s.Read.CI.Query().CountX(w.ctx); n != 0 {
			w.Errorf("%d CIs were written", n)
		}
	})
}

func TestAClassHasToExistAndToBeConcrete(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.CreateCI(w.ctx, cmdb.CreateCI{Class: "serve", Name: "x"})
		w.refused(err, "NOT_FOUND class did you mean server?")
		_, err = w.CreateCI(w.ctx, cmdb.CreateCI{Class: "hardware", Name: "x"})
		w.refused(err, "INVALID class only groups")
	})
}

// labels returns labels as inputs have them, by name; nil removes one.
func labels(of map[string]any) []domain.LabelInput {
	all := []domain.LabelInput{}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		label := domain.LabelInput{Name: name}
		if text, ok := of[name].(string); ok {
			label.Value = &text
		}
		all = append(all, label)
	}
	return all
}

func TestLabelsAreFewAndShort(t *testing.T) {
	each(t, func(w *world) {
		many := map[string]any{}
		for i := range 101 {
			many[fmt.Sprint("l", i)] = "x"
		}
		_, err := w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "x", Labels: labels(many)})
		w.refused(err, "INVALID labels 101 labels")
		_, err = w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "x", Labels: labels(map[string]any{"a": strings.Repeat("x", 501)})})
		w.refused(err, "INVALID labels.0.value at most 500")
		_, err = w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "x", Labels: labels(map[string]any{"a": "", strings.Repeat("n", 101): "x"})})
		w.refused(err, "INVALID labels.1.name at most 100")
		_, err = w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "x", Labels: append(labels(map[string]any{"a": "1"}), labels(map[string]any{"a": "2"})...)})
		w.refused(err, "ALREADY_EXISTS labels.1.name once")
	})
}

func TestAttributesTogetherAreBounded(t *testing.T) {
	each(t, func(w *world) {
		half := strings.Repeat("x", 40_000)
		ci := must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "x", Attributes: map[string]any{"a": half}}))
		_, err := w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: ci.ID, Attributes: object(map[string]any{"b": half})})
		w.refused(err, "INVALID attributes at most 65536")
		_, err = w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: ci.ID, Attributes: object(map[string]any{"b": "nul \x00"})})
		w.refused(err, "INVALID attributes.b U+0000")
	})
}

func TestAnUpdateMergesAttributesAndLabels(t *testing.T) {
	each(t, func(w *world) {
		ci := must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{
			Class: "server", Name: "x", Attributes: map[string]any{"os": "linux", "cpuCores": 4, "site": "rtm"}, Labels: labels(map[string]any{"a": "1", "b": "2"}),
		}))
		got := must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{
			ID: ci.ID, Attributes: object(map[string]any{"os": nil, "cpuCores": 8}), Labels: graphql.OmittableOf(labels(map[string]any{"a": nil, "c": "3"})),
		}))
		if want := map[string]any{"cpuCores": 8.0, "site": "rtm"}; !reflect.DeepEqual(got.Attributes, want) {
			w.Errorf("attributes %v, want %v", got.Attributes, want)
		}
		if want := map[string]string{"b": "2", "c": "3"}; !reflect.DeepEqual(got.Labels, want) {
			w.Errorf("labels %v, want %v", got.Labels, want)
		}
		if got.Version != 2 {
			w.Errorf("version %d", got.Version)
		}
		_, err := w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: ci.ID, Attributes: object(map[string]any{"cpuCores": 0})})
		w.refused(err, "INVALID attributes.cpuCores is 0: it must be at least 1")
		got = must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: ci.ID, Attributes: object(nil), Labels: graphql.OmittableOf[[]domain.LabelInput](nil)}))
		if len(got.Attributes) != 0 || len(got.Labels) != 0 {
			w.Errorf("null clears: %v %v", got.Attributes, got.Labels)
		}
	})
}

func TestAnUpdateThatChangesNothingWritesNothing(t *testing.T) {
	each(t, func(w *world) {
		ci := must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "x", Attributes: map[string]any{"cpuCores": 4}, Labels: labels(map[string]any{"a": "1"})}))
		before := w.revision()
		got := must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{
			ID:          ci.ID,
			FieldsInput: cmdb.FieldsInput{Name: set("x"), Description: null[string]()},
			Attributes:  object(map[string]any{"cpuCores": 4, "gone": nil}),
			Labels:      graphql.OmittableOf(labels(map[string]any{"a": "1", "gone": nil})),
		}))
		if got.Version != 1 || w.revision() != before {
			w.Errorf("version %d, revision %d after %d", got.Version, w.revision(), before)
		}
	})
}

func TestARequiredFieldThatIsClearedIsRefused(t *testing.T) {
	each(t, func(w *world) {
		ci := w.ci("server", "x")
		_, err := w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: ci.ID, FieldsInput: cmdb.FieldsInput{Name: null[string](), Lifecycle: null[domain.Lifecycle](), Environment: null[domain.Environment]()}})
		w.refused(err, "REQUIRED name", "REQUIRED lifecycle", "REQUIRED environment")
	})
}

func TestAStaleVersionIsRefused(t *testing.T) {
	each(t, func(w *world) {
		a, b := w.ci("server", "a"), w.ci("server", "b")
		must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: a.ID, FieldsInput: cmdb.FieldsInput{Name: set("a2")}, ExpectedVersion: pointer(1)}))
		_, err := w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: a.ID, FieldsInput: cmdb.FieldsInput{Name: set("a3")}, ExpectedVersion: pointer(1)})
		w.refused(err, "STALE expectedVersion")
		_, err = w.RetireCI(w.ctx, cmdb.RetireCI{ID: a.ID, ExpectedVersion: pointer(1)})
		w.refused(err, "STALE expectedVersion")
		_, err = w.SetOwners(w.ctx, cmdb.SetOwners{ID: a.ID, ExpectedVersion: pointer(1)})
		w.refused(err, "STALE expectedVersion")
		rel := w.relate("depends_on", a, b)
		for _, refused := range []error{
			second(w.UpdateRelationship(w.ctx, cmdb.UpdateRelationship{ID: rel.ID, ExpectedVersion: pointer(9)})),
			second(w.UnrelateCIs(w.ctx, cmdb.UnrelateCIs{ID: rel.ID, ExpectedVersion: pointer(9)})),
			second(w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "server", ExpectedVersion: pointer(9)})),
			second(w.UpdateRelationshipType(w.ctx, cmdb.UpdateRelationshipType{Code: "depends_on", ExpectedVersion: pointer(9)})),
		} {
			w.refused(refused, "STALE expectedVersion")
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestIdsAreOfTheRightKindAndExist(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: number(ident.Team, 1), FieldsInput: cmdb.FieldsInput{Name: set("x")}})
		w.refused(err, "INVALID id ci_")
		_, err = w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: number(ident.CI, 99), FieldsInput: cmdb.FieldsInput{Name: set("x")}})
		w.refused(err, "NOT_FOUND id ci_2r")
		svc := w.ci("business_service", "shop")
		got := must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: svc.ID.As(ident.Service), FieldsInput: cmdb.FieldsInput{Name: set("shop 2")}}))
		if got.ID != svc.ID || got.Name != "shop 2" {
			w.Errorf("a service's id names its CI: got %v", got)
		}
	})
}

func TestTheLifecycleMovesByItsTable(t *testing.T) {
	each(t, func(w *world) {
		ci := w.ci("server", "x")
		move := func(to domain.Lifecycle) error {
			return second(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: ci.ID, FieldsInput: cmdb.FieldsInput{Lifecycle: set(to)}}))
		}
		w.refused(move(domain.Planned), "TRANSITION_REFUSED lifecycle a CI cannot go from LIVE to PLANNED: from LIVE it can go to DEPRECATED")
		w.refused(move(domain.Retired), "TRANSITION_REFUSED lifecycle a CI is retired by retireCI")
		for _, to := range []domain.Lifecycle{domain.Deprecated, domain.Live} {
			if err := move(to); err != nil {
				w.Error(err)
			}
		}
		retired := must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: ci.ID}))
		again := must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: ci.ID}))
		if retired.Lifecycle != domain.Retired || again.Version != retired.Version {
			w.Errorf("got %v, then %v", retired, again)
		}
		w.refused(move(domain.Deprecated), "TRANSITION_REFUSED lifecycle a CI cannot go from RETIRED to DEPRECATED: from RETIRED it can go to LIVE")
		if err := move(domain.Live); err != nil {
			w.Error(err)
		}
	})
}

func TestACIOfAServiceClassIsAService(t *testing.T) {
	each(t, func(w *world) {
		got := w.ci("technical_service", "network")
		if got.ServiceKind == nil || *got.ServiceKind != domain.TechnicalService || got.PortfolioStage == nil || *got.PortfolioStage != domain.PortfolioCatalog {
			w.Errorf("got %+v", got)
		}
	})
}

func TestAPersonsUpdateLocksWhatWasImported(t *testing.T) {
	each(t, func(w *world) {
		plain, ci := w.ci("server", "plain"), w.imported("server", "x", "x")
		if got := must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: plain.ID, FieldsInput: cmdb.FieldsInput{Name: set("p")}})); len(got.Locks) != 0 {
			w.Errorf("a CI of no source was locked: %v", got.Locks)
		}
		got := must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{
			ID:          ci.ID,
			FieldsInput: cmdb.FieldsInput{Name: set("y"), Criticality: set(domain.CriticalityHigh), Description: set("")},
			Attributes:  object(map[string]any{"os": "linux"}),
			Labels:      graphql.OmittableOf(labels(map[string]any{"a": "1"})),
		}))
		if want := []string{"attributes.os", "criticality", "labels.a", "name"}; !reflect.DeepEqual(got.Locks, want) {
			w.Errorf("locks %v, want %v", got.Locks, want)
		}
		sourceSays := cmdb.CIChange{ID: ci.ID, Fields: cmdb.Fields{Name: pointer("z"), Description: pointer("from the source")}, Attributes: map[string]any{"os": "bsd", "vendor": "v"}, Labels: map[string]*string{"a": nil}}
		update := func() *ent.CI {
			var saved []*ent.CI
			err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) (err error) {
				saved, err = cmdb.UpdateCIsTx(ctx, tx, ref, []cmdb.CIChange{sourceSays})
				return err
			})
			if err != nil {
				w.Fatal(err)
			}
			return saved[0]
		}
		got = update()
		if got.Name != "y" || got.Description != "from the source" || got.Attributes["os"] != "linux" || got.Attributes["vendor"] != "v" || got.Labels["a"] != "1" || len(got.Locks) != 4 {
			w.Errorf("a source wrote over a lock, or locked: %+v", got)
		}
		got = must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: ci.ID, UnlockFields: graphql.OmittableOf([]string{"name", "attributes.os", "labels.a"})}))
		if want := []string{"criticality"}; !reflect.DeepEqual(got.Locks, want) {
			w.Errorf("locks %v, want %v", got.Locks, want)
		}
		if got = update(); got.Name != "z" || got.Attributes["os"] != "bsd" || len(got.Labels) != 0 {
			w.Errorf("released fields stayed: %+v", got)
		}
	})
}

func TestOwnersAreReplacedAndTheFirstIsPrimary(t *testing.T) {
	each(t, func(w *world) {
		ci, team, person := w.imported("server", "x", "x"), w.team("ops"), w.person("Ada")
		got := must[*ent.CI](w)(w.SetOwners(w.ctx, cmdb.SetOwners{ID: ci.ID, Owners: []cmdb.Owner{{Team: &team.ID}, {Person: &person.ID, Role: pointer("architect")}}}))
		if got.Version != 2 || !reflect.DeepEqual(got.Locks, []string{"owners"}) {
			w.Errorf("got %+v", got)
		}
		must[*ent.CI](w)(w.SetOwners(w.ctx, cmdb.SetOwners{ID: ci.ID, Owners: []cmdb.Owner{{Person: &person.ID, Role: pointer("architect")}, {Team: &team.ID}}}))
		owners := w.s.Read.Owner.Query().Order(ent.Asc("id")).AllX(w.ctx)
		if len(owners) != 2 || owners[0].IsPrimary || !owners[1].IsPrimary || *owners[1].PersonID != person.ID || owners[0].Role != "owner" {
			w.Errorf("got %v", owners)
		}
		before := w.revision()
		must[*ent.CI](w)(w.SetOwners(w.ctx, cmdb.SetOwners{ID: ci.ID, Owners: []cmdb.Owner{{Person: &person.ID, Role: pointer("architect")}, {Team: &team.ID}}}))
		if w.revision() != before {
			w.Error("the same owners were written again")
		}
		_, err := w.SetOwners(w.ctx, cmdb.SetOwners{ID: ci.ID, Owners: []cmdb.Owner{{Team: &team.ID}, {Team: &team.ID}}})
		w.refused(err, "ALREADY_EXISTS owners.1 twice")
		must[*ent.CI](w)(w.SetOwners(w.ctx, cmdb.SetOwners{ID: ci.ID}))
		if n := w.s.Read.Owner.Query().CountX(w.ctx); n != 0 {
			w.Errorf("%d owners left", n)
		}
	})
}

func TestVerbsAskThePolicy(t *testing.T) {
	each(t, func(w *world) {
		viewer := auth.With(t.Context(), auth.Dev("vi", auth.Viewer))
		for _, c := range []struct {
			ctx  context.Context
			want errs.Code
		}{{t.Context(), errs.Unauthenticated}, {viewer, errs.Forbidden}} {
			for name, err := range map[string]error{
				"createCI":               second(w.CreateCI(c.ctx, cmdb.CreateCI{})),
				"updateCI":               second(w.UpdateCI(c.ctx, cmdb.UpdateCI{})),
				"retireCI":               second(w.RetireCI(c.ctx, cmdb.RetireCI{})),
				"setOwners":              second(w.SetOwners(c.ctx, cmdb.SetOwners{})),
				"addExternalIdentity":    second(w.AddExternalIdentity(c.ctx, cmdb.AddExternalIdentity{})),
				"createCIClass":          second(w.CreateCIClass(c.ctx, cmdb.CreateCIClass{})),
				"updateCIClass":          second(w.UpdateCIClass(c.ctx, cmdb.UpdateCIClass{})),
				"relateCIs":              second(w.RelateCIs(c.ctx, cmdb.RelateCIs{})),
				"updateRelationship":     second(w.UpdateRelationship(c.ctx, cmdb.UpdateRelationship{})),
				"unrelateCIs":            second(w.UnrelateCIs(c.ctx, cmdb.UnrelateCIs{})),
				"createDependencyGroup":  second(w.CreateDependencyGroup(c.ctx, cmdb.CreateDependencyGroup{})),
				"updateDependencyGroup":  second(w.UpdateDependencyGroup(c.ctx, cmdb.UpdateDependencyGroup{})),
				"deleteDependencyGroup":  second(w.DeleteDependencyGroup(c.ctx, cmdb.DeleteDependencyGroup{})),
				"createRelationshipType": second(w.CreateRelationshipType(c.ctx, cmdb.CreateRelationshipType{})),
				"updateRelationshipType": second(w.UpdateRelationshipType(c.ctx, cmdb.UpdateRelationshipType{})),
			} {
				if errs.CodeOf(err) != c.want {
					w.Errorf("%s: got %v, want %s", name, err, c.want)
				}
			}
		}
	})
}

func TestConcurrentUpdatesOfOneCIAllCount(t *testing.T) {
	each(t, func(w *world) {
		ci := w.ci("server", "x")
		g, ctx := errgroup.WithContext(w.ctx)
		for i := range 8 {
			g.Go(func() error {
				_, err := w.UpdateCI(ctx, cmdb.UpdateCI{ID: ci.ID, Attributes: object(map[string]any{fmt.Sprint("a", i): i})})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			w.Fatal(err)
		}
		if got := w.s.Read.CI.GetX(w.ctx, ci.ID); len(got.Attributes) != 8 || got.Version != 9 {
			w.Errorf("lost updates: version %d, %v", got.Version, got.Attributes)
		}
	})
}
