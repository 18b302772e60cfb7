package read

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Facts says which facts a question takes into account.
type Facts string

// The facts that a question takes into account.
const (
	FactsNow Facts = "NOW"  // those of its moment
	NoFacts  Facts = "NONE" // none
)

// hold reports whether facts hold beside a question. Those of its moment do by default.
func (f Facts) hold() bool { return f != NoFacts }

// Failure is a CI that is supposed to fail.
type Failure struct {
	ID    ident.ID
	State string
}

// maxFailures bounds the CIs of one question.
const maxFailures = 100

// Impact is who suffers when some CIs fail, as clients see it. The impacts of a page are one batch: what they show is
// loaded for all of them, and each is worked out when its own field is resolved.
type Impact struct {
	about string // what was asked: cursors are good for it alone
	work  func() (*impact.Answer, error)
	keep  func(topology.CI) bool // what it shows and counts; nil: everything
	// hidden are CIs that the actor may not see: never shown, and counted as such whatever keep says.
	hidden map[ident.ID]bool
	// reported are CIs that the incident which it is about names as AFFECTED.
	reported map[ident.ID]bool
	in       *batch[*Impact]
}

// answer returns what the impact says. A client sees an impact only when there is one.
func (i *Impact) answer() *impact.Answer {
	answer, _ := i.work()
	return answer
}

// answered returns the impacts of the batch that exist.
func (i *Impact) answered() []*Impact {
	return slices.DeleteFunc(slices.Clone(i.in.Rows), func(i *Impact) bool { return i.answer() == nil })
}

// reading is the reader of a moment and the graph it showed when the first of a batch asked.
type reading struct {
	*Reader
	graph *topology.Snapshot
}

// readingOf returns the reading of a batch whose rows ask about the CIs that names gives.
func readingOf[T any](ctx context.Context, b *batch[T], about string, asOf *AsOf, names func(context.Context, T) ([]ident.ID, error)) (reading, error) {
	return once(b, "graph of "+about, func() (reading, error) {
		r, err := b.reader.asOf(ctx, asOf)
		if err != nil {
			return reading{}, err
		}
		var named []ident.ID
		for _, row := range b.Rows {
			ids, err := names(ctx, row)
			if err != nil {
				return reading{}, err
			}
			named = append(named, ids...)
		}
		graph, err := r.snapshotWith(ctx, named...)
		return reading{r, graph}, err
	})
}

// asked gives row the answer to its own question, on the same graph as all rows of the batch.
func asked[T comparable](ctx context.Context, b *batch[T], row T, id func(T) ident.ID, names func(context.Context, T) ([]ident.ID, error), about string, filter *ImpactFilter, asOf *AsOf, answer func(T, *topology.Snapshot) (*impact.Answer, error)) (*Impact, error) {
	about += asOf.String()
	r, err := readingOf(ctx, b, about, asOf, names)
	if err != nil {
		return nil, err
	}
	keep, err := chosen(ctx, b, filter)
	if err != nil {
		return nil, err
	}
	hidden, err := b.reader.hidden(ctx)
	if err != nil {
		return nil, err
	}
	about += filter.String()
	i, err := each(b, row, about, r.Reader, func(row T, answers *batch[*Impact]) *Impact {
		return &Impact{about: about + id(row).String(), work: sync.OnceValues(func() (*impact.Answer, error) {
			return answer(row, r.graph)
		}), keep: keep, hidden: hidden, in: answers}
	})
	if err != nil {
		return nil, err
	}
	_, err = i.work()
	return i, err
}

// Impact asks what breaks if these CIs fail together.
func (r *Reader) Impact(ctx context.Context, failed []*Failure, excluded []ident.ID, maxDepth, maxCIs *int, filter *ImpactFilter, facts Facts, asOf *AsOf) (*Impact, error) {
	q, err := question(failed, excluded, maxDepth, maxCIs, facts)
	if err == nil {
		err = r.mayName(ctx, ids(failed), excluded)
	}
	if err != nil {
		return nil, err
	}
	one := newBatch(r, []*impact.Question{&q})
	return asked(ctx, one, &q, func(*impact.Question) ident.ID { return 0 }, inQuestion, fmt.Sprint("impact ", q), filter, asOf,
		func(q *impact.Question, graph *topology.Snapshot) (*impact.Answer, error) {
			return answerTo(ctx, graph, *q)
		})
}

