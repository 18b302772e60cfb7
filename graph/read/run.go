package read

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// ImportRun is one reading of a source, as clients see it.
type ImportRun struct {
	row *importer.Run
	in  *batch[*ImportRun]
}

// ImportKind is the kind of thing that a row of a run is about, as the contract spells it.
type ImportKind string

// ImportOutcome is what a run did about a thing, as the contract spells it.
type ImportOutcome string

// IsNode marks records with a global id.
func (*ImportRun) IsNode() {}

func (r *Reader) wrapRuns(rows []*importer.Run) []*ImportRun {
	b := newBatch(r, make([]*ImportRun, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &ImportRun{row, b}
	}
	return b.Rows
}

// ShowRun shows a run that a verb returned.
func (r *Reader) ShowRun(row *importer.Run) *ImportRun { return r.wrapRuns([]*importer.Run{row})[0] }

func loadRuns(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*ImportRun, error) {
	numbers := make([]ident.ID, len(ids))
	for i, id := range ids {
		numbers[i] = ident.ID(id.Number())
	}
	rows, err := importer.QueryRuns(ctx, r.store, having(importer.ColumnID, numbers))
	return index(r.wrapRuns(rows), (*ImportRun).ID), err
}

// ImportRun returns the run with an id. If there is none, it returns nil.
func (r *Reader) ImportRun(ctx context.Context, id ident.ID) (*ImportRun, error) {
	if id.Kind() != ident.ImportRun {
		return nil, nil
	}
	found, err := loadRuns(ctx, r, []ident.ID{id})
	return found[id], err
}

// ImportRunFilter says which runs to list.
type ImportRunFilter struct {
	Source *CodeFilter
	Scope  *where.Text
	Kind   *RunKindFilter
	State  *RunStateFilter
}

// ImportRuns lists runs, the newest first.
func (r *Reader) ImportRuns(ctx context.Context, filter *ImportRunFilter, p page.Args) (*page.Connection[*ImportRun], error) {
	c := &where.Conditions{}
	if filter != nil {
		where.Among(c, importer.ColumnSource, filter.Source)
		c.Text(importer.ColumnScope, filter.Scope)
		where.Among(c, importer.ColumnKind, filter.Kind)
		inState(c, filter.State, r.store.Now(ctx))
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	return page.List[*importer.Run, *ImportRun]{
		Name: "runs", Filter: filter, Wrap: r.wrapRuns,
		Order: []page.Term[*importer.Run]{page.By(importer.ColumnID, func(e *importer.Run) int { return int(e.ID) }).Descending()},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*importer.Run, error) {
			return importer.QueryRuns(ctx, r.store, func(s *sql.Selector) { c.Apply(s); modify(s) })
		},
	}.Page(ctx, p)
}

// inState adds the condition that a run is shown in one of some states.
func inState(c *where.Conditions, f *RunStateFilter, now time.Time) {
	all, ok := where.Choose(c, f)
	if !ok {
		return
	}
	var any []where.Condition
	for _, value := range all.Values {
		any = append(any, func(s *sql.Selector) *sql.Predicate { return importer.InState(s, value.(domain.RunState), now) })
	}
	c.Add(where.Any(any...)) // no run is in no state
}

// ID returns the global id, whose number command lines show.
func (r *ImportRun) ID() ident.ID { return ident.New(ident.ImportRun, r.row.ID) }

// Number returns the number that command lines show.
func (r *ImportRun) Number() int { return int(r.row.ID) }

// Source returns the code of the source.
func (r *ImportRun) Source() string { return r.row.Source }

// Scope returns the part of the source that was read.
func (r *ImportRun) Scope() string { return r.row.Scope }

// Kind returns how much of the scope was read.
func (r *ImportRun) Kind() domain.RunKind { return r.row.Kind }

// State returns how far the run has come.
func (r *ImportRun) State() domain.RunState { return r.row.State }

// IsComplete reports whether all of it could be read.
func (r *ImportRun) IsComplete() bool { return r.row.IsComplete }

// StartedAt returns when the run began.
func (r *ImportRun) StartedAt() time.Time { return r.row.StartedAt }

// FinishedAt returns when the run ended, or nil.
func (r *ImportRun) FinishedAt() *time.Time { return r.row.FinishedAt }

// FromRevision returns the revision that was planned for.
func (r *ImportRun) FromRevision() int64 { return r.row.FromRevision }

// ToRevision returns the last revision when the run ended, or nil.
func (r *ImportRun) ToRevision() *int64 {
	if r.row.ToRevision == 0 {
		return nil
	}
	return &r.row.ToRevision
}

// Actor returns who ran it.
func (r *ImportRun) Actor() string { return r.row.Actor }

// Reason returns why the run failed or was refused, or nil. It may name CIs and count them: an actor from whom some are
// hidden is not told.
func (r *ImportRun) Reason(ctx context.Context) (*string, error) {
	hidden, err := r.in.reader.hidden(ctx)
	if err != nil || len(hidden) > 0 || r.row.Reason == "" {
		return nil, err
	}
	return &r.row.Reason, nil
}

// ApprovedBy returns who let the run pass when it was refused, or nil.
func (r *ImportRun) ApprovedBy() *string { return orNil(r.row.ApprovedBy) }

// RetireUpTo returns how many records somebody has let go missing in it.
func (r *ImportRun) RetireUpTo() int { return r.row.RetireUpTo }

// ChangedRowCount returns how many rows are others than when the run was planned, or nil for an actor from whom CIs are
// hidden.
func (r *ImportRun) ChangedRowCount(ctx context.Context) (*int, error) {
	hidden, err := r.in.reader.hidden(ctx)
	if err != nil || len(hidden) > 0 {
		return nil, err
	}
	return &r.row.Otherwise, nil
}

// ImportRunFigure is how many rows of a kind had an outcome.
type ImportRunFigure struct {
	Kind         ImportKind
	Outcome      ImportOutcome
	PlannedCount int
	WrittenCount int
}

// Figures returns how many of what had which outcome, or nil for an actor from whom CIs are hidden: they are counted
// too.
func (r *ImportRun) Figures(ctx context.Context) ([]*ImportRunFigure, error) {
	hidden, err := r.in.reader.hidden(ctx)
	if err != nil || len(hidden) > 0 {
		return nil, err
	}
	all := []*ImportRunFigure{}
	at := func(kind importer.Kind, outcome importer.Outcome) *ImportRunFigure {
		f := &ImportRunFigure{Kind: ImportKind(spelled(string(kind))), Outcome: ImportOutcome(spelled(string(outcome)))}
		if i := slices.IndexFunc(all, func(other *ImportRunFigure) bool { return other.Kind == f.Kind && other.Outcome == f.Outcome }); i >= 0 {
			return all[i]
		}
		all = append(all, f)
		return f
	}
	for kind, by := range r.row.Planned {
		for outcome, n := range by {
			at(kind, outcome).PlannedCount = n
		}
	}
	for kind, by := range r.row.Written {
		for outcome, n := range by {
			at(kind, outcome).WrittenCount = n
		}
	}
	slices.SortFunc(all, func(a, b *ImportRunFigure) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Outcome, b.Outcome))
	})
	return all, nil
}

