package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/linchpin-cmdb/linchpin/internal/rule/reconcile"
)

func worth(of map[string]int) reconcile.Priorities {
	return func(source, field string) int {
		if n, ok := of[source+"."+field]; ok {
			return n
		}
		return of[source]
	}
}

func TestTheWeightiestFreshClaimStands(t *testing.T) {
	a := reconcile.Claim{Source: "a", Key: "1", Since: 1, Fields: map[string]any{"name": "from a", "os": "Debian", "rack": nil}}
	b := reconcile.Claim{Source: "b", Key: "1", Since: 2, Fields: map[string]any{"name": "from b", "rack": "R1"}}
	stale := func(c reconcile.Claim) reconcile.Claim { c.IsStale = true; return c }
	for _, c := range []struct {
		says   string
		claims []reconcile.Claim
		worth  map[string]int
		want   map[string]any
	}{
		{"priority wins", []reconcile.Claim{a, b}, map[string]int{"a": 10, "b": 20}, map[string]any{"name": "from b", "os": "Debian", "rack": "R1"}},
		{"of equals the older", []reconcile.Claim{b, a}, nil, map[string]any{"name": "from a", "os": "Debian", "rack": nil}},
		{"nothing wins like a value", []reconcile.Claim{a, b}, map[string]int{"a": 30, "b": 20}, map[string]any{"name": "from a", "os": "Debian", "rack": nil}},
		{"a fresh one beats a stale one", []reconcile.Claim{a, stale(b)}, map[string]int{"b": 20}, map[string]any{"name": "from a", "os": "Debian", "rack": nil}},
		{"of stale ones the weightiest stands", []reconcile.Claim{stale(a), stale(b)}, map[string]int{"b": 20}, map[string]any{"name": "from b", "os": "Debian", "rack": "R1"}},
		{"a field may have its own priority", []reconcile.Claim{a, b}, map[string]int{"b": 20, "a.name": 30}, map[string]any{"name": "from a", "os": "Debian", "rack": "R1"}},
	} {
		got := map[string]any{}
		for field, v := range reconcile.Effective(c.claims, worth(c.worth)) {
			got[field] = v.Value
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.says, diff)
		}
	}
}

func TestWhoDisagreesIsTold(t *testing.T) {
	claims := []reconcile.Claim{
		{Source: "a", Since: 1, Fields: map[string]any{"name": "x"}},
		{Source: "b", Since: 2, Fields: map[string]any{"name": "x"}},
		{Source: "c", Since: 3, Fields: map[string]any{"name": "y"}},
	}
	v := reconcile.Effective(claims, worth(nil))["name"]
	if v.Of.Source != "a" || len(v.Against) != 1 || v.Against[0].Source != "c" {
		t.Errorf("%+v", v)
	}
}

// draw returns up to six claims of four sources on four fields.
func draw(r *rand.Rand) (claims []reconcile.Claim, of map[string]int) {
	of = map[string]int{}
	for _, source := range []string{"a", "b", "c", "d"} {
		of[source] = r.IntN(3)
		if r.IntN(4) == 0 {
			of[source+".f1"] = r.IntN(3)
		}
	}
	for i := range r.IntN(6) {
		c := reconcile.Claim{Source: string(rune('a' + r.IntN(4))), Key: fmt.Sprint(i), Since: int64(r.IntN(3)), IsStale: r.IntN(3) == 0, Fields: map[string]any{}}
		for f := range 4 {
			switch r.IntN(4) {
			case 0:
				c.Fields[fmt.Sprint("f", f)] = nil
			case 1, 2:
				c.Fields[fmt.Sprint("f", f)] = r.IntN(3)
			}
		}
		claims = append(claims, c)
	}
	return claims, of
}

// naive looks for the claim that no other one beats.
func naive(claims []reconcile.Claim, field string, worth reconcile.Priorities) (value any, ok bool) {
	beats := func(a, b reconcile.Claim) bool {
		if a.IsStale != b.IsStale {
			return b.IsStale
		}
		if x, y := worth(a.Source, field), worth(b.Source, field); x != y {
			return x > y
		}
		if a.Since != b.Since {
			return a.Since < b.Since
		}
		return a.Source+"\x00"+a.Key < b.Source+"\x00"+b.Key
	}
	for _, c := range claims {
		if _, ok := c.Fields[field]; !ok {
			continue
		}
		if !slices.ContainsFunc(claims, func(other reconcile.Claim) bool {
			_, ok := other.Fields[field]
			return ok && beats(other, c)
		}) {
			return c.Fields[field], true
		}
	}
	return nil, false
}

func TestValuesAreAFunctionOfTheClaimsWhateverTheirOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		claims, of := draw(r)
		first := reconcile.Effective(claims, worth(of))
		shuffled := slices.Clone(claims)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again := reconcile.Effective(shuffled, worth(of))
		for f := range 4 {
			field := fmt.Sprint("f", f)
			want, reported := naive(claims, field, worth(of))
			for _, got := range []map[string]reconcile.Value{first, again} {
				if v, ok := got[field]; ok != reported || !reflect.DeepEqual(v.Value, want) {
					t.Fatalf("%s of %+v with %v is %v, %v; want %v, %v", field, claims, of, v.Value, ok, want, reported)
				}
			}
		}
	}
}

func TestAGuardLetsFewGo(t *testing.T) {
	g := reconcile.Guard{Percent: 5, Least: 10}
	for _, c := range []struct {
		live, gone, approved int
		passes               bool
	}{
		{0, 0, 0, true},
		{1000, 0, 0, true},
		{1000, 50, 0, true},
		{1000, 51, 0, false},
		{1000, 60, 60, true},
		{1000, 61, 60, false},
		{20, 10, 0, true},
		{20, 11, 0, false},
		{5, 4, 0, true},
		{5, 5, 0, false},
		{5, 5, 5, true},
	} {
		if got := g.Check(c.live, c.gone, c.approved); (got == "") != c.passes {
			t.Errorf("%d of %d gone, %d approved: %q", c.gone, c.live, c.approved, got)
		}
	}
}
