package cmdb_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/priorityrule"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

func TestServersThatStartAtOnceSeedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := cmdb.Seed(t.Context(), s); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if r, err := s.Revision(t.Context()); err != nil || r != 1 {
			t.Errorf("revision %d, %v", r, err)
		}
		one := s.Read.Entry.Query().Where(entry.Revision(1)).FirstX(t.Context())
		if one.Actor != "linchpin" || one.Verb != "seed" {
			t.Errorf("got %v", one)
		}
	})
}

func TestTheSeededTreeIsWhole(t *testing.T) {
	each(t, func(w *world) {
		all := w.s.Read.CIClass.Query().WithParent().AllX(w.ctx)
		if len(all) != 53 {
			w.Errorf("%d classes", len(all))
		}
		for _, c := range all {
			if c.Label == "" || c.Description == "" || c.Icon == "" || c.IsAbstract != (c.ParentID == nil) {
				w.Errorf("got %+v", c)
			}
			if err := attribute.Declare(c.AttributeSchema); err != nil {
				w.Errorf("%s: %v", c.Code, err)
			}
		}
		server := w.s.Read.CIClass.Query().Where(ciclass.Code("server")).WithParent().OnlyX(w.ctx)
		if server.Edges.Parent.Code != "computer" {
			w.Errorf("a server is a %s", server.Edges.Parent.Code)
		}
		types := w.s.Read.RelationshipType.Query().AllX(w.ctx)
		none := w.s.Read.RelationshipType.Query().Where(relationshiptype.ImpactDirectionEQ(domain.NoImpact)).CountX(w.ctx)
		if len(types) != 15 || none != 4 {
			w.Errorf("%d types, %d of them without impact", len(types), none)
		}
		if n := w.s.Read.ServiceTier.Query().CountX(w.ctx); n != 4 {
			w.Errorf("%d tiers", n)
		}
		rules := w.s.Read.PriorityRule.Query().Order(priorityrule.ByImpact(), priorityrule.ByUrgency()).AllX(w.ctx)
		var got []int
		for _, r := range rules {
			got = append(got, r.Priority)
		}
		if want := []int{1, 2, 3, 2, 3, 4, 3, 4, 5}; !slices.Equal(got, want) {
			w.Errorf("priorities %v, want %v", got, want)
		}
	})
}
