package cmdb

import (
	"maps"

	"github.com/linchpin-cmdb/linchpin/internal/rule/attribute"
)

// seedClass is a class that a new database has, with the classes below it.
type seedClass struct {
	code, label, description, icon string
	isAbstract                     bool
	attributes                     properties
	identity                       [][]string
	below                          []seedClass
	parent                         string
}

// properties are the attributes of a class, name to JSON Schema. All are optional, and others are allowed.
type properties map[string]any

func (p properties) schema() map[string]any {
	if p == nil {
		return nil
	}
	return map[string]any{"$schema": attribute.Draft, "type": "object", "properties": map[string]any(p), "additionalProperties": true}
}

func texted(names ...string) properties {
	p := properties{}
	for _, name := range names {
		p[name] = map[string]any{"type": "string"}
	}
	return p
}

// with adds attributes that are no text.
func (p properties) with(name string, schema map[string]any) properties {
	all := maps.Clone(p)
	all[name] = schema
	return all
}

// whole returns the schema of a whole number from least up.
func whole(least int) map[string]any { return map[string]any{"type": "integer", "minimum": least} }

func number() map[string]any { return map[string]any{"type": "number", "minimum": 0} }

func port() map[string]any { return map[string]any{"type": "integer", "minimum": 1, "maximum": 65535} }

var (
	machine = texted("os", "ipAddress", "serialNumber", "model", "vendor").
		with("cpuCores", whole(1)).with("memoryGiB", whole(0))
	networked = texted("model", "vendor", "serialNumber", "ipAddress", "firmware")
	powered   = texted("model", "vendor", "serialNumber").with("capacityKVA", number())
	stored    = texted("engine", "version", "role").with("port", port())
	served    = texted("engine", "version", "language").with("port", port())
	scheduled = texted("image", "namespace", "kind").with("replicas", whole(0))
	clustered = texted("version").with("nodes", whole(0))
	placed    = texted("address", "country")
	open      = properties{}

	bySerial = [][]string{{"serialNumber", "vendor"}}
)

