package journal

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/ent/changeci"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// load builds the graph from the tables as they are in one revision.
func (f *Feed) load(ctx context.Context) error {
	from, err := f.store.Snapshot(ctx, connections)
	if err != nil {
		return err
	}
	defer from.Close()
	b, m, err := f.readFacts(ctx, from)
	if err != nil {
		return store.Translate(err)
	}
	mark, err := landmarkAt(ctx, from.Client, b.Revision)
	if err != nil {
		return err
	}
	if err := f.graph.Load(b); err != nil {
		return err
	}
	f.marks, f.landmark = m, mark
	f.kept.forget() // the journal may tell another past
	f.commits.reset(b.Revision)
	f.digests.reset(b.Revision - 1)
	f.digests.push(f.graph.Snapshot().Digest())
	f.tokens.reset(b.Revision - 1)
	f.tokens.push(mark.token())
	return nil
}

// readFacts returns everything the topology knows, in the revision of a snapshot.
func (f *Feed) readFacts(ctx context.Context, from *store.Snapshot) (b topology.Batch, m *marks, err error) {
	b.Revision, m = from.Revision, newMarks()
	types, err := from.Client.RelationshipType.Query().All(ctx)
	if err != nil {
		return b, nil, err
	}
	for _, t := range types {
		if err := add(&b.Types, t, typeFact); err != nil {
			return b, nil, err
		}
	}
	if err := m.load(ctx, from.Client, &b); err != nil {
		return b, nil, err
	}
	return b, m, f.readBlocks(ctx, from, &b)
}

// load reads the marks of incidents that are open or may be opened again, and of changes that are or may be carried
// out.
func (m *marks) load(ctx context.Context, c *ent.Client, b *topology.Batch) error {
	incidents, err := c.Incident.Query().Where(incident.StateNotIn(endOfIncidents...)).Select(incident.FieldState).All(ctx)
	if err != nil {
		return err
	}
	named, err := c.IncidentCI.Query().Where(incidentci.HasIncidentWith(incident.StateNotIn(endOfIncidents...))).All(ctx)
	if err != nil {
		return err
	}
	changes, err := c.Change.Query().Where(change.StateNotIn(endOfChanges...)).Select(change.FieldState).All(ctx)
	if err != nil {
		return err
	}
	scopes, err := c.ChangeCI.Query().Where(changeci.HasChangeWith(change.StateNotIn(endOfChanges...))).All(ctx)
	if err != nil {
		return err
	}
	for _, i := range incidents {
		m.incident(i)
	}
	for _, l := range named {
		m.of(l.IncidentID).cis[l.ID] = link{l.CiID, string(l.Role)}
	}
	for _, c := range changes {
		m.change(c)
	}
	for _, l := range scopes {
		m.of(l.ChangeID).cis[l.ID] = link{l.CiID, string(l.Role)}
	}
	for id, at := range m.records {
		if at.isOn {
			m.publish(b, id)
		}
	}
	return nil
}
