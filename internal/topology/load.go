package topology

import "github.com/linchpin-cmdb/linchpin/internal/ident"

// load fills an empty writer. Facts go straight into flat arrays, then everything is compiled at once.
func (w *writer) load(b Batch) {
	b = b.withoutRemoved()
	types := map[uint16]Type{}
	for _, f := range b.Types {
		types[uint16(f.ID.Number())] = f
	}
	w.retype(types)
	w.makeRoom(b)
	w.isLoading = true
	for _, f := range b.CIs {
		w.writeCI(w.vertexOf(f.ID), packCI(f))
	}
	for _, f := range b.Relationships {
		w.writeRelationship(uint32(f.ID.Number()), packRelationship(f))
	}
	for _, f := range b.Groups {
		w.writeGroup(uint32(f.ID.Number()), w.packGroup(f))
	}
	w.isLoading = false
	w.mark(b)
	w.recompile()
}

func (w *writer) makeRoom(b Batch) {
	var cis, relationships, groups int64
	for _, f := range b.CIs {
		cis = max(cis, f.ID.Number()+1)
	}
	for _, f := range b.Relationships {
		relationships = max(relationships, f.ID.Number()+1)
	}
	for _, f := range b.Groups {
		groups = max(groups, f.ID.Number()+1)
		for _, m := range f.Members {
			relationships = max(relationships, m.Relationship.Number()+1)
		}
	}
	w.cis.flat = make([]ciFact, cis)
	w.relationships.flat = make([]relationshipFact, relationships)
	w.groups.flat = make([]Counter, groups)
}

// withoutRemoved returns b without the facts that it removes.
func (b Batch) withoutRemoved() Batch {
	if len(b.Removed) == 0 {
		return b
	}
	removed := map[ident.ID]bool{}
	for _, r := range b.Removed {
		removed[r] = true
	}
	b.CIs = keep(b.CIs, func(f CI) bool { return !removed[f.ID] })
	b.Types = keep(b.Types, func(f Type) bool { return !removed[f.ID] })
	b.Relationships = keep(b.Relationships, func(f Relationship) bool { return !removed[f.ID] })
	b.Groups = keep(b.Groups, func(f Group) bool { return !removed[f.ID] })
	b.Incidents = keep(b.Incidents, func(f Incident) bool { return !removed[f.ID] })
	b.Changes = keep(b.Changes, func(f Change) bool { return !removed[f.ID] })
	b.Removed = nil
	return b
}

func keep[F any](facts []F, wanted func(F) bool) []F {
	var kept []F
	for _, f := range facts {
		if wanted(f) {
			kept = append(kept, f)
		}
	}
	return kept
}
