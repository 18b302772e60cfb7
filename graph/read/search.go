package read

import (
	"context"
	"strings"
	"unicode"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// SearchConnection is a page of what was found.
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

// Bounds of a search.
const (
	maxQuery  = 200
	maxFound  = 1000 // a search that pages deeper wants other words
	maxSearch = 16   // words
)

// searchWords cuts text at everything that is no letter or digit, as both indexes do.
func searchWords(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return words[:min(len(words), maxSearch)]
}

// Search finds CIs by the words of their names and descriptions, the best match first. Every word must occur; the
// last one may be unfinished. Retired CIs are not found.
func (r *Reader) Search(ctx context.Context, query string, classes []string, first *int, after *string) (*SearchConnection, error) {
	if n := len([]rune(query)); n == 0 || n > maxQuery {
		return nil, errs.New(errs.BadUserInput, "query has %d characters: 1 to %d", n, maxQuery)
	}
	words := searchWords(query)
	found, err := page.Ranked[match, *SearchEdge]{
		Name: "search", About: []any{query, classes}, Most: maxFound,
		Read: func(ctx context.Context, limit, offset int) ([]match, error) {
			if len(words) == 0 {
				return nil, nil
			}
			return r.match(ctx, words, classes, limit, offset)
		},
		Show: func(ctx context.Context, rows []match) (func(match) (*SearchEdge, bool), error) {
			ids := make([]ident.ID, len(rows))
			for i, m := range rows {
				ids[i] = m.ci
			}
			cis, err := loadCIs(ctx, r, ids)
			return func(m match) (*SearchEdge, bool) {
				return &SearchEdge{Node: cis[m.ci], Score: m.score}, cis[m.ci] != nil
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

// match is a CI that was found, and how well it matches.
type match struct {
	ci    ident.ID
	score float64
}

// match asks the database's full-text index.
func (r *Reader) match(ctx context.Context, words, classes []string, limit, offset int) (found []match, err error) {
	s, err := sight.Of(ctx, r.store.Read)
	if err != nil {
		return nil, store.Translate(err)
	}
	statement := sql.P(func(b *sql.Builder) {
		store.SearchableCIs.Match(b, words)
		b.WriteString(" AND ci.lifecycle <> 'RETIRED' AND ")
		s.Write(b, "ci")
		if len(classes) > 0 {
			b.WriteString(" AND ci.class_id IN (")
			subtree(b, anything(classes))
			b.WriteString(")")
		}
		b.WriteString(" ORDER BY score DESC, length(ci.name), ci.name, ci.id LIMIT ").Arg(limit).WriteString(" OFFSET ").Arg(offset)
	})
	statement.SetDialect(r.store.Dialect())
	text, args := statement.Query()
	rows, err := r.store.Read.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m match
		if err := rows.Scan((*int64)(&m.ci), &m.score); err != nil {
			return nil, store.Translate(err)
		}
		found = append(found, m)
	}
	return found, store.Translate(rows.Err())
}
