package where_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"

	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/store/sqltest"
)

// tree is a row of the tests' own table.
type tree struct {
	id      int
	name    string
	sort    *string // unknown of some
	rings   int
	planted time.Time
	grove   int
}

// treeFilter is a filter with a condition of each sort.
type treeFilter struct {
	Name    *where.Text
	Sort    *where.Choice[string]
	Usual   *where.Choice[string]
	Rings   *where.Int
	Planted *where.Time
	Grove   *where.Choice[string]
	And, Or []*treeFilter
	Not     *treeFilter
}

func conditions(c *where.Conditions, f *treeFilter) {
	if f == nil {
		return
	}
	c.Text("name", f.Name)
	where.Among(c, "sort", f.Sort)
	where.Usual(c, "sort", f.Usual)
	c.Int("rings", f.Rings)
	c.Time("planted", f.Planted)
	if all, ok := where.Choose(c, f.Grove); ok {
		c.Add(all.Or(where.InTable("grove", "grove", "id", "name", all.Values...), nothing))
	}
	where.Combine(c, f.And, f.Or, f.Not, conditions)
}

// nothing returns the condition that a tree is in no grove, which is so of none.
func nothing(*entsql.Selector) *entsql.Predicate { return entsql.False() }

var groves = []string{"north", "south"}

// means reports whether a filter means a tree, as people read it: what is not known is not among anything.
func (f *treeFilter) means(t tree) bool {
	if f == nil {
		return true
	}
	name := strings.ToLower(t.name)
	all := []bool{
		f.Name == nil || (!f.Name.Eq.IsSet() || f.Name.Eq.Value() == nil && t.name == "" || f.Name.Eq.Value() != nil && *f.Name.Eq.Value() == t.name) && (f.Name.In == nil || slices.Contains(f.Name.In, t.name)) &&
			(f.Name.Contains == nil || strings.Contains(name, strings.ToLower(*f.Name.Contains))) &&
			(f.Name.StartsWith == nil || strings.HasPrefix(name, strings.ToLower(*f.Name.StartsWith))),
		isOf(f.Sort, t.sort),
		isOf(f.Usual, t.sort),
		f.Rings == nil || chosen(&where.Choice[int]{Eq: f.Rings.Eq, In: f.Rings.In}, t.rings) &&
			(f.Rings.Gte == nil || t.rings >= *f.Rings.Gte) && (f.Rings.Lt == nil || t.rings < *f.Rings.Lt),
		f.Planted == nil || (f.Planted.Gte == nil || !t.planted.Before(*f.Planted.Gte)) && (f.Planted.Lt == nil || t.planted.Before(*f.Planted.Lt)),
		f.Grove == nil || chosen(f.Grove, groves[t.grove]),
		!slices.ContainsFunc(f.And, func(f *treeFilter) bool { return !f.means(t) }),
		f.Or == nil || slices.ContainsFunc(f.Or, func(f *treeFilter) bool { return f.means(t) }),
		f.Not == nil || !f.Not.means(t),
	}
	return !slices.Contains(all, false)
}

func chosen[T comparable](f *where.Choice[T], v T) bool {
	if !f.Eq.IsSet() && f.In == nil {
		return true
	}
	return f.Eq.Value() != nil && *f.Eq.Value() == v || slices.Contains(f.In, v)
}

func isOf(f *where.Choice[string], sort *string) bool {
	if f == nil || !f.Eq.IsSet() && f.In == nil {
		return true
	}
	if sort == nil {
		return f.Eq.IsSet() && f.Eq.Value() == nil
	}
	return chosen(f, *sort)
}

// forest is trees in a database.
type forest struct {
	db      *sql.DB
	dialect string
	trees   []tree
}

const tables = `
CREATE TABLE grove (id BIGINT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE tree (id BIGINT PRIMARY KEY, name TEXT NOT NULL, sort TEXT, rings BIGINT NOT NULL, planted %s NOT NULL, grove BIGINT NOT NULL);
INSERT INTO grove VALUES (0, 'north'), (1, 'south');
`

