package importer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

func chain(n int) rows {
	all := make([]importer.CI, n)
	for i := range all {
		all[i] = importer.CI{ExternalID: fmt.Sprintf("ci-%d", i), Name: fmt.Sprintf("ci-%d", i), Class: "server"}
		if i > 0 {
			all[i].Relationships = []importer.Relationship{{Type: "depends_on", Target: fmt.Sprintf("ci-%d", i-1)}}
		}
	}
	return cis(all...)
}

func TestAnImportThatIsKilledIsFinishedByTheNext(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const n = 4_100
		for killed := 1; killed <= 4; killed++ {
			ctx, cancel := context.WithCancel(admin(t))
			batches := 0
			result, err := plan(t, s, chain(n)).Apply(ctx, s, func(p importer.Progress) {
				if batches++; batches == 1 {
					cancel()
				}
			})
			cancel()
			if !errors.Is(err, context.Canceled) || result.Batches != 1 {
				t.Fatalf("attempt %d: %d batches, %v", killed, result.Batches, err)
			}
		}
		load(t, s, chain(n))
		if cis, edges := s.Read.CI.Query().CountX(t.Context()), s.Read.Relationship.Query().CountX(t.Context()); cis != n || edges != n-1 {
			t.Errorf("%d CIs, %d relationships", cis, edges)
		}
		changesNothing(t, s, chain(n))
	})
}

func TestTwoImportsAtOnceMakeNoDoubles(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const n = 700
		var plans [3]*importer.Plan
		for i := range plans {
			plans[i] = plan(t, s, chain(n))
		}
		var group sync.WaitGroup
		var results [len(plans)]importer.Result
		var failures [len(plans)]error
		for i, p := range plans {
			group.Go(func() { results[i], failures[i] = p.Apply(admin(t), s, nil) })
		}
		group.Wait()
		created := 0
		for i := range plans {
			if failures[i] != nil {
				t.Error(failures[i])
			}
			created += results[i].Written[importer.KindCI][importer.Create]
		}
		if cis := s.Read.CI.Query().CountX(t.Context()); cis != n || created != n {
			t.Errorf("%d CIs, %d said to be created", cis, created)
		}
		load(t, s, chain(n)) // now relates the CIs whose relationships were left out
		if edges := s.Read.Relationship.Query().CountX(t.Context()); edges != n-1 {
			t.Errorf("%d relationships", edges)
		}
		changesNothing(t, s, chain(n))
	})
}

func TestARecordThatChangedSinceThePlanIsLeftOut(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		source := cis(importer.CI{ExternalID: "a", Name: "a", Class: "server"}, importer.CI{ExternalID: "b", Name: "b", Class: "server"})
		load(t, s, source)
		source.all[0].CI.Description, source.all[1].CI.Description = "new", "new"
		p := plan(t, s, source)
		practice := cmdb.New(s)
		if _, err := practice.RetireCI(admin(t), cmdb.RetireCI{ID: record(t, s, "test", "a")}); err != nil {
			t.Fatal(err)
		}
		result, err := p.Apply(admin(t), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(importer.Summary{importer.KindCI: {importer.Update: 1, importer.IsConflict: 1}}, result.Written); diff != "" {
			t.Error(diff)
		}
		if len(result.Conflicts) != 1 || !strings.Contains(result.Conflicts[0].Error(), "test.yaml:1: ci \"a\" was left out: ci_1 has been changed since (version 2, planned for 1); plan again") {
			t.Errorf("%+v", result.Conflicts)
		}
		if a, b := ciOf(t, s, "a"), ciOf(t, s, "b"); a.Description != "" || b.Description != "new" {
			t.Errorf("%+v %+v", a, b)
		}
	})
}

func TestAnActorWithoutTheRightCannotApply(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		p := plan(t, s, cis(importer.CI{ExternalID: "a", Name: "a", Class: "server"}))
		for ctx, code := range map[context.Context]errs.Code{
			t.Context(): errs.Unauthenticated,
			auth.With(t.Context(), auth.Dev("eve", auth.Operator)): errs.Forbidden,
		} {
			if _, err := p.Apply(ctx, s, nil); errs.CodeOf(err) != code {
				t.Errorf("%v, want %s", err, code)
			}
		}
	})
}

func TestEachBatchIsOneRevisionOfTheActorAndTheSource(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		before := revision(t, s)
		result, err := plan(t, s, chain(4_100)).Apply(admin(t), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := revision(t, s) - before; n != 6 || result.Batches != 6 { // three of CIs, three of relationships
			t.Errorf("%d revisions, %d batches", n, result.Batches)
		}
		made := s.Read.Entry.Query().Where(entry.RevisionGT(before)).AllX(t.Context())
		for _, e := range made {
			if e.Actor != "ada" || e.Verb != "import.test" || e.Operation != domain.Created {
				t.Fatalf("%+v", e)
			}
		}
		if len(made) != 1+4_100*2+4_099 { // ada's account, the CIs with their keys, and the relationships
			t.Errorf("%d entries", len(made))
		}
	})
}

func TestQueriesOfAPlanGrowWithPagesAndNotWithRows(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var queries atomic.Int64
		s.Read.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
			return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
				queries.Add(1)
				return next.Query(ctx, q)
			})
		}))
		const n = 1000 // two pages
		load(t, s, chain(n))
		set(t, s, source.Set{Code: "test", Priority: new(7)}) // so that every row needs a look
		queries.Store(0)
		plan(t, s, chain(n))
		if q := queries.Load(); q < 10 || q > 25 {
			t.Errorf("%d queries to plan %d CIs again", q, n)
		}
	})
}
