package cmdb_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func serial(class, name, serial, vendor string) cmdb.CreateCI {
	return cmdb.CreateCI{Class: class, Name: name, Attributes: map[string]any{"serialNumber": serial, "vendor": vendor}}
}

func TestAnIdentityRuleTellsADuplicate(t *testing.T) {
	each(t, func(w *world) {
		first := must[*ent.CI](w)(w.CreateCI(w.ctx, serial("computer", "a", "s1", "acme")))
		_, err := w.CreateCI(w.ctx, serial("server", "b", "s1", "acme")) // the rule is the computer's, and holds below it
		w.refused(err, "ALREADY_EXISTS attributes.vendor "+first.ID.String()+` "a" has the same identity (serialNumber "s1", vendor "acme")`)
		must[*ent.CI](w)(w.CreateCI(w.ctx, serial("server", "c", "s1", "other")))
		must[*ent.CI](w)(w.CreateCI(w.ctx, serial("storage", "d", "s1", "acme")))                                                        // another subtree
		must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "server", Name: "e", Attributes: map[string]any{"serialNumber": "s1"}})) // incomplete
	})
}

func TestARetiredCIGivesItsIdentityFree(t *testing.T) {
	each(t, func(w *world) {
		old := must[*ent.CI](w)(w.CreateCI(w.ctx, serial("server", "a", "s1", "acme")))
		must[*ent.CI](w)(w.RetireCI(w.ctx, cmdb.RetireCI{ID: old.ID}))
		next := must[*ent.CI](w)(w.CreateCI(w.ctx, serial("server", "b", "s1", "acme")))
		_, err := w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: old.ID, FieldsInput: cmdb.FieldsInput{Lifecycle: set(domain.Live)}})
		w.refused(err, "ALREADY_EXISTS attributes.vendor "+next.ID.String())
	})
}

func TestAnUpdateCannotTakeAnIdentity(t *testing.T) {
	each(t, func(w *world) {
		must[*ent.CI](w)(w.CreateCI(w.ctx, serial("server", "a", "s1", "acme")))
		b := must[*ent.CI](w)(w.CreateCI(w.ctx, serial("server", "b", "s2", "acme")))
		_, err := w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: b.ID, Attributes: object(map[string]any{"serialNumber": "s1"})})
		w.refused(err, "ALREADY_EXISTS attributes.vendor s1")
		must[*ent.CI](w)(w.UpdateCI(w.ctx, cmdb.UpdateCI{ID: b.ID, Attributes: object(map[string]any{"os": "linux"})}))
	})
}

func TestIdentityRulesMayNameTheCIsOwnFieldsAndAnyScalar(t *testing.T) {
	each(t, func(w *world) {
		must[*ent.CIClass](w)(w.CreateCIClass(w.ctx, cmdb.CreateCIClass{
			Code: "tenant", Label: "Tenant", Parent: "logical",
			AttributeSchema: map[string]any{"properties": map[string]any{"number": map[string]any{"type": "integer"}, "isMain": map[string]any{"type": "boolean"}}},
			IdentityRules:   [][]string{{"name", "environment"}, {"number"}, {"isMain", "environment"}},
		}))
		must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "tenant", Name: "it's \"a\"", Attributes: map[string]any{"number": 5, "isMain": true}}))
		_, err := w.CreateCI(w.ctx, cmdb.CreateCI{Class: "tenant", Name: "it's \"a\""})
		w.refused(err, "ALREADY_EXISTS environment")
		_, err = w.CreateCI(w.ctx, cmdb.CreateCI{Class: "tenant", Name: "b", Attributes: map[string]any{"number": 5}})
		w.refused(err, "ALREADY_EXISTS attributes.number number 5")
		_, err = w.CreateCI(w.ctx, cmdb.CreateCI{Class: "tenant", Name: "c", Attributes: map[string]any{"isMain": true}})
		w.refused(err, "ALREADY_EXISTS environment isMain true")
		must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "tenant", Fields: cmdb.Fields{Environment: pointer(domain.Staging)}, Name: "it's \"a\"", Attributes: map[string]any{"isMain": true}}))
	})
}

