package graph_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
)

func contract() *ast.Schema {
	return exec.NewExecutableSchema(exec.Config{}).Schema()
}

func TestThePolicyNamesEveryTypeOfTheContractAndNoOther(t *testing.T) {
	nobody, viewer, auditor := auth.Actor{Name: "nobody"}, auth.Dev("ada", auth.Viewer), auth.Dev("audrey", auth.Auditor)
	for name, d := range contract().Types {
		if d.Kind != ast.Object && d.Kind != ast.Interface {
			continue
		}
		if !auth.MayRead(viewer, name, "x") && !auth.MayRead(auditor, name, "x") {
			t.Errorf("the policy does not say who may read %s", name)
		}
		if auth.MayRead(nobody, name, "x") {
			t.Errorf("someone without a role may read %s", name)
		}
	}
	for _, name := range []string{"Secret", "SecretConnection", "SecretEdge"} {
		if auth.MayRead(viewer, name, "x") {
			t.Errorf("%s, which nobody declared, is readable", name)
		}
	}
}

func TestEverythingInTheContractIsDescribed(t *testing.T) {
	for name, d := range contract().Types {
		if d.BuiltIn {
			continue
		}
		if d.Description == "" {
			t.Errorf("%s has no description", name)
		}
		for _, f := range d.Fields {
			if f.Description == "" && f.Name[0] != '_' {
				t.Errorf("%s.%s has no description", name, f.Name)
			}
			for _, a := range f.Arguments {
				if a.Description == "" && f.Name[0] != '_' {
					t.Errorf("%s.%s(%s) has no description", name, f.Name, a.Name)
				}
			}
		}
		for _, v := range d.EnumValues {
			if v.Description == "" {
				t.Errorf("%s.%s has no description", name, v.Name)
			}
		}
	}
}
