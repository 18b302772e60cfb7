package importer_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/source"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// start is when the clock of these tests begins.
var start = time.Date(2031, 3, 1, 8, 0, 0, 0, time.UTC)

// readAt reads a source at a time and applies what was planned.
func readAt(t testing.TB, s *store.Store, at time.Time, from importer.Source, o importer.Options) (*importer.Plan, importer.Result) {
	t.Helper()
	ctx := store.At(admin(t), at)
	p, err := importer.NewPlan(ctx, s, from, o)
	if err != nil {
		t.Fatal(err)
	}
	result, err := p.Apply(ctx, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, result
}

func set(t testing.TB, s *store.Store, in source.Set) {
	t.Helper()
	if _, err := source.New(s).Set(admin(t), in); err != nil {
		t.Fatal(err)
	}
}

func named(name string, all ...importer.CI) rows {
	r := cis(all...)
	r.name = name
	return r
}

var full = importer.Options{Kind: domain.FullRun}

func TestTheSourceThatIsBelievedWinsInWhicheverOrderTheyAreRead(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		set(t, s, source.Set{Code: "low", Priority: new(10), StaleAfter: new(2 * time.Hour)})
		set(t, s, source.Set{Code: "high", Priority: new(20), StaleAfter: new(time.Hour)})
		low := named("low", importer.CI{ExternalID: "1", Name: "from low", Class: "server", Description: "of low", Attributes: map[string]any{"serialNumber": "S1", "vendor": "Dell", "os": "Debian"}})
		high := named("high", importer.CI{ExternalID: "x", Name: "from high", Class: "server", Attributes: map[string]any{"serialNumber": "s1", "vendor": "DELL"}})
		at := start
		want := func(says, name, description string) {
			t.Helper()
			got := s.Read.CI.GetX(t.Context(), record(t, s, "low", "1"))
			if got.Name != name || got.Description != description {
				t.Errorf("%s: %q, %q", says, got.Name, got.Description)
			}
		}
		readAt(t, s, at, low, full)
		readAt(t, s, at, high, full)
		if record(t, s, "low", "1") != record(t, s, "high", "x") {
			t.Fatal("they are two servers")
		}
		want("after both", "from high", "of low")
		before := revision(t, s)
		for _, order := range [][]rows{{low, high}, {high, low}, {low, low, high, high}, {high, high, low}, {low, high, low, high}} {
			for _, one := range order {
				at = at.Add(time.Minute)
				p, _ := readAt(t, s, at, one, full)
				if one.name == "low" && p.Summary.Total(importer.Yield) != 1 {
					t.Errorf("the lower one yields: %v", p.Summary)
				}
			}
		}
		if after := revision(t, s); after != before {
			t.Errorf("they wrote revision %d after %d", after, before)
		}
		at = at.Add(90 * time.Minute)
		readAt(t, s, at, low, full)
		want("the higher one is stale", "from low", "of low")
		p, _ := readAt(t, s, at, high, full)
		want("it is back", "from high", "of low")
		if p.Summary.Total(importer.TakeOver) != 1 {
			t.Errorf("it takes over: %v", p.Summary)
		}
		set(t, s, source.Set{Code: "low", FieldPriorities: []domain.FieldPriority{{Class: "computer", Field: "name", Priority: 30}}})
		readAt(t, s, at, low, full)
		want("a field of a class above has a priority of its own", "from low", "of low")
	})
}

