package backstage

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// validName matches a name or namespace of Backstage's catalogue: 63 characters at most (descriptor format,
// metadata.name).
var validName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`)

// ref is an entity reference in lower case, which is how Backstage compares them.
type ref struct{ kind, namespace, name string }

func newRef(kind, namespace, name string) ref {
	return ref{strings.ToLower(kind), strings.ToLower(namespace), strings.ToLower(name)}
}

func (r ref) String() string { return r.kind + ":" + r.namespace + "/" + r.name }

// parseRef reads [kind:][namespace/]name as Backstage's parseEntityRef does: a colon after the slash does not end a
// kind.
func parseRef(s, kind, namespace string) (ref, error) {
	name := s
	if k, rest, ok := strings.Cut(name, ":"); ok && !strings.Contains(k, "/") {
		kind, name = k, rest
	}
	if ns, rest, ok := strings.Cut(name, "/"); ok {
		namespace, name = ns, rest
	}
	if kind == "" {
		return ref{}, fmt.Errorf("%s names no kind; kind:namespace/name is expected", document.Quote(s))
	}
	for _, part := range []string{kind, namespace, name} {
		if !validName.MatchString(part) {
			return ref{}, fmt.Errorf("%s is not an entity reference; [kind:][namespace/]name is expected", document.Quote(s))
		}
	}
	return newRef(kind, namespace, name), nil
}
