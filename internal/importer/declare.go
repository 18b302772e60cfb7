package importer

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Declaring is a source that says itself of which classes its CIs are, each after the class above it.
type Declaring interface {
	Classes(ctx context.Context) ([]cmdb.CreateCIClass, error)
}

// ClassesOf returns the classes that a source says, if it says any.
func ClassesOf(ctx context.Context, s Source) ([]cmdb.CreateCIClass, error) {
	if d, ok := s.(Declaring); ok {
		return d.Classes(ctx)
	}
	return nil, nil
}

// Declare makes the classes that do not exist, and changes those that are otherwise. It returns the codes of both.
func Declare(ctx context.Context, s *store.Store, p *cmdb.Practice, all []cmdb.CreateCIClass) (created, changed []string, err error) {
	for _, c := range all {
		was, err := s.Read.CIClass.Query().Where(ciclass.Code(c.Code)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			if _, err := p.CreateCIClass(ctx, c); err != nil {
				return created, changed, err
			}
			created = append(created, c.Code)
		case err != nil:
			return created, changed, store.Translate(err)
		case !isAs(was, c):
			if _, err := p.UpdateCIClass(ctx, cmdb.UpdateCIClass{
				Code: c.Code, Label: graphql.OmittableOf(&c.Label), Description: graphql.OmittableOf(c.Description), Icon: graphql.OmittableOf(c.Icon),
				AttributeSchema: graphql.OmittableOf(c.AttributeSchema), IdentityRules: graphql.OmittableOf(c.IdentityRules),
			}); err != nil {
				return created, changed, err
			}
			changed = append(changed, c.Code)
		}
	}
	return created, changed, nil
}

// isAs reports whether a class is as a source says.
func isAs(was *ent.CIClass, c cmdb.CreateCIClass) bool {
	return was.Label == c.Label && (c.Description == nil || was.Description == *c.Description) && (c.Icon == nil || was.Icon == *c.Icon) &&
		slices.EqualFunc(was.IdentityRules, c.IdentityRules, slices.Equal) && (len(was.AttributeSchema)+len(c.AttributeSchema) == 0 || reflect.DeepEqual(plainJSON(was.AttributeSchema), plainJSON(c.AttributeSchema)))
}

// plainJSON returns a value as it is after JSON, so that numbers are of one type.
func plainJSON(v any) (plain any) {
	text, err := json.Marshal(v)
	if err != nil || json.Unmarshal(text, &plain) != nil {
		return v
	}
	return plain
}
