package journal_test

import (
	"context"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// motley writes CIs and relationships with each value of each enumeration, and groups.
func motley(t *testing.T, s *store.Store) {
	t.Helper()
	if err := cmdb.Seed(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	_, err := store.Write(t.Context(), s, store.By{Actor: "ada", Verb: "test"}, func(ctx context.Context, tx *store.Tx) (int, error) {
		environments, lifecycles := domain.Environment("").Values(), domain.Lifecycle("").Values()
		kind, tier := domain.BusinessService, ident.New(ident.ServiceTier, 2)
		cis := make([]*ent.CI, 57)
		for i := range cis {
			cis[i] = &ent.CI{
				ClassID: ident.New(ident.CIClass, int64(1+i%9)), Name: "x", Environment: domain.Environment(environments[i%len(environments)]),
				Lifecycle: domain.Lifecycle(lifecycles[i/3%len(lifecycles)]), Criticality: domain.CriticalityLow, Visibility: domain.Everyone, Attributes: map[string]any{},
				Labels: map[string]string{}, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
			}
			if i%4 == 0 {
				cis[i].ServiceKind, cis[i].TierID = &kind, &tier
			}
		}
		if err := store.Insert(ctx, tx, cis); err != nil {
			return 0, err
		}
		strengths := []*domain.Strength{nil, new(domain.Strength), new(domain.Strength)}
		*strengths[1], *strengths[2] = domain.Hard, domain.Soft
		links := make([]*ent.Relationship, 211)
		for i := range links {
			links[i] = &ent.Relationship{
				TypeID: ident.New(ident.RelationshipType, int64(1+i%15)), SourceID: cis[i%len(cis)].ID, TargetID: cis[i*i%len(cis)].ID, Strength: strengths[i%3],
				Attributes: map[string]any{}, ReportedBy: "test", Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
			}
		}
		if err := store.Insert(ctx, tx, links); err != nil {
			return 0, err
		}
		group := &ent.DependencyGroup{
			CiID: links[0].SourceID, Name: "g", Mode: domain.Weighted, Threshold: 3, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now,
			Members: []domain.GroupMember{{Relationship: links[0].ID, Weight: 2}, {Relationship: links[7].ID, Weight: 1}},
		}
		return 0, store.Insert(ctx, tx, []*ent.DependencyGroup{group})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBlocksHoldWhatTheRecordsSay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		motley(t, s)
		for _, ids := range []int64{1, 10, 57, 58, 1_000} {
			follow(t, s, journal.SmallBlocks(ids)).agrees(t, "blocks")
		}
	})
}

func TestALoadRefusesUnknownValues(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		motley(t, s)
		for statement, complaint := range map[string]string{
			`UPDATE ci SET environment = 'MOON' WHERE id = (SELECT max(id) FROM ci)`:                      "environment of ci_1l",
			`UPDATE relationship SET strength = 'ODD' WHERE id = (SELECT max(id) FROM relationship)`:      "strength of rel_5v",
			`UPDATE dependency_group SET mode = 'SOME' WHERE id = (SELECT max(id) FROM dependency_group)`: `mode "SOME"`,
			`UPDATE ci_class SET id = id + 100000000 WHERE id = (SELECT max(id) FROM ci_class)`:           "ci_class",
		} {
			tx, err := s.Writer().BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			undo := strings.NewReplacer("'MOON'", "'STAGING'", "'ODD'", "'SOFT'", "'SOME'", "'ANY'", "+ 100000000", "- 100000000").Replace(statement)
			if _, err := tx.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := loads(t, s); err == nil || !strings.Contains(err.Error(), complaint) {
				t.Errorf("%s: %v", statement, err)
			}
			if _, err := s.Writer().ExecContext(t.Context(), undo); err != nil {
				t.Fatal(err)
			}
		}
		if err := loads(t, s); err != nil {
			t.Error(err)
		}
	})
}

// loads loads a graph and returns the failure.
func loads(t *testing.T, s *store.Store) error {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	feed, err := journal.Follow(ctx, s, topology.New(), quiet)
	if err == nil {
		stop()
		<-feed.Done()
	}
	return err
}
