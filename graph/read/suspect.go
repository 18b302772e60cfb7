package read

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/schedule"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/suspect"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// SuspectChange is a change that may have caused what is seen. Those on the pages of a batch are one batch.
type SuspectChange struct {
	suspect.Suspect
	graph *topology.Snapshot
	in    *batch[*SuspectChange]
}

const (
	mostSuspects   = 50
	shortestWithin = time.Hour
	longestWithin  = 30 * 24 * time.Hour
	mostSymptoms   = 100
	// recentEntries is how much may have been written since for the graph to be that of then: it is undone in some tens
	// of milliseconds.
	recentEntries = 5_000
)

// suspectsAsked names what was asked of a batch of incidents.
type suspectsAsked struct{ within time.Duration }

// suspicion is a suspect, and the graph by which it is one.
type suspicion struct {
	suspect.Suspect
	graph *topology.Snapshot
}

// SuspectChanges lists the changes that may have caused the incident, the most suspicious first.
func (i *Incident) SuspectChanges(ctx context.Context, within time.Duration, first *int, after *string, last *int, before *string) (*page.Connection[*SuspectChange], error) {
	found, err := once(i.in, suspectsAsked{within}, func() (map[*Incident][]suspicion, error) {
		questions := make([]suspect.Question, len(i.in.Rows))
		for n, row := range i.in.Rows {
			links, err := row.links(ctx)
			if err != nil {
				return nil, err
			}
			questions[n].At = row.DetectedAt
			for _, l := range links {
				if l.Role != domain.ExcludedRole {
					questions[n].Symptoms = append(questions[n].Symptoms, l.CiID)
				}
			}
		}
		lists, err := i.in.reader.suspects(ctx, questions, within)
		all := make(map[*Incident][]suspicion, len(lists))
		for n := range lists {
			all[i.in.Rows[n]] = lists[n]
		}
		return all, err
	})
	if err != nil {
		return nil, err
	}
	about := func(i *Incident) string { return fmt.Sprint(i.ID, within) }
	return suspectsPage(ctx, i.in, i, about, found, page.Args{First: first, After: after, Last: last, Before: before})
}

// SuspectChanges lists the changes that may have caused what CIs show, the most suspicious first.
func (r *Reader) SuspectChanges(ctx context.Context, cis []ident.ID, at *time.Time, within time.Duration, p page.Args) (*page.Connection[*SuspectChange], error) {
	if len(cis) == 0 || len(cis) > mostSymptoms {
		return nil, errs.New(errs.BadUserInput, "cis lists %d CIs: 1 to %d are possible", len(cis), mostSymptoms)
	}
	if err := r.mayName(ctx, cis); err != nil {
		return nil, err
	}
	q := suspect.Question{At: r.store.Now(ctx)}
	if at != nil {
		q.At = *at
	}
	graph, err := r.snapshotWith(ctx, cis...)
	if err != nil {
		return nil, err
	}
	for _, id := range cis {
		if !graph.Knows(asCI(id)) {
			return nil, errs.New(errs.NotFound, "there is no CI %v", id).At("cis")
		}
		q.Symptoms = append(q.Symptoms, asCI(id))
	}
	lists, err := r.suspects(ctx, []suspect.Question{q}, within)
	if err != nil {
		return nil, err
	}
	about := func(*suspect.Question) string { return fmt.Sprint(cis, at, within) }
	return suspectsPage(ctx, newBatch(r, []*suspect.Question{&q}), &q, about, map[*suspect.Question][]suspicion{&q: lists[0]}, p)
}

// suspectsPage shows the page of owner's suspects. Those on the pages of a batch are one batch again.
func suspectsPage[B comparable](ctx context.Context, b *batch[B], owner B, about func(B) string, of map[B][]suspicion, p page.Args) (*page.Connection[*SuspectChange], error) {
	return page.Slice[B, suspicion, *SuspectChange]{
		Name: "suspect changes", About: about,
		Rows: func(owner B) ([]suspicion, error) { return of[owner], nil },
		Key:  func(s suspicion) string { return s.Change.String() },
		Show: func(context.Context, []suspicion) (func(B, suspicion) (*SuspectChange, error), error) {
			all := newBatch[*SuspectChange](b.reader, nil)
			return func(_ B, s suspicion) (*SuspectChange, error) {
				all.Rows = append(all.Rows, &SuspectChange{s.Suspect, s.graph, all})
				return all.Rows[len(all.Rows)-1], nil
			}, nil
		},
	}.Page(ctx, &b.Batch, owner, p)
}

