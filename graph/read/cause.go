package read

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// StateRecord is a record that decides how CIs fare: an open incident, or a change that is being carried out.
type StateRecord interface {
	Node
	IsStateRecord()
}

// IsStateRecord marks records that decide how CIs fare.
func (*Incident) IsStateRecord() {}

// IsStateRecord marks records that decide how CIs fare.
func (*Change) IsStateRecord() {}

// stateRecords are records by id.
type stateRecords map[ident.ID]StateRecord

func (all stateRecords) list(ids []ident.ID) []StateRecord {
	list := make([]StateRecord, 0, len(ids))
	for _, id := range ids {
		if r := all[id]; r != nil {
			list = append(list, r)
		}
	}
	return list
}

// loadStateRecords loads records of both kinds, in a statement each.
func loadStateRecords(ctx context.Context, r *Reader, ids []ident.ID) (stateRecords, error) {
	ids, all := slices.Compact(slices.Sorted(slices.Values(ids))), stateRecords{}
	incidents, changes := []ident.ID{}, []ident.ID{}
	for _, id := range ids {
		if id.Kind() == ident.Change {
			changes = append(changes, id)
		} else {
			incidents = append(incidents, id)
		}
	}
	if len(incidents) > 0 {
		found, err := loadIncidents(ctx, r, incidents)
		if err != nil {
			return nil, err
		}
		for id, i := range found {
			all[id] = i
		}
	}
	if len(changes) > 0 {
		found, err := loadChanges(ctx, r, changes)
		if err != nil {
			return nil, err
		}
		for id, c := range found {
			all[id] = c
		}
	}
	return all, nil
}

// named returns the first of some records: an answer names no more.
func named(records []ident.ID) []ident.ID { return records[:min(len(records), namedCIs)] }

// TogetherWith returns the other records that take part in the state of the CI, if the record that the answer is about
// does not bring it about by itself.
func (a *AffectedCI) TogetherWith(ctx context.Context) ([]StateRecord, error) {
	type found struct {
		of  map[*AffectedCI][]ident.ID
		all stateRecords
	}
	records, err := once(a.in, "together with", func() (found, error) {
		f := found{of: map[*AffectedCI][]ident.ID{}}
		var ids []ident.ID
		for _, row := range a.in.Rows {
			f.of[row] = named(row.i.answer().TogetherWith(row.hit.CI))
			ids = append(ids, f.of[row]...)
		}
		var err error
		f.all, err = loadStateRecords(ctx, a.in.reader.present(), ids)
		return f, err
	})
	return records.all.list(records.of[a]), err
}

// ImpactNote says something of a CI that an impact supposes to fail.
type ImpactNote struct {
	Ci     *CI
	Reason string
	By     []StateRecord
}

// Notes returns what is to be said of the CIs that are supposed to fail.
func (i *Impact) Notes(ctx context.Context) ([]*ImpactNote, error) {
	all, err := once(i.in, "notes", func() (map[*Impact][]*ImpactNote, error) {
		notes := map[*Impact][]impact.Note{}
		var cis, records []ident.ID
		for _, row := range i.answered() {
			notes[row] = row.answer().Notes()
			for _, n := range notes[row] {
				cis, records = append(cis, n.CI), append(records, named(n.By)...)
			}
		}
		vertices, err := loadVertices(ctx, i.in.reader, cis)
		if err != nil {
			return nil, err
		}
		by, err := loadStateRecords(ctx, i.in.reader.present(), records)
		if err != nil {
			return nil, err
		}
		shown := map[*Impact][]*ImpactNote{}
		for row, list := range notes {
			for _, n := range list {
				if vertices.has(n.CI) {
					shown[row] = append(shown[row], &ImpactNote{vertices.shown[n.CI], n.Reason.String(), by.list(named(n.By))})
				}
			}
		}
		return shown, nil
	})
	if err != nil || all[i] == nil {
		return []*ImpactNote{}, err
	}
	return all[i], nil
}

// StateCause is a reason for the state of a CI.
type StateCause struct {
	cause impact.Cause
	Kind  string // RECORDS or STRUCTURE
	// Records are those without which the CI would fare better.
	Records []StateRecord
	Ci      *CI
	Paths   []*ImpactPath
	// Writes are those that made it so, for STRUCTURE.
	Writes []*StructureWrite
}

// IsMinimal reports whether no smaller set of records does as well.
func (c *StateCause) IsMinimal() bool { return c.cause.IsMinimal }

