package journal

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// RecordFacts reads everything the topology knows record by record, which is not how the feed reads it.
func RecordFacts(ctx context.Context, c *ent.Client) (b topology.Batch, err error) {
	head, err := c.Head.Query().Only(ctx)
	if err != nil {
		return b, err
	}
	b.Revision = head.Revision
	types, err := c.RelationshipType.Query().All(ctx)
	if err != nil {
		return b, err
	}
	cis, err := c.CI.Query().All(ctx)
	if err != nil {
		return b, err
	}
	relationships, err := c.Relationship.Query().All(ctx)
	if err != nil {
		return b, err
	}
	groups, err := c.DependencyGroup.Query().All(ctx)
	if err != nil {
		return b, err
	}
	for _, err := range []error{addAll(&b.Types, types, typeFact), addAll(&b.CIs, cis, ciFact), addAll(&b.Relationships, relationships, relationshipFact), addAll(&b.Groups, groups, groupFact)} {
		if err != nil {
			return b, err
		}
	}
	return b, newMarks().load(ctx, c, &b)
}

func addAll[R, F any](facts *[]F, records []*R, fact func(*R) (F, error)) error {
	for _, r := range records {
		if err := add(facts, r, fact); err != nil {
			return err
		}
	}
	return nil
}

// Kept returns the number of past snapshots that are kept.
func (f *Feed) Kept() int {
	f.kept.mu.Lock()
	defer f.kept.mu.Unlock()
	return len(f.kept.snapshots)
}

// SmallBlocks makes loads read blocks of so many ids.
func SmallBlocks(ids int64) Option { return func(f *Feed) { f.blockIDs = ids } }

// Patience sets how long callers wait for the graph.
func Patience(long time.Duration) Option { return func(f *Feed) { f.patience = long } }

// Tells waits until followers can hear of a revision, which is a little after the graph shows it.
func (f *Feed) Tells(ctx context.Context, revision int64) error {
	_, err := f.commits.wait(ctx, revision, f.commits.now())
	return err
}

// Tolerate lets followers be at most so many revisions behind, and keeps only the newest in memory.
func Tolerate(revisions int64) Option {
	return func(f *Feed) { f.replay, f.commits.limit = revisions, 1 }
}

// Tail looks at the journal once, for a feed that has stopped.
func (f *Feed) Tail(ctx context.Context) error { return f.tail(ctx) }
