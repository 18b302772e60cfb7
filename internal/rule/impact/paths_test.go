package impact_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// everyPath lists all ways that visit no CI twice, in the promised order.
func everyPath(m *topologytest.Model, from, to ident.ID) (paths [][]ident.ID) {
	next := map[ident.ID][]ident.ID{}
	for _, a := range m.Arcs() {
		if !slices.Contains(next[a.From], a.To) {
			next[a.From] = append(next[a.From], a.To)
		}
	}
	var walk func(path []ident.ID)
	walk = func(path []ident.ID) {
		last := path[len(path)-1]
		if last == to {
			paths = append(paths, slices.Clone(path))
			return
		}
		for _, v := range next[last] {
			if !slices.Contains(path, v) {
				walk(append(path, v))
			}
		}
	}
	if from != to {
		walk([]ident.ID{from})
	}
	slices.SortFunc(paths, func(a, b []ident.ID) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b))
	})
	return paths
}

func TestPathsAreTheFirstOfAllInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := topologytest.Estate(t)
		s, ends := load(t, m, 1), drawCIs(t, m)
		from, to := ends[0], ends[len(ends)-1]
		limits := impact.PathLimits{MaxPaths: rapid.IntRange(0, 40).Draw(t, "k"), MaxHops: rapid.IntRange(0, 5).Draw(t, "hops")}
		got, err := impact.Paths(tctx, s, from, to, limits)
		if err != nil {
			t.Fatal(err)
		}
		want := everyPath(m, from, to)
		if limits.MaxHops > 0 {
			want = slices.DeleteFunc(want, func(p []ident.ID) bool { return len(p)-1 > limits.MaxHops })
		}
		if limits.MaxPaths == 0 {
			limits.MaxPaths = 3
		}
		want = want[:min(len(want), limits.MaxPaths)]
		if len(got.Paths) != len(want) || got.Completeness.IsPartial {
			t.Fatalf("from %v to %v: got %v, want %v", from, to, got, want)
		}
		for i, path := range got.Paths {
			at := []ident.ID{from}
			for _, step := range path {
				lowest := ident.ID(0)
				for _, a := range m.Arcs() {
					if a.From == step.From && a.To == step.To && (lowest == 0 || a.Relationship < lowest) {
						lowest = a.Relationship
					}
				}
				if step.From != at[len(at)-1] || step.Relationship != lowest {
					t.Fatalf("%+v is no hop of %v by %v", step, path, lowest)
				}
				at = append(at, step.To)
			}
			if !slices.Equal(at, want[i]) {
				t.Fatalf("path %d is %v, want %v", i, at, want[i])
			}
		}
	})
}

func TestPathsRefuseAndStop(t *testing.T) {
	k, s := draw(t, "svc needs app, app needs db")
	if _, err := impact.Paths(t.Context(), s, k.names["db"], ident.New(ident.CI, 77), impact.PathLimits{}); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
	if _, err := impact.Paths(t.Context(), s, ident.New(ident.CI, 77), k.names["db"], impact.PathLimits{}); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if got, err := impact.Paths(late, s, k.names["db"], k.names["svc"], impact.PathLimits{}); err != nil || got.Completeness.Reason != impact.Time {
		t.Errorf("got %+v, %v", got, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := impact.Paths(gone, s, k.names["db"], k.names["svc"], impact.PathLimits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAMazeIsAPartNotAWreck(t *testing.T) {
	// Everything in the maze needs everything else, and only c1 is fed.
	sentences := "end needs c1"
	for _, x := range []string{"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "ca", "cb", "cc"} {
		for _, y := range []string{"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "ca", "cb", "cc"} {
			sentences += "," + x + " needs " + y
		}
	}
	k, s := draw(t, sentences)
	got, err := impact.Paths(t.Context(), s, k.names["c2"], k.names["end"], impact.PathLimits{MaxPaths: 1 << 20})
	if err != nil || !got.Completeness.IsPartial || got.Completeness.Reason != impact.MaxCIs || len(got.Paths) < 100 {
		t.Errorf("got %d paths, %+v, %v", len(got.Paths), got.Completeness, err)
	}
}
