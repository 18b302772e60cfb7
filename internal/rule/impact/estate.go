package impact

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

type estateKey struct{}

// Estate is the operational state of the whole estate: what follows when every CI that an open incident names as ROOT is
// DOWN. A CI that some incident EXCLUDES stays operational, unless another incident, or the same, says that
// it is ROOT: a failure that someone found outweighs one that someone ruled out. Marks on CIs that are
// unknown or retired say nothing. It is worked out once for each snapshot, when it is first asked for.
func Estate(s *topology.Snapshot) *Answer {
	return s.Memo(estateKey{}, func() any {
		a, err := Of(context.Background(), s, openQuestion(s))
		if err != nil {
			panic(err) // every CI was looked up, and nobody cancels
		}
		return a
	}).(*Answer)
}

// openQuestion is what the open incidents say.
func openQuestion(s *topology.Snapshot) (q Question) {
	isRoot := map[ident.ID]bool{}
	for _, incident := range s.Incidents() {
		for _, ci := range incident.Root {
			if v, known := s.Index(ci); known && s.IsPresent(v) && !isRoot[ci] {
				isRoot[ci] = true
				q.Failed = append(q.Failed, Failure{CI: ci, State: Down})
			}
		}
	}
	for _, incident := range s.Incidents() {
		for _, ci := range incident.Excluded {
			if _, known := s.Index(ci); known && !isRoot[ci] {
				q.Excluded = append(q.Excluded, ci)
			}
		}
	}
	return q
}

// StateOf is the operational state of a CI. After the first of a snapshot it costs one look-up.
func StateOf(s *topology.Snapshot, ci ident.ID) State { return Estate(s).State(ci) }
