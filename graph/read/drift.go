package read

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/ci"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// Drift is one way in which a CI and its sources have come apart, as clients see it.
type Drift struct {
	row importer.Drift
	in  *batch[*Drift]
}

// DriftQuery says which drift to report.
type DriftQuery struct {
	Kinds     []importer.DriftKind
	Source    *string
	Class     *string
	Service   *ident.ID
	OwnerTeam *ident.ID
}

// mostLooks bounds the CIs that are looked at for one page, in parts of looked.
const (
	mostLooks = 4
	looked    = 500
)

// Drift reports where the CIs that the actor may see and what sources say of them have come apart, by the ids of CIs.
func (r *Reader) Drift(ctx context.Context, q DriftQuery, first *int, after *string) (*page.Connection[*Drift], error) {
	narrow, err := r.drifting(ctx, q)
	if err != nil {
		return nil, err
	}
	ask := importer.DriftQuery{Kinds: q.Kinds, Narrow: narrow, CIs: looked}
	if q.Source != nil {
		ask.Source = *q.Source
	}
	if q.Class != nil {
		ask.Class = *q.Class
	}
	return page.Walk[drifted, *Drift]{
		Name: "drift", About: q,
		Read: func(ctx context.Context, after string, limit int) (rows []drifted, next string, err error) {
			return r.readDrift(ctx, ask, after, limit)
		},
		Place: func(d drifted) string { return d.place },
		Show: func(_ context.Context, rows []drifted) ([]*Drift, error) {
			b := newBatch(r, make([]*Drift, len(rows)))
			for i, row := range rows {
				b.Rows[i] = &Drift{row.Drift, b}
			}
			return b.Rows, nil
		},
	}.Page(ctx, first, after)
}

// drifting returns what narrows the CIs that are looked at.
func (r *Reader) drifting(ctx context.Context, q DriftQuery) (func(*ent.CIQuery), error) {
	shown := r.restrict(ctx, sight.Sight.CIs)
	c := &where.Conditions{}
	if q.OwnerTeam != nil {
		ownedBy(c, "team_id", &IDFilter{Eq: where.To(*q.OwnerTeam)})
	}
	var below []ident.ID
	if q.Service != nil {
		if err := r.mayName(ctx, []ident.ID{*q.Service}); err != nil {
			return nil, err
		}
		of := asCI(*q.Service)
		graph, err := r.snapshotWith(ctx, of)
		if err != nil {
			return nil, err
		}
		if below, err = r.harming(ctx, graph, []ident.ID{of}); err != nil {
			return nil, err
		}
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	return func(look *ent.CIQuery) {
		look.Modify(shown, c.Apply)
		if q.Service != nil {
			look.Where(having(ci.FieldID, below))
		}
	}, nil
}

// drifted is a drift and its place: the id of its CI, and which one of that CI it is.
type drifted struct {
	importer.Drift
	place string
}

// readDrift reads the next drifts after a place. It looks at so many CIs and no more, so that it may find too few.
func (r *Reader) readDrift(ctx context.Context, q importer.DriftQuery, after string, limit int) (rows []drifted, next string, err error) {
	from, behind, err := placeOf(after)
	if err != nil {
		return nil, "", err
	}
	q.After = from
	if behind > 0 {
		q.After = from - 1 // the rest of that CI
	}
	for range mostLooks {
		found, err := importer.ReadDrift(ctx, r.store, q)
		if err != nil {
			return nil, "", err
		}
		n := map[ident.ID]int{}
		for _, d := range found.Drift {
			if n[d.CI]++; d.CI == from && n[d.CI] <= behind {
				continue
			}
			if len(rows) == limit {
				if limit == 0 {
					return nil, after, nil
				}
				return rows, rows[limit-1].place, nil
			}
			rows = append(rows, drifted{d, d.CI.String() + page.KeySeparator + strconv.Itoa(n[d.CI])})
		}
		if q.After = found.Next; q.After == 0 {
			return rows, "", nil
		}
	}
	return rows, q.After.String(), nil
}

// placeOf reads a place: a CI, all of which is behind, or so many drifts of it.
func placeOf(text string) (at ident.ID, behind int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	word, number, ok := strings.Cut(text, page.KeySeparator)
	if at, err = ident.Parse(word); err == nil && ok {
		behind, err = strconv.Atoi(number)
	}
	if err != nil || behind < 0 {
		return 0, 0, errs.New(errs.BadCursor, "after: the cursor does not belong to this list")
	}
	return at, behind, nil
}

// Kind returns in which way they have come apart.
func (d *Drift) Kind() importer.DriftKind { return d.row.Kind }

// CI returns the CI.
func (d *Drift) CI(ctx context.Context) (*CI, error) {
	c, err := one(ctx, d.in, d, "ci", func(d *Drift) *ident.ID { return &d.row.CI }, loadCIs)
	if err == nil && c == nil {
		err = errs.New(errs.Unavailable, "%v has just been hidden: try again", d.row.CI)
	}
	return c, err
}

// Source returns the source that is believed, or has lost the CI, or nil.
func (d *Drift) Source() *string { return orNil(d.row.Source) }

// Against returns the sources that say otherwise.
func (d *Drift) Against() []string { return append([]string{}, d.row.Against...) }

func (d *Drift) isAboutKey() bool {
	return d.row.Kind == importer.Missing || d.row.Kind == importer.Loose
}

// Field returns the field that it is about, or nil.
func (d *Drift) Field() *string {
	if d.isAboutKey() {
		return nil
	}
	return orNil(d.row.Field)
}

// Key returns the key that the source has lost, or that nobody has reported, or nil.
func (d *Drift) Key() *string {
	if !d.isAboutKey() {
		return nil
	}
	return orNil(d.row.Field)
}

// Standing returns the value that stands.
func (d *Drift) Standing() any { return d.row.Is }

// Said returns the value that does not.
func (d *Drift) Said() any { return d.row.Says }

// Since returns when the source lost the CI, or nil.
func (d *Drift) Since() *time.Time { return d.row.Since }

// Summary says it in a sentence.
func (d *Drift) Summary() string { return d.row.Sentence() }
