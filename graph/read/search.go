package read

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"github.com/linchpin-cmdb/linchpin/ent/ciclass"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/internal/auth/sight"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/likeness"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Bounds of a search.
const (
	maxQuery  = 200
	maxFound  = 1000 // a search that pages deeper wants other words
	maxSearch = 16   // words
	enough    = 20   // with so many found, nobody is taken to have mistyped
	maxTraces = 40   // parts by which mistyped words are looked for
)

// match is a record that was found, and how well it matches.
type match struct {
	id    ident.ID
	name  string
	score float64
}

// sought is what a search asks for.
type sought struct {
	text    string
	words   []string
	types   []SearchType
	classes []string
}

func newSought(text string, types []SearchType, classes []string) (*sought, error) {
	if n := utf8.RuneCountInString(text); n == 0 || n > maxQuery {
		return nil, errs.New(errs.BadUserInput, "query has %d characters: 1 to %d", n, maxQuery)
	}
	words := likeness.Words(text)
	return &sought{strings.TrimSpace(text), words[:min(len(words), maxSearch)], types, classes}, nil
}

// find returns what a search finds, the best match first: records in which all words occur; those whose names hold the
// words as parts; if that is not enough, those whose names hold them mistyped. It counts, compares and orders the names
// that the actor may see, and nothing else.
func (r *Reader) find(ctx context.Context, q *sought) ([]match, error) {
	narrow, err := r.narrowed(ctx, q)
	if err != nil || len(q.words) == 0 {
		return nil, err
	}
	found := map[ident.ID]match{}
	read := func(write func(store.Searchable, *sql.Builder), take func(name string) bool) error {
		return r.candidates(ctx, q, write, narrow, func(id ident.ID, name string) {
			if _, ok := found[id]; !ok && take(name) {
				found[id] = match{id, name, likeness.Score(q.words, name)}
			}
		})
	}
	all := func(string) bool { return true }
	means := func(name string) bool { return likeness.Means(q.words, name) }
	if err := read(func(s store.Searchable, b *sql.Builder) { s.Match(b, q.words) }, all); err != nil {
		return nil, err
	}
	parts := make([][]string, len(q.words))
	for i, word := range q.words {
		parts[i] = []string{word}
	}
	if isIndexed(parts) && len(found) < maxFound {
		if err := read(func(s store.Searchable, b *sql.Builder) { s.Hold(b, parts) }, means); err != nil {
			return nil, err
		}
	}
	if traces, ok := mistyped(q.words); ok && len(found) < enough {
		if err := read(func(s store.Searchable, b *sql.Builder) { s.Hold(b, traces) }, means); err != nil {
			return nil, err
		}
	}
	ranked := slices.Collect(maps.Values(found))
	slices.SortFunc(ranked, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(utf8.RuneCountInString(a.name), utf8.RuneCountInString(b.name)),
			cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id))
	})
	return ranked[:min(len(ranked), maxFound)], nil
}

// mistyped returns what names have to hold that mean words with typing errors in them; false if no error is forgiven.
func mistyped(words []string) (traces [][]string, ok bool) {
	sum := 0
	for _, word := range words {
		of := likeness.Traces(word)
		traces, sum, ok = append(traces, of), sum+len(of), ok || likeness.Forgiven(word) > 0
	}
	return traces, ok && sum <= maxTraces
}

// isIndexed reports whether one of these lists of parts is found by the index, which knows three letters each.
func isIndexed(lists [][]string) bool {
	return slices.ContainsFunc(lists, func(parts []string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return utf8.RuneCountInString(part) < 3 })
	})
}

// candidates reads the best of what statements, one for each table, find among the records that a search is about.
func (r *Reader) candidates(ctx context.Context, q *sought, find func(store.Searchable, *sql.Builder), narrow func(store.Searchable, *sql.Builder), take func(ident.ID, string)) error {
	tables := q.tables()
	if len(tables) == 0 {
		return nil
	}
	return r.each(ctx, func(b *sql.Builder) {
		b.WriteString("SELECT id, name FROM (")
		for i, t := range tables {
			if i > 0 {
				b.WriteString(" UNION ALL ")
			}
			find(t, b)
			narrow(t, b)
		}
		b.WriteString(") AS found ORDER BY score DESC, length(name), name")
		if r.store.IsPostgres() {
			b.WriteString(` COLLATE "C"`)
		}
		b.WriteString(", id LIMIT ").Arg(maxFound)
	}, take)
}

// tables returns what has to be searched.
func (q *sought) tables() (all []store.Searchable) {
	add := func(s store.Searchable, types ...SearchType) {
		if slices.ContainsFunc(types, func(t SearchType) bool { return slices.Contains(q.types, t) }) {
			all = append(all, s)
		}
	}
	add(store.SearchableCIs, searchCIs, searchServices)
	add(store.SearchableIncidents, searchIncidents)
	add(store.SearchableChanges, searchChanges)
	add(store.SearchableTeams, searchTeams)
	add(store.SearchablePeople, searchPeople)
	return all
}

// narrowed returns what writes the conditions that rows of a table have to meet: of CIs, that the actor may see them,
// that they are in use, and that they are of the types and classes asked for.
func (r *Reader) narrowed(ctx context.Context, q *sought) (func(store.Searchable, *sql.Builder), error) {
	s, err := sight.Of(ctx, r.store.Show)
	if err != nil {
		return nil, store.Translate(err)
	}
	classes, err := r.coded(ctx, ciclass.Table, anything(q.classes))
	if err != nil {
		return nil, err
	}
	return func(t store.Searchable, b *sql.Builder) {
		if t.Table != store.SearchableCIs.Table {
			return
		}
		b.WriteString(" AND ci.lifecycle <> 'RETIRED' AND ")
		s.Write(b, "ci")
		switch withCIs, withServices := slices.Contains(q.types, searchCIs), slices.Contains(q.types, searchServices); {
		case !withServices:
			b.WriteString(" AND ci.service_kind IS NULL")
		case !withCIs:
			b.WriteString(" AND ci.service_kind IS NOT NULL")
		}
		if len(classes) > 0 {
			b.WriteString(" AND ").Join(page.OneOf("class_id", classes))
		}
	}, nil
}