func TestABatchIsCheckedAgainstItselfAndKeepsItsSwaps(t *testing.T) {
	each(t, func(w *world) {
		row := func(name, serial string) cmdb.NewCI {
			return cmdb.NewCI{Class: "server", Fields: cmdb.Fields{Name: new(name)}, Attributes: map[string]any{"serialNumber": serial, "vendor": "acme"}}
		}
		err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
			_, err := cmdb.CreateCIsTx(ctx, tx, ref, []cmdb.NewCI{row("a", "s1"), row("b", "s2"), row("c", "s1")})
			return err
		})
		w.refused(err, `ALREADY_EXISTS 2.attributes.vendor "a" has the same identity`)
		var made []*ent.CI
		if err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) (err error) {
			made, err = cmdb.CreateCIsTx(ctx, tx, ref, []cmdb.NewCI{row("a", "s1"), row("b", "s2")})
			return err
		}); err != nil {
			w.Fatal(err)
		}
		if err := w.apply(func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference) error {
			_, err := cmdb.UpdateCIsTx(ctx, tx, ref, []cmdb.CIChange{
				{ID: made[0].ID, Attributes: map[string]any{"serialNumber": "s2"}}, {ID: made[1].ID, Attributes: map[string]any{"serialNumber": "s1"}},
			})
			return err
		}); err != nil {
			w.Errorf("two CIs cannot swap their serial numbers: %v", err)
		}
	})
}

func TestOfConcurrentCreatesOfOneIdentityOneWins(t *testing.T) {
	each(t, func(w *world) {
		won := race(w, 8, func(i int) error {
			return second(w.CreateCI(w.ctx, serial([]string{"server", "computer"}[i%2], fmt.Sprint("x", i), "s1", "acme")))
		})
		if n := w.s.Read.CI.Query().CountX(w.ctx); won != 1 || n != 1 {
			w.Errorf("%d won, %d CIs", won, n)
		}
	})
}

// race runs f in n goroutines at once and counts those that worked; the others have to find ALREADY_EXISTS.
func race(w *world, n int, f func(int) error) (won int) {
	var wg sync.WaitGroup
	failures := make([]error, n)
	for i := range n {
		wg.Go(func() { failures[i] = f(i) })
	}
	wg.Wait()
	for _, err := range failures {
		switch errs.CodeOf(err) {
		case "":
			won++
		case errs.AlreadyExists:
		default:
			w.Errorf("got %v", err)
		}
	}
	return won
}

func TestAClassCannotChangeUnderTheCIsThatAreBeingWritten(t *testing.T) {
	each(t, func(w *world) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if i == 4 {
					_, _ = w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "hardware", AttributeSchema: object(map[string]any{"required": []any{"owner"}})})
					return
				}
				_, _ = w.CreateCI(w.ctx, cmdb.CreateCI{Class: "rack", Name: fmt.Sprint("r", i)})
			})
		}
		wg.Wait()
		class := w.s.Read.CIClass.GetX(w.ctx, w.classID("hardware"))
		strict := class.AttributeSchema["required"] != nil
		if n := w.s.Read.CI.Query().CountX(w.ctx); strict && n > 0 {
			w.Errorf("%d CIs lack what their class requires", n)
		}
	})
}

func TestNewIdentityRulesAreCheckedAgainstTheCIsThereAre(t *testing.T) {
	each(t, func(w *world) {
		for i := range 5 {
			must[*ent.CI](w)(w.CreateCI(w.ctx, cmdb.CreateCI{Class: "dns_name", Name: fmt.Sprint("d", i), Attributes: map[string]any{"fqdn": "www.example.com"}}))
		}
		_, err := w.UpdateCIClass(w.ctx, cmdb.UpdateCIClass{Code: "dns_name", IdentityRules: graphql.OmittableOf([][]string{{"fqdn"}})})
		w.refused(err, `IN_USE identityRules the new rules confuse 4 CIs: ci_2 "d1" (the same fqdn as ci_1 "d0"); ci_3`)
	})
}
