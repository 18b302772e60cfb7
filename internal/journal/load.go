package journal

import (
	"context"
	"database/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// load builds the graph from the tables as they are in one revision.
func (f *Feed) load(ctx context.Context) error {
	options := &sql.TxOptions{}
	if f.store.IsPostgres() {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := f.store.Read.BeginTx(ctx, options)
	if err != nil {
		return store.Translate(err)
	}
	defer func() { _ = tx.Rollback() }()
	b, m, err := Facts(ctx, tx.Client())
	if err != nil {
		return store.Translate(err)
	}
	if err := f.graph.Load(b); err != nil {
		return err
	}
	f.marks = m
	f.kept.forget() // the journal may tell another past
	return nil
}

const page = 10_000

// Facts reads everything the topology knows, in the revision that the transaction of c sees.
func Facts(ctx context.Context, c *ent.Client) (b topology.Batch, m *marks, err error) {
	head, err := c.Head.Query().Only(ctx)
	if err != nil {
		return b, nil, err
	}
	b.Revision, m = head.Revision, newMarks()
	types, err := c.RelationshipType.Query().All(ctx)
	if err != nil {
		return b, nil, err
	}
	for _, t := range types {
		if err := add(&b.Types, t, typeFact); err != nil {
			return b, nil, err
		}
	}
	err = pages(func(after ident.ID) ([]*ent.CI, error) { return cisAfter(ctx, c, after) },
		func(r *ent.CI) ident.ID { return r.ID }, func(r *ent.CI) error { return add(&b.CIs, r, ciFact) })
	if err != nil {
		return b, nil, err
	}
	err = pages(func(after ident.ID) ([]*ent.Relationship, error) { return relationshipsAfter(ctx, c, after) },
		func(r *ent.Relationship) ident.ID { return r.ID }, func(r *ent.Relationship) error { return add(&b.Relationships, r, relationshipFact) })
	if err != nil {
		return b, nil, err
	}
	err = pages(func(after ident.ID) ([]*ent.DependencyGroup, error) { return groupsAfter(ctx, c, after) },
		func(r *ent.DependencyGroup) ident.ID { return r.ID }, func(r *ent.DependencyGroup) error { return add(&b.Groups, r, groupFact) })
	if err != nil {
		return b, nil, err
	}
	return b, m, m.load(ctx, c, &b)
}

// load reads the marks of incidents that are open or may be opened again.
func (m *marks) load(ctx context.Context, c *ent.Client, b *topology.Batch) error {
	ended := []domain.IncidentState{domain.IncidentClosed, domain.IncidentCanceled}
	incidents, err := c.Incident.Query().Where(incident.StateNotIn(ended...)).Select(incident.FieldState).All(ctx)
	if err != nil {
		return err
	}
	links, err := c.IncidentCI.Query().Where(incidentci.HasIncidentWith(incident.StateNotIn(ended...))).All(ctx)
	if err != nil {
		return err
	}
	for _, i := range incidents {
		m.state(i)
	}
	for _, l := range links {
		m.of(l.IncidentID).cis[l.ID] = l
	}
	for id, at := range m.incidents {
		if at.isOpen {
			m.publish(b, id)
		}
	}
	return nil
}

// pages reads a table page by page, by id.
func pages[R any](read func(after ident.ID) ([]*R, error), id func(*R) ident.ID, each func(*R) error) error {
	for after := ident.ID(0); ; {
		rows, err := read(after)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := each(r); err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
		after = id(rows[len(rows)-1])
	}
}
