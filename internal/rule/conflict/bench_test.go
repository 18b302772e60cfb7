package conflict_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/conflict"
	"github.com/linchpin-cmdb/linchpin/internal/rule/operation"
	"github.com/linchpin-cmdb/linchpin/internal/rule/recurrence"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// planned returns changes of one to five CIs of an estate, half of which are taken down. Each lasts two hours within
// some days.
func planned(r *rand.Rand, cis, n int, within time.Duration) []conflict.Change {
	changes := make([]conflict.Change, n)
	for i := range changes {
		from := midnight.Add(time.Duration(r.Int64N(int64(within))))
		changes[i] = conflict.Change{
			ID: ident.New(ident.Change, int64(i+1)), Planned: recurrence.Span{From: from, To: from.Add(2 * time.Hour)},
			Assignee: ident.New(ident.Person, 1+r.Int64N(500)),
		}
		for range 1 + r.IntN(5) {
			changes[i].Scope = append(changes[i].Scope, conflict.CI{ID: ident.New(ident.CI, 1+r.Int64N(int64(cis))), IsTakenDown: r.IntN(2) == 0})
		}
	}
	return changes
}

// flows are the relationship types of a new database that do not harm the source when the target fails.
var flows = map[string]topology.Type{
	"member_of": {Flow: topology.SourceToTarget}, "provides_api": {Flow: topology.SourceToTarget},
	"sends_data_to": {Flow: topology.SourceToTarget, Strength: topology.Soft}, "connects_to": {Flow: topology.Both, Strength: topology.Soft},
	"part_of": {Flow: topology.NoFlow}, "replicates_to": {Flow: topology.NoFlow}, "backed_up_by": {Flow: topology.NoFlow}, "managed_by": {Flow: topology.NoFlow},
}

// synthesized returns an invented estate as facts.
func synthesized(b *testing.B, n int) (facts topology.Batch) {
	b.Helper()
	e, err := synthetic.New(n, 1)
	if err != nil {
		b.Fatal(err)
	}
	facts.Revision = 1
	types := map[string]ident.ID{}
	for i := range e.CIs {
		facts.CIs = append(facts.CIs, topology.CI{ID: ident.New(ident.CI, int64(i+1)), Class: ident.New(ident.CIClass, 1), IsService: e.CIs[i].ServiceKind() != ""})
	}
	for i, r := range e.Relationships {
		if types[r.Type] == 0 {
			t, ok := flows[r.Type]
			if !ok {
				t.Flow = topology.TargetToSource
			}
			t.ID = ident.New(ident.RelationshipType, int64(len(types)+1))
			types[r.Type] = t.ID
			facts.Types = append(facts.Types, t)
		}
		f := topology.Relationship{
			ID: ident.New(ident.Relationship, int64(i+1)), Type: types[r.Type],
			Source: ident.New(ident.CI, int64(r.Source+1)), Target: ident.New(ident.CI, int64(r.Target+1)),
		}
		if r.IsSoft {
			f.Strength = topology.Soft
		}
		facts.Relationships = append(facts.Relationships, f)
	}
	for i, group := range e.Groups {
		mode, _ := topology.ParseMode(string(group.Mode))
		f := topology.Group{ID: ident.New(ident.DependencyGroup, int64(i+1)), Dependent: ident.New(ident.CI, int64(group.CI+1)), Mode: mode, Threshold: group.Threshold}
		for _, m := range group.Members {
			f.Members = append(f.Members, topology.Member{Relationship: ident.New(ident.Relationship, int64(m+1))})
		}
		facts.Groups = append(facts.Groups, f)
	}
	return facts
}

// spent returns the processor time that this process has used so far, without that of others on the machine.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkOneEdit measures finding the conflicts of one change anew, among others on an estate of 100,000 CIs: with no
// reach of the others known, spread over 90 days, and all of them in one night.
func BenchmarkOneEdit(b *testing.B) {
	const cis = 100_000
	g := topology.New()
	if err := g.Load(synthesized(b, cis)); err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1_000, 3_000, 10_000} {
		for name, within := range map[string]time.Duration{"90 days": 90 * 24 * time.Hour, "one night": time.Hour} {
			b.Run(fmt.Sprintf("%d changes in %s", n, name), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				changes := planned(r, cis, n, within)
				found, joint, slowest := 0, 0, time.Duration(0)
				begun := spent(b)
				for b.Loop() {
					began := spent(b)
					conflicts, err := conflict.NewFinder(g.Snapshot(), operation.Words{}).WithChanges(b.Context(), &changes[r.IntN(n)], changes)
					if err != nil {
						b.Fatal(err)
					}
					slowest = max(slowest, spent(b)-began)
					found += len(conflicts)
					for _, c := range conflicts {
						if c.Kind == domain.JointFailure {
							joint++
						}
					}
				}
				b.ReportMetric(float64((spent(b)-begun).Microseconds())/1000/float64(b.N), "cpu-ms/op")
				b.ReportMetric(float64(found)/float64(b.N), "conflicts")
				b.ReportMetric(float64(joint)/float64(b.N), "joint")
				b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-cpu-ms")
			})
		}
	}
}
