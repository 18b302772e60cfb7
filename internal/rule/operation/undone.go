package operation

import (
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Wrote lists the CIs that applied operations wrote: those that they created, changed and retired, both ends of the
// relationships that they made and removed, and the CIs of dependency groups. Each is listed once, by id.
func Wrote(s *topology.Snapshot, all []Operation) []ident.ID {
	keys := make(map[string]ident.ID, len(all))
	var cis []ident.ID
	note := func(some ...ident.ID) {
		for _, id := range some {
			if id.Kind() == ident.CI {
				cis = append(cis, id)
			}
		}
	}
	for _, o := range all {
		if o.Key != "" {
			keys[o.Key] = o.Record
		}
		switch o.Kind {
		case domain.CreateCI, domain.UpdateCI, domain.RetireCI:
			note(o.Record)
		case domain.RelateCIs:
			note(Reference(o.Planned["source"], keys), Reference(o.Planned["target"], keys))
		case domain.UnrelateCIs:
			note(Reference(o.Base["source"], nil), Reference(o.Base["target"], nil))
		case domain.CreateGroup:
			note(Reference(o.Planned["ci"], keys))
		case domain.UpdateGroup:
			if g, ok := s.Group(o.Record); ok {
				note(g.Dependent)
			}
		case domain.DeleteGroup:
			note(Reference(o.Base["ci"], nil))
		}
	}
	slices.Sort(cis)
	return slices.Compact(cis)
}

// Undone lists operations that lead a graph in which some were applied back to the ways of impact that it had before.
// If nothing was taken away that impact travelled on, it lists none: then all ways are there still.
func Undone(all []Operation) (inverse []Operation) {
	tookAway := false
	for _, o := range all {
		stage, ok := o.Base["lifecycle"]
		switch {
		case o.Kind == domain.CreateCI && o.Record != 0:
			inverse = append(inverse, Operation{Kind: domain.RetireCI, Record: o.Record, Planned: Fields{"lifecycle": string(domain.Retired)}})
		case (o.Kind == domain.UpdateCI || o.Kind == domain.RetireCI) && ok:
			tookAway = true
			inverse = append(inverse, Operation{Kind: domain.UpdateCI, Record: o.Record, Planned: Fields{"lifecycle": stage}})
		case o.Kind == domain.RelateCIs && o.Record != 0:
			inverse = append(inverse, Operation{Kind: domain.UnrelateCIs, Record: o.Record})
		case o.Kind == domain.UnrelateCIs:
			tookAway = true
			inverse = append(inverse, Operation{Kind: domain.RelateCIs, Record: o.Record, Planned: o.Base})
		}
	}
	if !tookAway {
		return nil
	}
	return inverse
}
