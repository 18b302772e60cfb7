package synthetic

import (
	"fmt"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// layers are the CIs by layer, from the business down to power.
type layers struct {
	business, services, hubs                   []int32
	identity, dns, secrets, metrics, registry  int32
	applications, apis, databases, replicas    []int32
	workloads, pods, machines, volumes, spaces []int32
	hosts, clusters, platforms, arrays         []int32
	racks, feeds, edges, balancers             []int32 // feeds and edges: two of each rack
	sites                                      []site
	applicationOf, workloadOf, databaseOf      []int32 // places in the layer above, by place in workloads, pods, replicas
	serviceOf                                  []int32 // by place in applications
	clusterOf                                  []int32 // by place in hosts: clusters first, then platforms
	platformsIn, clustersIn, databasesIn       map[domain.Environment][]int32
	applicationsIn                             map[domain.Environment][]int32
	nodesOf                                    map[int32][]int32 // hosts of a platform
}

// site is a data centre.
type site struct {
	name                   string
	at                     int32
	rooms, supplies, cores []int32 // supplies: two of each room
}

// environments, by share.
var environments = []struct {
	name  domain.Environment
	share float64
}{
	{domain.Production, 0.56},
	{domain.Staging, 0.18},
	{domain.Testing, 0.13},
	{domain.Development, 0.10},
	{domain.DisasterRecovery, 0.03},
}

func (m *maker) environment() domain.Environment {
	draw := m.random.Float64()
	for _, e := range environments {
		if draw -= e.share; draw < 0 {
			return e.name
		}
	}
	return domain.Production
}

// add adds a CI. CIs outside production are less critical.
func (m *maker) add(layer *[]int32, c CI) int32 {
	at := int32(len(m.CIs))
	if c.Environment == "" {
		c.Environment = domain.Production
	}
	if c.Criticality == "" {
		c.Criticality = domain.CriticalityMedium
		if c.Environment != domain.Production {
			c.Criticality = domain.CriticalityLow
		}
	}
	m.CIs = append(m.CIs, c)
	if layer != nil {
		*layer = append(*layer, at)
	}
	return at
}

// layOut adds the CIs: each layer is a share of n, and the pods are the rest.
func (m *maker) layOut(n int) {
	share := func(perMille float64, least int) int { return max(least, int(float64(n)*perMille/1000)) }
	m.makeTeams(n)
	m.platformsIn, m.clustersIn = map[domain.Environment][]int32{}, map[domain.Environment][]int32{}
	m.databasesIn, m.applicationsIn = map[domain.Environment][]int32{}, map[domain.Environment][]int32{}
	m.nodesOf = map[int32][]int32{}
	m.layOutServices(share(4, 3), share(20, 8))
	m.layOutSoftware(share(60, 16), share(20, 4), share(10, 4), share(25, 10))
	m.layOutPlatforms(share(60, 16))
	m.layOutSites(share(2.5, 2), share(0.2, 2), share(0.008, 2))
	m.layOutStorage(share(80, 10))
	m.layOutMachines(share(220, 20))
	m.layOutWorkloads(share(90, 16))
	for len(m.CIs) < n {
		m.addPod()
	}
}

var tierShares = []struct {
	tier        int8
	share       float64
	criticality domain.Criticality
}{
	{1, 0.08, domain.CriticalityCritical},
	{2, 0.22, domain.CriticalityHigh},
	{3, 0.40, domain.CriticalityMedium},
	{4, 0.30, domain.CriticalityLow},
}

func (m *maker) tier() (int8, domain.Criticality) {
	draw := m.random.Float64()
	for _, t := range tierShares {
		if draw -= t.share; draw < 0 {
			return t.tier, t.criticality
		}
	}
	return 4, domain.CriticalityLow
}

func (m *maker) layOutServices(business, services int) {
	for i := range business {
		tier, criticality := m.tier()
		m.add(&m.business, CI{Class: "business_service", Name: businessName(i), Tier: tier, Criticality: criticality, Team: m.productTeam(i)})
	}
	for i := range services {
		tier, criticality := m.tier()
		c := CI{Class: "application_service", Name: productName(i), Environment: m.environment(), Tier: tier, Criticality: criticality, Team: m.productTeam(i)}
		if c.Environment != domain.Production {
			c.Tier, c.Criticality = 4, domain.CriticalityLow
		}
		m.add(&m.services, c)
	}
	for _, hub := range []struct {
		at   *int32
		name string
	}{{&m.identity, "Identity"}, {&m.dns, "DNS"}, {&m.secrets, "Secrets"}, {&m.metrics, "Metrics"}, {&m.registry, "Container Registry"}} {
		*hub.at = m.add(&m.hubs, CI{Class: "technical_service", Name: hub.name, Tier: 1, Criticality: domain.CriticalityCritical, Team: m.platformTeam(hub.name)})
	}
}

var parts = []string{"api", "web", "worker", "scheduler", "gateway", "consumer"}

func (m *maker) layOutSoftware(applications, apis, databases, replicas int) {
	for i := range applications {
		of := i % len(m.services)
		service := &m.CIs[m.services[of]]
		name := fmt.Sprintf("%s-%s", service.Name, parts[i/len(m.services)%len(parts)])
		if round := i / len(m.services) / len(parts); round > 0 {
			name += fmt.Sprintf("-%d", round+1)
		}
		class := "application"
		if i%16 == 7 {
			class = "middleware"
		} else if i/len(m.services)%len(parts) == 1 {
			class = "web_server"
		}
		at := m.add(&m.applications, CI{Class: class, Name: name, Environment: service.Environment, Criticality: service.Criticality, Team: service.Team})
		m.serviceOf = append(m.serviceOf, int32(of))
		m.applicationsIn[service.Environment] = append(m.applicationsIn[service.Environment], at)
	}
	for i := range apis {
		of := m.CIs[m.applications[i%len(m.applications)]]
		m.add(&m.apis, CI{Class: "api", Name: fmt.Sprintf("%s API v%d", of.Name, 1+i/len(m.applications)), Environment: of.Environment, Team: of.Team})
	}
	for i := range databases {
		of := m.CIs[m.services[i%len(m.services)]]
		name := fmt.Sprintf("%s-db", of.Name)
		if round := i / len(m.services); round > 0 {
			name += fmt.Sprintf("-%d", round+1)
		}
		at := m.add(&m.databases, CI{Class: "database", Name: name, Environment: of.Environment, Criticality: of.Criticality, Team: m.platformTeam("Databases")})
		m.databasesIn[of.Environment] = append(m.databasesIn[of.Environment], at)
	}
	for i := range replicas {
		of := i % databases
		db := m.CIs[m.databases[of]]
		m.add(&m.replicas, CI{Class: "database", Name: fmt.Sprintf("%s-node-%d", db.Name, i/databases), Environment: db.Environment, Team: db.Team})
		m.databaseOf = append(m.databaseOf, int32(of))
	}
}

// layOutPlatforms adds the clusters, a third of them Kubernetes. Their hosts come with the racks.
func (m *maker) layOutPlatforms(hosts int) {
	const hostsPerCluster = 24
	for i := range max(2, hosts/hostsPerCluster) {
		environment := domain.Production
		if i >= 2 { // at the smallest size, all is production
			environment = m.environment()
		}
		if i%3 == 1 {
			at := m.add(&m.platforms, CI{Class: "k8s_cluster", Name: fmt.Sprintf("k8s-%03d", i/3+1), Environment: environment, Team: m.platformTeam("Kubernetes")})
			m.platformsIn[environment] = append(m.platformsIn[environment], at)
			m.add(&m.spaces, CI{Class: "namespace", Name: fmt.Sprintf("k8s-%03d/default", i/3+1), Environment: environment, Team: -1})
			continue
		}
		at := m.add(&m.clusters, CI{Class: "cluster", Name: fmt.Sprintf("hv-%03d", i), Environment: environment, Team: m.platformTeam("Virtualization")})
		m.clustersIn[environment] = append(m.clustersIn[environment], at)
	}
	for i := range hosts {
		all := len(m.clusters) + len(m.platforms)
		at := i % all
		m.clusterOf = append(m.clusterOf, int32(at))
		if at < len(m.clusters) {
			c := m.CIs[m.clusters[at]]
			m.add(&m.hosts, CI{Class: "server", Name: fmt.Sprintf("%s-host-%03d", c.Name, i/all), Environment: c.Environment, Team: c.Team})
			continue
		}
		p := m.platforms[at-len(m.clusters)]
		c := m.CIs[p]
		host := m.add(&m.hosts, CI{Class: "server", Name: fmt.Sprintf("%s-node-%03d", c.Name, i/all), Environment: c.Environment, Team: c.Team})
		m.nodesOf[p] = append(m.nodesOf[p], host)
	}
}

func (m *maker) layOutSites(racks, balancers, arrays int) {
	network, power, storage := m.platformTeam("Network"), m.platformTeam("Data Centres"), m.platformTeam("Storage")
	for _, name := range []string{"ams1", "fra1"} {
		s := site{name: name}
		s.at = m.add(nil, CI{Class: "site", Name: name, Team: power, Site: name, Criticality: domain.CriticalityCritical})
		for i := range 2 {
			m.add(&s.rooms, CI{Class: "room", Name: fmt.Sprintf("%s-room-%d", name, i+1), Team: power, Site: name})
			for _, feed := range "ab" {
				m.add(&s.supplies, CI{Class: "ups", Name: fmt.Sprintf("%s-room-%d-ups-%c", name, i+1, feed), Team: power, Site: name})
			}
			m.add(&s.cores, CI{Class: "switch", Name: fmt.Sprintf("%s-core-%d", name, i+1), Team: network, Site: name, Criticality: domain.CriticalityCritical})
		}
		m.sites = append(m.sites, s)
	}
	for i := range racks {
		at := m.sites[i%len(m.sites)].name
		name := fmt.Sprintf("%s-rack-%04d", at, i/len(m.sites)+1)
		m.add(&m.racks, CI{Class: "rack", Name: name, Team: power, Site: at})
		for _, side := range "ab" {
			m.add(&m.feeds, CI{Class: "pdu", Name: fmt.Sprintf("%s-pdu-%c", name, side), Team: power, Site: at})
			m.add(&m.edges, CI{Class: "switch", Name: fmt.Sprintf("%s-switch-%c", name, side), Team: network, Site: at})
		}
	}
	for i := range balancers {
		at := m.sites[i%len(m.sites)].name
		m.add(&m.balancers, CI{Class: "load_balancer", Name: fmt.Sprintf("%s-lb-%03d", at, i/len(m.sites)+1), Team: network, Site: at})
	}
	for i := range arrays {
		at := m.sites[i%len(m.sites)].name
		m.add(&m.arrays, CI{Class: "storage", Name: fmt.Sprintf("%s-array-%d", at, i/len(m.sites)+1), Team: storage, Site: at, Criticality: domain.CriticalityHigh})
	}
	for i, host := range m.hosts {
		m.CIs[host].Site = m.CIs[m.rackOf(i)].Site
	}
}

// rackOf returns the rack of the i-th host.
func (m *maker) rackOf(i int) int32 { return m.racks[i%len(m.racks)] }

func (m *maker) layOutStorage(volumes int) {
	for i := range volumes {
		array := m.CIs[m.arrays[i%len(m.arrays)]]
		m.add(&m.volumes, CI{Class: "volume", Name: fmt.Sprintf("%s-vol-%06d", array.Name, i/len(m.arrays)+1), Team: -1, Site: array.Site})
	}
}

func (m *maker) layOutMachines(machines int) {
	for i := range machines {
		c := m.CIs[m.clusters[i%len(m.clusters)]]
		m.add(&m.machines, CI{Class: "virtual_machine", Name: fmt.Sprintf("vm-%s-%05d", c.Name, i/len(m.clusters)+1), Environment: c.Environment, Team: -1})
	}
}

func (m *maker) layOutWorkloads(workloads int) {
	for i := range workloads {
		of := i % len(m.applications)
		app := m.CIs[m.applications[of]]
		name := app.Name + ".deployment"
		if round := i / len(m.applications); round > 0 {
			name += fmt.Sprintf("-%d", round+1)
		}
		m.add(&m.workloads, CI{Class: "workload", Name: name, Environment: app.Environment, Team: app.Team})
		m.applicationOf = append(m.applicationOf, int32(of))
	}
}

// addPod adds a pod of the next workload.
func (m *maker) addPod() {
	i := len(m.pods)
	of := i % len(m.workloads)
	workload := m.CIs[m.workloads[of]]
	app := m.CIs[m.applications[m.applicationOf[of]]]
	m.add(&m.pods, CI{Class: "pod", Name: podName(app.Name, of, i), Environment: workload.Environment, Team: -1})
	m.workloadOf = append(m.workloadOf, int32(of))
}
