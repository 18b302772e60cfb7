package kubernetes

import (
	"maps"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// selector is a LabelSelector. The zero value selects everything, as {} does.
type selector struct {
	labels      map[string]string
	expressions []expression
}

type expression struct {
	key, operator string
	values        []string
}

// readSelector reads a LabelSelector. If it cannot be understood, it selects nothing.
func readSelector(n *document.Node) selector {
	s := selector{labels: n.TextMap("matchLabels")}
	for _, e := range n.List("matchExpressions") {
		x := expression{key: e.Text("key"), operator: e.Text("operator")}
		for _, v := range e.Texts("values") {
			x.values = append(x.values, v.Text())
		}
		s.expressions = append(s.expressions, x)
	}
	return s
}

func (s selector) isEmpty() bool { return len(s.labels) == 0 && len(s.expressions) == 0 }

func (s selector) selects(labels map[string]string) bool {
	for k, v := range s.labels {
		if have, ok := labels[k]; !ok || have != v {
			return false
		}
	}
	for _, e := range s.expressions {
		have, ok := labels[e.key]
		switch e.operator {
		case "In":
			if !ok || !slices.Contains(e.values, have) {
				return false
			}
		case "NotIn":
			if ok && slices.Contains(e.values, have) {
				return false
			}
		case "Exists":
			if !ok {
				return false
			}
		case "DoesNotExist":
			if ok {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (s selector) String() string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(s.labels)) {
		parts = append(parts, k+"="+s.labels[k])
	}
	for _, e := range s.expressions {
		parts = append(parts, strings.TrimSpace(e.key+" "+e.operator+" "+strings.Join(e.values, "|")))
	}
	return strings.Join(parts, ", ")
}
