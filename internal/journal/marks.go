package journal

import (
	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// marks remembers which CIs the incidents name that may still be open or open again: the journal tells of an
// incident's state and of its CIs one by one, and the topology wants them together.
type marks struct {
	incidents map[ident.ID]*mark
}

type mark struct {
	isOpen bool
	isOver bool                         // it will not be open again
	cis    map[ident.ID]*ent.IncidentCI // by the link's id
}

func newMarks() *marks { return &marks{map[ident.ID]*mark{}} }

func (m *marks) of(incident ident.ID) *mark {
	at := m.incidents[incident]
	if at == nil {
		at = &mark{cis: map[ident.ID]*ent.IncidentCI{}}
		m.incidents[incident] = at
	}
	return at
}

// read turns the entries of one revision into facts.
func (m *marks) read(b *topology.Batch, entries []*ent.Entry) error {
	touched := map[ident.ID]bool{}
	for _, e := range entries {
		var err error
		if e.Operation == domain.Deleted {
			err = m.remove(b, e, touched)
		} else {
			err = m.write(b, e, touched)
		}
		if err != nil {
			return err
		}
	}
	for incident := range touched {
		m.publish(b, incident)
	}
	return nil
}

func (m *marks) write(b *topology.Batch, e *ent.Entry, touched map[ident.ID]bool) error {
	switch e.RecordID.Kind() { //nolint:exhaustive // the rest is no part of the graph
	case ident.CI:
		return addFrom(&b.CIs, e.After, ciFact)
	case ident.RelationshipType:
		return addFrom(&b.Types, e.After, typeFact)
	case ident.Relationship:
		return addFrom(&b.Relationships, e.After, relationshipFact)
	case ident.DependencyGroup:
		return addFrom(&b.Groups, e.After, groupFact)
	case ident.Incident:
		i := &ent.Incident{}
		if err := decode(e.After, i); err != nil {
			return err
		}
		m.state(i)
		touched[i.ID] = true
	case ident.IncidentCI:
		l := &ent.IncidentCI{}
		if err := decode(e.After, l); err != nil {
			return err
		}
		m.of(l.IncidentID).cis[l.ID] = l
		touched[l.IncidentID] = true
	}
	return nil
}

func (m *marks) remove(b *topology.Batch, e *ent.Entry, touched map[ident.ID]bool) error {
	if isFact(e.RecordID.Kind()) {
		b.Removed = append(b.Removed, e.RecordID)
		return nil
	}
	if e.RecordID.Kind() != ident.IncidentCI {
		return nil
	}
	l := &ent.IncidentCI{}
	if err := decode(e.Before, l); err != nil {
		return err
	}
	delete(m.of(l.IncidentID).cis, l.ID)
	touched[l.IncidentID] = true
	return nil
}

// state notes where an incident stands.
func (m *marks) state(i *ent.Incident) {
	at := m.of(i.ID)
	at.isOpen = i.State.IsOpen()
	at.isOver = i.State == domain.IncidentClosed || i.State == domain.IncidentCanceled
}

// publish tells the topology what an incident marks.
func (m *marks) publish(b *topology.Batch, incident ident.ID) {
	at := m.of(incident)
	if at.isOver {
		delete(m.incidents, incident)
	}
	if !at.isOpen {
		b.Removed = append(b.Removed, incident)
		return
	}
	f := topology.Incident{ID: incident}
	for _, l := range at.cis {
		switch l.Role {
		case domain.RootRole:
			f.Root = append(f.Root, l.CiID)
		case domain.ExcludedRole:
			f.Excluded = append(f.Excluded, l.CiID)
		case domain.AffectedRole:
		}
	}
	b.Incidents = append(b.Incidents, f)
}
