package read

import (
	"context"
	"fmt"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
)

// RootCauseCandidate is a set of failures that explains what was seen.
type RootCauseCandidate struct {
	cause impact.RootCause
	found vertices     // every CI that some candidate of the answer names
	by    stateRecords // every record by which some of them is known
	place int          // among the candidates
}

// RootCauseAlternative is another set of failures with the same consequences.
type RootCauseAlternative struct {
	Failures []*CI
	IsKnown  bool
	KnownBy  []StateRecord
}

// key tells candidates apart, for cursors. In the place of a CI that the actor may not see stands the candidate's.
func (c *RootCauseCandidate) key() string {
	key := ident.New(ident.CI, 1).String() // cursors begin with an id
	for _, id := range c.cause.Failures {
		word := id.String()
		if c.found.hidden[id] {
			word = strconv.Itoa(c.place)
		}
		key += page.KeySeparator + word
	}
	return key
}

// Failures returns what failed.
func (c *RootCauseCandidate) Failures() []*CI { return c.found.list(c.cause.Failures) }

// Alternatives returns other sets that nothing seen tells from this one.
func (c *RootCauseCandidate) Alternatives() []*RootCauseAlternative {
	all := make([]*RootCauseAlternative, len(c.cause.Alternatives))
	for i, failures := range c.cause.Alternatives {
		known := c.cause.Known[1+i]
		all[i] = &RootCauseAlternative{c.found.list(failures), known.IsKnown, c.by.list(named(known.By))}
	}
	return all
}

// IsKnown reports whether records say of all failures that they are DOWN.
func (c *RootCauseCandidate) IsKnown() bool { return c.cause.Known[0].IsKnown }

// KnownBy returns the records that say so of any of the failures.
func (c *RootCauseCandidate) KnownBy() []StateRecord { return c.by.list(named(c.cause.Known[0].By)) }

// Share returns the candidate's share of the likelihood of all candidates.
func (c *RootCauseCandidate) Share() float64 { return c.cause.Share }

// Explained returns the symptoms the candidate explains.
func (c *RootCauseCandidate) Explained() []*CI { return c.found.list(c.cause.Explained) }

// Unexplained returns the symptoms the candidate does not explain.
func (c *RootCauseCandidate) Unexplained() []*CI { return c.found.list(c.cause.Unexplained) }

// Contradicted returns CIs that were called well and would be affected.
func (c *RootCauseCandidate) Contradicted() []*CI { return c.found.list(c.cause.Contradicted) }

// AlsoBroken returns CIs that would also be affected.
func (c *RootCauseCandidate) AlsoBroken() []*CI { return c.found.list(c.cause.AlsoBroken) }

// AlsoBrokenCount returns how many CIs would also be affected.
func (c *RootCauseCandidate) AlsoBrokenCount() int { return c.cause.AlsoBrokenCount }

// maxCandidates bounds the candidates of one answer.
const maxCandidates = 20

// RootCauseCandidates lists the fewest failures that explain what was seen, the most likely first.
func (r *Reader) RootCauseCandidates(ctx context.Context, seen []*Failure, healthy []ident.ID, facts Facts, p page.Args) (*page.Connection[*RootCauseCandidate], error) {
	if len(seen) == 0 || len(seen) > maxFailures || len(healthy) > maxFailures {
		return nil, errs.New(errs.BadUserInput, "seen lists %d CIs and healthy %d: 1 to %d may be unwell, at most %d well", len(seen), len(healthy), maxFailures, maxFailures)
	}
	if err := r.mayName(ctx, ids(seen), healthy); err != nil {
		return nil, err
	}
	var symptoms impact.Symptoms
	for _, s := range seen {
		state, ok := impact.ParseState(s.State)
		if !ok {
			return nil, errs.New(errs.BadUserInput, "a CI cannot be seen as %q, only as DOWN or DEGRADED", s.State)
		}
		symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: asCI(s.ID), State: state})
	}
	for _, id := range healthy {
		symptoms.Healthy = append(symptoms.Healthy, asCI(id))
	}
	about := func(*impact.Symptoms) string { return fmt.Sprint("of ", symptoms, facts.hold()) }
	of := func(s *impact.Symptoms) (impact.Symptoms, ident.ID) { return *s, 0 }
	return rootCausesPage(ctx, newBatch(r, []*impact.Symptoms{&symptoms}), &symptoms, about, facts, of, p)
}

// RootCauseCandidates lists the fewest failures that explain the incident's CIs, the most likely first.
func (i *Incident) RootCauseCandidates(ctx context.Context, facts Facts, first *int, after *string, last *int, before *string) (*page.Connection[*RootCauseCandidate], error) {
	symptoms, err := i.symptoms(ctx)
	if err != nil {
		return nil, err
	}
	about := func(i *Incident) string { return fmt.Sprint(i.ID, facts.hold()) }
	of := func(i *Incident) (impact.Symptoms, ident.ID) { return symptoms[i], i.ID }
	return rootCausesPage(ctx, i.in, i, about, facts, of, page.Args{First: first, After: after, Last: last, Before: before})
}

