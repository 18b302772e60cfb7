package importer

import (
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// refer resolves a reference to a record of one of the kinds. If the record is missing, the reference is kept as
// dangling. If it is of another kind, a notice says so. In both cases refer returns false.
func (p *planner) refer(r *record, kind domain.DanglingKind, target domain.ExternalKey, detail, what string, kinds ...ident.Kind) (end, bool) {
	key := target.ExternalID
	to, ok := p.find(target)
	if !ok {
		p.dangle(&loose{of: r, kind: kind, target: target, detail: detail}, what)
		return end{}, false
	}
	if !slices.Contains(kinds, to.kind) {
		p.notice(r, Rejected, key, fmt.Sprintf("%q is named as %s of %q and is a %s: the rest of the row was imported", key, what, r.key, to.kind))
		return end{}, false
	}
	return to.end, true
}

func (p *planner) dangle(l *loose, what string) {
	if wrong := checkKey(l.target.ExternalID); wrong != "" {
		p.notice(l.of, Rejected, l.target.ExternalID, fmt.Sprintf("%s of %q: %s", what, l.of.key, wrong))
		return
	}
	at := looseAt{l.of, l.key()}
	if p.listed[at] {
		return
	}
	p.listed[at] = true
	l.isStored = l.of.id != 0 && p.stored.dangling[l.key()] != 0
	p.dangling = append(p.dangling, l)
	of := ""
	if l.target.Source != p.source {
		of = " of " + l.target.Source
	}
	p.notice(l.of, Dangling, l.target.ExternalID, fmt.Sprintf("%q%s is named as %s of %q, and nobody has reported it: the reference is kept until it arrives", l.target.ExternalID, of, what, l.of.key))
}

// looseAt is the key of a reference of a record that may be new and have no id yet.
type looseAt struct {
	of *record
	looseKey
}

func (l *loose) key() looseKey { return looseKey{l.of.id, l.target, l.kind, l.detail, l.isReverse} }

// found is the record that an external id refers to.
type found struct {
	end
	kind ident.Kind
}

// find looks a reference up among the rows, if it is to the source's own, and the stored records. It returns false if
// the reference dangles.
func (p *planner) find(key domain.ExternalKey) (found, bool) {
	if r := p.byKey[key.ExternalID]; r != nil && !r.isDropped && key.Source == p.source {
		return found{r.end(), r.identKind()}, true
	}
	if id := p.stored.known[key]; id != 0 {
		return found{end{id: id}, id.Kind()}, true
	}
	return found{}, false
}

func (r *record) identKind() ident.Kind {
	switch r.kind {
	case KindTeam:
		return ident.Team
	case KindPerson:
		return ident.Person
	default:
		return ident.CI
	}
}
