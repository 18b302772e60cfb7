package storetest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/graph/where"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
)

// searched returns the names that a search finds, in order of name.
func searched(t interface{ Fatalf(string, ...any) }, s *store.Store, query string) []string {
	first := page.Max
	found, err := reader(s).Search(context.Background(), query, nil, &first, nil)
	if err != nil {
		t.Fatalf("searching %q: %v", query, err)
	}
	names := []string{}
	for _, e := range found.Edges {
		names = append(names, e.Node.Name)
	}
	slices.Sort(names)
	return names
}

func TestSearchFindsWordsAndPartsOfNames(t *testing.T) {
	library := []struct{ name, description string }{
		{"host-0007.example.com", "A web server in rack 12"},
		{"host-0070", ""},
		{"Payment Service", "takes cards; see PCI-DSS"},
		{"payments_db", "PostgreSQL 15.18, primary"},
		{"10.0.0.1/24", "network"},
		{"C++ build farm", "it's the team's"},
		{"1e5", "5e3x v1.2.3"},
		{"a & b | !c", "<-> :*"},
		{"naïve cafe", ""},
		{"MÜNCHEN-01", "Größe"},
		{"Σοφία", "Αθήνα"},
		{"Москва", "сервер"},
		{"東京 サーバー", ""},
		{"half½ m²", ""},
		{"the and of", "stop words"},
		{"x\ty\nz", ""},
		{"joe@example.org", "http://example.org/path?x=1"},
	}
	ascii := map[string][]string{
		"host": {"host-0007.example.com", "host-0070"}, "0007": {"host-0007.example.com"}, "007": {"host-0007.example.com", "host-0070"}, "070": {"host-0070"}, "host-0": {"host-0007.example.com", "host-0070"},
		"HOST example": {"host-0007.example.com"}, "exampl": {"host-0007.example.com", "joe@example.org"}, "exampl host": {"host-0007.example.com"}, "plexam": {}, "server web": {"host-0007.example.com"},
		"payment": {"Payment Service", "payments_db"}, "pay": {"Payment Service", "payments_db"}, "payment serv": {"Payment Service"},
		"db payments": {"payments_db"}, "pci dss": {"Payment Service"}, "15.18": {"payments_db"}, "10.0.0": {"10.0.0.1/24"}, "24": {"10.0.0.1/24"},
		"c": {"C++ build farm", "Payment Service", "a & b | !c", "host-0007.example.com", "naïve cafe"}, "c build": {"C++ build farm"}, "team": {"C++ build farm"},
		"1e5": {"1e5"}, "v1": {"1e5"}, "5e3x": {"1e5"}, "v1.2.3": {"1e5"}, "1.2.3": {}, "the": {"C++ build farm", "the and of"}, "and of the": {"the and of"},
		"a b c": {"a & b | !c"}, "y z": {"x\ty\nz"}, "joe": {"joe@example.org"}, "path": {"joe@example.org"}, "path http": {"joe@example.org"}, "!!": {}, "'": {},
	}
	foreign := map[string][]string{
		"naïve": {"naïve cafe"}, "naive": {}, "NAÏVE c": {"naïve cafe"}, "münchen": {"MÜNCHEN-01"}, "MÜNCH": {"MÜNCHEN-01"}, "größ": {"MÜNCHEN-01"},
		"ΑΘΉΝΑ": {"Σοφία"}, "москв": {"Москва"}, "СЕРВЕР": {"Москва"}, "東京": {"東京 サーバー"}, "サーバ": {"東京 サーバー"},
	}
	test := func(t *testing.T, s *store.Store) {
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			for _, c := range library {
				if _, err := ci(c.name, func(made *ent.CICreate) { made.SetDescription(c.description) })(ctx, tx); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		for _, query := range slices.Sorted(maps.Keys(ascii)) {
			same(t, query, searched(t, s, query), ascii[query])
		}
		for _, query := range slices.Sorted(maps.Keys(foreign)) {
			same(t, query, searched(t, s, query), foreign[query])
		}
	}
	storetest.Each(t, test)
	t.Run("postgres in English", func(t *testing.T) { test(t, english(t)) })
}

func TestSearchFollowsWrites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := write(t, s, ci("alpha", func(c *ent.CICreate) { c.SetDescription("one") }))
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			return nil, tx.CI.UpdateOneID(c.ID).SetName("beta").Exec(ctx)
		})
		same(t, "the old name", searched(t, s, "alpha"), []string{})
		same(t, "the new name", searched(t, s, "beta"), []string{"beta"})
		same(t, "the description", searched(t, s, "one"), []string{"beta"})
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			return nil, tx.CI.UpdateOneID(c.ID).SetDescription("two").SetAttributes(map[string]any{"x": 1}).Exec(ctx)
		})
		same(t, "the old description", searched(t, s, "one"), []string{})
		same(t, "name and description", searched(t, s, "beta two"), []string{"beta"})
	})
}