// answerTo asks the engine, and marks the CIs that are in maintenance now.
func answerTo(ctx context.Context, graph *topology.Snapshot, q impact.Question) (*impact.Answer, error) {
	q.Maintenance = append(q.Maintenance, impact.Maintained(graph)...)
	return impact.Of(ctx, graph, q)
}

// inQuestion returns the CIs that a question names.
func inQuestion(_ context.Context, q *impact.Question) ([]ident.ID, error) {
	named := slices.Clone(q.Excluded)
	for _, f := range q.Failed {
		named = append(named, f.CI)
	}
	return named, nil
}

// question returns the question to the engine.
func question(failed []*Failure, excluded []ident.ID, maxDepth, maxCIs *int, facts Facts) (q impact.Question, err error) {
	if len(failed) == 0 || len(failed) > maxFailures || len(excluded) > maxFailures {
		return q, errs.New(errs.BadUserInput, "failed lists %d CIs and excluded %d: 1 to %d may fail, at most %d be excluded", len(failed), len(excluded), maxFailures, maxFailures)
	}
	limits, err := limits(maxDepth, maxCIs)
	if err != nil {
		return q, err
	}
	q.MaxDepth, q.MaxCIs, q.OnFacts = limits.MaxDepth, limits.MaxCIs, facts.hold()
	for _, f := range failed {
		state, ok := impact.ParseState(f.State)
		if !ok {
			return q, errs.New(errs.BadUserInput, "a CI cannot fail as %q, only as DOWN or DEGRADED", f.State)
		}
		q.Failed = append(q.Failed, impact.Failure{CI: asCI(f.ID), State: state})
	}
	for _, id := range excluded {
		q.Excluded = append(q.Excluded, asCI(id))
	}
	return q, nil
}

// ids returns the CIs that are supposed to fail.
func ids(failed []*Failure) []ident.ID {
	all := make([]ident.ID, len(failed))
	for i, f := range failed {
		all[i] = f.ID
	}
	return all
}

// shown returns the text of a number that may be absent.
func shown(n *int) string {
	if n == nil {
		return " -"
	}
	return fmt.Sprint(" ", *n)
}

// asCI returns the CI behind a service's id.
func asCI(id ident.ID) ident.ID {
	if id.Kind() == ident.Service {
		return id.As(ident.CI)
	}
	return id
}

func limits(maxDepth, maxCIs *int) (l impact.Limits, err error) {
	for name, given := range map[string]*int{"maxDepth": maxDepth, "maxCIs": maxCIs} {
		if given != nil && *given < 1 {
			return l, errs.New(errs.BadUserInput, "%s is %d: at least 1, or leave it out", name, *given)
		}
	}
	if maxDepth != nil {
		l.MaxDepth = *maxDepth
	}
	if maxCIs != nil {
		l.MaxCIs = *maxCIs
	}
	return l, nil
}

// Revision returns the revision of the graph the answer was worked out on.
func (i *Impact) Revision() int64 { return i.answer().Revision }

// Completeness says whether the answer is whole.
func (i *Impact) Completeness() *Completeness { return completeness(i.answer().Completeness) }

// Completeness says whether an answer is whole.
type Completeness struct {
	IsPartial     bool
	Reason        string
	ExploredCount int
}

func completeness(c impact.Completeness) *Completeness {
	return &Completeness{c.IsPartial, c.Reason.String(), c.Explored}
}

// AffectedCI is a CI and how it fares in an answer.
type AffectedCI struct {
	hit impact.Hit
	i   *Impact
	ci  *CI
	in  *batch[*AffectedCI]
}

// State returns the state the CI would be in.
func (a *AffectedCI) State() string { return a.hit.State.String() }

// StateWithout returns the state the CI is in without the failures of the answer.
func (a *AffectedCI) StateWithout() string {
	if !a.isTold() {
		return a.State()
	}
	return a.i.answer().Without(a.hit.CI).String()
}

// IsReported reports whether the incident that the answer is about names the CI as AFFECTED.
func (a *AffectedCI) IsReported() bool { return a.i.reported[a.hit.CI] }