// spelled spells a word of package importer as the contract does.
func spelled(word string) string { return strings.ToUpper(word) }

// ImportRunRow is what a run did about one thing.
type ImportRunRow struct {
	row *importer.RunRow
	in  *batch[*ImportRunRow]
}

// Rows lists what the run did about each record that was not unchanged, in the order in which it was written. Rows that
// tell of CIs that the actor may not see are left out, and so are those that may.
func (r *ImportRun) Rows(ctx context.Context, outcome *ImportOutcome, first *int, after *string, last *int, before *string) (*page.Connection[*ImportRunRow], error) {
	reader, about := r.in.reader, ""
	if outcome != nil {
		about = string(*outcome)
	}
	untold, err := reader.untold(ctx)
	if err != nil {
		return nil, err
	}
	number := func(r *ImportRun) ident.ID { return ident.ID(r.row.ID) }
	return nestedPage(ctx, r.in, r, number, page.Args{First: first, After: after, Last: last, Before: before}, func() (page.List[*importer.RunRow, *ImportRunRow], error) {
		return page.List[*importer.RunRow, *ImportRunRow]{
			Name: "rows of a run", Filter: about, Wrap: reader.wrapRunRows,
			Order:   []page.Term[*importer.RunRow]{page.By(importer.ColumnID, func(e *importer.RunRow) int { return int(e.ID) })},
			Belongs: []page.Link{{Parent: importer.ColumnRun}}, Parent: func(e *importer.RunRow) ident.ID { return ident.ID(e.Run) },
			Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*importer.RunRow, error) {
				return importer.QueryRows(ctx, reader.store, func(s *sql.Selector) {
					if about != "" {
						s.Where(sql.EQ(s.C(importer.ColumnOutcome), strings.ToLower(about)))
					}
					untold(s)
					modify(s)
				})
			},
		}, nil
	})
}

func (r *Reader) wrapRunRows(rows []*importer.RunRow) []*ImportRunRow {
	b := newBatch(r, make([]*ImportRunRow, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &ImportRunRow{row, b}
	}
	return b.Rows
}

// Kind returns the kind of thing that the row is about.
func (r *ImportRunRow) Kind() ImportKind { return ImportKind(spelled(string(r.row.Step.Kind))) }

// Outcome returns what was done.
func (r *ImportRunRow) Outcome() ImportOutcome {
	return ImportOutcome(spelled(string(r.row.Step.Outcome)))
}

// Origin returns where the row was read, or nil.
func (r *ImportRunRow) Origin() *string { return orNil(r.row.Step.Origin.String()) }

// Key returns the key of the record, or of that which a relationship or a reference belongs to, or nil.
func (r *ImportRunRow) Key() *string { return orNil(r.row.Step.ExternalID) }

// Name returns the name of the record, or nil.
func (r *ImportRunRow) Name() *string { return orNil(r.row.Step.Name) }

// Detail returns the class of a CI, the type of a relationship, the role of an owner, or nil.
func (r *ImportRunRow) Detail() *string { return orNil(r.row.Step.Detail) }

// Target returns the key of the other end, or nil.
func (r *ImportRunRow) Target() *string { return orNil(r.row.Step.Target) }

// Reason returns why, or nil.
func (r *ImportRunRow) Reason() *string { return orNil(r.row.Step.Reason) }

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Changes returns the fields that were written, or kept.
func (r *ImportRunRow) Changes() []importer.Difference {
	return append([]importer.Difference{}, r.row.Step.Differences...)
}

// CI returns the CI that the row is about, or nil.
func (r *ImportRunRow) CI(ctx context.Context) (*CI, error) {
	return one(ctx, r.in, r, "ci", func(r *ImportRunRow) *ident.ID { return &r.row.CI }, loadCIs)
}
