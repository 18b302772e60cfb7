package synthetic_test

import (
	"reflect"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
)

func estate(t testing.TB, n int, seed uint64) *synthetic.Estate {
	t.Helper()
	e, err := synthetic.New(n, seed)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestASeedMakesOneEstate(t *testing.T) {
	a, b, c := estate(t, 2_000, 7), estate(t, 2_000, 7), estate(t, 2_000, 8)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed made two estates")
	}
	if reflect.DeepEqual(a.Relationships, c.Relationships) {
		t.Error("two seeds made one estate")
	}
}

func TestAnEstateHasTheShapeThatIsPromised(t *testing.T) {
	for _, n := range []int{200, 500, 1_000, 10_000, 100_000} {
		e := estate(t, n, 1)
		if len(e.CIs) != n {
			t.Errorf("%d CIs of %d", len(e.CIs), n)
		}
		names, edges, fanIn, classes := map[string]bool{}, map[synthetic.Relationship]bool{}, map[int32]int{}, map[string]int{}
		for i, c := range e.CIs {
			if names[c.Name] {
				t.Fatalf("of %d CIs two are called %q", n, c.Name)
			}
			if names[c.Name] = true; c.Name == "" || int(c.Team) >= len(e.Teams) {
				t.Fatalf("CI %d is %+v", i, c)
			}
			classes[c.Class]++
		}
		for _, r := range e.Relationships {
			key := synthetic.Relationship{Type: r.Type, Source: r.Source, Target: r.Target}
			if edges[key] || r.Source == r.Target {
				t.Fatalf("%+v is there twice, or a loop", r)
			}
			edges[key] = true
			fanIn[r.Target]++
		}
		if perCI := float64(len(e.Relationships)) / float64(n); n >= 1_000 && (perCI < 4.5 || perCI > 5.5) {
			t.Errorf("%d CIs have %.2f relationships each: about 5 were promised", n, perCI)
		}
		hubs := map[string]int{}
		for at, count := range fanIn {
			hubs[e.CIs[at].Class] = max(hubs[e.CIs[at].Class], count)
		}
		t.Logf("%d CIs: %v; %d relationships, %d groups; widest fan-in %v", n, classes, len(e.Relationships), len(e.Groups), hubs)
		for _, class := range []string{"technical_service", "switch", "storage"} {
			if n >= 10_000 && hubs[class] < n/100 {
				t.Errorf("of %d CIs no %s has a hundredth as dependants: %d at most", n, class, hubs[class])
			}
		}
		for _, g := range e.Groups {
			for _, member := range g.Members {
				r := e.Relationships[member]
				if dependent := map[bool]int32{true: r.Target, false: r.Source}[r.Type == "member_of"]; dependent != g.CI || r.IsSoft {
					t.Fatalf("group %q of %d counts %+v", g.Name, g.CI, r)
				}
			}
		}
	}
}
