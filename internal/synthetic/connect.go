package synthetic

import (
	"math/rand/v2"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// connect makes the relationships, layer by layer.
func (m *maker) connect() {
	m.connectServices()
	m.connectSoftware()
	m.connectDatabases()
	m.connectWorkloads()
	m.connectPods()
	m.connectMachines()
	m.connectClusters()
	m.connectHosts()
	m.connectSites()
}

func (m *maker) connectServices() {
	tail := rand.NewZipf(m.random, 1.3, 6, uint64(len(m.services)-1))
	for i, b := range m.business {
		m.next()
		for range 3 + m.random.IntN(6) {
			target := m.services[tail.Uint64()]
			m.relate("depends_on", b, target, m.chance(0.3))
		}
		if i > 0 && m.chance(0.3) {
			m.like("depends_on", b, m.business[m.random.IntN(i)])
		}
	}
	for i, s := range m.services {
		m.next()
		if m.chance(0.2) {
			m.like("depends_on", s, m.services[tail.Uint64()])
		}
		m.like("depends_on", s, m.dns)
		if m.chance(0.4) {
			m.needAny("entry", "depends_on", s, m.oneOf(m.balancers), m.oneOf(m.balancers))
		}
		for a := i; a < len(m.applications); a += len(m.services) {
			m.relate("depends_on", s, m.applications[a], m.chance(0.25))
		}
	}
	for _, h := range m.hubs {
		m.next()
		var copies []int32
		for range 3 {
			copies = append(copies, m.oneOf(m.machines))
		}
		m.needAny("instances", "runs_on", h, copies...)
	}
}

func (m *maker) connectSoftware() {
	tails := map[domain.Environment]*rand.Zipf{}
	for _, e := range environments {
		if all := m.applicationsIn[e.name]; len(all) > 0 {
			tails[e.name] = rand.NewZipf(m.random, 1.25, 8, uint64(len(all)-1))
		}
	}
	for i, a := range m.applications {
		m.next()
		environment := m.CIs[a].Environment
		if m.chance(0.6) {
			m.need("depends_on", a, m.identity)
		} else {
			m.like("depends_on", a, m.identity)
		}
		m.like("depends_on", a, m.secrets)
		m.like("sends_data_to", a, m.metrics)
		others := m.applicationsIn[environment]
		for range m.random.IntN(5) { // a soft call may go anywhere, so there are cycles
			m.like("depends_on", a, others[tails[environment].Uint64()])
		}
		for range m.random.IntN(2) { // a hard call goes to older components, but one in thirty does not and makes a cycle
			target := others[tails[environment].Uint64()]
			m.relate("depends_on", a, target, target > a && !m.chance(1.0/30))
		}
		if databases := m.databasesIn[environment]; len(databases) > 0 && m.chance(0.8) {
			m.need("depends_on", a, databases[m.random.IntN(len(databases))])
		}
		if m.chance(0.5) {
			m.relate("consumes_api", a, m.oneOf(m.apis), false)
		}
		var workloads []int32
		for w := i; w < len(m.workloads); w += len(m.applications) {
			workloads = append(workloads, m.workloads[w])
		}
		if len(workloads) == 0 || m.chance(0.1) {
			workloads = append(workloads, m.oneOf(m.machines))
		}
		m.needAny("instances", "runs_on", a, workloads...)
	}
	for i, a := range m.apis {
		m.next()
		m.need("provides_api", m.applications[i%len(m.applications)], a)
	}
}

func (m *maker) connectDatabases() {
	nodes := make([][]int32, len(m.databases))
	for i, r := range m.replicas {
		nodes[m.databaseOf[i]] = append(nodes[m.databaseOf[i]], r)
		m.next()
		m.need("runs_on", r, m.oneOf(m.machines))
		m.need("hosted_on", r, m.oneOf(m.volumes))
		m.need("replicates_to", m.databases[m.databaseOf[i]], r)
	}
	for i, d := range m.databases {
		m.next()
		m.needAny("replicas", "depends_on", d, nodes[i]...)
		m.need("backed_up_by", d, m.oneOf(m.arrays))
	}
}

// among returns the CIs of an environment. If there are none in it, it returns all.
func among(in map[domain.Environment][]int32, environment domain.Environment, all []int32) []int32 {
	if some := in[environment]; len(some) > 0 {
		return some
	}
	return all
}

// connectWorkloads puts each workload on a platform; a workload needs half of its pods.
func (m *maker) connectWorkloads() {
	for i, w := range m.workloads {
		m.next()
		platforms := among(m.platformsIn, m.CIs[w].Environment, m.platforms)
		m.need("hosted_on", w, platforms[i%len(platforms)])
		m.like("depends_on", w, m.registry)
		var members []int32
		for p := i; p < len(m.pods); p += len(m.workloads) {
			if r := m.relate("member_of", m.pods[p], w, false); r >= 0 {
				members = append(members, r)
			}
		}
		switch {
		case len(members) > 2:
			m.Groups = append(m.Groups, Group{w, "pods", domain.Percent, 50, members})
		case len(members) > 1:
			m.Groups = append(m.Groups, Group{w, "pods", domain.Any, 0, members})
		}
	}
}

func (m *maker) connectPods() {
	spaces := map[int32]int32{}
	for i, p := range m.platforms {
		spaces[p] = m.spaces[i]
	}
	for i, pod := range m.pods {
		m.next()
		of := int(m.workloadOf[i])
		platforms := among(m.platformsIn, m.CIs[pod].Environment, m.platforms)
		platform := platforms[of%len(platforms)]
		m.need("runs_on", pod, m.oneOf(m.nodesOf[platform]))
		m.need("part_of", pod, spaces[platform])
		m.like("depends_on", pod, m.dns)
		if m.chance(0.5) {
			m.need("hosted_on", pod, m.oneOf(m.volumes))
		}
		if m.chance(0.9) {
			m.need("managed_by", pod, m.registry)
		}
	}
}

func (m *maker) connectMachines() {
	for i, v := range m.machines {
		m.next()
		m.need("virtualized_by", v, m.clusters[i%len(m.clusters)])
		m.need("hosted_on", v, m.volumes[i%len(m.volumes)])
		m.like("depends_on", v, m.dns)
		m.need("backed_up_by", v, m.oneOf(m.arrays))
		m.need("managed_by", v, m.identity)
		if m.chance(0.25) {
			s := m.sites[i%len(m.sites)]
			m.needAny("gateways", "depends_on", v, s.cores...)
		}
	}
	for i, v := range m.volumes {
		m.next()
		m.need("hosted_on", v, m.arrays[i%len(m.arrays)])
		if m.chance(0.3) {
			m.need("replicates_to", v, m.oneOf(m.volumes))
		}
	}
}

// connectClusters makes each cluster need most of its hosts: it survives the loss of an eighth.
func (m *maker) connectClusters() {
	members := make([][]int32, len(m.clusters)+len(m.platforms))
	for i, h := range m.hosts {
		m.next()
		at := int(m.clusterOf[i])
		cluster := int32(0)
		if at < len(m.clusters) {
			cluster = m.clusters[at]
		} else {
			cluster = m.platforms[at-len(m.clusters)]
		}
		if r := m.relate("member_of", h, cluster, false); r >= 0 {
			members[at] = append(members[at], r)
		}
	}
	for at, all := range members {
		if len(all) < 2 {
			continue
		}
		cluster := int32(0)
		if at < len(m.clusters) {
			cluster = m.clusters[at]
		} else {
			cluster = m.platforms[at-len(m.clusters)]
		}
		m.Groups = append(m.Groups, Group{cluster, "hosts", domain.AtLeast, len(all) - max(1, len(all)/8), all})
	}
	for i, s := range m.spaces {
		m.next()
		m.need("hosted_on", s, m.platforms[i])
	}
}

// connectHosts puts hosts into racks, on both feeds and both switches.
func (m *maker) connectHosts() {
	for i, h := range m.hosts {
		m.next()
		rack := i % len(m.racks)
		m.need("contained_in", h, m.racks[rack])
		m.needAny("power", "powered_by", h, m.feeds[2*rack], m.feeds[2*rack+1])
		m.needAny("uplinks", "depends_on", h, m.edges[2*rack], m.edges[2*rack+1])
		m.need("managed_by", h, m.identity)
	}
}

func (m *maker) connectSites() {
	for _, s := range m.sites {
		for i, room := range s.rooms {
			m.next()
			m.need("contained_in", room, s.at)
			for _, supply := range s.supplies[2*i : 2*i+2] {
				m.need("contained_in", supply, room)
			}
			m.need("contained_in", s.cores[i], room)
			m.needAny("power", "powered_by", s.cores[i], s.supplies[2*i], s.supplies[2*i+1])
		}
	}
	for i, rack := range m.racks {
		m.next()
		s := m.sites[i%len(m.sites)]
		room := i / len(m.sites) % len(s.rooms)
		m.need("contained_in", rack, s.rooms[room])
		for side := range 2 {
			feed, edge := m.feeds[2*i+side], m.edges[2*i+side]
			m.next()
			m.need("contained_in", feed, rack)
			m.need("powered_by", feed, s.supplies[2*room+side])
			m.need("contained_in", edge, rack)
			m.needAny("power", "powered_by", edge, m.feeds[2*i], m.feeds[2*i+1])
			m.needAny("uplinks", "depends_on", edge, s.cores...)
		}
	}
	for _, row := range []struct {
		what string
		all  []int32
	}{{"lb", m.balancers}, {"array", m.arrays}} {
		for i, ci := range row.all {
			m.next()
			s := m.sites[i%len(m.sites)]
			room := i / len(m.sites) % len(s.rooms)
			m.need("contained_in", ci, s.rooms[room])
			m.needAny("power", "powered_by", ci, s.supplies[2*room], s.supplies[2*room+1])
			m.needAny("uplinks", "depends_on", ci, s.cores...)
		}
	}
}