// both returns one store on each database, for comparing answers.
func both(t *testing.T) (sqlite, postgres *store.Store) {
	t.Helper()
	return storetest.SQLite(t), storetest.Postgres(t)
}

// TestSearchAnswersAlike draws names and searches of letters, digits and separators.
func TestSearchAnswersAlike(t *testing.T) {
	one, other := both(t)
	word := rapid.StringOfN(rapid.SampledFrom([]rune("abABz019eE")), 1, 4, -1)
	between := rapid.SampledFrom([]string{" ", "-", ".", "/", "_", ", ", "'", "@", ":", "+", "%", "&", "://", "|", "\\"})
	text := rapid.Custom(func(t *rapid.T) string {
		s := word.Draw(t, "word")
		for range rapid.IntRange(0, 3).Draw(t, "more") {
			s += between.Draw(t, "between") + word.Draw(t, "word")
		}
		return s
	})
	rapid.Check(t, func(rt *rapid.T) {
		mark := fmt.Sprintf("mark%d", rapid.Uint64().Draw(rt, "mark")) // each case finds its own alone
		names := rapid.SliceOfN(text, 1, 4).Draw(rt, "names")
		for _, s := range []*store.Store{one, other} {
			_, err := store.Write(context.Background(), s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
				for _, name := range names {
					if _, err := ci(name, func(c *ent.CICreate) { c.SetDescription(mark) })(ctx, tx); err != nil {
						return nil, err
					}
				}
				return nil, nil
			})
			if err != nil {
				rt.Fatal(err)
			}
		}
		for range 4 {
			query := mark + " " + text.Draw(rt, "query")
			if a, b := searched(rt, one, query), searched(rt, other, query); !slices.Equal(a, b) {
				rt.Fatalf("%q among %q:\nsqlite   %q\npostgres %q", query, names, a, b)
			}
		}
	})
}

// oddities are values of one attribute, by the name of the CI that has it.
var oddities = map[string]any{
	"zero": 0, "one": 1, "one point five": 1.5, "minus": -3, "huge": 1e300, "big": int64(1) << 53, "text one": "1", "text": "abc", "upper": "ABC", "empty": "",
	"true": true, "false": false, "text true": "true", "null": nil, "list": []any{1, "abc", true}, "empty list": []any{}, "object": map[string]any{"x": 1, "k": 1},
	"empty object": map[string]any{}, "quote": `it's "x"`, "umlaut": "größe", "nul text": `\u0000`, "like": "a%", "long": fmt.Sprintf("%01000d", 7),
}

func ptr[T any](v T) *T { return &v }

