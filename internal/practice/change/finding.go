package change

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/conflictfinding"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// find writes down in which conflicts a change is that was just written, by the newest graph: each kind of conflict
// with one other change or window once, when it is first found. Drafts are nobody's concern yet, and what is being
// carried out is in nobody's power any more: only those in ASSESS, AUTHORIZE and SCHEDULED are looked at.
func (p *Practice) find(ctx context.Context, tx *store.Tx, c *ent.Change) error {
	if c.State != domain.ChangeAssess && c.State != domain.ChangeAuthorize && c.State != domain.ChangeScheduled {
		return nil
	}
	found, err := schedule.Conflicts(ctx, tx.Client(), p.graph.Snapshot(), []*ent.Change{c}, tx.Now)
	if err != nil || len(found[c.ID]) == 0 {
		return err
	}
	before, err := tx.ConflictFinding.Query().Where(conflictfinding.ChangeID(c.ID)).All(ctx)
	if err != nil {
		return err
	}
	type conflict struct {
		kind  domain.ConflictKind
		other ident.ID
	}
	known := make(map[conflict]bool, len(before))
	for _, f := range before {
		known[conflict{f.Kind, f.OtherID}] = true
	}
	var fresh []*ent.ConflictFinding
	for _, f := range found[c.ID] {
		if this := (conflict{f.Kind, f.Other}); !known[this] {
			known[this] = true
			fresh = append(fresh, &ent.ConflictFinding{ChangeID: c.ID, Kind: f.Kind, OtherID: f.Other, FoundAt: tx.Now})
		}
	}
	return store.Insert(ctx, tx, fresh)
}
