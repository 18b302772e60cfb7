package cmdb_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func (w *world) classID(code string) ident.ID {
	w.Helper()
	return w.s.Read.CIClass.Query().Where(ciclass.Code(code)).OnlyIDX(w.ctx)
}

func property(name, kind string) map[string]any {
	return map[string]any{"properties": map[string]any{name: map[string]any{"type": kind}}}
}

func TestANewClassIsUsableAtOnceAndInherits(t *testing.T) {
	each(t, func(w *world) {
		must[*ent.CIClass](w)(w.CreateCIClass(w.ctx, cmdb.CreateCIClass{
			Code: "blade", Label: "Blade", Parent: "server", AttributeSchema: property("slot", "integer"), IdentityRules: [][]string{{"slot", "serialNumber"}},
		}))
		must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "blade", Name: "b1", Attributes: map[string]any{"slot": 3, "cpuCores": 4}}))
		_, err := w.CreateCI(w.ctx, cmdb.CreateCI{Class: "blade", Name: "b2", Attributes: map[string]any{"slot": "x", "cpuCores": 0}})
		w.refused(err, "INVALID attributes.cpuCores at least 1", "INVALID attributes.slot whole number")
		must[*ent.CIClass](w)(w.CreateCIClass(w.ctx, cmdb.CreateCIClass{Code: "subscription", Label: "Subscription", Parent: "service_offering"}))
		if got := w.ci("subscription", "gold"); got.ServiceKind == nil || *got.ServiceKind != "SERVICE_OFFERING" {
			w.Errorf("a class below a service class makes services: %+v", got)
		}
	})
}

func TestANewClassIsCheckedWhole(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.CreateCIClass(w.ctx, cmdb.CreateCIClass{Code: "Blade!", Label: "", Parent: "nothing", IdentityRules: [][]string{{"nowhere"}, {}}})
		w.refused(err, "INVALID code", "NOT_FOUND parent", "REQUIRED label", "NOT_FOUND identityRules.0.0 no attribute", "INVALID identityRules.1")
		_, err = w.CreateCIClass(w.ctx, cmdb.CreateCIClass{Code: "server", Label: "x", Parent: "hardware"})
		w.refused(err, "ALREADY_EXISTS code")
		for schema, want := range map[*map[string]any]string{
			{"type": "array"}: "INVALID attributeSchema.type object",
			{"$schema": "http://json-schema.org/draft-07/schema#"}:                          "INVALID attributeSchema.$schema 2020-12",
			{"properties": map[string]any{"a": map[string]any{"$ref": "http://x.example"}}}: "INVALID attributeSchema.properties.a.$ref outside",
			{"properties": map[string]any{"a": map[string]any{"type": "text"}}}:             "INVALID attributeSchema.properties.a.type one of",
			{"properties": map[string]any{"a'b": map[string]any{}}}:                         "INVALID attributeSchema.properties.a'b letters",
			{"properties": map[string]any{"a": map[string]any{"$ref": "#/$defs/none"}}}:     "INVALID attributeSchema cannot be used",
			new(doubling(25)): "INVALID attributeSchema.$defs.d14 fewer alternatives",
		} {
			_, err := w.CreateCIClass(w.ctx, cmdb.CreateCIClass{Code: "blade", Label: "x", Parent: "server", AttributeSchema: *schema})
			w.refused(err, want)
		}
	})
}

// doubling returns a schema of so many definitions, each of which has the next one twice among its alternatives.
func doubling(n int) map[string]any {
	definitions := map[string]any{fmt.Sprint("d", n): map[string]any{"type": "integer"}}
	for i := range n {
		next := map[string]any{"$ref": fmt.Sprint("#/$defs/d", i+1)}
		definitions[fmt.Sprint("d", i)] = map[string]any{"anyOf": []any{next, next}}
	}
	return map[string]any{"properties": map[string]any{"a": map[string]any{"$ref": "#/$defs/d0"}}, "$defs": definitions}
}

func TestASchemaThatIsStoredAndMultipliesEndsItsChecks(t *testing.T) {
	each(t, func(w *world) {
		server := w.classID("server")
		must[*ent.CIClass](w)(write(w, func(ctx context.Context, tx *store.Tx) (*ent.CIClass, error) {
			return tx.CIClass.Create().SetCode("blade").SetLabel("Blade").SetParentID(server).SetAttributeSchema(doubling(25)).
				SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
		}))
		_, err := w.CreateCI(w.ctx, cmdb.CreateCI{Class: "blade", Name: "b", Attributes: map[string]any{"a": "text"}})
		w.refused(err, "INVALID attributes takes more than")
		b := must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "blade", Name: "b"}))
		_, err = w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: b.ID, Attributes: graphql.OmittableOf(map[string]any{"a": "text"})})
		w.refused(err, "INVALID attributes takes more than")
		must[*ent.CIClass](w)(w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "blade", AttributeSchema: object(property("a", "string"))}))
		must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "blade", Name: "c", Attributes: map[string]any{"a": "text"}}))
	})
}

func TestANewSchemaNamesTheCIsItRefuses(t *testing.T) {
	each(t, func(w *world) {
		for i := range 5 {
			must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: fmt.Sprint("s", i), Attributes: map[string]any{"height": "2U"}}))
		}
		_, err := w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "hardware", AttributeSchema: object(property("height", "number"))})
		w.refused(err, `IN_USE attributeSchema the new schema refuses 5 CIs: ci_1 "s0" (height is text: a number is expected); ci_2 "s1" (height is text: a number is expected); ci_3 "s2" (height is text: a number is expected); and 2 more`)
		got := must[*ent.CIClass](w)(w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "hardware", AttributeSchema: object(property("height", "string"))}))
		if got.Version != 2 {
			w.Errorf("version %d", got.Version)
		}
		_, err = w.CreateCI(w.ctx, cmdb.CreateCI{Class: "rack", Name: "r", Attributes: map[string]any{"height": 2}})
		w.refused(err, "INVALID attributes.height text is expected")
	})
}

func TestAnAttributeThatIdentifiesCannotGo(t *testing.T) {
	each(t, func(w *world) {
		must[*ent.CIClass](w)(w.CreateCIClass(w.ctx, cmdb.CreateCIClass{Code: "blade", Label: "Blade", Parent: "server", IdentityRules: [][]string{{"ipAddress"}}}))
		_, err := w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "computer", AttributeSchema: object(property("serialNumber", "string")), IdentityRules: graphql.OmittableOf([][]string{{"serialNumber"}})})
		w.refused(err, "IN_USE attributeSchema the class blade")
		_, err = w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "computer", AttributeSchema: object(nil)})
		w.refused(err, "NOT_FOUND identityRules.0.0", "NOT_FOUND identityRules.0.1")
	})
}

func TestAClassUpdateThatChangesNothingWritesNothing(t *testing.T) {
	each(t, func(w *world) {
		class := w.s.Read.CIClass.GetX(w.ctx, w.classID("server"))
		before := w.revision()
		must[*ent.CIClass](w)(w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "server", Label: set(class.Label), AttributeSchema: object(nil)}))
		if w.revision() != before {
			w.Error("a revision was taken")
		}
		_, err := w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "no_such", Label: set("x")})
		w.refused(err, "NOT_FOUND code")
		_, err = w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "server", Label: null[string](), Icon: set(strings.Repeat("i", 61))})
		w.refused(err, "REQUIRED label", "INVALID icon")
	})
}
