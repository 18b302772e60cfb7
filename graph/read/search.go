package read

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// SearchConnection is a page of what was found.
type SearchConnection struct {
	Edges    []*SearchEdge
	PageInfo *PageInfo
}

// SearchEdge is one CI that was found.
type SearchEdge struct {
	Cursor string
	Node   *CI
	Score  float64
}

// Nodes are the CIs of the page.
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
	fingerprint := order[any]{}.fingerprint("search", []any{query, classes})
	w, err := order[any]{}.window(Page{First: first}, fingerprint)
	if err != nil {
		return nil, err
	}
	offset := 0
	if after != nil {
		if offset, err = searchOffset(*after, fingerprint); err != nil {
			return nil, err
		}
	}
	words := searchWords(query)
	page := &SearchConnection{Edges: []*SearchEdge{}, PageInfo: &PageInfo{HasPreviousPage: offset > 0}}
	if len(words) == 0 {
		return page, nil
	}
	found, scores, err := r.match(ctx, words, classes, w.limit+1, offset)
	if err != nil {
		return nil, err
	}
	if page.PageInfo.HasNextPage = len(found) > w.limit && offset+w.limit < maxFound; len(found) > w.limit {
		found = found[:w.limit]
	}
	cis, err := loadCIs(ctx, r, found)
	if err != nil {
		return nil, err
	}
	for i, id := range found {
		if cis[id] != nil {
			cursor := sliceCursor{Version: cursorVersion, Fingerprint: fingerprint, Place: offset + i + 1}
			page.Edges = append(page.Edges, &SearchEdge{cursor.encode(), cis[id], scores[i]})
		}
	}
	if n := len(page.Edges); n > 0 {
		page.PageInfo.start = func() string { return page.Edges[0].Cursor }
		page.PageInfo.end = func() string { return page.Edges[n-1].Cursor }
	}
	return page, nil
}

func searchOffset(text, fingerprint string) (int, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	var c sliceCursor
	if err == nil && len(text) < 1024 {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Version != cursorVersion || c.Fingerprint != fingerprint || c.Place < 1 || c.Place > maxFound {
		return 0, errs.New(errs.BadCursor, "after: the cursor does not belong to this search; take cursors from pageInfo or edges of the same query")
	}
	return c.Place, nil
}

// match asks the database's full-text index.
func (r *Reader) match(ctx context.Context, words, classes []string, limit, offset int) (ids []ident.ID, scores []float64, err error) {
	s, err := sight.Of(ctx, r.store.Read)
	if err != nil {
		return nil, nil, store.Translate(err)
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
		b.WriteString(" ORDER BY score DESC, ci.name, ci.id LIMIT ").Arg(limit).WriteString(" OFFSET ").Arg(offset)
	})
	statement.SetDialect(r.store.Dialect())
	text, args := statement.Query()
	rows, err := r.store.Read.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, nil, store.Translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var score float64
		if err := rows.Scan(&id, &score); err != nil {
			return nil, nil, store.Translate(err)
		}
		ids, scores = append(ids, ident.ID(id)), append(scores, score)
	}
	return ids, scores, store.Translate(rows.Err())
}
