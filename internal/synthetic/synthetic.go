// Package synthetic invents estates that nobody runs, and what happens to them in a year: the shape of a large
// company's, of any size, the same for the same seed. Benchmarks and tests take the facts from memory; package fill
// writes them into a database. It knows names and numbers, and refuses to know where they are kept.
//
// Layers go from business services over application services, components and databases to pods and virtual machines,
// hosts, clusters, racks, network, storage and power. Fan-in is heavy-tailed: most components have a few dependents, a
// few have thousands, and the hubs (identity, DNS, core switches, storage arrays) a share of the whole estate.
// Redundancy stands in dependency groups: replicas of databases, pods of workloads, hosts of clusters, power feeds and
// uplinks. Components call each other in cycles.
package synthetic

import (
	"fmt"
	"math/rand/v2"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// The sizes that New makes.
const (
	LeastCIs = 200
	MostCIs  = 10_000_000
)

// Estate is a whole estate. CIs, relationships and teams are named by their places.
type Estate struct {
	Teams         []Team
	CIs           []CI
	Relationships []Relationship
	Groups        []Group
}

// Team owns CIs.
type Team struct{ Name, Description string }

// CI is one configuration item. Classes, relationship types and tiers are those of a new database, by code.
type CI struct {
	Class       string
	Name        string
	Environment domain.Environment
	Criticality domain.Criticality
	Team        int32  // the owner; -1: none
	Tier        int8   // of a service, from 1; 0: none
	Site        string // the place where it stands; "" for a CI without one
}

// Relationship is one link between CIs.
type Relationship struct {
	Type           string
	Source, Target int32
	IsSoft         bool // else as its type says
}

// Group combines some relationships of a CI.
type Group struct {
	CI        int32
	Name      string
	Mode      domain.GroupMode
	Threshold int
	Members   []int32 // relationships
}

// New returns an estate of n CIs, in O(n).
func New(n int, seed uint64) (*Estate, error) {
	if n < LeastCIs || n > MostCIs {
		return nil, errs.New(errs.Invalid, "an estate of %d CIs cannot be made: %d to %d can", n, LeastCIs, MostCIs)
	}
	m := &maker{Estate: &Estate{}, random: rand.New(rand.NewPCG(seed, 0x4c696e636870696e))}
	m.CIs = make([]CI, 0, n)
	m.Relationships = make([]Relationship, 0, 6*n)
	m.layOut(n)
	if len(m.CIs) != n {
		return nil, fmt.Errorf("%d CIs were made of %d", len(m.CIs), n)
	}
	m.connect()
	return m.Estate, nil
}

// maker is one run of New.
type maker struct {
	*Estate
	random *rand.Rand
	layers
	mine []Relationship // of the CI that is being connected, so that none is added twice
}

// relate adds a relationship and returns its place. If it exists already, relate returns -1.
func (m *maker) relate(kind string, source, target int32, isSoft bool) int32 {
	r := Relationship{kind, source, target, isSoft}
	for _, other := range m.mine {
		if other.Type == kind && other.Target == target && other.Source == source {
			return -1
		}
	}
	if source == target {
		return -1
	}
	m.mine = append(m.mine, r)
	m.Relationships = append(m.Relationships, r)
	return int32(len(m.Relationships) - 1)
}

// next begins the relationships of another CI.
func (m *maker) next() { m.mine = m.mine[:0] }

func (m *maker) need(kind string, source, target int32) { m.relate(kind, source, target, false) }

func (m *maker) like(kind string, source, target int32) { m.relate(kind, source, target, true) }

// needAny makes a CI need any one of some targets.
func (m *maker) needAny(name, kind string, ci int32, targets ...int32) {
	var members []int32
	for _, t := range targets {
		if r := m.relate(kind, ci, t, false); r >= 0 {
			members = append(members, r)
		}
	}
	if len(members) > 1 {
		m.Groups = append(m.Groups, Group{ci, name, domain.Any, 0, members})
	}
}

// chance returns true in a share of all calls.
func (m *maker) chance(share float64) bool { return m.random.Float64() < share }

// oneOf draws one of all evenly.
func (m *maker) oneOf(all []int32) int32 { return all[m.random.IntN(len(all))] }
