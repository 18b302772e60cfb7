package auth_test

import (
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
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
