package importer

import (
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// share looks at the keys of other spaces that a row has: a row whose own key is unknown is the stored CI that one of
// them names, and those that nobody has yet are to be stored. Keys of spaces for which the source is not trusted are
// left out, and so is a row whose keys name two CIs.
func (p *planner) share(r *record, id *ident.ID) {
	trusted := p.belief.source(p.source).KeySpaces
	var found ident.ID
	for _, given := range r.reported.CI.Keys {
		key := domain.ExternalKey{Source: given.Space, ExternalID: given.Key}
		if !slices.Contains(trusted, given.Space) {
			p.distrust(r, given.Space)
			continue
		}
		if wrong := checkKey(given.Key); wrong != "" {
			p.drop(r, Rejected, wrong)
			return
		}
		switch of := p.stored.known[key]; {
		case of == 0:
			r.shared = append(r.shared, key)
		case of.Kind() != ident.CI:
			p.drop(r, Rejected, fmt.Sprintf("%q of %q is the key of a %s and cannot be a CI's", given.Key, given.Space, of.Kind()))
			return
		case *id != 0 && of != *id || found != 0 && of != found:
			p.drop(r, Duplicate, fmt.Sprintf("%q of %q is %s, and another key of the row is %s: merge them, or leave one of the keys out", given.Key, given.Space, of, max(*id, found)))
			return
		default:
			found = of
		}
	}
	if *id != 0 || found == 0 {
		return
	}
	if other := p.otherKey(r, found); other != nil {
		p.drop(r, Duplicate, fmt.Sprintf("a key of it is %s, which the source has as %q: two keys of one source are two things", found, other.key))
		return
	}
	*id, r.needsKey = found, true
}

// untrusted is a space of keys for which the source is not trusted, and the rows that have keys of it.
type untrusted struct {
	space       string
	first, last *record
	rows        int
}

// distrust notes that a key of a space was left out of a row.
func (p *planner) distrust(r *record, space string) {
	i := slices.IndexFunc(p.untrusted, func(u *untrusted) bool { return u.space == space })
	if i < 0 {
		i = len(p.untrusted)
		p.untrusted = append(p.untrusted, &untrusted{space: space, first: r})
	}
	if u := p.untrusted[i]; u.last != r {
		u.last = r
		u.rows++
	}
}

// tellUntrusted tells of each space once, at the first of its rows.
func (p *planner) tellUntrusted() {
	for _, u := range p.untrusted {
		of := "the row"
		if u.rows > 1 {
			of = fmt.Sprintf("%d rows", u.rows)
		}
		p.notice(u.first, Warning, "", fmt.Sprintf("%s is not trusted for the keys of %q, which were left out of %s: linchpin source set %[1]s --trust %[2]s", p.source, u.space, of))
	}
}
