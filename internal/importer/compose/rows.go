package compose

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/address"
)

// rows returns the services and volumes, by name.
func (p *project) rows() (all []importer.Row) {
	names := p.names()
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		service := p.Services[name]
		ci := &importer.CI{
			ExternalID: p.id("service", name), Class: "application", Name: name, Labels: map[string]string{"project": p.name}, Attributes: map[string]any{},
		}
		p.image(ci, service)
		p.scale(ci, service)
		p.relate(ci, service, names)
		if len(ci.Attributes) == 0 {
			ci.Attributes = nil
		}
		all = append(all, importer.Row{Origin: p.origin("service", name), CI: ci})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Volumes)) {
		volume := p.Volumes[name]
		ci := &importer.CI{ExternalID: p.volume(name), Class: "volume", Name: name, Labels: map[string]string{"project": p.name}}
		if volume.External {
			ci.Labels = nil // it belongs to no project
		}
		all = append(all, importer.Row{Origin: p.origin("volume", name), CI: ci})
	}
	return all
}

// volume returns the external id of a volume. One that exists outside of the project has the same in all projects.
func (p *project) volume(name string) string {
	v := p.Volumes[name]
	switch {
	case !bool(v.External):
		return p.id("volume", name)
	case v.Name != "":
		return "volume:" + v.Name
	}
	return "volume:" + name
}

// kinds are the classes of well-known images, by the last part of their names.
var kinds = map[string][]string{
	"database": {
		"postgres", "postgresql", "postgis", "timescaledb", "mysql", "mysql-server", "mariadb", "percona", "mongo", "mongodb", "mssql", "server", "azure-sql-edge", "oracle", "cassandra", "scylla",
		"couchdb", "couchbase", "cockroach", "clickhouse-server", "clickhouse", "influxdb", "neo4j", "elasticsearch", "opensearch", "arangodb", "rethinkdb", "dgraph", "questdb", "yugabyte", "tidb", "surrealdb",
	},
	"middleware": {
		"redis", "redismod", "redis-stack", "redis-stack-server", "valkey", "keydb", "dragonfly", "memcached", "hazelcast", "rabbitmq", "kafka", "cp-kafka", "redpanda", "nats", "pulsar", "activemq", "artemis",
		"eclipse-mosquitto", "emqx", "zookeeper", "etcd", "consul", "vault", "traefik", "haproxy", "envoy", "kong", "minio", "cloudflared", //nolint:misspell // the name of a program
	},
	"web_server": {"nginx", "httpd", "caddy", "apache", "openresty"},
}

// release matches a tag that begins with a version.
var release = regexp.MustCompile(`^v?([0-9]+(?:\.[0-9]+)*)`)

// image sets the image of a service, and its class if the image is a well-known one.
func (p *project) image(ci *importer.CI, s types.ServiceConfig) {
	if s.Image == "" || !p.isCertain(s.Name, "image") {
		return
	}
	ci.Attributes["image"] = s.Image
	name, _, _ := strings.Cut(s.Image, "@")
	repository, tag := name, ""
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		repository, tag = name[:i], name[i+1:]
	}
	engine := path.Base(repository)
	for class, images := range kinds {
		if !slices.Contains(images, engine) || engine == "server" && !strings.Contains(repository, "mssql") {
			continue
		}
		ci.Class = class
		if engine == "server" {
			engine = "mssql"
		}
		ci.Attributes["engine"] = engine
		if found := release.FindStringSubmatch(tag); found != nil {
			ci.Attributes["version"] = found[1]
		}
	}
}

// scale sets how many containers a service has, and which of their ports it opens.
func (p *project) scale(ci *importer.CI, s types.ServiceConfig) {
	switch {
	case s.Deploy != nil && s.Deploy.Replicas != nil && p.isCertain(s.Name, "deploy"):
		ci.Attributes["replicas"] = int64(*s.Deploy.Replicas)
	case s.Scale != nil && p.isCertain(s.Name, "scale"):
		ci.Attributes["replicas"] = int64(*s.Scale)
	}
	if len(s.Ports) == 0 || !p.isCertain(s.Name, "ports") {
		return
	}
	var ports []int64
	for _, port := range s.Ports {
		ports = append(ports, int64(port.Target))
	}
	slices.Sort(ports)
	var list []any
	for _, port := range slices.Compact(ports) {
		list = append(list, port)
	}
	ci.Attributes["ports"] = list
}

