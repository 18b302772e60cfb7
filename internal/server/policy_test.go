package server_test

import (
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/server"
)

func TestAnInterfaceThatShowsAHiddenFieldIsRefused(t *testing.T) {
	schema := exec.NewExecutableSchema(exec.Config{}).Schema()
	if err := server.Tight(schema, auth.MayRead); err != nil {
		t.Error(err)
	}
	for hidden, least := range map[string]auth.Role{"Team.id": auth.Admin, "Person.id": auth.CatalogEditor, "TimelineEntry.id": auth.Operator} {
		err := server.Tight(schema, func(a auth.Actor, typeName, field string) bool {
			if typeName+"."+field == hidden {
				return a.Has(least)
			}
			return auth.MayRead(a, typeName, field)
		})
		if err == nil || !strings.Contains(err.Error(), "Node.id and not "+hidden) {
			t.Errorf("%s for %s alone: %v", hidden, least, err)
		}
	}
	if err := server.Tight(schema, func(a auth.Actor, typeName, field string) bool { // stricter on the interface
		return auth.MayRead(a, typeName, field) && (typeName != "Node" || a.Has(auth.Admin))
	}); err != nil {
		t.Error(err)
	}
}
