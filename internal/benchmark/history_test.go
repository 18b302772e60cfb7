package benchmark_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// pastOverHTTP asks a whole server about earlier revisions: the first question about one reads the later changes from a
// journal that holds each record of the estate, the next ones find its graph.
func pastOverHTTP(t *testing.T, s *served, roots []ident.ID, b *table) {
	b.head("asOf over HTTP, on a journal in which each record stands", "relationships changed since", "the first question of a revision", "the next ones", "÷ the present", "bar")
	present := timesOf(t, s.address, whatBreaks, roots, ident.ID.String)
	r := rand.New(rand.NewPCG(9, 10))
	relationships := s.Graph.Snapshot().Unused(ident.Relationship).Number() - 1
	for _, changes := range []int{10, 1_000, 10_000} {
		if int64(changes) > relationships/5 {
			continue
		}
		revision := s.Graph.Snapshot().Revision()
		for left := changes; left > 0; left -= 500 {
			rewrite(t, s.Store, r, relationships, min(left, 500))
		}
		say("asOf: %d relationships are changed", changes)
		query := strings.Replace(whatBreaks, "impact {", fmt.Sprintf("impact(asOf: {revision: %d}) {", revision), 1)
		var first times
		first.time(func() { ask(t, s.address, query, roots[0].String()) })
		next := timesOf(t, s.address, query, roots, ident.ID.String)
		b.row(changes, first.wall[0], next, float64(at(next.wall, .5))/float64(at(present.wall, .5)), "2")
	}
}

// rewrite gives some relationships another strength, in one revision.
func rewrite(t *testing.T, s *store.Store, r *rand.Rand, relationships int64, n int) {
	t.Helper()
	chosen := map[ident.ID]bool{}
	for range n {
		chosen[ident.New(ident.Relationship, 1+r.Int64N(relationships))] = true
	}
	_, err := store.Write(t.Context(), s, store.By{Actor: "benchmark", Verb: "relationship.update"}, func(ctx context.Context, tx *store.Tx) (int, error) {
		for id := range chosen {
			strength := []domain.Strength{domain.Hard, domain.Soft}[r.IntN(2)]
			if err := tx.Relationship.UpdateOneID(id).SetStrength(strength).AddVersion(1).Exec(ctx); err != nil {
				return 0, err
			}
		}
		return len(chosen), nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
