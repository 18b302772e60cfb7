package change

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// PresentRecords are records as they are now, as fields; those that are gone are missing.
type PresentRecords struct {
	Records map[ident.ID]operation.Fields
	codes   map[ident.ID]string // of relationship types
}

func (p PresentRecords) code(id ident.ID) string { return p.codes[id] }

// Present reads what operations change or remove, in at most four statements.
func Present(ctx context.Context, c *ent.Client, all []operation.Operation) (PresentRecords, error) {
	p := PresentRecords{map[ident.ID]operation.Fields{}, map[ident.ID]string{}}
	ids := map[ident.Kind][]ident.ID{}
	for _, o := range all {
		if o.Record != 0 {
			ids[o.Record.Kind()] = append(ids[o.Record.Kind()], o.Record)
		}
	}
	types, err := c.RelationshipType.Query().All(ctx)
	if err != nil {
		return p, err
	}
	for _, t := range types {
		p.codes[t.ID] = t.Code
	}
	if some := ids[ident.CI]; len(some) > 0 {
		rows, err := c.CI.Query().Where(ci.IDIn(some...)).All(ctx)
		if err = p.add(err, records(rows, func(r *ent.CI) ident.ID { return r.ID })); err != nil {
			return p, err
		}
	}
	if some := ids[ident.Relationship]; len(some) > 0 {
		rows, err := c.Relationship.Query().Where(relationship.IDIn(some...)).All(ctx)
		if err = p.add(err, records(rows, func(r *ent.Relationship) ident.ID { return r.ID })); err != nil {
			return p, err
		}
	}
	if some := ids[ident.DependencyGroup]; len(some) > 0 {
		rows, err := c.DependencyGroup.Query().Where(dependencygroup.IDIn(some...)).All(ctx)
		if err = p.add(err, records(rows, func(r *ent.DependencyGroup) ident.ID { return r.ID })); err != nil {
			return p, err
		}
	}
	return p, nil
}

func records[R any](rows []*R, id func(*R) ident.ID) map[ident.ID]any {
	all := make(map[ident.ID]any, len(rows))
	for _, row := range rows {
		all[id(row)] = row
	}
	return all
}

// add takes over records as the journal would tell them.
func (p PresentRecords) add(err error, rows map[ident.ID]any) error {
	for id, row := range rows {
		text, wrong := json.Marshal(row)
		record := map[string]any{}
		if wrong == nil {
			wrong = json.Unmarshal(text, &record)
		}
		if wrong != nil {
			return wrong
		}
		p.Records[id] = operation.Flat(id.Kind(), record, p.code)
	}
	return err
}

// Conflict is a field that somebody changed since an operation on it was planned.
type Conflict struct {
	operation.Conflict
	Entry *ent.Entry // which write it was; nil if the journal does not tell
}

// Sentence says what happened, and what would mend it.
func (c Conflict) Sentence(o operation.Operation) string {
	who := ""
	if c.Entry != nil {
		who = fmt.Sprintf(", written by %s at %s", c.Entry.Actor, c.Entry.At.UTC().Format("2006-01-02 15:04:05Z"))
	}
	return fmt.Sprintf("the %s of %s was %s when this was planned and is %s now%s; the operation would make it %s: plan the operations anew, or put the value back",
		c.Field, o.Record, shown(c.Base), shown(c.Present), who, shown(c.Wanted))
}

func shown(v any) string {
	if v == nil {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "unreadable"
	}
	if len(text) > 200 {
		return string(text[:200]) + "…"
	}
	return string(text)
}

// FindConflicts lists the conflicts of each operation, in at most five statements.
func FindConflicts(ctx context.Context, c *ent.Client, all []operation.Operation) ([][]Conflict, error) {
	present, err := Present(ctx, c, all)
	if err != nil {
		return nil, err
	}
	found := make([][]Conflict, len(all))
	since, concerned := int64(0), map[ident.ID]bool{}
	for i, o := range all {
		for _, conflict := range o.Conflicts(present.Records[o.Record]) {
			found[i] = append(found[i], Conflict{Conflict: conflict})
			if len(concerned) == 0 || o.BaseRevision < since {
				since = o.BaseRevision
			}
			concerned[present.subject(o)] = true
		}
	}
	if len(concerned) == 0 {
		return found, nil
	}
	entries, err := c.Entry.Query().Where(entry.SubjectIDIn(slices.Sorted(maps.Keys(concerned))...), entry.IDGTE(store.EntryID(since+1, 0))).
		Order(ent.Desc(entry.FieldID)).All(ctx)
	if err != nil {
		return nil, err
	}
	for i, o := range all {
		for n := range found[i] {
			found[i][n].Entry = latest(entries, o, found[i][n].Field, present.code)
		}
	}
	return found, nil
}

// subject returns the record in whose history the journal tells of what an operation is about: of a group its CI.
func (p PresentRecords) subject(o operation.Operation) ident.ID {
	if of := operation.Reference(p.Records[o.Record]["ci"], nil); of != 0 {
		return of
	}
	if of := operation.Reference(o.Base["ci"], nil); of != 0 {
		return of
	}
	return o.Record
}

// latest returns the newest of the entries that wrote a field after the operation was planned.
func latest(entries []*ent.Entry, o operation.Operation, field string, code func(ident.ID) string) *ent.Entry {
	for _, e := range entries {
		w := operation.Written{Record: e.RecordID, Operation: e.Operation, Before: e.Before, After: e.After}
		if e.RecordID == o.Record && e.Revision > o.BaseRevision && (e.Operation == domain.Deleted || w.Wrote(field, code)) {
			return e
		}
	}
	return nil
}
