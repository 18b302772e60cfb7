package read

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/approval"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/timelineentry"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Node is anything with a global id.
type Node interface{ IsNode() }

// Nodes returns the records with these ids, in this order, with nil for each that is not found. It makes one statement
// for each kind.
func (r *Reader) Nodes(ctx context.Context, ids []ident.ID) ([]Node, error) {
	if len(ids) > page.Max {
		return nil, errs.New(errs.BadUserInput, "ids lists %d ids: at most %d", len(ids), page.Max)
	}
	found, err := r.nodes(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := make([]Node, len(ids))
	for i, id := range ids {
		all[i] = found[id]
	}
	return all, nil
}

// Node returns the record with an id. If there is none, it returns nil.
func (r *Reader) Node(ctx context.Context, id ident.ID) (Node, error) {
	found, err := r.nodes(ctx, []ident.ID{id})
	return found[id], err
}

// node resolves a reference of a batch's record to a record of any kind.
func node[T any](ctx context.Context, b *batch[T], field string, row T, ref func(T) ident.ID) (Node, error) {
	found, err := once(b, field, func() (map[ident.ID]Node, error) {
		return b.reader.nodes(ctx, page.Distinct(b.Rows, func(row T) *ident.ID { id := ref(row); return &id }))
	})
	return found[ref(row)], err
}

func (r *Reader) nodes(ctx context.Context, ids []ident.ID) (map[ident.ID]Node, error) {
	byKind := map[ident.Kind][]ident.ID{}
	for _, id := range ids {
		byKind[id.Kind()] = append(byKind[id.Kind()], id)
	}
	all := make(map[ident.ID]Node, len(ids))
	for kind, ids := range byKind {
		load := nodeLoaders[kind]
		if load == nil {
			continue
		}
		if err := load(ctx, r, ids, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

type nodeLoader = func(context.Context, *Reader, []ident.ID, map[ident.ID]Node) error

// nodesOf returns a loader for the nodes of a kind that the other files load by id.
func nodesOf[V any, N interface {
	*V
	Node
}](load func(context.Context, *Reader, []ident.ID) (map[ident.ID]*V, error)) nodeLoader {
	return func(ctx context.Context, r *Reader, ids []ident.ID, into map[ident.ID]Node) error {
		found, err := load(ctx, r, ids)
		for id, v := range found {
			into[id] = N(v)
		}
		return err
	}
}

var nodeLoaders map[ident.Kind]nodeLoader

func init() { // the loaders lead back to it
	nodeLoaders = map[ident.Kind]nodeLoader{
		ident.CI: nodesOf(loadCIs), ident.CIClass: nodesOf(loadClasses), ident.ServiceTier: nodesOf(loadTiers),
		ident.Relationship: nodesOf(loadRelationships), ident.RelationshipType: nodesOf(loadTypes), ident.DependencyGroup: nodesOf(loadGroups),
		ident.Team: nodesOf(loadTeams), ident.Person: nodesOf(loadPeople), ident.Incident: nodesOf(loadIncidents), ident.Change: nodesOf(loadChanges),
		ident.Service: serviceNodes, ident.Calendar: nodesOf(loadCalendars), ident.ServiceLevelTarget: nodesOf(loadTargets),
		ident.ChangeWindow: nodesOf(loadWindows), ident.ImportRun: nodesOf(loadRuns),
		ident.Account: nodesOf(loadAccounts), ident.RoleBinding: nodesOf(loadBindings), ident.APIToken: nodesOf(loadTokens),
		ident.ApprovalPolicy: nodesOf(loadPolicies), ident.ChangeTemplate: nodesOf(loadTemplates),
		ident.DanglingReference: nodesOf(func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*DanglingReference, error) {
			rows, err := r.danglingReferences(ctx).Where(having(danglingreference.FieldID, ids)).All(ctx)
			return index(r.wrapDangling(rows), func(d *DanglingReference) ident.ID { return d.ID }), store.Translate(err)
		}),
		ident.Approval: nodesOf(func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Approval, error) {
			rows, err := r.store.Show.Approval.Query().Where(having(approval.FieldID, ids)).All(ctx)
			return index(r.wrapApprovals(rows), func(a *Approval) ident.ID { return a.ID }), store.Translate(err)
		}),
		ident.TimelineEntry: nodesOf(func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*TimelineEntry, error) {
			rows, err := r.store.Show.TimelineEntry.Query().Where(having(timelineentry.FieldID, ids)).All(ctx)
			return index(asTimeline(rows), func(t *TimelineEntry) ident.ID { return t.ID }), store.Translate(err)
		}),
		ident.Entry: nodesOf(func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*Entry, error) {
			rows, err := r.entries(ctx).Where(having(entry.FieldID, ids)).All(ctx)
			return index(r.wrapEntries(rows), func(e *Entry) ident.ID { return e.ID }), store.Translate(err)
		}),
		ident.Version: nodesOf(func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*RecordVersion, error) {
			rows, err := r.versions(ctx).Where(having(version.FieldID, ids)).All(ctx)
			return index(r.wrapVersions(rows), func(v *RecordVersion) ident.ID { return v.ID }), store.Translate(err)
		}),
	}
}

// serviceNodes finds services by their own ids. A CI that is no service has none.
func serviceNodes(ctx context.Context, r *Reader, ids []ident.ID, into map[ident.ID]Node) error {
	cis := make([]ident.ID, len(ids))
	for i, id := range ids {
		cis[i] = id.As(ident.CI)
	}
	found, err := loadCIs(ctx, r, cis)
	for _, id := range ids {
		if c := found[id.As(ident.CI)]; c != nil && c.ServiceKind != nil {
			into[id] = c.Service()
		}
	}
	return err
}

// Approval is a vote on a change.
type Approval struct {
	*ent.Approval
	in *batch[*Approval]
}

// State returns what has become of the vote.
func (a *Approval) State() domain.Decision { return a.Decision }

// IsNode marks records with a global id.
func (*Approval) IsNode() {}

func (r *Reader) wrapApprovals(rows []*ent.Approval) []*Approval {
	b := newBatch(r, make([]*Approval, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &Approval{row, b}
	}
	return b.Rows
}