var (
	names   = []string{"oak", "OAK", "ash", "100% ash", "a_h", `a\h`, ""}
	sorts   = []string{"leaf", "needle", "palm"}
	spring  = time.Date(2027, 3, 20, 12, 0, 0, 0, time.UTC)
	wanted  = append([]string{"%", "_", `\`, "a", "O", "h"}, names...)
	missing = "nowhere"
)

// inForests runs a test on trees in each database.
func inForests(t *testing.T, test func(t *testing.T, f *forest)) {
	sqltest.Each(t, "forest", tables, func(t *testing.T, db *sql.DB, dialect string) {
		f := &forest{db: db, dialect: dialect}
		random := rand.New(rand.NewPCG(3, 3))
		for id := range 60 {
			tree := tree{id: id, name: names[random.IntN(len(names))], rings: random.IntN(5), planted: spring.Add(time.Duration(random.IntN(4)) * time.Hour), grove: random.IntN(2)}
			if n := random.IntN(len(sorts) + 1); n < len(sorts) {
				tree.sort = &sorts[n]
			}
			f.trees = append(f.trees, tree)
			if _, err := db.ExecContext(t.Context(), "INSERT INTO tree VALUES ($1, $2, $3, $4, $5, $6)", tree.id, tree.name, tree.sort, tree.rings, tree.planted, tree.grove); err != nil {
				t.Fatal(err)
			}
		}
		test(t, f)
	})
}

// found returns the trees that a filter finds, and the statement that finds them.
func (f *forest) found(t *testing.T, filter *treeFilter) ([]int, string) {
	t.Helper()
	c := &where.Conditions{}
	conditions(c, filter)
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	d := entsql.Dialect(f.dialect)
	table := d.Table("tree")
	s := d.Select(table.C("id")).From(table)
	c.Apply(s)
	s.OrderBy(table.C("id"))
	text, args := s.Query()
	rows, err := f.db.QueryContext(t.Context(), text, args...)
	if err != nil {
		t.Fatalf("%s %v: %v", text, args, err)
	}
	defer func() { _ = rows.Close() }()
	ids := []int{}
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids, fmt.Sprint(text, args)
}

// anyFilter draws a filter; parts of it may nest so deep.
func anyFilter(random *rand.Rand, depth int) *treeFilter {
	f := &treeFilter{}
	one := func(of []string) *string { return &of[random.IntN(len(of))] }
	some := func(of []string) (list []string) {
		list = []string{} // of which nothing is
		for range random.IntN(3) {
			list = append(list, of[random.IntN(len(of))])
		}
		return list
	}
	choice := func(of []string) *where.Choice[string] {
		c := &where.Choice[string]{}
		switch random.IntN(4) {
		case 0, 1:
			c.Eq = where.To(*one(of))
		case 2:
			c.Eq = graphql.OmittableOf[*string](nil)
		}
		if random.IntN(2) == 0 {
			c.In = some(of)
		}
		return c
	}
	switch random.IntN(9) {
	case 0:
		f.Name = &where.Text{Contains: one(wanted)}
	case 1:
		f.Name = &where.Text{StartsWith: one(wanted), In: some(names)}
	case 2:
		f.Name = &where.Text{Eq: []graphql.Omittable[*string]{where.To(*one(names)), graphql.OmittableOf[*string](nil)}[random.IntN(2)]}
	case 3:
		f.Sort = choice(sorts)
	case 4:
		f.Usual = choice(sorts)
	case 5:
		low, high := random.IntN(5), random.IntN(6)
		f.Rings = &where.Int{Gte: &low, Lt: &high}
	case 6:
		n := random.IntN(5)
		f.Rings = &where.Int{Eq: where.To(n), In: []int{random.IntN(5)}}
	case 7:
		from, to := spring.Add(time.Duration(random.IntN(3))*time.Hour), spring.Add(time.Duration(random.IntN(5))*time.Hour)
		f.Planted = &where.Time{Gte: &from, Lt: &to}
	case 8:
		f.Grove = choice(append(groves[:2:2], missing))
	}
	parts := func() (all []*treeFilter) {
		all = []*treeFilter{}
		for range random.IntN(3) {
			all = append(all, anyFilter(random, depth-1))
		}
		return all
	}
	if depth > 0 && random.IntN(2) == 0 {
		f.And = parts()
	}
	if depth > 0 && random.IntN(2) == 0 {
		f.Or = parts()
	}
	if depth > 0 && random.IntN(2) == 0 {
		f.Not = anyFilter(random, depth-1)
	}
	return f
}

func TestAFilterFindsWhatItMeans(t *testing.T) {
	inForests(t, func(t *testing.T, f *forest) {
		random := rand.New(rand.NewPCG(5, 5))
		some := 0
		for range 1_000 {
			filter := anyFilter(random, random.IntN(4))
			want := []int{}
			for _, tree := range f.trees {
				if filter.means(tree) {
					want = append(want, tree.id)
				}
			}
			if got, statement := f.found(t, filter); !slices.Equal(got, want) {
				t.Fatalf("%s\nfinds %v, not %v", statement, got, want)
			}
			if len(want) > 0 && len(want) < len(f.trees) {
				some++
			}
		}
		if some < 300 {
			t.Errorf("only %d filters find some of the trees", some)
		}
	})
}

func TestNotIsAllTheOthersAlsoThoseOfWhichNothingIsKnown(t *testing.T) {
	inForests(t, func(t *testing.T, f *forest) {
		filter := &treeFilter{Sort: &where.Choice[string]{Eq: where.To(sorts[0])}}
		mine, _ := f.found(t, filter)
		others, _ := f.found(t, &treeFilter{Not: filter})
		if both := slices.Sorted(slices.Values(slices.Concat(mine, others))); len(mine) == 0 || len(slices.Compact(both)) != len(f.trees) || len(both) != len(f.trees) {
			t.Errorf("%v and %v of %d", mine, others, len(f.trees))
		}
	})
}

// TestConditionsNameTheRowsTheyWerePutOn follows a nested list, which puts its rows' statement inside another and takes
// its place before conditions are written out.
func TestConditionsNameTheRowsTheyWerePutOn(t *testing.T) {
	c := &where.Conditions{}
	c.Text("name", &where.Text{Contains: &names[0]})
	d := entsql.Dialect(dialect.SQLite)
	s := d.Select("id").From(d.Table("tree"))
	c.Apply(s)
	inner := *s
	*s = *d.Select("id").From(d.Table("grove"))
	if text, _ := inner.Query(); !strings.Contains(text, "`tree`.`name`") {
		t.Error(text)
	}
}

func TestAFilterIsHeldToItsBounds(t *testing.T) {
	nested := func(depth int) *treeFilter {
		f := &treeFilter{Name: &where.Text{Eq: where.To(names[0])}}
		for range depth {
			f = &treeFilter{Not: f}
		}
		return f
	}
	values := func(n int) *treeFilter { return &treeFilter{Rings: &where.Int{In: make([]int, n)}} }
	parts := func(n int, of *treeFilter) *treeFilter {
		f := &treeFilter{}
		for range n {
			f.Or = append(f.Or, of)
		}
		return f
	}
	for name, c := range map[string]struct {
		filter  *treeFilter
		refused string
	}{
		"five deep":                 {nested(5), ""},
		"six deep":                  {nested(6), "nests deeper than 5"},
		"a hundred values":          {values(100), ""},
		"one more":                  {values(101), "lists 101 values: at most 100"},
		"a hundred parts":           {parts(100, nested(0)), ""},
		"one part more":             {parts(101, nested(0)), "lists 101 parts: at most 100"},
		"a thousand in all":         {parts(10, values(99)), ""},
		"a thousand and one in all": {&treeFilter{And: []*treeFilter{parts(10, values(99))}}, "more than 1000 values and parts"},
	} {
		collected := &where.Conditions{}
		conditions(collected, c.filter)
		err := collected.Err()
		if c.refused == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if refusal, ok := errors.AsType[*errs.Error](err); !ok || refusal.Code != errs.BadUserInput || !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
