package read

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/change"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// CalendarFilter chooses entries of the calendar.
type CalendarFilter struct {
	Kinds   []string
	Ci      *ident.ID
	Service *ident.ID
	Team    *ident.ID
}

func (f *CalendarFilter) has(kind string) bool {
	return f.Kinds == nil || slices.Contains(f.Kinds, kind)
}

const changeEntry = "CHANGE"

// CalendarEntry is a change, or one occurrence of a window.
type CalendarEntry struct {
	row calendarRow
	in  *batch[*CalendarEntry]
}

// calendarRow is an entry before it is shown.
type calendarRow struct {
	kind string
	of   ident.ID // a change or a window
	at   recurrence.Span
}

func (e calendarRow) key() string { return fmt.Sprint(e.of, page.KeySeparator, e.at.From.UnixMicro()) }

// ChangeCalendar lists the changes and the occurrences of windows in a period, by their beginning.
func (r *Reader) ChangeCalendar(ctx context.Context, from, to time.Time, filter *CalendarFilter, p page.Args) (*page.Connection[*CalendarEntry], error) {
	period, err := periodOf(from, to)
	if err != nil {
		return nil, err
	}
	if filter == nil {
		filter = &CalendarFilter{}
	}
	about := fmt.Sprint(from.UnixMicro(), to.UnixMicro(), filter.Kinds, shownID(filter.Ci), shownID(filter.Service), shownID(filter.Team))
	return page.Slice[*CalendarFilter, calendarRow, *CalendarEntry]{
		Name: "calendar", About: func(*CalendarFilter) string { return about }, Key: calendarRow.key,
		Rows: func(f *CalendarFilter) ([]calendarRow, error) { return r.calendar(ctx, period, f) },
		Show: func(context.Context, []calendarRow) (func(*CalendarFilter, calendarRow) (*CalendarEntry, error), error) {
			all := newBatch[*CalendarEntry](r, nil)
			return func(_ *CalendarFilter, row calendarRow) (*CalendarEntry, error) {
				all.Rows = append(all.Rows, &CalendarEntry{row, all})
				return all.Rows[len(all.Rows)-1], nil
			}, nil
		},
	}.Page(ctx, &page.Batch[*CalendarFilter]{Rows: []*CalendarFilter{filter}}, filter, p)
}

func shownID(id *ident.ID) string {
	if id == nil {
		return " -"
	}
	return " " + id.String()
}

func (r *Reader) calendar(ctx context.Context, period recurrence.Span, f *CalendarFilter) ([]calendarRow, error) {
	if f.Service != nil {
		if err := r.mayName(ctx, []ident.ID{*f.Service}); err != nil {
			return nil, err
		}
	}
	graph := r.snapshot()
	cis, err := f.cis(ctx, graph)
	if err != nil {
		return nil, err
	}
	if f.Ci != nil { // a record that it may not name is none
		hidden, err := r.hidden(ctx)
		if err != nil {
			return nil, err
		}
		cis = slices.DeleteFunc(cis, func(id ident.ID) bool { return hidden[id] })
	}
	var rows []calendarRow
	if f.has(changeEntry) {
		if rows, err = r.plannedIn(ctx, period, f, cis); err != nil {
			return nil, err
		}
	}
	if f.has(string(domain.Blackout)) || f.has(string(domain.Maintenance)) {
		windows, err := r.windowsIn(ctx, graph, period, f, cis)
		if err != nil {
			return nil, err
		}
		rows = append(rows, windows...)
	}
	slices.SortFunc(rows, func(a, b calendarRow) int { return cmp.Or(a.at.From.Compare(b.at.From), cmp.Compare(a.of, b.of)) })
	return rows, nil
}

