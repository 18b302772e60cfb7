package read

import (
	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/externalidentity"
	"github.com/linchpin-cmdb/linchpin/ent/incident"
	"github.com/linchpin-cmdb/linchpin/ent/incidentci"
	"github.com/linchpin-cmdb/linchpin/ent/owner"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/ent/relationshiptype"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// RelatedToFilter compares relationships with another CI.
type RelatedToFilter struct {
	Ci        ident.ID
	Type      *CodeFilter
	Direction RelationshipDirection
}

func asCIs(ids []ident.ID) []ident.ID {
	all := make([]ident.ID, len(ids))
	for i, id := range ids {
		all[i] = asCI(id)
	}
	return all
}

// inRows returns the condition that a CI is in a column of another table's rows.
func inRows(table, column string, narrow func(other *sql.SelectTable, s *sql.Selector)) where.Condition {
	return func(s *sql.Selector) *sql.Predicate {
		other := sql.Dialect(s.Dialect()).Table(table)
		rows := sql.Dialect(s.Dialect()).Select(other.C(column)).From(other)
		narrow(other, rows)
		return sql.In(s.C(ci.FieldID), rows)
	}
}

// ownedBy adds the condition that a team or person owns a CI, or that none does.
func ownedBy(c *where.Conditions, column string, f *IDFilter) {
	all, ok := where.Choose(c, f)
	if !ok {
		return
	}
	has := inRows(owner.Table, owner.FieldCiID, func(o *sql.SelectTable, s *sql.Selector) { s.Where(sql.In(o.C(column), all.Values...)) })
	any := inRows(owner.Table, owner.FieldCiID, func(o *sql.SelectTable, s *sql.Selector) { s.Where(sql.NotNull(o.C(column))) })
	c.Add(all.Or(has, where.Not(any)))
}

// bySource adds the condition that a source has reported a CI, or that none has.
func bySource(c *where.Conditions, f *CodeFilter) {
	all, ok := where.Choose(c, f)
	if !ok {
		return
	}
	known := func(narrow func(e *sql.SelectTable, s *sql.Selector)) where.Condition {
		return inRows(externalidentity.Table, externalidentity.FieldRecordID, func(e *sql.SelectTable, s *sql.Selector) {
			s.Where(sql.And(sql.EQ(e.C(externalidentity.FieldIsEvent), false)))
			narrow(e, s)
		})
	}
	has := known(func(e *sql.SelectTable, s *sql.Selector) {
		s.Where(sql.In(e.C(externalidentity.FieldSource), all.Values...))
	})
	c.Add(all.Or(has, where.Not(known(func(*sql.SelectTable, *sql.Selector) {}))))
}

// relatedTo adds the condition that a CI has a relationship with another that the actor may see.
func (s *seen) relatedTo(c *where.Conditions, f *RelatedToFilter) {
	types, named := where.Choose(c, f.Type)
	if c.Err() != nil {
		return
	}
	var kinds []ident.ID
	if named {
		var err error
		if kinds, err = s.find(relationshiptype.Table, types.Values); err != nil {
			c.Fail(err)
			return
		}
	}
	end := func(d, own, other string) *sql.Selector {
		r := sql.Dialect(d).Table(relationship.Table)
		rows := sql.Dialect(d).Select(r.C(own)).From(r).Where(sql.EQ(r.C(other), asCI(f.Ci)))
		if named {
			rows.Where(page.OneOf(r.C(relationship.FieldTypeID), kinds))
		}
		s.Naming(rows, other)
		return rows
	}
	c.Add(func(sel *sql.Selector) *sql.Predicate {
		return sql.P(func(b *sql.Builder) {
			// One list of both ends, since neither database finds rows by one index or another.
			b.Ident(sel.C(ci.FieldID)).WriteString(" IN (")
			if f.Direction != "INCOMING" {
				b.Join(end(b.Dialect(), relationship.FieldSourceID, relationship.FieldTargetID))
			}
			if f.Direction == "BOTH" {
				b.WriteString(" UNION ALL ")
			}
			if f.Direction != "OUTGOING" {
				b.Join(end(b.Dialect(), relationship.FieldTargetID, relationship.FieldSourceID))
			}
			b.WriteString(")")
		})
	})
}

// hasOpenIncidents adds the condition that an open incident names a CI, or that none does.
func hasOpenIncidents(c *where.Conditions, want *bool) {
	if want == nil {
		return
	}
	has := inRows(incidentci.Table, incidentci.FieldCiID, func(l *sql.SelectTable, s *sql.Selector) {
		i := sql.Dialect(s.Dialect()).Table(incident.Table)
		s.Where(sql.In(l.C(incidentci.FieldIncidentID), sql.Dialect(s.Dialect()).Select(i.C(incident.FieldID)).From(i).Where(sql.In(i.C(incident.FieldState), openIncidentStates...))))
	})
	if !*want {
		has = where.Not(has)
	}
	c.Add(has)
}