// rootCausesPage shows the page of row's candidates.
func rootCausesPage[T comparable](ctx context.Context, b *batch[T], row T, about func(T) string, facts Facts, symptoms func(T) (impact.Symptoms, ident.ID), p page.Args) (*page.Connection[*RootCauseCandidate], error) {
	found, err := rootCauses(ctx, b, facts.hold(), symptoms)
	if err != nil {
		return nil, err
	}
	return page.Slice[T, *RootCauseCandidate, *RootCauseCandidate]{
		Name: "root cause candidates", About: about,
		Rows: func(row T) ([]*RootCauseCandidate, error) { return found[row], nil },
		Key:  (*RootCauseCandidate).key,
		Show: func(context.Context, []*RootCauseCandidate) (func(T, *RootCauseCandidate) (*RootCauseCandidate, error), error) {
			return func(_ T, c *RootCauseCandidate) (*RootCauseCandidate, error) { return c, nil }, nil
		},
	}.Page(ctx, &b.Batch, row, p)
}

// causesAsked names what was asked of a batch.
type causesAsked struct{ onFacts bool }

// rootCauses returns the candidates of each row of a batch: on one graph, and their CIs in one statement. Symptoms come
// with the record that says so, if one does: it is asked about, and so not known to be true.
func rootCauses[T comparable](ctx context.Context, b *batch[T], onFacts bool, symptoms func(T) (impact.Symptoms, ident.ID)) (map[T][]*RootCauseCandidate, error) {
	return once(b, causesAsked{onFacts}, func() (map[T][]*RootCauseCandidate, error) {
		hidden, err := b.reader.hidden(ctx)
		if err != nil {
			return nil, err
		}
		var about []ident.ID
		for _, row := range b.Rows {
			seen, _ := symptoms(row)
			for _, s := range seen.Seen {
				about = append(about, s.CI)
			}
			about = append(about, seen.Healthy...)
		}
		graph, err := b.reader.snapshotWith(ctx, about...)
		if err != nil {
			return nil, err
		}
		causes := map[T][]impact.RootCause{}
		var ids, records []ident.ID
		for _, row := range b.Rows {
			seen, record := symptoms(row)
			if len(seen.Seen) == 0 {
				continue
			}
			answer, err := impact.RootCauses(ctx, graph, seen, impact.RootCauseOptions{
				MaxCandidates: maxCandidates, MaxBroken: namedCIs, OnFacts: onFacts, Except: record, Hidden: hidden,
			})
			if err != nil {
				return nil, err
			}
			causes[row] = answer.Candidates
			for _, c := range answer.Candidates {
				for _, set := range append([][]ident.ID{c.Failures, c.Explained, c.Unexplained, c.Contradicted, c.AlsoBroken}, c.Alternatives...) {
					ids = append(ids, set...)
				}
				for _, known := range c.Known {
					records = append(records, named(known.By)...)
				}
			}
		}
		found, err := loadVertices(ctx, b.reader, ids)
		if err != nil {
			return nil, err
		}
		by, err := loadStateRecords(ctx, b.reader.present(), records)
		if err != nil {
			return nil, err
		}
		all := map[T][]*RootCauseCandidate{}
		for _, row := range b.Rows {
			all[row] = make([]*RootCauseCandidate, len(causes[row]))
			for i, c := range causes[row] {
				all[row][i] = &RootCauseCandidate{c, found, by, i}
			}
		}
		return all, nil
	})
}

// symptoms returns what the incidents of the batch say of CIs, without those that are gone.
func (i *Incident) symptoms(ctx context.Context) (map[*Incident]impact.Symptoms, error) {
	return once(i.in, "symptoms", func() (map[*Incident]impact.Symptoms, error) {
		links, named := map[*Incident][]*IncidentCI{}, []ident.ID{}
		for _, row := range i.in.Rows {
			var err error
			if links[row], err = row.links(ctx); err != nil {
				return nil, err
			}
			for _, l := range links[row] {
				named = append(named, l.CiID)
			}
		}
		graph, err := i.in.reader.snapshotWith(ctx, named...)
		if err != nil {
			return nil, err
		}
		all := map[*Incident]impact.Symptoms{}
		for _, row := range i.in.Rows {
			var symptoms impact.Symptoms
			for _, l := range links[row] {
				if v, ok := graph.Index(l.CiID); !ok || !graph.InService(v) {
					continue // retired since
				}
				if l.Role == domain.ExcludedRole {
					symptoms.Healthy = append(symptoms.Healthy, l.CiID)
				} else {
					// A CI that was seen affected may work in part.
					symptoms.Seen = append(symptoms.Seen, impact.Symptom{CI: l.CiID, State: impact.Degraded})
				}
			}
			all[row] = symptoms
		}
		return all, nil
	})
}