// The kinds of causes.
const (
	recordsCause   = "RECORDS"
	structureCause = "STRUCTURE"
)

// stateCauses returns why each of some CIs fares as it does on a graph, with as many statements as for one.
func stateCauses(ctx context.Context, r *Reader, graph *topology.Snapshot, cis []ident.ID) (map[ident.ID][]*StateCause, error) {
	found := impact.CausesOf(graph, cis)
	var records, lacking []ident.ID
	var ways [][]impact.Step
	for _, causes := range found {
		for _, c := range causes {
			c.Records = named(c.Records)
			records, lacking = append(records, c.Records...), append(lacking, c.CI)
			for _, way := range c.Paths[:min(len(c.Paths), namedCIs)] {
				if len(way) > 0 {
					ways = append(ways, way)
				}
			}
		}
	}
	shown, err := loadStateRecords(ctx, r, records)
	if err != nil {
		return nil, err
	}
	vertices, err := loadVertices(ctx, r, slices.DeleteFunc(lacking, func(ci ident.ID) bool { return ci == 0 }))
	if err != nil {
		return nil, err
	}
	paths, err := r.showPaths(ctx, ways)
	if err != nil {
		return nil, err
	}
	writes, err := loadStructureWrites(ctx, r, graph.Revision(), found)
	if err != nil {
		return nil, err
	}
	all := make(map[ident.ID][]*StateCause, len(cis))
	for i, causes := range found {
		for _, c := range causes {
			one := &StateCause{cause: c, Kind: recordsCause, Records: shown.list(named(c.Records)), Paths: []*ImpactPath{}, Writes: []*StructureWrite{}}
			if c.CI != 0 {
				one.Kind, one.Ci, one.Writes = structureCause, vertices.shown[c.CI], writes.of(c)
			}
			for _, way := range c.Paths[:min(len(c.Paths), namedCIs)] {
				if len(way) > 0 {
					one.Paths, paths = append(one.Paths, paths[0]), paths[1:]
				}
			}
			all[cis[i]] = append(all[cis[i]], one)
		}
	}
	return all, nil
}

// StateCauses returns why the CI fares as it does now.
func (c *CI) StateCauses(ctx context.Context) ([]*StateCause, error) {
	all, err := once(c.in, "state causes", func() (map[ident.ID][]*StateCause, error) {
		r := c.in.reader.present()
		return stateCauses(ctx, r, r.snapshot(), c.in.ids((*CI).id))
	})
	return causesOrNone(all[c.ID]), err
}

func causesOrNone(all []*StateCause) []*StateCause {
	if all == nil {
		return []*StateCause{}
	}
	return all
}

// ReportedBy returns the open incidents that name the CI as AFFECTED, the newest first.
func (c *CI) ReportedBy(ctx context.Context) ([]*Incident, error) {
	return many(ctx, c.in, c, "reported by", (*CI).id, func(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID][]*Incident, error) {
		r = r.present()
		open := sql.Table(incident.Table)
		rows, err := r.incidentCIs().Where(having(incidentci.FieldCiID, ids), incidentci.RoleEQ(domain.AffectedRole), func(s *sql.Selector) {
			of := sql.Dialect(s.Dialect()).Select(open.C(incident.FieldID)).From(open).Where(sql.In(open.C(incident.FieldState), openIncidentStates...))
			s.Where(sql.In(s.C(incidentci.FieldIncidentID), of))
		}).Order(ent.Desc(incidentci.FieldIncidentID)).All(ctx)
		if err != nil {
			return nil, store.Translate(err)
		}
		found, err := loadIncidents(ctx, r, page.Distinct(rows, func(l *ent.IncidentCI) *ident.ID { return &l.IncidentID }))
		all := map[ident.ID][]*Incident{}
		for _, row := range rows {
			if i := found[row.IncidentID]; i != nil && len(all[row.CiID]) < namedCIs {
				all[row.CiID] = append(all[row.CiID], i)
			}
		}
		return all, err
	})
}

// Causes returns why the service fares as it does after the write.
func (c *ServiceStateChange) Causes(ctx context.Context) ([]*StateCause, error) {
	all, err := once(c.in, "causes", func() (map[ident.ID][]*StateCause, error) {
		then, err := c.in.reader.asOf(ctx, &AsOf{Revision: &c.revision})
		if err != nil {
			return nil, err
		}
		return stateCauses(ctx, c.in.reader, then.snapshot(), c.in.ids(func(c *ServiceStateChange) ident.ID { return c.change.Service }))
	})
	return causesOrNone(all[c.change.Service]), err
}