func TestAttributeFiltersAnswerAlike(t *testing.T) {
	one, other := both(t)
	for _, s := range []*store.Store{one, other} {
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			for _, name := range slices.Sorted(maps.Keys(oddities)) {
				if _, err := ci(name, func(c *ent.CICreate) { c.SetAttributes(map[string]any{"k": oddities[name], "other": "abc"}) })(ctx, tx); err != nil {
					return nil, err
				}
			}
			_, err := ci("absent", func(c *ent.CICreate) { c.SetAttributes(map[string]any{"K": 1, "kk": 1, "x": map[string]any{"k": 1}}) })(ctx, tx)
			return nil, err
		})
		// The attributes from before must not be found.
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			c, err := ci("changed", func(c *ent.CICreate) { c.SetAttributes(map[string]any{"k": 1}) })(ctx, tx)
			if err != nil {
				return nil, err
			}
			return nil, tx.CI.UpdateOneID(c.ID).SetAttributes(map[string]any{"k": "moved"}).Exec(ctx)
		})
	}
	cases := []struct {
		about  string
		filter read.AttributeFilter
		want   []string
	}{
		{"eq 1", read.AttributeFilter{Eq: graphql.OmittableOf[any](1.0)}, []string{"one"}},
		{"eq 1.5", read.AttributeFilter{Eq: graphql.OmittableOf[any](1.5)}, []string{"one point five"}},
		{"eq 2^53", read.AttributeFilter{Eq: graphql.OmittableOf[any](float64(1 << 53))}, []string{"big"}},
		{"eq 1e300", read.AttributeFilter{Eq: graphql.OmittableOf[any](1e300)}, []string{"huge"}},
		{"eq text 1", read.AttributeFilter{Eq: graphql.OmittableOf[any]("1")}, []string{"text one"}},
		{"eq abc", read.AttributeFilter{Eq: graphql.OmittableOf[any]("abc")}, []string{"text"}}, // and not the list that holds it
		{"eq empty", read.AttributeFilter{Eq: graphql.OmittableOf[any]("")}, []string{"empty"}}, // and no null, list or object
		{"eq true", read.AttributeFilter{Eq: graphql.OmittableOf[any](true)}, []string{"true"}},
		{"eq false", read.AttributeFilter{Eq: graphql.OmittableOf[any](false)}, []string{"false"}}, // and not 0
		{"eq text true", read.AttributeFilter{Eq: graphql.OmittableOf[any]("true")}, []string{"text true"}},
		{"eq quote", read.AttributeFilter{Eq: graphql.OmittableOf[any](`it's "x"`)}, []string{"quote"}},
		{"eq umlaut", read.AttributeFilter{Eq: graphql.OmittableOf[any]("größe")}, []string{"umlaut"}},
		{"eq backslash", read.AttributeFilter{Eq: graphql.OmittableOf[any](`\u0000`)}, []string{"nul text"}},
		{"eq wildcard", read.AttributeFilter{Eq: graphql.OmittableOf[any]("a%")}, []string{"like"}},
		{"in", read.AttributeFilter{In: []any{1.0, "abc", false, "nobody"}}, []string{"false", "one", "text"}},
		{"in nothing", read.AttributeFilter{In: []any{}}, []string{}},
		{"gte 0", read.AttributeFilter{Gte: ptr(0.0)}, []string{"big", "huge", "one", "one point five", "zero"}},
		{"gte -inf", read.AttributeFilter{Gte: ptr(-1e308)}, []string{"big", "huge", "minus", "one", "one point five", "zero"}},
		{"lt 1", read.AttributeFilter{Lt: ptr(1.0)}, []string{"minus", "zero"}},
		{"1 to 2", read.AttributeFilter{Gte: ptr(1.0), Lt: ptr(2.0)}, []string{"one", "one point five"}},
		{"absent", read.AttributeFilter{Exists: ptr(false)}, []string{"absent"}},
		{"present", read.AttributeFilter{Exists: ptr(true)}, slices.Sorted(maps.Keys(mapWith(oddities, "changed")))},
	}
	for _, c := range cases {
		for _, s := range []*store.Store{one, other} {
			c.filter.Path = "k"
			same(t, s.Dialect()+": "+c.about, namesOf(t, s, &read.CIFilter{Attributes: []*read.AttributeFilter{&c.filter}}), c.want)
			if c.filter.Exists == nil {
				// Not finds all CIs for which the condition does not hold: there is no third answer.
				rest := namesOf(t, s, &read.CIFilter{Not: &read.CIFilter{Attributes: []*read.AttributeFilter{&c.filter}}})
				if len(rest) != len(oddities)+2-len(c.want) {
					t.Errorf("%s: not %s: %d of %d", s.Dialect(), c.about, len(rest), len(oddities)+2-len(c.want))
				}
			}
		}
	}
}

func mapWith(m map[string]any, more string) map[string]any {
	all := maps.Clone(m)
	all[more] = nil
	return all
}

