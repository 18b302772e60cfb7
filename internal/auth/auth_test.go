package auth_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestEachRoleDoesItsVerbsAndNoOthers(t *testing.T) {
	for _, c := range []struct {
		role  auth.Role
		verb  string
		isFit bool
	}{
		{auth.Viewer, "incident.open", false},
		{auth.Operator, "incident.open", true},
		{auth.Operator, "change.draft", false},
		{auth.Operator, "ci.create", false},
		{auth.ChangeManager, "change.approve", true},
		{auth.ChangeManager, "incident.resolve", false},
		{auth.CatalogEditor, "relationship.create", true},
		{auth.CatalogEditor, "ci_class.create", false},
		{auth.CatalogEditor, "import.apply", false},
		{auth.Admin, "ci_class.create", true},
		{auth.Admin, "incident.open", true},
		{auth.Admin, "ci.delete_everything", false}, // nobody declared it
	} {
		ctx := auth.With(t.Context(), auth.Dev("ada", c.role))
		actor, err := auth.Require(ctx, c.verb)
		if c.isFit && (err != nil || actor.Name != "ada") {
			t.Errorf("%s may not %s: %v", c.role, c.verb, err)
		}
		if !c.isFit && errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("%s may %s: %v", c.role, c.verb, err)
		}
	}
}

func TestWordsThatAreNotRolesAreLeftOut(t *testing.T) {
	for list, want := range map[string]int{"": 0, "BOSS": 0, "admin ,VIEWER": 2, "ADMIN,,": 1, "OPERATOR;ADMIN": 0} {
		if got := auth.Roles(list); len(got) != want {
			t.Errorf("%q gives %v", list, got)
		}
	}
}

func TestACallerWithoutAnActorOrARoleIsRefused(t *testing.T) {
	if _, err := auth.Require(t.Context(), "incident.open"); errs.CodeOf(err) != errs.Unauthenticated {
		t.Errorf("got %v", err)
	}
	without := auth.With(t.Context(), auth.Actor{Name: "ada"})
	if _, err := auth.Require(without, "incident.open"); errs.CodeOf(err) != errs.Forbidden {
		t.Errorf("someone without a role: %v", err)
	}
	if auth.MayRead(auth.Actor{Name: "ada"}, "CI", "name") {
		t.Error("someone without a role reads")
	}
}

func Test18TheDocumentedPolicyIsTheOneInForce(t *testing.T) {
	text, err := os.ReadFile("../../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n```\n")
	if table, _, _ := strings.Cut(rest, "```\n"); table != auth.Policy() {
		t.Errorf("docs/access.md has another table than linchpin policy prints:\n%s", auth.Policy())
	}
}

func TestAVerbThatDoesNotAskWhoseARecordIsIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		team := ident.New(ident.Team, 1)
		actor := auth.Actor{Name: "tess", Via: domain.ViaSession, InTeams: []auth.InTeam{{Role: auth.Operator, Team: team}}}
		try := func(of ...auth.About) error {
			_, err := auth.Write(auth.With(t.Context(), actor), s, "incident.start", func(ctx context.Context, tx *store.Tx) (int, error) {
				for _, one := range of {
					if err := auth.Within(ctx, tx, one); err != nil {
						return 0, err
					}
				}
				return 0, nil
			})
			return err
		}
		if err := try(); errs.CodeOf(err) != errs.Forbidden || !strings.Contains(err.Error(), "OPERATOR") {
			t.Errorf("a verb that asked nothing: %v", err)
		}
		if err := try(auth.About{Teams: []ident.ID{team}}); err != nil {
			t.Errorf("what the team works on: %v", err)
		}
		if err := try(auth.About{Teams: []ident.ID{team}}, auth.About{Teams: []ident.ID{team + 1}}); errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("the second of two records is of another team: %v", err)
		}
	})
}

func TestATokenNarrowsAndNeverWidens(t *testing.T) {
	team := ident.New(ident.Team, 1)
	a := auth.Actor{Roles: []auth.Role{auth.CatalogEditor}, InTeams: []auth.InTeam{{Role: auth.Operator, Team: team}}, Sources: []string{"x"}}
	for _, c := range []struct {
		narrowed []auth.Role
		grants   string
	}{
		{nil, "CATALOG_EDITOR\nOPERATOR team_1"},
		{[]auth.Role{auth.Admin}, "CATALOG_EDITOR\nOPERATOR team_1"},
		{[]auth.Role{auth.Operator}, "OPERATOR team_1"},
		{[]auth.Role{auth.Viewer}, "VIEWER"},
		{[]auth.Role{auth.Integrator}, ""},
		{[]auth.Role{}, ""},
	} {
		a.Pass.Narrowed = c.narrowed
		if got := a.Grants(); got != c.grants {
			t.Errorf("narrowed to %v: %q, want %q", c.narrowed, got, c.grants)
		}
	}
}
