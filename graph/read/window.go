package read

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/changewindow"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// ChangeWindow is a blackout or a maintenance window as clients see it.
type ChangeWindow struct {
	*ent.ChangeWindow
	in *batch[*ChangeWindow]
}

// IsNode marks records with a global id.
func (*ChangeWindow) IsNode() {}

func (w *ChangeWindow) id() ident.ID { return w.ID }

func (r *Reader) wrapWindows(rows []*ent.ChangeWindow) []*ChangeWindow {
	b := newBatch(r, make([]*ChangeWindow, len(rows)))
	for i, row := range rows {
		b.Rows[i] = &ChangeWindow{row, b}
	}
	return b.Rows
}

// ShowWindow shows a change window that a verb returned.
func (r *Reader) ShowWindow(row *ent.ChangeWindow) *ChangeWindow {
	return r.wrapWindows([]*ent.ChangeWindow{row})[0]
}

func loadWindows(ctx context.Context, r *Reader, ids []ident.ID) (map[ident.ID]*ChangeWindow, error) {
	rows, err := r.store.Show.ChangeWindow.Query().Where(having(changewindow.FieldID, ids)).All(ctx)
	return index(r.wrapWindows(rows), func(w *ChangeWindow) ident.ID { return w.ID }), store.Translate(err)
}

// ChangeWindow returns the change window with an id. If there is none, it returns nil.
func (r *Reader) ChangeWindow(ctx context.Context, id ident.ID) (*ChangeWindow, error) {
	found, err := loadWindows(ctx, r, []ident.ID{id})
	return found[id], err
}

// ChangeWindowFilter says which change windows to list.
type ChangeWindowFilter struct{ Kind *WindowKindFilter }

// ChangeWindows lists change windows, the oldest first.
func (r *Reader) ChangeWindows(ctx context.Context, filter *ChangeWindowFilter, p page.Args) (*page.Connection[*ChangeWindow], error) {
	c := &where.Conditions{}
	if filter != nil {
		where.Among(c, changewindow.FieldKind, filter.Kind)
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	return page.List[*ent.ChangeWindow, *ChangeWindow]{
		Name: "change windows", Filter: filter, Wrap: r.wrapWindows,
		Order: []page.Term[*ent.ChangeWindow]{page.By(changewindow.FieldID, func(e *ent.ChangeWindow) ident.ID { return e.ID })},
		Query: func(ctx context.Context, modify func(*sql.Selector)) ([]*ent.ChangeWindow, error) {
			q := r.store.Show.ChangeWindow.Query()
			q.Modify(c.Apply, modify)
			return translated(q.All(ctx))
		},
	}.Page(ctx, p)
}

// Recurrence returns the rule by which the window recurs. If it takes place once, it returns nil.
func (w *ChangeWindow) Recurrence() *string {
	if w.ChangeWindow.Recurrence == "" {
		return nil
	}
	return &w.ChangeWindow.Recurrence
}

// Cis returns the CIs that the window names.
func (w *ChangeWindow) Cis(ctx context.Context) ([]*CI, error) {
	return several(ctx, w.in, w, "cis", func(w *ChangeWindow) []ident.ID { return w.ChangeWindow.Cis }, loadCIs)
}

// Classes returns the classes that the window names.
func (w *ChangeWindow) Classes(ctx context.Context) ([]*CIClass, error) {
	return several(ctx, w.in, w, "classes", func(w *ChangeWindow) []ident.ID { return w.ChangeWindow.Classes }, loadClasses)
}

// Labels returns the labels that the window names, by name.
func (w *ChangeWindow) Labels() []*Label { return labelsByName(w.ChangeWindow.Labels) }

// Duration returns how long each occurrence lasts.
func (w *ChangeWindow) Duration() time.Duration { return schedule.LengthOf(w.ChangeWindow) }

// WindowOccurrence is one time at which a window takes place.
type WindowOccurrence struct{ StartsAt, EndsAt time.Time }

// Occurrences returns the times at which the window takes place in a period.
func (w *ChangeWindow) Occurrences(from, to time.Time) ([]*WindowOccurrence, error) {
	period, err := periodOf(from, to)
	if err != nil {
		return nil, err
	}
	times, err := schedule.Occurrences(w.ChangeWindow, period)
	all := make([]*WindowOccurrence, len(times))
	for i, t := range times {
		all[i] = &WindowOccurrence{t.From, t.To}
	}
	return all, err
}

const longestPeriod = 366 * 24 * time.Hour

func periodOf(from, to time.Time) (recurrence.Span, error) {
	if !from.Before(to) || to.Sub(from) > longestPeriod {
		return recurrence.Span{}, errs.New(errs.BadUserInput, "from %s to %s is not a period: to is later than from, at most 366 days",
			from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	return recurrence.Span{From: from, To: to}, nil
}

// History returns who wrote what to the window and when.
func (w *ChangeWindow) History(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*Entry], error) {
	return history(ctx, w.in, w, (*ChangeWindow).id, page.Args{First: first, After: after, Last: last, Before: before})
}
