package importer

import (
	"context"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent/relationship"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// bound is an end of the relationships of a type that allows one relationship there.
type bound struct {
	kind     ident.ID
	at       end
	isSource bool
}

func bounds(kind ident.ID, c domain.Cardinality, source, target end) []bound {
	switch c {
	case domain.ManyToOne:
		return []bound{{kind, source, true}}
	case domain.OneToMany:
		return []bound{{kind, target, false}}
	case domain.OneToOne:
		return []bound{{kind, source, true}, {kind, target, false}}
	case domain.ManyToMany:
	}
	return nil
}

// checkBounds leaves out new relationships at ends where their type allows one and that one exists already.
func (p *planner) checkBounds(ctx context.Context) error {
	taken := map[bound]string{}
	var ids []ident.ID
	var kinds []ident.ID
	for _, e := range p.edges {
		t, err := p.ref.Type(e.reported.Type)
		if err != nil {
			return err
		}
		for _, b := range bounds(t.ID, t.Cardinality, e.source, e.target) {
			if b.at.id != 0 {
				ids, kinds = append(ids, b.at.id), append(kinds, t.ID)
			}
		}
	}
	slices.Sort(ids)
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	for chunk := range slices.Chunk(slices.Compact(ids), page) {
		some, err := p.tx.Relationship.Query().
			Where(relationship.TypeIDIn(kinds...), relationship.Or(relationship.SourceIDIn(chunk...), relationship.TargetIDIn(chunk...))).All(ctx)
		if err != nil {
			return err
		}
		for _, rel := range some {
			taken[bound{rel.TypeID, end{id: rel.SourceID}, true}] = rel.ID.String()
			taken[bound{rel.TypeID, end{id: rel.TargetID}, false}] = rel.ID.String()
		}
	}
	for _, e := range p.edges {
		if e.old != nil {
			continue
		}
		t, err := p.ref.Type(e.reported.Type)
		if err != nil {
			return err
		}
		for _, b := range bounds(t.ID, t.Cardinality, e.source, e.target) {
			if by := taken[b]; by != "" && !e.isDropped {
				p.dropEdge(e, fmt.Sprintf("%s allows one at this end (%s), and there is %s already: remove that first", t.Code, t.Cardinality, by))
			}
			if !e.isDropped {
				taken[b] = e.said()
			}
		}
	}
	return nil
}