func TestOnlyACompleteFullReadingMakesAnythingMissing(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		set(t, s, source.Set{Code: "test", RetirePolicy: new(domain.RetireByRule), GraceTime: new(time.Hour)})
		var all []importer.CI
		for i := range 300 {
			all = append(all, importer.CI{ExternalID: fmt.Sprint("k", i), Name: fmt.Sprint("n", i), Class: "server"})
		}
		at := start
		readAt(t, s, at, cis(all...), full)
		missing := func() (n int) {
			rows, err := s.Read.QueryContext(t.Context(), "SELECT count(*) FROM x_claim WHERE missing_since IS NOT NULL")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			rows.Next()
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		lost := func(n int) rows { return cis(all[n:]...) }
		for says, read := range map[string]func() (*importer.Plan, importer.Result){
			"a part": func() (*importer.Plan, importer.Result) { return readAt(t, s, at, lost(12), importer.Options{}) },
			"an event": func() (*importer.Plan, importer.Result) {
				return readAt(t, s, at, lost(12), importer.Options{Kind: domain.EventRun})
			},
			"another scope": func() (*importer.Plan, importer.Result) {
				return readAt(t, s, at, cis(importer.CI{ExternalID: "z", Name: "z", Class: "server"}), importer.Options{Kind: domain.FullRun, Scope: "other"})
			},
			"a broken page":  func() (*importer.Plan, importer.Result) { return readAt(t, s, at, unreadable{lost(12)}, full) },
			"6 percent less": func() (*importer.Plan, importer.Result) { return readAt(t, s, at, lost(18), full) },
			"nothing":        func() (*importer.Plan, importer.Result) { return readAt(t, s, at, cis(), full) },
		} {
			_, result := read()
			if n := missing(); n > 0 {
				t.Fatalf("%s: %d are missing", says, n)
			}
			if refused := result.Refused != ""; refused != (says == "6 percent less" || says == "nothing") {
				t.Errorf("%s: refused: %q", says, result.Refused)
			}
		}
		id := record(t, s, "test", "k0")
		for run, want := range []domain.Lifecycle{domain.Live, domain.Live, domain.Retired} {
			p, _ := readAt(t, s, at, lost(12), full)
			if n := missing(); n != 12 {
				t.Fatalf("run %d: %d are missing", run, n)
			}
			if got := s.Read.CI.GetX(t.Context(), id); got.Lifecycle != want {
				t.Fatalf("run %d: %s, want %s: %v", run, got.Lifecycle, want, p.Summary)
			}
			at = at.Add(2 * time.Hour)
		}
		readAt(t, s, at, cis(all...), full)
		if got := s.Read.CI.GetX(t.Context(), id); got.Lifecycle != domain.Live || record(t, s, "test", "k0") != id || missing() != 0 {
			t.Errorf("it is back: %s, %d missing", got.Lifecycle, missing())
		}
		readAt(t, s, at, lost(18), importer.Options{Kind: domain.FullRun, RetireUpTo: 18})
		if n := missing(); n != 18 {
			t.Errorf("a person approved 18: %d are missing", n)
		}
	})
}

// unreadable is a source with a document that cannot be read.
type unreadable struct{ rows }

func (u unreadable) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		for row, err := range u.rows.Rows(ctx) {
			if !yield(row, err) {
				return
			}
		}
		yield(importer.Row{}, &importer.Notice{Kind: importer.Rejected, Reason: "page 3 of 4 answered 403"})
	}
}

func TestARelationshipGoesWhenNoSourceClaimsItAndNoPersonMadeIt(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		both := []importer.Relationship{{Type: "depends_on", Target: "b"}, {Type: "depends_on", Target: "c"}, {Type: "depends_on", Target: "nobody"}}
		b, c := importer.CI{ExternalID: "b", Name: "b", Class: "server"}, importer.CI{ExternalID: "c", Name: "c", Class: "server"}
		one := func(rels []importer.Relationship) rows {
			return named("one", importer.CI{ExternalID: "a", Name: "a", Class: "server", Relationships: rels, Keys: []importer.Key{{Space: "dns", Key: "a.example"}}}, b, c)
		}
		two := func(rels ...importer.Relationship) rows {
			return named("two", importer.CI{ExternalID: "A", Class: "server", Relationships: rels, Keys: []importer.Key{{Space: "dns", Key: "a.example"}}})
		}
		for _, code := range []string{"one", "two"} {
			set(t, s, source.Set{Code: code, KeySpaces: []string{"dns"}})
		}
		readAt(t, s, start, one(both), full)
		readAt(t, s, start, two(importer.Relationship{Type: "depends_on", Target: "b", Space: "one"}), full)
		if record(t, s, "one", "a") != record(t, s, "two", "A") {
			t.Fatal("a key of another space did not make them one")
		}
		dangling := func() int { return s.Read.DanglingReference.Query().CountX(t.Context()) }
		related := func() (all []string) {
			for _, rel := range s.Read.Relationship.Query().AllX(t.Context()) {
				all = append(all, s.Read.CI.GetX(t.Context(), rel.TargetID).Name)
			}
			slices.Sort(all)
			return all
		}
		if got := related(); !slices.Equal(got, []string{"b", "c"}) || dangling() != 1 {
			t.Fatalf("%v, %d", got, dangling())
		}
		p, _ := readAt(t, s, start, one(nil), full)
		if got := related(); !slices.Equal(got, []string{"b"}) || dangling() != 0 || p.Summary.Total(importer.Remove) != 2 {
			t.Errorf("one reports none, two reports b: %v, %d, %v", got, dangling(), p.Summary)
		}
		readAt(t, s, start, two(), full)
		if got := related(); len(got) != 0 {
			t.Errorf("nobody reports any: %v", got)
		}
		if _, err := cmdb.New(s).RelateCIs(admin(t), cmdb.RelateCIs{Type: "depends_on", Source: record(t, s, "one", "a"), Target: record(t, s, "one", "c")}); err != nil {
			t.Fatal(err)
		}
		readAt(t, s, start, one(both), full)
		readAt(t, s, start, one(nil), full)
		if got := related(); !slices.Equal(got, []string{"c"}) {
			t.Errorf("a person made the one to c: %v", got)
		}
		changesNothing(t, s, one(nil))
		changesNothing(t, s, two())
	})
}