// cis returns the CIs that the filter asks about: the one it names, or the service with all that could harm it. Without
// such a filter, it returns nil.
func (f *CalendarFilter) cis(ctx context.Context, graph *topology.Snapshot) ([]ident.ID, error) {
	var cis []ident.ID
	if f.Ci != nil {
		cis = append(cis, asCI(*f.Ci))
	}
	if f.Service == nil {
		return cis, nil
	}
	needs, err := impact.Dependencies(ctx, graph, []ident.ID{asCI(*f.Service)}, impact.Limits{})
	if err != nil {
		return nil, err
	}
	service := []ident.ID{asCI(*f.Service)}
	for _, n := range needs.CIs {
		service = append(service, n.CI)
	}
	if f.Ci == nil {
		return service, nil
	}
	return slices.DeleteFunc(service, func(id ident.ID) bool { return id != cis[0] }), nil
}

// plannedIn returns the changes of a period that are not canceled.
func (r *Reader) plannedIn(ctx context.Context, period recurrence.Span, f *CalendarFilter, cis []ident.ID) ([]calendarRow, error) {
	q := r.store.Show.Change.Query().Where(change.PlannedStartLT(period.To), change.PlannedEndGT(period.From), change.StateNEQ(domain.ChangeCanceled))
	if f.Team != nil {
		q.Where(change.AssignmentTeamID(*f.Team))
	}
	if f.Ci != nil || f.Service != nil {
		q.Where(func(s *sql.Selector) {
			link := sql.Dialect(s.Dialect()).Table("change_ci")
			s.Where(sql.In(s.C(change.FieldID), sql.Dialect(s.Dialect()).Select(link.C("change_id")).From(link).Where(page.OneOf(link.C("ci_id"), cis))))
		})
	}
	found, err := q.Select(change.FieldID, change.FieldPlannedStart, change.FieldPlannedEnd).All(ctx)
	rows := make([]calendarRow, len(found))
	for i, c := range found {
		rows[i] = calendarRow{changeEntry, c.ID, recurrence.Span{From: *c.PlannedStart, To: *c.PlannedEnd}}
	}
	return rows, store.Translate(err)
}

// windowsIn returns the occurrences of windows in a period.
func (r *Reader) windowsIn(ctx context.Context, graph *topology.Snapshot, period recurrence.Span, f *CalendarFilter, cis []ident.ID) ([]calendarRow, error) {
	windows, err := r.store.Show.ChangeWindow.Query().All(ctx)
	if err != nil {
		return nil, store.Translate(err)
	}
	windows = slices.DeleteFunc(windows, func(w *ent.ChangeWindow) bool { return !f.has(string(w.Kind)) })
	if f.Ci != nil || f.Service != nil {
		holds, err := schedule.Targets(ctx, r.store.Show, graph, windows, cis)
		if err != nil {
			return nil, store.Translate(err)
		}
		windows = slices.DeleteFunc(windows, func(w *ent.ChangeWindow) bool {
			return !slices.ContainsFunc(cis, func(ci ident.ID) bool { return holds(w, ci) })
		})
	}
	var rows []calendarRow
	for _, w := range windows {
		times, err := schedule.Occurrences(w, period)
		if err != nil {
			return nil, err
		}
		for _, at := range times {
			rows = append(rows, calendarRow{string(w.Kind), w.ID, at})
		}
	}
	return rows, nil
}

// Kind returns what takes place.
func (e *CalendarEntry) Kind() string { return e.row.kind }

// StartsAt returns when it begins.
func (e *CalendarEntry) StartsAt() time.Time { return e.row.at.From }

// EndsAt returns when it ends.
func (e *CalendarEntry) EndsAt() time.Time { return e.row.at.To }

// record returns the id of the record behind the entry. If that is not of the kind, it returns nil.
func (e *CalendarEntry) record(kind ident.Kind) *ident.ID {
	if e.row.of.Kind() != kind {
		return nil
	}
	return &e.row.of
}

// Change returns the change that takes place.
func (e *CalendarEntry) Change(ctx context.Context) (*Change, error) {
	return one(ctx, e.in, e, "change", func(e *CalendarEntry) *ident.ID { return e.record(ident.Change) }, loadChanges)
}

// Window returns the window that takes place.
func (e *CalendarEntry) Window(ctx context.Context) (*ChangeWindow, error) {
	return one(ctx, e.in, e, "window", func(e *CalendarEntry) *ident.ID { return e.record(ident.ChangeWindow) }, loadWindows)
}
