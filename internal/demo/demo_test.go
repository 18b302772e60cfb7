package demo_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/demo"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// flows are the seeded relationship types, each with the way impact flows and whether it is HARD.
var flows = map[string]struct {
	flow   domain.ImpactDirection
	isSoft bool
}{
	"depends_on":     {domain.TargetToSource, false},
	"runs_on":        {domain.TargetToSource, false},
	"hosted_on":      {domain.TargetToSource, false},
	"contained_in":   {domain.TargetToSource, false},
	"virtualized_by": {domain.TargetToSource, false},
	"powered_by":     {domain.TargetToSource, false},
	"consumes_api":   {domain.TargetToSource, false},
	"member_of":      {domain.SourceToTarget, false},
	"provides_api":   {domain.SourceToTarget, false},
	"sends_data_to":  {domain.SourceToTarget, true},
	"connects_to":    {domain.BothDirections, true},
	"part_of":        {domain.NoImpact, false},
	"replicates_to":  {domain.NoImpact, false},
	"backed_up_by":   {domain.NoImpact, false},
	"managed_by":     {domain.NoImpact, false},
}

// classes are the seeded classes that are not abstract, with the attributes of their schemas.
var classes = func() map[string][]string {
	computer := []string{"cpuCores", "memoryGiB", "os", "ipAddress", "serialNumber", "model", "vendor"}
	network := []string{"model", "vendor", "serialNumber", "ipAddress", "firmware"}
	power := []string{"capacityKVA", "model", "vendor", "serialNumber"}
	database := []string{"engine", "version", "port", "role"}
	program := []string{"engine", "version", "port", "language"}
	workload := []string{"image", "replicas", "namespace", "kind"}
	cluster := []string{"version", "nodes"}
	place := []string{"address", "country"}
	return map[string][]string{
		"computer": computer, "server": computer, "virtual_machine": computer, "instance": computer, "hypervisor": computer,
		"network_device": network, "switch": network, "router": network, "firewall": network, "load_balancer": network,
		"storage": {"capacityTiB", "model", "vendor", "serialNumber"}, "rack": {"heightUnits", "row"}, "pdu": power, "ups": power,
		"database": database, "managed_database": database,
		"middleware": program, "web_server": program, "application": program, "queue": program,
		"api": {"kind", "definition"}, "workload": workload, "pod": workload, "k8s_cluster": cluster, "cluster": cluster,
		"volume": {"sizeGiB"}, "subnet": {"cidr", "vlan"}, "certificate": {"subject", "issuer", "notAfter"},
		"dns_name": {"fqdn"}, "endpoint": {"url", "port"}, "site": place, "room": place,
		"account": nil, "region": nil, "vpc": nil, "bucket": nil, "function": nil, "namespace": nil, "system": nil, "domain": nil,
		"business_service": nil, "application_service": nil, "technical_service": nil, "service_offering": nil,
	}
}()

type estate struct {
	cis    map[string]*importer.CI
	order  []string
	teams  map[string]*importer.Team
	people map[string]*importer.Person
}

func load(t *testing.T) estate {
	t.Helper()
	e := estate{cis: map[string]*importer.CI{}, teams: map[string]*importer.Team{}, people: map[string]*importer.Person{}}
	for row, err := range demo.Estate().Rows(t.Context()) {
		switch {
		case err != nil:
			t.Errorf("%s:%d: %v", row.Origin.File, row.Origin.Line, err)
		case row.CI != nil:
			e.cis[row.CI.ExternalID] = row.CI
			e.order = append(e.order, row.CI.ExternalID)
		case row.Team != nil:
			e.teams[row.Team.ExternalID] = row.Team
		case row.Person != nil:
			e.people[row.Person.ExternalID] = row.Person
		}
	}
	return e
}

func TestTheEstateHasTheSizeOfAShop(t *testing.T) {
	e := load(t)
	relationships, groups := 0, 0
	for _, c := range e.cis {
		relationships += len(c.Relationships)
		groups += len(c.Groups)
	}
	t.Logf("%d CIs, %d relationships, %d groups, %d teams, %d people", len(e.cis), relationships, groups, len(e.teams), len(e.people))
	within := func(what string, n, low, high int) {
		if n < low || n > high {
			t.Errorf("%d %s, want %d to %d", n, what, low, high)
		}
	}
	within("CIs", len(e.cis), 280, 330)
	within("relationships", relationships, 600, 900)
	within("teams", len(e.teams), 8, 12)
	within("people", len(e.people), 28, 32)
}