func TestARecordThatWasRemovedByHandComesBack(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		from := cis(importer.CI{ExternalID: "a", Name: "a", Class: "server", Description: "of the source", Relationships: []importer.Relationship{{Type: "depends_on", Target: "b"}}},
			importer.CI{ExternalID: "b", Name: "b", Class: "server"})
		readAt(t, s, start, from, full)
		rel := s.Read.Relationship.Query().OnlyX(t.Context())
		if _, err := cmdb.New(s).UnrelateCIs(admin(t), cmdb.UnrelateCIs{ID: rel.ID}); err != nil {
			t.Fatal(err)
		}
		readAt(t, s, start, from, full)
		if n := s.Read.Relationship.Query().CountX(t.Context()); n != 1 {
			t.Errorf("%d relationships: the source still has one", n)
		}
	})
}

// world is what a naive reader of all runs knows.
type world struct {
	claims map[string]*reported // by source
	read   map[string]time.Time
	after  map[string]time.Duration
	worth  map[string]int
}

type reported struct {
	fields map[string]string
	since  int
	seen   time.Time
	lost   bool
}

func (w *world) value(field string, now time.Time) (value string, ok bool) {
	best := ""
	beats := func(a, b string) bool {
		x, y := w.claims[a], w.claims[b]
		if p, q := w.isFresh(a, now), w.isFresh(b, now); p != q {
			return p
		}
		if w.worth[a] != w.worth[b] {
			return w.worth[a] > w.worth[b]
		}
		if x.since != y.since {
			return x.since < y.since
		}
		return a < b
	}
	for _, name := range slices.Sorted(maps.Keys(w.claims)) {
		if _, ok := w.claims[name].fields[field]; ok && (best == "" || beats(name, best)) {
			best = name
		}
	}
	if best == "" {
		return "", false
	}
	return w.claims[best].fields[field], true
}

func (w *world) isFresh(name string, now time.Time) bool {
	c := w.claims[name]
	seen := c.seen
	if r := w.read[name]; r.After(seen) {
		seen = r
	}
	return !c.lost && (w.after[name] == 0 || now.Sub(seen) <= w.after[name])
}

func TestStoredValuesAreAFunctionOfTheClaimsAfterAnyRuns(t *testing.T) {
	worlds := 6
	if testing.Short() {
		worlds = 2
	}
	each(t, func(t *testing.T, s *store.Store) {
		for n := range worlds {
			runs(t, s, n, rand.New(rand.NewPCG(11, uint64(n))))
		}
	})
}