// isTold reports whether the engine tells of the CI. Otherwise it stands in the answer only because it was reported.
func (a *AffectedCI) isTold() bool {
	_, ok := a.i.answer().Hit(a.hit.CI)
	return ok
}

// Distance returns how many relationships lie between the CI and the nearest failed one.
func (a *AffectedCI) Distance() int { return a.hit.Distance }

// Ci returns the CI.
func (a *AffectedCI) Ci() *CI { return a.ci }

// Service returns the service the CI is.
func (a *AffectedCI) Service() *Service { return a.ci.Service() }

// Affected lists the CIs that are affected, without those supposed to fail, worst first.
func (i *Impact) Affected(ctx context.Context, states, classes []string, first *int, after *string, last *int, before *string) (*page.Connection[*AffectedCI], error) {
	keep, err := subtreeOf(ctx, i.in, classes)
	if err != nil {
		return nil, err
	}
	return i.page(ctx, fmt.Sprintf("affected %q %q", states, classes), page.Args{First: first, After: after, Last: last, Before: before}, func(i *Impact) ([]impact.Hit, error) {
		return i.hits(states, func(c topology.CI) bool { return classes == nil || keep[c.Class] })
	})
}

// Services lists the services that are affected, worst first.
func (i *Impact) Services(ctx context.Context, states []string, first *int, after *string, last *int, before *string) (*page.Connection[*AffectedCI], error) {
	return i.page(ctx, fmt.Sprintf("services %q", states), page.Args{First: first, After: after, Last: last, Before: before}, func(i *Impact) ([]impact.Hit, error) {
		return i.hits(states, aService)
	})
}

func aService(c topology.CI) bool { return c.IsService }

// hits lists the hits in some states, DEGRADED and DOWN by default.
func (i *Impact) hits(states []string, keep func(topology.CI) bool) ([]impact.Hit, error) {
	also := keep
	keep = func(c topology.CI) bool { return i.shows(c) && also(c) }
	if states == nil {
		return i.answer().Affected(impact.Filter{WithoutRoots: true, Keep: keep}), nil
	}
	wanted := map[impact.State]bool{}
	for _, name := range states {
		state, ok := impact.ParseState(name)
		if !ok || state == impact.Operational {
			return nil, errs.New(errs.BadUserInput, "states lists %q: an answer holds what is AT_RISK, DEGRADED or DOWN", name)
		}
		wanted[state] = true
	}
	all := i.answer().Affected(impact.Filter{AtLeast: impact.AtRisk, WithoutRoots: true, Keep: keep})
	return slices.DeleteFunc(all, func(h impact.Hit) bool { return !wanted[h.State] }), nil
}

// page shows a part of the hits.
func (i *Impact) page(ctx context.Context, name string, p page.Args, hits func(*Impact) ([]impact.Hit, error)) (*page.Connection[*AffectedCI], error) {
	shown := newBatch[*AffectedCI](i.in.reader, nil)
	return computed[*Impact, impact.Hit, *AffectedCI]{
		name: name, about: func(i *Impact) string { return i.about },
		rows: func(i *Impact) ([]impact.Hit, error) {
			if _, err := i.work(); err != nil {
				return nil, err
			}
			return hits(i)
		},
		ci: func(h impact.Hit) ident.ID { return h.CI },
		show: func(i *Impact, h impact.Hit, c *CI) *AffectedCI {
			shown.Rows = append(shown.Rows, &AffectedCI{h, i, c, shown})
			return shown.Rows[len(shown.Rows)-1]
		},
	}.page(ctx, i.in, i, p)
}

// On returns how one CI fares. If it is not affected, it returns nil.
func (i *Impact) On(ctx context.Context, id ident.ID) (*AffectedCI, error) {
	one := 1
	c, err := i.page(ctx, "on "+id.String(), page.Args{First: &one}, func(i *Impact) ([]impact.Hit, error) {
		if hit, ok := i.answer().Hit(asCI(id)); ok {
			return []impact.Hit{hit}, nil
		}
		return nil, nil
	})
	if err != nil || len(c.Edges) == 0 {
		return nil, err
	}
	return c.Edges[0].Node, nil
}