func TestEveryReferenceResolves(t *testing.T) {
	e := load(t)
	team := func(where, id string) {
		if id != "" && e.teams[id] == nil {
			t.Errorf("%s: there is no team %q", where, id)
		}
	}
	for id, c := range e.cis {
		for _, r := range c.Relationships {
			if e.cis[r.Target] == nil || r.Target == id {
				t.Errorf("%s %s: there is no other CI %q", id, r.Type, r.Target)
			}
		}
		for _, o := range c.Owners {
			team(id, o.Team)
			if o.Person != "" && e.people[o.Person] == nil {
				t.Errorf("%s: there is no person %q", id, o.Person)
			}
			if o.Role == "" {
				t.Errorf("%s: an owner without a role", id)
			}
		}
		if c.Service != nil {
			team(id, c.Service.SupportTeam)
		}
	}
	for id, p := range e.people {
		for _, m := range p.Teams {
			team(id, m)
		}
	}
	for id, parent := range e.teams {
		team(id, parent.Parent)
	}
}

func TestNamesAndEdgesAreUnique(t *testing.T) {
	e := load(t)
	names, edges := map[string]string{}, map[[3]string]string{}
	for _, id := range e.order {
		c := e.cis[id]
		name := strings.ToLower(c.Name)
		if other, ok := names[name]; ok {
			t.Errorf("%s and %s are both named %q", id, other, c.Name)
		}
		names[name] = id
		for _, r := range c.Relationships {
			edge := [3]string{r.Type, id, r.Target}
			if r.IsReverse {
				edge[1], edge[2] = edge[2], edge[1]
			}
			if other, ok := edges[edge]; ok {
				t.Errorf("%v is written at %s and %s", edge, other, id)
			}
			edges[edge] = id
		}
	}
}

func TestClassesAttributesAndTypesAreSeededOnes(t *testing.T) {
	key := regexp.MustCompile(`^[a-z0-9]+([-.][a-z0-9]+)*$`)
	tiers := []string{"tier-1", "tier-2", "tier-3", "tier-4"}
	e := load(t)
	for id, c := range e.cis {
		attributes, ok := classes[c.Class]
		if !ok {
			t.Errorf("%s: %q is no class with CIs", id, c.Class)
		}
		for a := range c.Attributes {
			if !slices.Contains(attributes, a) {
				t.Errorf("%s: class %s has no attribute %q", id, c.Class, a)
			}
		}
		if !key.MatchString(id) {
			t.Errorf("%q is no short readable key", id)
		}
		if c.Environment == "" || c.Lifecycle == "" {
			t.Errorf("%s: no environment or lifecycle", id)
		}
		isService := strings.HasSuffix(c.Class, "_service") || c.Class == "service_offering"
		if isService != (c.Service != nil) {
			t.Errorf("%s: class %s and service details %v do not fit", id, c.Class, c.Service)
		}
		if isService && (!slices.Contains(tiers, c.Service.Tier) || len(c.Owners) == 0 || c.Description == "") {
			t.Errorf("%s: a service needs a tier, an owner and a description: %+v", id, c.Service)
		}
		for _, r := range c.Relationships {
			if _, ok := flows[r.Type]; !ok {
				t.Errorf("%s: %q is no relationship type", id, r.Type)
			}
		}
	}
}

func TestAddressesLeadNowhere(t *testing.T) {
	e := load(t)
	for id, c := range e.cis {
		if c.Service == nil {
			continue
		}
		for _, l := range c.Service.Links {
			if !strings.Contains(l.URL+"/", ".example.com/") {
				t.Errorf("%s: %s is not below example.com", id, l.URL)
			}
		}
	}
	for id, p := range e.people {
		if !strings.HasSuffix(p.Email, "@example.com") || len(p.Teams) == 0 {
			t.Errorf("%s: %+v", id, p)
		}
	}
}

func TestMembersOfAGroupBringImpactToItsCI(t *testing.T) {
	e := load(t)
	modes := map[string]int{}
	for id, c := range e.cis {
		for _, g := range c.Groups {
			modes[g.Mode]++
			if len(g.Members) < 2 {
				t.Errorf("%s: the group %s has %d member", id, g.Name, len(g.Members))
			}
			for _, m := range g.Members {
				arrives := domain.TargetToSource
				if m.IsReverse {
					arrives = domain.SourceToTarget
				}
				if f := flows[m.Type].flow; f != arrives && f != domain.BothDirections {
					t.Errorf("%s: the impact of %s %s does not arrive here", id, m.Type, m.Target)
				}
				if !slices.ContainsFunc(c.Relationships, func(r importer.Relationship) bool {
					return r.Type == m.Type && r.Target == m.Target && r.IsReverse == m.IsReverse
				}) {
					t.Errorf("%s: %s %s is a member of %s and no relationship", id, m.Type, m.Target, g.Name)
				}
			}
		}
	}
	for _, mode := range []string{"ANY", "AT_LEAST", "PERCENT", "WEIGHTED"} {
		if modes[mode] == 0 {
			t.Errorf("no group is %s; there are %v", mode, slices.Sorted(maps.Keys(modes)))
		}
	}
}