// seededClasses is the tree of classes that a new database has.
var seededClasses = []seedClass{
	{code: "hardware", label: "Hardware", description: "Things one can touch.", icon: "chip", isAbstract: true, attributes: open, below: []seedClass{
		{code: "computer", label: "Computer", description: "A physical computer.", icon: "desktop", attributes: machine, identity: bySerial, below: []seedClass{
			{code: "server", label: "Server", description: "A computer that serves others.", icon: "server"},
		}},
		{code: "network_device", label: "Network device", description: "Equipment that carries traffic.", icon: "network", attributes: networked, identity: bySerial, below: []seedClass{
			{code: "switch", label: "Switch", description: "Connects devices of one network.", icon: "switch"},
			{code: "router", label: "Router", description: "Connects networks.", icon: "router"},
			{code: "firewall", label: "Firewall", description: "Decides which traffic may pass.", icon: "firewall"},
			{code: "load_balancer", label: "Load balancer", description: "Spreads requests over several servers.", icon: "balance"},
		}},
		{code: "storage", label: "Storage", description: "A storage array or appliance.", icon: "disk", attributes: texted("model", "vendor", "serialNumber").with("capacityTiB", number()), identity: bySerial},
		{code: "rack", label: "Rack", description: "A cabinet for equipment.", icon: "rack", attributes: texted("row").with("heightUnits", whole(0))},
		{code: "pdu", label: "Power distribution unit", description: "Feeds the equipment of a rack.", icon: "plug", attributes: powered, identity: bySerial},
		{code: "ups", label: "Uninterruptible power supply", description: "Bridges a loss of mains power.", icon: "battery", attributes: powered, identity: bySerial},
	}},
	{code: "virtual", label: "Virtual", description: "Machines made by software.", icon: "layers", isAbstract: true, attributes: open, below: []seedClass{
		{code: "virtual_machine", label: "Virtual machine", description: "A machine that a hypervisor runs.", icon: "vm", attributes: machine},
		{code: "hypervisor", label: "Hypervisor", description: "Runs virtual machines.", icon: "hypervisor", attributes: machine},
		{code: "cluster", label: "Cluster", description: "Several machines that act as one.", icon: "cluster", attributes: clustered},
	}},
	{code: "cloud", label: "Cloud", description: "What is rented from a cloud provider.", icon: "cloud", isAbstract: true, attributes: open, below: []seedClass{
		{code: "account", label: "Account", description: "A subscription, project or account at a provider.", icon: "account"},
		{code: "region", label: "Region", description: "A region or zone of a provider.", icon: "globe"},
		{code: "vpc", label: "Virtual network", description: "A private network at a provider.", icon: "network"},
		{code: "instance", label: "Instance", description: "A rented machine.", icon: "vm", attributes: machine},
		{code: "managed_database", label: "Managed database", description: "A database that the provider runs.", icon: "database", attributes: stored},
		{code: "bucket", label: "Bucket", description: "Object storage.", icon: "bucket"},
		{code: "queue", label: "Queue", description: "Messages on their way.", icon: "queue", attributes: served},
		{code: "function", label: "Function", description: "Code that the provider runs on demand.", icon: "function"},
	}},
	{code: "container", label: "Container", description: "What a container platform runs.", icon: "container", isAbstract: true, attributes: open, below: []seedClass{
		{code: "k8s_cluster", label: "Kubernetes cluster", description: "A Kubernetes control plane with its nodes.", icon: "kubernetes", attributes: clustered},
		{code: "namespace", label: "Namespace", description: "A division of a cluster.", icon: "namespace"},
		{code: "workload", label: "Workload", description: "A Deployment, StatefulSet, DaemonSet or Job.", icon: "workload", attributes: scheduled},
		{code: "pod", label: "Pod", description: "One running copy of a workload.", icon: "pod", attributes: scheduled},
	}},
	{code: "software", label: "Software", description: "Programs.", icon: "code", isAbstract: true, attributes: open, below: []seedClass{
		{code: "application", label: "Application", description: "A deployed program.", icon: "application", attributes: served},
		{code: "database", label: "Database", description: "A database that we run.", icon: "database", attributes: stored},
		{code: "middleware", label: "Middleware", description: "Software between applications: caches, brokers, proxies.", icon: "middleware", attributes: served},
		{code: "web_server", label: "Web server", description: "Answers HTTP.", icon: "web", attributes: served},
		{code: "api", label: "API", description: "An interface that others call.", icon: "api", attributes: texted("kind", "definition")},
	}},
	{code: "logical", label: "Logical", description: "What exists by configuration alone.", icon: "shapes", isAbstract: true, attributes: open, below: []seedClass{
		{code: "volume", label: "Volume", description: "A piece of storage.", icon: "disk", attributes: properties{"sizeGiB": number()}},
		{code: "subnet", label: "Subnet", description: "A range of addresses.", icon: "subnet", attributes: texted("cidr").with("vlan", whole(0))},
		{code: "certificate", label: "Certificate", description: "A TLS certificate.", icon: "certificate", attributes: texted("subject", "issuer", "notAfter")},
		{code: "dns_name", label: "DNS name", description: "A name that resolves.", icon: "dns", attributes: texted("fqdn")},
		{code: "endpoint", label: "Endpoint", description: "An address where something answers.", icon: "endpoint", attributes: texted("url").with("port", port())},
	}},
	{code: "service", label: "Service", description: "What is offered to customers and colleagues: the catalogue.", icon: "service", isAbstract: true, attributes: open, below: []seedClass{
		{code: "business_service", label: "Business service", description: "What customers or staff use.", icon: "business"},
		{code: "application_service", label: "Application service", description: "A deployed application that business services stand on.", icon: "application"},
		{code: "technical_service", label: "Technical service", description: "What runs applications: a platform, a network.", icon: "platform"},
		{code: "service_offering", label: "Service offering", description: "A service as it is offered to a group of customers.", icon: "offering"},
	}},
	{code: "grouping", label: "Grouping", description: "What groups services, by part_of.", icon: "folder", isAbstract: true, attributes: open, below: []seedClass{
		{code: "system", label: "System", description: "Services that work together.", icon: "system"},
		{code: "domain", label: "Domain", description: "Systems of one part of the business.", icon: "domain"},
	}},
	{code: "place", label: "Place", description: "Where hardware stands.", icon: "pin", isAbstract: true, attributes: open, below: []seedClass{
		{code: "site", label: "Site", description: "A building or campus.", icon: "building", attributes: placed},
		{code: "room", label: "Room", description: "A room of a site.", icon: "room", attributes: placed},
	}},
}
