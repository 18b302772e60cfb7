package impact

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

type estateKey struct{}

// Estate returns the operational state of the whole estate (docs/impact.md, "The state of the estate"): what follows
// when every CI is DOWN that an open incident names as ROOT or that a change takes down which is being carried out. The
// CIs that such a change works on are in maintenance. A CI that some incident EXCLUDES stays operational, unless
// another incident, or the same, or a change says that it is DOWN: a finding outweighs an exclusion. Marks on CIs that
// are not in service say nothing. Estate works it out once for each snapshot, when it is first called.
func Estate(s *topology.Snapshot) *Answer {
	return s.Memo(estateKey{}, func() any {
		a, err := solve(context.Background(), s, openQuestion(s), nil)
		if err != nil {
			panic(err) // every CI was looked up, and nobody cancels
		}
		return a
	}).(*Answer)
}

// openQuestion returns the question that the open incidents ask, and the changes that are being carried out.
func openQuestion(s *topology.Snapshot) (q Question) {
	isRoot, isMaintained := map[ident.ID]bool{}, map[ident.ID]bool{}
	each := func(cis []ident.ID, seen map[ident.ID]bool, add func(ident.ID)) {
		for _, ci := range cis {
			if v, ok := s.Index(ci); ok && s.InService(v) && !seen[ci] {
				seen[ci] = true
				add(ci)
			}
		}
	}
	fail := func(ci ident.ID) { q.Failed = append(q.Failed, Failure{CI: ci, State: Down}) }
	maintain := func(ci ident.ID) { q.Maintenance = append(q.Maintenance, ci) }
	for _, incident := range s.Incidents() {
		each(incident.Root, isRoot, fail)
	}
	for _, change := range s.Changes() {
		each(change.TakenDown, isRoot, fail)
		each(change.TakenDown, isMaintained, maintain)
		each(change.Changed, isMaintained, maintain)
	}
	for _, incident := range s.Incidents() {
		for _, ci := range incident.Excluded {
			if _, ok := s.Index(ci); ok && !isRoot[ci] {
				q.Excluded = append(q.Excluded, ci)
			}
		}
	}
	return q
}

// Maintained lists the CIs on which changes work that are being carried out.
func Maintained(s *topology.Snapshot) []ident.ID { return openQuestion(s).Maintenance }

// StateOf returns the operational state of a CI. After the first of a snapshot it costs one look-up.
func StateOf(s *topology.Snapshot, ci ident.ID) State { return Estate(s).State(ci) }