// names returns the service that each name leads to inside of the project.
func (p *project) names() map[string]string {
	all := map[string]string{}
	add := func(name, service string) {
		if _, ok := all[name]; name != "" && !ok {
			all[name] = service
		}
	}
	services := slices.Sorted(maps.Keys(p.Services))
	for _, name := range services {
		add(name, name)
	}
	for _, name := range services {
		s := p.Services[name]
		add(s.ContainerName, name)
		add(s.Hostname, name)
		for _, network := range slices.Sorted(maps.Keys(s.Networks)) {
			if s.Networks[network] != nil {
				for _, alias := range s.Networks[network].Aliases {
					add(alias, name)
				}
			}
		}
	}
	return all
}

// relate adds what a service needs: what it says itself, whose network or volumes it shares, whom its environment
// names, and the volumes that it is kept on.
func (p *project) relate(ci *importer.CI, s types.ServiceConfig, names map[string]string) {
	e := edges{of: ci}
	for _, name := range slices.Sorted(maps.Keys(s.DependsOn)) {
		d := s.DependsOn[name]
		evidence := "depends_on"
		if d.Condition != "" && d.Condition != types.ServiceConditionStarted {
			evidence += " " + d.Condition
		}
		e.add(p.id("service", name), evidence, !d.Required)
	}
	own := maps.Clone(names)
	for _, link := range s.Links {
		name, alias, _ := strings.Cut(link, ":")
		e.add(p.id("service", name), "links", false)
		if alias != "" {
			own[alias] = name
		}
	}
	for key, shared := range map[string]string{"network_mode": s.NetworkMode, "pid": s.Pid, "ipc": s.Ipc} {
		if name, ok := strings.CutPrefix(shared, types.ServicePrefix); ok {
			e.add(p.id("service", name), key, false)
		}
	}
	for _, from := range s.VolumesFrom {
		if name, _, _ := strings.Cut(from, ":"); name != "container" {
			e.add(p.id("service", name), "volumes_from", false)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		value := s.Environment[name]
		if value == nil || !address.Is(name, *value) {
			continue
		}
		for _, host := range address.Hosts(*value) {
			if to := own[host]; to != "" && to != s.Name {
				e.add(p.id("service", to), "env "+name, false)
			}
		}
	}
	for _, v := range s.Volumes {
		if _, ok := p.Volumes[v.Source]; ok && v.Type == types.VolumeTypeVolume {
			e.add(p.volume(v.Source), "volume "+v.Target, false)
		}
	}
	e.settle()
}

// edges are the relationships of one service. One that is found twice is kept once with both evidences, and is HARD if
// either is.
type edges struct {
	of *importer.CI
}

func (e edges) add(target, evidence string, isOptional bool) {
	if target == e.of.ExternalID {
		return
	}
	for i := range e.of.Relationships {
		r := &e.of.Relationships[i]
		if r.Target != target {
			continue
		}
		if !slices.Contains(strings.Split(r.Evidence, "; "), evidence) {
			r.Evidence += "; " + evidence
		}
		if !isOptional {
			r.Strength = ""
		}
		return
	}
	r := importer.Relationship{Type: "depends_on", Target: target, Evidence: evidence}
	if isOptional {
		r.Strength = "SOFT"
	}
	e.of.Relationships = append(e.of.Relationships, r)
}

// settle sorts relationships and their evidence, so that the order of a file's lines says nothing.
func (e edges) settle() {
	for i := range e.of.Relationships {
		r := &e.of.Relationships[i]
		parts := strings.Split(r.Evidence, "; ")
		slices.Sort(parts)
		r.Evidence = strings.Join(parts, "; ")
	}
	slices.SortFunc(e.of.Relationships, func(a, b importer.Relationship) int { return strings.Compare(a.Target, b.Target) })
}
