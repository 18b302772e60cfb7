package journal

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// marks holds the CIs of each incident that is or may again be open, and of each change that is or may be carried out.
// The journal tells of a record's state and of its CIs one by one, and the topology wants them together.
type marks struct {
	records map[ident.ID]*mark
}

type mark struct {
	isOn   bool              // it marks the graph now
	isOver bool              // it will not do so again
	cis    map[ident.ID]link // by the link's id
}

type link struct {
	ci   ident.ID
	role string
}

func newMarks() *marks { return &marks{map[ident.ID]*mark{}} }

func (m *marks) of(record ident.ID) *mark {
	at := m.records[record]
	if at == nil {
		at = &mark{cis: map[ident.ID]link{}}
		m.records[record] = at
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
	for record := range touched {
		m.publish(b, record)
	}
	return nil
}

func (m *marks) write(b *topology.Batch, e *ent.Entry, touched map[ident.ID]bool) error {
	switch e.RecordID.Kind() { //nolint:exhaustive // the rest is no part of the graph
	case ident.CI, ident.RelationshipType, ident.Relationship, ident.DependencyGroup:
		return addRecord(b, e.RecordID, e.After)
	case ident.Incident:
		i := &ent.Incident{}
		if err := decode(e.After, i); err != nil {
			return err
		}
		m.incident(i)
		touched[i.ID] = true
	case ident.Change:
		c := &ent.Change{}
		if err := decode(e.After, c); err != nil {
			return err
		}
		m.change(c)
		touched[c.ID] = true
	case ident.IncidentCI, ident.ChangeCI:
		record, l, err := readLink(e.RecordID, e.After)
		if err != nil {
			return err
		}
		m.of(record).cis[e.RecordID] = l
		touched[record] = true
	}
	return nil
}

// readLink returns the record and the CI that an entry links.
func readLink(id ident.ID, text map[string]any) (record ident.ID, l link, err error) {
	if id.Kind() == ident.IncidentCI {
		row := &ent.IncidentCI{}
		err = decode(text, row)
		return row.IncidentID, link{row.CiID, string(row.Role)}, err
	}
	row := &ent.ChangeCI{}
	err = decode(text, row)
	return row.ChangeID, link{row.CiID, string(row.Role)}, err
}

func (m *marks) remove(b *topology.Batch, e *ent.Entry, touched map[ident.ID]bool) error {
	if isFact(e.RecordID.Kind()) {
		b.Removed = append(b.Removed, e.RecordID)
		return nil
	}
	if kind := e.RecordID.Kind(); kind != ident.IncidentCI && kind != ident.ChangeCI {
		return nil
	}
	record, _, err := readLink(e.RecordID, e.Before)
	if err != nil {
		return err
	}
	delete(m.of(record).cis, e.RecordID)
	touched[record] = true
	return nil
}

// incident notes the state of an incident.
func (m *marks) incident(i *ent.Incident) {
	at := m.of(i.ID)
	at.isOn = i.State.IsOpen()
	at.isOver = slices.Contains(endOfIncidents, i.State)
}

// change notes the state of a change.
func (m *marks) change(c *ent.Change) {
	at := m.of(c.ID)
	at.isOn = c.State == domain.ChangeImplement
	at.isOver = slices.Contains(endOfChanges, c.State)
}

// The states from which no way leads back to marking the graph.
var (
	endOfIncidents = []domain.IncidentState{domain.IncidentClosed, domain.IncidentCanceled}
	endOfChanges   = []domain.ChangeState{domain.ChangeReview, domain.ChangeClosed, domain.ChangeCanceled}
)

// publish tells the topology which CIs a record marks.
func (m *marks) publish(b *topology.Batch, record ident.ID) {
	at := m.of(record)
	if at.isOver {
		delete(m.records, record)
	}
	if !at.isOn {
		b.Removed = append(b.Removed, record)
		return
	}
	with := func(role string) (cis []ident.ID) {
		for _, l := range at.cis {
			if l.role == role {
				cis = append(cis, l.ci)
			}
		}
		return cis
	}
	if record.Kind() == ident.Change {
		b.Changes = append(b.Changes, topology.Change{ID: record, TakenDown: with(string(domain.TakenDownRole)), Changed: with(string(domain.ChangedRole))})
		return
	}
	b.Incidents = append(b.Incidents, topology.Incident{ID: record, Root: with(string(domain.RootRole)), Excluded: with(string(domain.ExcludedRole))})
}
