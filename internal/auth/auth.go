// Package auth knows who is calling and whether they may: one policy table for verbs and fields. It refuses
// whatever the table does not allow, the unknown included.
package auth

import (
	"context"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Role is what an actor may do; every role includes reading.
type Role string

// The roles.
const (
	Viewer        Role = "VIEWER"
	Operator      Role = "OPERATOR"
	ChangeManager Role = "CHANGE_MANAGER"
	CatalogEditor Role = "CATALOG_EDITOR"
	Admin         Role = "ADMIN"
)

// AllRoles lists every role.
var AllRoles = []Role{Viewer, Operator, ChangeManager, CatalogEditor, Admin}

// Roles reads a comma-separated list of roles, in any case. It leaves out words that are not roles.
func Roles(list string) (roles []Role) {
	for name := range strings.SplitSeq(list, ",") {
		role := Role(strings.ToUpper(strings.TrimSpace(name)))
		if slices.Contains(AllRoles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// Actor is the authenticated caller. Name is written on each journal entry.
type Actor struct {
	Name  string
	Roles []Role
}

// System is the program itself: it seeds and imports.
var System = Actor{Name: "linchpin", Roles: []Role{Admin}}

// Has reports whether the actor has a role; an admin has them all, and everyone with any role reads.
func (a Actor) Has(role Role) bool {
	if len(a.Roles) == 0 {
		return false
	}
	return role == Viewer || slices.Contains(a.Roles, role) || slices.Contains(a.Roles, Admin)
}

type actorKey struct{}

// With returns a context whose actor is a.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// From returns the actor of ctx, and reports whether there is one.
func From(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}

// Require returns the actor of ctx if they may do verb. Failures: errs.Unauthenticated if there is no actor,
// errs.Forbidden if they may not.
func Require(ctx context.Context, verb string) (Actor, error) {
	a, ok := From(ctx)
	if !ok {
		return a, errs.New(errs.Unauthenticated, "nobody is signed in")
	}
	role, ok := verbs[verb]
	if !ok || !a.Has(role) {
		return a, errs.New(errs.Forbidden, "%s may not do %s", a.Name, verb)
	}
	return a, nil
}

// MayRead reports whether a may read a field of a GraphQL type. It refuses a type that the table does not name.
func MayRead(a Actor, typeName, field string) bool {
	role, ok := fields[typeName+"."+field]
	if !ok {
		role, ok = roleOf(typeName)
	}
	return ok && a.Has(role)
}

// roleOf returns the role that a GraphQL type needs: its own, or that of what it carries.
func roleOf(typeName string) (Role, bool) {
	if role, ok := fields[typeName]; ok {
		return role, true
	}
	for _, page := range []string{"Connection", "Edge"} {
		if record, ok := strings.CutSuffix(typeName, page); ok {
			role, ok := fields[record]
			return role, ok
		}
	}
	role, ok := fields["Mutation"]
	return role, ok && strings.HasSuffix(typeName, "Payload")
}
