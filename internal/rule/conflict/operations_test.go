package conflict_test

import (
	"slices"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

func TestOperationsOnOneFieldAreInEachOthersWayAtWhateverTime(t *testing.T) {
	g := topology.New()
	ci, other := ident.New(ident.CI, 1), ident.New(ident.CI, 2)
	rel, typ := ident.New(ident.Relationship, 1), ident.New(ident.RelationshipType, 1)
	if err := g.Load(topology.Batch{
		Revision: 1, CIs: []topology.CI{{ID: ci, Class: ident.New(ident.CIClass, 1)}, {ID: other, Class: ident.New(ident.CIClass, 1)}},
		Types: []topology.Type{{ID: typ, Flow: topology.TargetToSource}}, Relationships: []topology.Relationship{{ID: rel, Type: typ, Source: ci, Target: other}},
	}); err != nil {
		t.Fatal(err)
	}
	update := func(fields operation.Fields) operation.Operation {
		return operation.Operation{Kind: domain.UpdateCI, Record: ci, Planned: fields, Base: operation.Fields{}}
	}
	four, eight := update(operation.Fields{"attributes.cpu": 4}), update(operation.Fields{"attributes.cpu": 8, "name": "x"})
	retire := operation.Operation{Kind: domain.RetireCI, Record: ci, Planned: operation.Fields{"lifecycle": "RETIRED"}}
	unrelate := operation.Operation{Kind: domain.UnrelateCIs, Record: rel, Base: operation.Fields{"type": "depends_on"}}
	create := operation.Operation{Kind: domain.CreateCI, Planned: operation.Fields{"name": "x"}}
	for name, c := range map[string]struct {
		a, b   operation.Operation
		fields []string
	}{
		"other values":      {four, eight, []string{"attributes.cpu"}},
		"the same value":    {four, four, nil},
		"other fields":      {four, update(operation.Fields{"name": "x"}), nil},
		"retired meanwhile": {four, retire, []string{"attributes.cpu"}},
		"to be retired":     {retire, four, []string{"attributes.cpu"}},
		"retired twice":     {retire, retire, []string{"lifecycle"}},
		"removed twice":     {unrelate, unrelate, []string{"type"}},
		"other records":     {four, unrelate, nil},
		"two new CIs":       {create, create, nil},
	} {
		t.Run(name, func(t *testing.T) {
			mine := conflict.Plan{Change: ident.New(ident.Change, 1), Planned: hours(0, 1), Operations: []operation.Operation{c.a}}
			theirs := conflict.Plan{Change: ident.New(ident.Change, 2), Planned: hours(5, 6), Operations: []operation.Operation{c.b}}
			found := conflict.NewFinder(g.Snapshot(), operation.Words{}).WithOperations(mine, []conflict.Plan{mine, theirs})
			if c.fields == nil {
				if len(found) > 0 {
					t.Fatal(found)
				}
				return
			}
			if len(found) != 1 || found[0].Kind != domain.SameField || found[0].Other != theirs.Change || !slices.Equal(found[0].Fields, c.fields) ||
				found[0].CI != ci || found[0].Record != c.a.Record || found[0].Span != theirs.Planned {
				t.Fatalf("%+v", found)
			}
			back := conflict.NewFinder(g.Snapshot(), operation.Words{}).WithOperations(theirs, []conflict.Plan{mine, theirs})
			if len(back) != 1 || back[0].Other != mine.Change || !slices.Equal(back[0].Fields, c.fields) || back[0].Span != theirs.Planned {
				t.Fatalf("seen from the other side: %+v", back)
			}
		})
	}
}

func TestChangesThatFollowEachOtherDoNotMeet(t *testing.T) {
	g := topology.New()
	ci := ident.New(ident.CI, 1)
	if err := g.Load(topology.Batch{Revision: 1, CIs: []topology.CI{{ID: ci, Class: ident.New(ident.CIClass, 1)}}}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		other recurrence.Span
		meet  int
	}{
		"ends when it begins": {hours(0, 2), 0}, "begins when it ends": {hours(4, 6), 0},
		"ends later": {hours(0, 3), 1}, "begins earlier": {hours(3, 6), 1}, "the same": {hours(2, 4), 1},
	} {
		t.Run(name, func(t *testing.T) {
			changes := []conflict.Change{{ID: ident.New(ident.Change, 1), Planned: hours(2, 4)}, {ID: ident.New(ident.Change, 2), Planned: c.other}}
			for i := range changes {
				changes[i].Scope = []conflict.CI{{ID: ci}}
			}
			found, err := conflict.NewFinder(g.Snapshot(), operation.Words{}).WithChanges(t.Context(), &changes[0], changes)
			if err != nil || len(found) != c.meet {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
}
