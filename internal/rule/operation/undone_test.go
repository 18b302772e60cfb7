package operation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	_ "github.com/linchpin-cmdb/linchpin/internal/propertytest" // the gate draws the same cases
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
	"github.com/linchpin-cmdb/linchpin/internal/topology/topologytest"
)

// needs lists what each CI in service needs.
func needs(t *rapid.T, s *topology.Snapshot) (all []string) {
	for n := 1; n <= 9; n++ {
		id := ident.New(ident.CI, int64(n))
		v, ok := s.Index(id)
		if !ok || !s.InService(v) {
			continue
		}
		found, err := impact.Dependencies(t.Context(), s, []ident.ID{id}, impact.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found.CIs {
			all = append(all, fmt.Sprint(id, " needs ", f.CI, " at ", f.Distance))
		}
	}
	return all
}

func TestAGraphWithItsOperationsUndoneHasTheNeedsOfBefore(t *testing.T) {
	took := 0
	rapid.Check(t, func(t *rapid.T) {
		facts := topologytest.Estate(t).Facts(1)
		g := topology.New()
		if err := g.Load(facts); err != nil {
			t.Fatal(err)
		}
		s, words := g.Snapshot(), operation.Words{Types: map[string]ident.ID{}}
		for _, one := range facts.Types {
			words.Types[one.ID.String()] = one.ID
		}
		if len(facts.CIs) == 0 || len(facts.Types) == 0 {
			return
		}
		stages := map[ident.ID]string{}
		for _, c := range facts.CIs {
			stages[c.ID] = string(domain.Live)
			if c.IsPlanned {
				stages[c.ID] = string(domain.Planned)
			} else if c.IsRetired {
				stages[c.ID] = string(domain.Retired)
			}
		}
		aCI := func(label string) ident.ID { return rapid.SampledFrom(facts.CIs).Draw(t, label).ID }
		var all []operation.Operation
		touched, ends := map[ident.ID]bool{}, map[ident.ID]bool{}
		for range rapid.IntRange(1, 5).Draw(t, "operations") {
			var o operation.Operation
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				from, to := aCI("source"), aCI("target")
				o = operation.Operation{Kind: domain.RelateCIs, Planned: operation.Fields{
					"type": rapid.SampledFrom(facts.Types).Draw(t, "type").ID.String(), "source": from.String(), "target": to.String(),
				}}
				ends[from], ends[to] = true, true
			case 1:
				known := slices.DeleteFunc(slices.Clone(facts.Relationships), func(r topology.Relationship) bool {
					_, ok := s.Relationship(r.ID)
					_, source := stages[r.Source]
					_, target := stages[r.Target]
					return !ok || touched[r.ID] || !slices.ContainsFunc(facts.Types, func(one topology.Type) bool { return one.ID == r.Type }) || !source || !target
				})
				if len(known) == 0 {
					continue
				}
				r := rapid.SampledFrom(known).Draw(t, "relationship")
				o = operation.Operation{Kind: domain.UnrelateCIs, Record: r.ID, Base: operation.Fields{
					"type": r.Type.String(), "source": r.Source.String(), "target": r.Target.String(), "strength": nil,
				}}
				if r.Strength != 0 {
					o.Base["strength"] = r.Strength.String()
				}
				ends[r.Source], ends[r.Target] = true, true
			case 2:
				ci := aCI("ci")
				if touched[ci] {
					continue
				}
				to := rapid.SampledFrom([]domain.Lifecycle{domain.Retired, domain.Live, domain.Planned}).Draw(t, "stage")
				o = operation.Operation{Kind: domain.UpdateCI, Record: ci, Planned: operation.Fields{"lifecycle": string(to)}, Base: operation.Fields{"lifecycle": stages[ci]}}
				if to == domain.Retired {
					o.Kind = domain.RetireCI
				}
				ends[ci] = true
			}
			touched[o.Record] = true
			all = append(all, o)
		}
		after, err := operation.On(s, all, words)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range after.Planned {
			if id != 0 {
				all[i].Record = id
			}
		}
		for _, ci := range operation.Wrote(after.Snapshot, all) {
			if !ends[ci] {
				t.Fatalf("%s was not written by %v", ci, all)
			}
			delete(ends, ci)
		}
		if len(ends) > 0 {
			t.Fatalf("%v were written, too, by %v", ends, all)
		}
		before, now := needs(t, s), needs(t, after.Snapshot)
		inverse := operation.Undone(all)
		if len(inverse) == 0 {
			for _, need := range before {
				if !slices.ContainsFunc(now, func(n string) bool { return way(n) == way(need) }) {
					t.Fatalf("%s is gone, and nothing is to be undone: %v", need, all)
				}
			}
			return
		}
		took++
		back, err := operation.On(after.Snapshot, inverse, words)
		if err != nil {
			t.Fatal(err)
		}
		if got := needs(t, back.Snapshot); !slices.Equal(got, before) {
			t.Fatalf("after %v and %v:\n%v\nwant\n%v", all, inverse, got, before)
		}
	})
	if took == 0 {
		t.Error("nothing was ever taken away")
	}
}

// way returns a need without its distance.
func way(need string) string { return need[:strings.LastIndex(need, " at ")] }
