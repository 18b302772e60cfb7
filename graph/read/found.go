package read

import (
	"context"
	"slices"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/change"
	"github.com/linchpin-cmdb/linchpin/internal/practice/incident"
)

// SearchType is a kind of record that can be searched for.
type SearchType string

// SearchType values. A CI that is a service is found as one.
const (
	searchCIs       SearchType = "CI"
	searchServices  SearchType = "SERVICE"
	searchIncidents SearchType = "INCIDENT"
	searchChanges   SearchType = "CHANGE"
	searchTeams     SearchType = "TEAM"
	searchPeople    SearchType = "PERSON"
)

var searchTypes = []SearchType{searchCIs, searchServices, searchIncidents, searchChanges, searchTeams, searchPeople}

// SearchConnection is a page of the CIs that were found.
type SearchConnection struct {
	Edges    []*SearchEdge
	PageInfo *page.Info
}

// SearchEdge is one CI that was found.
type SearchEdge struct {
	Cursor string
	Node   *CI
	Score  float64
}

// Nodes returns the CIs of the page.
func (c *SearchConnection) Nodes() []*CI {
	all := make([]*CI, len(c.Edges))
	for i, e := range c.Edges {
		all[i] = e.Node
	}
	return all
}

// Search finds CIs by the words of their names and descriptions, and by parts of their names, the best match first.
// Retired CIs are not found.
func (r *Reader) Search(ctx context.Context, query string, classes []string, first *int, after *string) (*SearchConnection, error) {
	q, err := newSought(query, []SearchType{searchCIs, searchServices}, classes)
	if err != nil {
		return nil, err
	}
	found, err := page.Ranked[match, *SearchEdge]{
		Name: "search", About: []any{query, classes}, Most: maxFound,
		Read: func(ctx context.Context, limit, offset int) ([]match, error) {
			return cut(limit, offset)(r.find(ctx, q))
		},
		Show: func(ctx context.Context, rows []match) (func(match) (*SearchEdge, bool), error) {
			cis, err := loadCIs(ctx, r, matched(rows))
			return func(m match) (*SearchEdge, bool) {
				return &SearchEdge{Node: cis[m.id], Score: m.score}, cis[m.id] != nil
			}, err
		},
	}.Page(ctx, first, after)
	if err != nil {
		return nil, err
	}
	for _, e := range found.Edges {
		e.Node.Cursor = e.Cursor()
	}
	return &SearchConnection{Edges: found.Nodes(), PageInfo: found.PageInfo}, nil
}

// Found is a record that a search may find.
type Found interface {
	Node
	IsFound()
}

// IsFound marks records that a search may find.
func (*CI) IsFound() {}

// IsFound marks records that a search may find.
func (*Service) IsFound() {}

// IsFound marks records that a search may find.
func (*Incident) IsFound() {}

// IsFound marks records that a search may find.
func (*Change) IsFound() {}

// IsFound marks records that a search may find.
func (*Team) IsFound() {}

// IsFound marks records that a search may find.
func (*Person) IsFound() {}

// FoundConnection is a page of the records that were found.
type FoundConnection struct {
	Edges    []*FoundEdge
	PageInfo *page.Info
}

// FoundEdge is one record that was found.
type FoundEdge struct {
	Cursor string
	Node   Found
	Score  float64
}

// Nodes returns the records of the page.
func (c *FoundConnection) Nodes() []Found {
	all := make([]Found, len(c.Edges))
	for i, e := range c.Edges {
		all[i] = e.Node
	}
	return all
}

// SearchRecords finds records of some kinds, or of all, as Search finds CIs; incidents and changes by their numbers,
// too.
func (r *Reader) SearchRecords(ctx context.Context, query string, types []SearchType, classes []string, first *int, after *string) (*FoundConnection, error) {
	if types == nil {
		types = searchTypes
	}
	q, err := newSought(query, types, classes)
	if err != nil {
		return nil, err
	}
	found, err := page.Ranked[match, *FoundEdge]{
		Name: "search of records", About: []any{query, types, classes}, Most: maxFound,
		Read: func(ctx context.Context, limit, offset int) ([]match, error) {
			all, err := r.find(ctx, q)
			if err != nil {
				return nil, err
			}
			numbered, err := r.numbered(ctx, q)
			all = slices.Insert(slices.DeleteFunc(all, func(m match) bool { return len(numbered) > 0 && m.id == numbered[0].id }), 0, numbered...)
			return cut(limit, offset)(all, err)
		},
		Show: func(ctx context.Context, rows []match) (func(match) (*FoundEdge, bool), error) {
			records, err := r.nodes(ctx, matched(rows))
			return func(m match) (*FoundEdge, bool) {
				node, ok := records[m.id].(Found)
				if ci, isCI := node.(*CI); isCI && ci.ServiceKind != nil {
					node = ci.Service()
				}
				return &FoundEdge{Node: node, Score: m.score}, ok
			}, err
		},
	}.Page(ctx, first, after)
	if err != nil {
		return nil, err
	}
	for _, e := range found.Edges {
		e.Node.Cursor = e.Cursor()
	}
	return &FoundConnection{Edges: found.Nodes(), PageInfo: found.PageInfo}, nil
}

// numbered returns the incident or the change whose number is the text of a search, if there is one.
func (r *Reader) numbered(ctx context.Context, q *sought) ([]match, error) {
	for kind, parse := range map[SearchType]func(string) (ident.ID, bool){searchIncidents: incident.ParseNumber, searchChanges: change.ParseNumber} {
		if id, ok := parse(q.text); ok && slices.Contains(q.types, kind) {
			record, err := r.Node(ctx, id)
			if err != nil || record == nil {
				return nil, err
			}
			return []match{{id, q.text, 100}}, nil
		}
	}
	return nil, nil
}

func matched(rows []match) []ident.ID {
	ids := make([]ident.ID, len(rows))
	for i, m := range rows {
		ids[i] = m.id
	}
	return ids
}

// cut returns what takes a page out of what was found.
func cut(limit, offset int) func([]match, error) ([]match, error) {
	return func(all []match, err error) ([]match, error) {
		all = all[min(offset, len(all)):]
		return all[:min(limit, len(all))], err
	}
}