// runs reads three sources of one host in any order, and compares what is stored with what a naive reader expects.
func runs(t *testing.T, s *store.Store, n int, r *rand.Rand) {
	names := []string{fmt.Sprint("p", n), fmt.Sprint("q", n), fmt.Sprint("r", n)}
	w := &world{claims: map[string]*reported{}, read: map[string]time.Time{}, after: map[string]time.Duration{}, worth: map[string]int{}}
	for _, name := range names {
		w.worth[name], w.after[name] = 10*r.IntN(3), time.Duration(r.IntN(4))*time.Hour
		set(t, s, source.Set{Code: name, Priority: new(w.worth[name]), StaleAfter: new(w.after[name]), KeySpaces: []string{"host"}})
	}
	stored := map[string]string{}
	at, fields := start, []string{"description", "labels.x", "attributes.os", "criticality"}
	for step := range 25 {
		at = at.Add(time.Duration(r.IntN(90)) * time.Minute)
		name := names[r.IntN(len(names))]
		if c := w.claims[name]; c != nil && r.IntN(4) == 0 { // a reading that has lost it
			w.read[name] = at
			if _, result := readAt(t, s, at, named(name), importer.Options{Kind: domain.FullRun, RetireUpTo: 1}); result.Refused != "" {
				t.Fatal(result.Refused)
			}
			c.lost = true
			continue
		}
		says := map[string]string{}
		if c := w.claims[name]; c != nil && r.IntN(3) == 0 { // the same once more
			says = c.fields
		} else {
			for _, field := range fields {
				if r.IntN(3) > 0 {
					says[field] = []string{"LOW", "MEDIUM", "HIGH"}[r.IntN(3)]
				}
			}
		}
		c := w.claims[name]
		row := importer.CI{ExternalID: "of " + name, Name: fmt.Sprint("host ", n), Class: "server", Keys: []importer.Key{{Space: "host", Key: fmt.Sprint(n)}}}
		lay(&row, says)
		if text := fmt.Sprint(says); c == nil {
			w.claims[name] = &reported{says, step, at, false}
		} else {
			if c.lost || fmt.Sprint(c.fields) != text {
				c.seen = at
			}
			c.fields, c.lost = says, false
		}
		readAt(t, s, at, named(name, row), full)
		w.read[name] = at
		got := s.Read.CI.GetX(t.Context(), record(t, s, name, "of "+name))
		for _, field := range fields {
			if v, ok := w.value(field, at); ok {
				stored[field] = v
			}
		}
		is := map[string]string{"description": got.Description, "labels.x": got.Labels["x"], "criticality": string(got.Criticality)}
		is["attributes.os"], _ = got.Attributes["os"].(string)
		for _, field := range fields {
			if want, ok := stored[field]; ok && is[field] != want {
				t.Fatalf("world %d, step %d, %s of %s is %q, want %q; claims %v", n, step, field, name, is[field], want, w.claims)
			}
		}
		rev := revision(t, s)
		readAt(t, s, at, named(name, row), full)
		if after := revision(t, s); after != rev {
			t.Fatalf("world %d, step %d: reading %s again wrote", n, step, name)
		}
	}
}

func lay(c *importer.CI, says map[string]string) {
	for field, value := range says {
		switch {
		case field == "description":
			c.Description = value
		case field == "criticality":
			c.Criticality = value
		case strings.HasPrefix(field, "labels."):
			c.Labels = map[string]string{"x": value}
		default:
			c.Attributes = map[string]any{"os": value}
		}
	}
}

func TestASourceIsDescribedOnceAndChecked(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		p := source.New(s)
		if _, err := p.Set(auth.With(t.Context(), auth.Dev("eve", auth.CatalogEditor)), source.Set{Code: "x"}); err == nil {
			t.Error("a catalogue editor may say whom to believe")
		}
		first, err := p.Set(admin(t), source.Set{Code: "x", Priority: new(7)})
		if err != nil {
			t.Fatal(err)
		}
		before := revision(t, s)
		again, err := p.Set(admin(t), source.Set{Code: "x", Priority: new(7)})
		if err != nil || again.ID != first.ID || revision(t, s) != before {
			t.Errorf("%v, %v: the same wrote", again, err)
		}
		if diff := cmp.Diff([]int{7, 2, 24 * 60, 5}, []int{again.Priority, again.GraceRuns, again.GraceMinutes, again.GuardPercent}); diff != "" {
			t.Error(diff)
		}
		for _, wrong := range []source.Set{
			{Code: ""},
			{Code: "x", Priority: new(-1)},
			{Code: "x", GuardPercent: new(101)},
			{Code: "x", StaleAfter: new(time.Second)},
			{Code: "x", RetirePolicy: new(domain.RetirePolicy("DELETE"))},
			{Code: "x", FieldPriorities: []domain.FieldPriority{{}}},
			{Code: "x", ExpectedVersion: new(9)},
		} {
			if _, err := p.Set(admin(t), wrong); err == nil {
				t.Errorf("%+v was taken", wrong)
			}
		}
	})
}