func TestLabelFiltersAnswerAlike(t *testing.T) {
	one, other := both(t)
	labels := map[string]map[string]string{
		"plain": {"app": "web"}, "upper": {"APP": "web"}, "two": {"app": "web", "env": "test"}, "kubernetes": {"app.kubernetes.io/name": "web"},
		"empty": {"app": ""}, "nameless": {"": "web"}, "quoted": {`a"b'c`: `d"e'f`}, "dollar": {"$.app": "web"}, "none": {}, "number": {"app": "1"}, "umlaut": {"größe": "ä"},
	}
	for _, s := range []*store.Store{one, other} {
		write(t, s, func(ctx context.Context, tx *store.Tx) (any, error) {
			for _, name := range slices.Sorted(maps.Keys(labels)) {
				// An attribute of the same name is not a label.
				if _, err := ci(name, func(c *ent.CICreate) { c.SetLabels(labels[name]).SetAttributes(map[string]any{"env": "test"}) })(ctx, tx); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
	}
	for _, c := range []struct {
		name string
		eq   *string
		want []string
	}{
		{"app", nil, []string{"empty", "number", "plain", "two"}},
		{"app", ptr("web"), []string{"plain", "two"}},
		{"app", ptr("WEB"), []string{}},
		{"app", ptr(""), []string{"empty"}},
		{"app", ptr("1"), []string{"number"}},
		{"env", ptr("test"), []string{"two"}},
		{"app.kubernetes.io/name", ptr("web"), []string{"kubernetes"}},
		{"", nil, []string{"nameless"}},
		{`a"b'c`, ptr(`d"e'f`), []string{"quoted"}},
		{"$.app", nil, []string{"dollar"}},
		{"größe", ptr("ä"), []string{"umlaut"}},
		{"nobody", nil, []string{}},
	} {
		for _, s := range []*store.Store{one, other} {
			label := &read.LabelFilter{Name: c.name}
			if c.eq != nil {
				label.Eq = graphql.OmittableOf(c.eq)
			}
			same(t, fmt.Sprintf("%s: label %q", s.Dialect(), c.name), namesOf(t, s, &read.CIFilter{Labels: []*read.LabelFilter{label}}), c.want)
		}
	}
}

// TestPropertiesFollowWrites compares random filters on random attributes that change.
func TestPropertiesFollowWrites(t *testing.T) {
	one, other := both(t)
	value := rapid.SampledFrom([]any{nil, true, false, 0.0, 1.0, 2.5, "", "0", "1", "true", []any{1.0}, map[string]any{"a": 1.0}})
	attributes := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), value, 0, 3)
	rapid.Check(t, func(rt *rapid.T) {
		first, then := attributes.Draw(rt, "first"), attributes.Draw(rt, "then")
		name := fmt.Sprint(rapid.Uint64().Draw(rt, "name"))
		for _, s := range []*store.Store{one, other} {
			made, err := store.Write(context.Background(), s, by, ci(name, func(c *ent.CICreate) { c.SetAttributes(first) }))
			if err != nil {
				rt.Fatal(err)
			}
			_, err = store.Write(context.Background(), s, by, func(ctx context.Context, tx *store.Tx) (any, error) {
				return nil, tx.CI.UpdateOneID(made.ID).SetAttributes(then).Exec(ctx)
			})
			if err != nil {
				rt.Fatal(err)
			}
		}
		filter := &read.AttributeFilter{Path: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "path")}
		switch rapid.IntRange(0, 3).Draw(rt, "sort") {
		case 0:
			filter.Eq = graphql.OmittableOf(rapid.SampledFrom([]any{true, false, 0.0, 1.0, 2.5, "", "0", "1", "true"}).Draw(rt, "eq"))
		case 1:
			filter.Gte = ptr(rapid.SampledFrom([]float64{-1, 0, 1, 2}).Draw(rt, "gte"))
		case 2:
			filter.Lt = ptr(rapid.SampledFrom([]float64{0, 1, 3}).Draw(rt, "lt"))
		default:
			filter.Exists = ptr(rapid.Bool().Draw(rt, "exists"))
		}
		conditions := &read.CIFilter{Name: &where.Text{Eq: graphql.OmittableOf(&name)}, Attributes: []*read.AttributeFilter{filter}}
		if a, b := namesOf(t, one, conditions), namesOf(t, other, conditions); !slices.Equal(a, b) {
			rt.Fatalf("%+v on %v, before that %v: sqlite %v, postgres %v", filter, then, first, a, b)
		}
	})
}
