package audit

import "github.com/linchpin-cmdb/linchpin/internal/ident"

// replaced are contents that are not as they were written, and what later entries tell that they are instead: a name
// was taken out of them.
type replaced struct {
	found map[ident.ID][]byte // digests of contents
	told  map[ident.ID]told
}

// told is the digest that an entry tells of another's content.
type told struct {
	by     ident.ID
	digest []byte
}

func newReplaced() replaced { return replaced{map[ident.ID][]byte{}, map[ident.ID]told{}} }

// tell notes what is told of an entry's content: the latest counts.
func (r replaced) tell(of ident.ID, t told) {
	if r.told[of].by < t.by {
		r.told[of] = t
	}
}

// add takes over what others have found.
func (r replaced) add(others replaced) {
	for id, digest := range others.found {
		r.found[id] = digest
	}
	for id, t := range others.told {
		r.tell(id, t)
	}
}