func (r *Reader) suspects(ctx context.Context, questions []suspect.Question, within time.Duration) ([][]suspicion, error) {
	if within < shortestWithin || within > longestWithin {
		return nil, errs.New(errs.BadUserInput, "within is %v: PT1H to P30D", within)
	}
	var named []ident.ID
	for i := range questions {
		questions[i].Window = within
		questions[i].Symptoms = questions[i].Symptoms[:min(len(questions[i].Symptoms), mostSymptoms)]
		named = append(named, questions[i].Symptoms...)
	}
	graph, err := r.snapshotWith(ctx, named...)
	if err != nil {
		return nil, err
	}
	if len(questions) == 1 {
		then, err := r.history.Lately(ctx, questions[0].At, recentEntries)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(named, func(ci ident.ID) bool { return graph.Knows(ci) && !then.Knows(ci) }) { // told of later than seen
			graph = then
		}
	}
	found, err := schedule.Suspects(ctx, r.store.Show, graph, questions, mostSuspects, r.store.Now(ctx))
	if err != nil {
		return nil, err
	}
	lists := make([][]suspicion, len(found))
	for i, some := range found {
		for _, one := range some {
			lists[i] = append(lists[i], suspicion{one, graph})
		}
	}
	return lists, nil
}

// Change returns the change.
func (s *SuspectChange) Change(ctx context.Context) (*Change, error) {
	return one(ctx, s.in, s, "change", func(s *SuspectChange) *ident.ID { return &s.Suspect.Change }, loadChanges)
}

// Ci returns what the change touched that is nearest to a symptom.
func (s *SuspectChange) Ci(ctx context.Context) (*CI, error) {
	return one(ctx, s.in, s, "ci", func(s *SuspectChange) *ident.ID { return &s.CI }, loadCIs)
}

// Symptom returns the CI that shows it.
func (s *SuspectChange) Symptom(ctx context.Context) (*CI, error) {
	return one(ctx, s.in, s, "symptom", func(s *SuspectChange) *ident.ID { return &s.Suspect.Symptom }, loadCIs)
}

// TimeBefore returns how long before the symptoms the change started or ended.
func (s *SuspectChange) TimeBefore() time.Duration { return s.Before.Truncate(time.Second) }

// Revision returns that of the graph by which the change is judged.
func (s *SuspectChange) Revision() int64 { return s.graph.Revision() }

// SymptomCount returns how many of the CIs with symptoms need what the change touched.
func (s *SuspectChange) SymptomCount() int { return s.Shared }

// Reasons returns the reasons why the change is suspect.
func (s *SuspectChange) Reasons() []*suspect.Reason { return pointers(s.Suspect.Reasons) }

// Path returns the way on which failure could get from what the change touched to the symptom. If they are one CI, or
// the change took the way away, it returns nil.
func (s *SuspectChange) Path(ctx context.Context) (*ImpactPath, error) {
	found, err := once(s.in, "paths", func() (map[*SuspectChange]*ImpactPath, error) {
		var of []*SuspectChange
		var ways [][]impact.Step
		for _, row := range s.in.Rows {
			if row.IsGone {
				continue
			}
			way, err := impact.ShortestPath(ctx, row.graph, row.CI, row.Suspect.Symptom)
			if err != nil {
				return nil, err
			}
			if len(way) > 0 {
				of, ways = append(of, row), append(ways, way)
			}
		}
		shown, err := s.in.reader.showPaths(ctx, slices.Clip(ways))
		paths := make(map[*SuspectChange]*ImpactPath, len(shown))
		for i, path := range shown {
			paths[of[i]] = path
		}
		return paths, err
	})
	return found[s], err
}
