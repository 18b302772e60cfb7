package kubernetes

import (
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// edges are the relationships of one CI. If an edge is found twice, it is kept once with both evidences.
type edges struct {
	order    []importer.Relationship
	evidence map[edgeKey][]string
}

type edgeKey struct{ kind, target string }

func (e *edges) add(kind, target, evidence string) {
	key := edgeKey{kind, target}
	if e.evidence == nil {
		e.evidence = map[edgeKey][]string{}
	}
	had, ok := e.evidence[key]
	if !ok {
		e.order = append(e.order, importer.Relationship{Type: kind, Target: target})
	}
	if !slices.Contains(had, evidence) {
		e.evidence[key] = append(had, evidence)
	}
}

func (e *edges) has(kind, target string) bool { return e.evidence[edgeKey{kind, target}] != nil }

func (e *edges) relationships() []importer.Relationship {
	for i, r := range e.order {
		e.order[i].Evidence = strings.Join(e.evidence[edgeKey{r.Type, r.Target}], "; ")
	}
	return e.order
}
