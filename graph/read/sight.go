package read

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/danglingreference"
	"github.com/linchpin-cmdb/linchpin/ent/dependencygroup"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/ent/version"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// CIs, and records that name CIs, are asked for by the functions below and no others, which a test holds: each
// statement is restricted to what the actor may see. A record is as restricted as the CIs that it names.

func (r *Reader) cis(ctx context.Context) *ent.CIQuery {
	q := r.store.Show.CI.Query()
	q.Modify(r.restrict(ctx, sight.Sight.CIs))
	return q
}

func (r *Reader) relationships(ctx context.Context) *ent.RelationshipQuery {
	q := r.store.Show.Relationship.Query()
	q.Modify(r.naming(ctx, relationship.FieldSourceID, relationship.FieldTargetID))
	return q
}

func (r *Reader) groups(ctx context.Context) *ent.DependencyGroupQuery {
	q := r.store.Show.DependencyGroup.Query()
	q.Modify(r.naming(ctx, dependencygroup.FieldCiID))
	return q
}

func (r *Reader) danglingReferences(ctx context.Context) *ent.DanglingReferenceQuery {
	q := r.store.Show.DanglingReference.Query()
	q.Modify(r.naming(ctx, danglingreference.FieldRecordID))
	return q
}

// incidentCIs returns a query that is not restricted: the CIs of an incident go to the engine, and IncidentCI.Ci hides
// those that the actor may not see.
func (r *Reader) incidentCIs() *ent.IncidentCIQuery { return r.store.Show.IncidentCI.Query() }

// changeCIs returns a query that is not restricted either.
func (r *Reader) changeCIs() *ent.ChangeCIQuery { return r.store.Show.ChangeCI.Query() }

// entries returns a query that tells nothing of records that name a restricted CI in their content: see
// Entry.IsRestricted. Of accounts it tells those alone who look after them.
func (r *Reader) entries(ctx context.Context) *ent.EntryQuery {
	q := r.store.Show.Entry.Query()
	q.Modify(r.naming(ctx, entry.FieldRecordID, entry.FieldSubjectID), public(ctx))
	return q
}

// writes returns a query that is not restricted: structureWrites says who may see what they wrote.
func (r *Reader) writes() *ent.EntryQuery { return r.store.Show.Entry.Query() }

// certain returns a query that is not restricted either, of the primary: what its marks are compared with may be
// newer than what a standby has.
func (r *Reader) certain() *ent.EntryQuery { return r.store.Read.Entry.Query() }

// consequences returns a query that is not restricted: structureWrites says who may see the CIs that it names.
func (r *Reader) consequences() *ent.ConsequenceQuery { return r.store.Show.Consequence.Query() }

func (r *Reader) versions(ctx context.Context) *ent.VersionQuery {
	q := r.store.Show.Version.Query()
	q.Modify(r.naming(ctx, version.FieldRecordID))
	return q
}

// plannedOperations returns a query that is not restricted: PlannedOperation.IsRestricted says who may see what the
// operations touch.
func (r *Reader) plannedOperations() *ent.PlannedOperationQuery {
	return r.store.Show.PlannedOperation.Query()
}

// untold restricts a statement on rows of runs to those that tell of no CI that the actor may not see. If nothing is
// hidden from the actor, it leaves all.
func (r *Reader) untold(ctx context.Context) (func(*sql.Selector), error) {
	hidden, err := r.hidden(ctx)
	if err != nil || len(hidden) == 0 {
		return func(*sql.Selector) {}, err
	}
	naming := r.naming(ctx, importer.ColumnAbout, importer.ColumnOther)
	return func(s *sql.Selector) {
		s.Where(sql.EQ(s.C(importer.ColumnIsTold), true))
		naming(s)
	}, nil
}

func (r *Reader) naming(ctx context.Context, columns ...string) func(*sql.Selector) {
	return r.restrict(ctx, func(s sight.Sight, sel *sql.Selector) { s.Naming(sel, columns...) })
}

// restrict limits a statement to the records that the actor may see. If that cannot be found out, the statement fails.
func (r *Reader) restrict(ctx context.Context, by func(sight.Sight, *sql.Selector)) func(*sql.Selector) {
	s, err := sight.Of(ctx, r.store.Show)
	return func(sel *sql.Selector) {
		if err != nil {
			sel.AddError(err)
		}
		by(s, sel)
	}
}

// hidden returns the CIs that the actor may not see.
func (r *Reader) hidden(ctx context.Context) (map[ident.ID]bool, error) {
	hidden, err := sight.Hidden(ctx, r.store.Show)
	return hidden, store.Translate(err)
}

// mayName refuses ids in a question of records that the actor may not see, as it refuses ids without a record. For an
// actor who sees all it leaves that to the engine, which knows what there is.
func (r *Reader) mayName(ctx context.Context, lists ...[]ident.ID) error {
	s, err := sight.Of(ctx, r.store.Show)
	if err != nil || s.SeesAll() {
		return store.Translate(err)
	}
	for _, ids := range lists {
		found, err := r.nodes(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if found[id] == nil {
				return errs.New(errs.NotFound, "there is no %s", id)
			}
		}
	}
	return nil
}

// vertices are CIs that an answer of the engine names, of which the actor may not see all.
type vertices struct {
	shown  map[ident.ID]*CI
	hidden map[ident.ID]bool
}

func loadVertices(ctx context.Context, r *Reader, ids []ident.ID) (v vertices, err error) {
	if v.hidden, err = r.hidden(ctx); err != nil {
		return v, err
	}
	v.shown, err = loadCIs(ctx, r, ids)
	return v, err
}

// has reports whether there is such a CI, shown or not.
func (v vertices) has(id ident.ID) bool { return v.shown[id] != nil || v.hidden[id] }

// list returns the CIs with some ids, in their order, with nil for a restricted one. It leaves out those that are gone.
func (v vertices) list(ids []ident.ID) []*CI {
	all := make([]*CI, 0, len(ids))
	for _, id := range ids {
		if v.has(id) {
			all = append(all, v.shown[id])
		}
	}
	return all
}
