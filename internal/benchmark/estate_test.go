package benchmark_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store/storetest"
	"github.com/linchpin-cmdb/linchpin/internal/synthetic"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// estate returns a synthetic estate as facts of the graph, without a database.
func estate(t testing.TB, n int, seed uint64) topology.Batch {
	t.Helper()
	e, err := synthetic.New(n, seed)
	if err != nil {
		t.Fatal(err)
	}
	words := newVocabulary(t)
	b := topology.Batch{Types: words.types}
	for i, c := range e.CIs {
		environment, _ := topology.ParseEnvironment(string(c.Environment))
		f := topology.CI{ID: ident.New(ident.CI, int64(i+1)), Class: words.class[c.Class], Environment: environment, IsService: c.ServiceKind() != ""}
		if c.Tier > 0 {
			f.Tier = words.tier[fmt.Sprintf("tier-%d", c.Tier)]
		}
		b.CIs = append(b.CIs, f)
	}
	for i, r := range e.Relationships {
		f := topology.Relationship{ID: ident.New(ident.Relationship, int64(i+1)), Type: words.kind[r.Type], Source: b.CIs[r.Source].ID, Target: b.CIs[r.Target].ID}
		if r.IsSoft {
			f.Strength = topology.Soft
		}
		b.Relationships = append(b.Relationships, f)
	}
	for i, g := range e.Groups {
		mode, _ := topology.ParseMode(string(g.Mode))
		f := topology.Group{ID: ident.New(ident.DependencyGroup, int64(i+1)), Dependent: b.CIs[g.CI].ID, Mode: mode, Threshold: g.Threshold}
		for _, m := range g.Members {
			f.Members = append(f.Members, topology.Member{Relationship: b.Relationships[m].ID})
		}
		b.Groups = append(b.Groups, f)
	}
	return b
}

// vocabulary holds the ids of a new database for classes, types and tiers.
type vocabulary struct {
	types             []topology.Type
	kind, class, tier map[string]ident.ID
}

func newVocabulary(t testing.TB) vocabulary {
	t.Helper()
	ctx, s := t.Context(), storetest.SQLite(t)
	if err := cmdb.Seed(ctx, s); err != nil {
		t.Fatal(err)
	}
	v := vocabulary{kind: map[string]ident.ID{}, class: map[string]ident.ID{}, tier: map[string]ident.ID{}}
	for _, r := range s.Read.RelationshipType.Query().AllX(ctx) {
		flow, _ := topology.ParseFlow(string(r.ImpactDirection))
		f := topology.Type{ID: r.ID, Flow: flow, Strength: topology.Hard}
		if r.Strength == domain.Soft {
			f.Strength = topology.Soft
		}
		v.types, v.kind[r.Code] = append(v.types, f), r.ID
	}
	for _, r := range s.Read.CIClass.Query().AllX(ctx) {
		v.class[r.Code] = r.ID
	}
	for _, r := range s.Read.ServiceTier.Query().AllX(ctx) {
		v.tier[r.Code] = r.ID
	}
	return v
}

// load returns a graph of facts, laid out as a server lays it out.
func load(t testing.TB, facts topology.Batch) *topology.Graph {
	t.Helper()
	g := topology.New()
	if err := g.Load(facts); err != nil {
		t.Fatal(err)
	}
	g.Compact()
	return g
}

// drawRoots returns random CIs and those with the most arcs.
func drawRoots(s *topology.Snapshot, random, hubs int) []topology.Vertex {
	r := rand.New(rand.NewPCG(11, 12))
	roots := make([]topology.Vertex, 0, random+hubs)
	for len(roots) < random {
		if v, ok := s.Index(ident.New(ident.CI, 1+r.Int64N(int64(s.Vertices()-1)))); ok {
			roots = append(roots, v)
		}
	}
	return append(roots, widest(s, hubs)...)
}

func widest(s *topology.Snapshot, most int) []topology.Vertex {
	var hubs []topology.Vertex
	for v := range topology.Vertex(s.Vertices()) {
		at := len(hubs)
		for at > 0 && len(s.Out(hubs[at-1])) < len(s.Out(v)) {
			at--
		}
		if at < most {
			hubs = append(hubs[:at], append([]topology.Vertex{v}, hubs[at:]...)...)
			hubs = hubs[:min(len(hubs), most)]
		}
	}
	return hubs
}
