package backstage

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// kinds holds a reader for entities of each kind, by the kind in lower case.
var kinds = map[string]func(*reader) *entity{
	"component": component, "api": api, "resource": resource, "system": system, "domain": domainOf,
	"group": group, "user": user, "location": locationOf,
}

// resourceClasses maps a Resource's spec.type, which Backstage leaves to each organisation, to a class.
var resourceClasses = map[string]string{
	"database": "database", "db": "database", "managed-database": "managed_database", "rds": "managed_database", "cloud-sql": "managed_database",
	"bucket": "bucket", "s3-bucket": "bucket", "gcs-bucket": "bucket", "object-storage": "bucket",
	"queue": "queue", "message-queue": "queue", "topic": "queue", "kafka-topic": "queue", "pubsub-topic": "queue",
	"function": "function", "lambda": "function", "cache": "middleware", "message-broker": "middleware", "web-server": "web_server",
	"cluster": "cluster", "k8s-cluster": "k8s_cluster", "kubernetes-cluster": "k8s_cluster", "namespace": "namespace",
	"server": "server", "host": "server", "vm": "virtual_machine", "virtual-machine": "virtual_machine", "instance": "instance",
	"load-balancer": "load_balancer", "firewall": "firewall", "router": "router", "switch": "switch", "storage": "storage",
	"volume": "volume", "subnet": "subnet", "vpc": "vpc", "certificate": "certificate", "dns-name": "dns_name", "endpoint": "endpoint",
	"account": "account", "region": "region", "site": "site",
}

// lifecycles maps Backstage's lifecycles, which tell how mature a component is. An experimental one runs, and others
// may need it: it is in service.
var lifecycles = map[string]domain.Lifecycle{"production": domain.Live, "experimental": domain.Live, "deprecated": domain.Deprecated}

// linkKinds maps a link's type, which Backstage leaves open, to a kind. Any other type is OTHER.
var linkKinds = map[string]string{
	"repository": "REPOSITORY", "repo": "REPOSITORY", "source": "REPOSITORY", "source-code": "REPOSITORY",
	"dashboard": "DASHBOARD", "admin-dashboard": "DASHBOARD", "runbook": "RUNBOOK", "playbook": "RUNBOOK",
	"document": "DOCUMENT", "documentation": "DOCUMENT", "docs": "DOCUMENT", "chat": "CHAT", "slack": "CHAT",
	"on-call": "ON_CALL", "oncall": "ON_CALL", "pager": "ON_CALL", "status-page": "STATUS_PAGE", "status": "STATUS_PAGE",
}

func component(r *reader) *entity {
	class := "application"
	isService := false
	switch normal(r.Root.Text("spec", "type")) {
	case "service", "website":
		class, isService = "application_service", true
	}
	ci := r.ci(class, isService)
	r.relate(ci, "dependsOn", "depends_on", "", false)
	r.relate(ci, "dependencyOf", "depends_on", "", true)
	r.relate(ci, "providesApis", "provides_api", "api", false)
	r.relate(ci, "consumesApis", "consumes_api", "api", false)
	r.partOf(ci, "system", "system")
	r.partOf(ci, "subcomponentOf", "component")
	return &entity{row: importer.Row{CI: ci}}
}

func api(r *reader) *entity {
	ci := r.ci("api", false)
	r.partOf(ci, "system", "system")
	if definition := r.Root.At("spec", "definition"); definition.Is(document.Map) {
		for key := range definition.Map() {
			if strings.HasPrefix(key, "$") {
				definition.Note("spec.definition is a %s placeholder, which Backstage replaces by the file it names; the definition itself was not seen", document.Quote(key))
				break
			}
		}
	}
	return &entity{row: importer.Row{CI: ci}}
}

func resource(r *reader) *entity {
	kind := r.Root.At("spec", "type")
	class, ok := resourceClasses[normal(kind.Text())]
	if !ok {
		class = "application"
		kind.Note("no class is ok for a Resource of type %s; it was taken for an application", document.Quote(kind.Text()))
	}
	ci := r.ci(class, false)
	r.relate(ci, "dependsOn", "depends_on", "", false)
	r.relate(ci, "dependencyOf", "depends_on", "", true)
	r.partOf(ci, "system", "system")
	return &entity{row: importer.Row{CI: ci}}
}

func system(r *reader) *entity {
	ci := r.ci("system", false)
	r.partOf(ci, "domain", "domain")
	return &entity{row: importer.Row{CI: ci}}
}

func domainOf(r *reader) *entity {
	ci := r.ci("domain", false)
	r.partOf(ci, "subdomainOf", "domain")
	return &entity{row: importer.Row{CI: ci}}
}

func group(r *reader) *entity {
	team := &importer.Team{
		ExternalID: r.ref.String(), Name: r.displayName(), Description: r.description(),
		Email: r.Root.Text("spec", "profile", "email"),
	}
	if parent := r.Root.At("spec", "parent"); !parent.Is(document.Missing, document.Null) {
		if to, ok := r.reference(parent, "spec.parent", "group"); ok {
			team.Parent = to.String()
		}
	}
	e := &entity{row: importer.Row{Team: team}}
	e.members = append(r.mentions("children", "group"), r.mentions("members", "user")...)
	return e
}

func user(r *reader) *entity {
	person := &importer.Person{ExternalID: r.ref.String(), Name: r.displayName(), Email: r.Root.Text("spec", "profile", "email")}
	for _, m := range r.mentions("memberOf", "group") {
		if !slices.Contains(person.Teams, m.ref.String()) {
			person.Teams = append(person.Teams, m.ref.String())
		}
	}
	return &entity{row: importer.Row{Person: person}}
}

func locationOf(r *reader) *entity {
	targets := r.Root.Texts("spec", "targets")
	if one := r.Root.At("spec", "target"); one.Text() != "" {
		targets = append(targets, one)
	}
	for _, t := range targets {
		r.catalog.targets = append(r.catalog.targets, location{origin: r.At(t.Line), id: r.ref.String(), target: t.Text()})
	}
	return &entity{}
}

// reader reads one entity.
type reader struct {
	*document.Document
	ref     ref
	catalog *catalog
}

func (r *reader) description() string {
	return strings.TrimSpace(r.Root.Text("metadata", "description"))
}

func (r *reader) displayName() string {
	for _, path := range [][]string{{"spec", "profile", "displayName"}, {"metadata", "title"}} {
		if name := r.Root.Text(path...); name != "" {
			return name
		}
	}
	return r.Root.Text("metadata", "name")
}

// ci reads the fields that all kinds have. Labels are metadata.labels, "tag:x" = "true" for each tag, and under
// backstage.io/ the fields that the CMDB lacks. Annotations are kept as an attribute, without Backstage's own
// bookkeeping; so are the links of a CI that is no service.
func (r *reader) ci(class string, isService bool) *importer.CI {
	ci := &importer.CI{
		ExternalID: r.ref.String(), Class: class, Name: r.Root.Text("metadata", "name"), Description: r.description(),
		Environment: string(domain.Production), Labels: r.labels(), Owners: r.owners(),
	}
	if n := r.Root.At("spec", "lifecycle"); n.Text() != "" {
		stage, ok := lifecycles[normal(n.Text())]
		if !ok {
			n.Note("lifecycle %s is not production, experimental or deprecated; the lifecycle was left alone", document.Quote(n.Text()))
		}
		ci.Lifecycle = string(stage)
	}
	attributes := map[string]any{}
	kept := map[string]any{}
	for key, value := range r.Root.TextMap("metadata", "annotations") {
		if !strings.HasPrefix(key, "backstage.io/") && value != "" {
			kept[key] = value
		}
	}
	if len(kept) > 0 {
		attributes["annotations"] = kept
	}
	links := r.links()
	switch {
	case isService:
		ci.Service = &importer.Service{Links: links}
	case len(links) > 0:
		list := make([]any, len(links))
		for i, l := range links {
			list[i] = map[string]any{"kind": l.Kind, "title": l.Title, "url": l.URL}
		}
		attributes["links"] = list
	}
	if len(attributes) > 0 {
		ci.Attributes = attributes
	}
	return ci
}

func (r *reader) labels() map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, r.Root.TextMap("metadata", "labels"))
	for _, tag := range r.Root.Texts("metadata", "tags") {
		labels["tag:"+tag.Text()] = "true"
	}
	for _, path := range [][]string{{"spec", "type"}, {"spec", "lifecycle"}, {"metadata", "title"}} {
		if text := r.Root.Text(path...); text != "" {
			labels["backstage.io/"+path[1]] = text
		}
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}

func (r *reader) links() []importer.Link {
	var links []importer.Link
	for _, l := range r.Root.List("metadata", "links") {
		address := l.Text("url")
		if u, err := url.Parse(address); err != nil || !slices.Contains([]string{"http", "https", "mailto"}, strings.ToLower(u.Scheme)) {
			l.Note("the link %s was left out; an address of scheme http, https or mailto is expected", document.Quote(address))
			continue
		}
		kind, ok := linkKinds[normal(l.Text("type"))]
		if !ok {
			kind = "OTHER"
		}
		links = append(links, importer.Link{Kind: kind, Title: l.Text("title"), URL: address})
	}
	return links
}

func (r *reader) owners() []importer.Owner {
	n := r.Root.At("spec", "owner")
	if n.Is(document.Missing, document.Null) {
		return nil
	}
	to, ok := r.reference(n, "spec.owner", "group")
	switch {
	case !ok:
		return nil
	case to.kind == "group":
		return []importer.Owner{{Team: to.String()}}
	case to.kind == "user":
		return []importer.Owner{{Person: to.String()}}
	}
	n.Note("spec.owner %s was left out; a group or a user is expected", document.Quote(n.Text()))
	return nil
}

// reference reads one entity reference. If it is malformed, it adds a notice and returns false.
func (r *reader) reference(n *document.Node, field, kind string) (ref, bool) {
	if n.Is(document.List, document.Map) {
		n.Note("%s is %s; text is expected, so it was left out", field, n.Kind)
		return ref{}, false
	}
	to, err := parseRef(n.Text(), kind, r.ref.namespace)
	if err != nil {
		n.Note("%s was left out: %v", field, err)
		return ref{}, false
	}
	return to, true
}

// mentions reads a list of references under spec.
func (r *reader) mentions(field, kind string) []mention {
	var list []mention
	for _, n := range r.Root.Texts("spec", field) {
		if to, ok := r.reference(n, "spec."+field, kind); ok {
			list = append(list, mention{ref: to, line: n.Line, field: "spec." + field})
		}
	}
	return list
}

// relate adds a relationship for each reference in a list under spec. Kind is assumed for a reference that names none;
// if Backstage assumes no kind, such a reference is a notice.
func (r *reader) relate(ci *importer.CI, field, kind, target string, isReverse bool) {
	for _, m := range r.mentions(field, target) {
		r.add(ci, importer.Relationship{Type: kind, Target: m.ref.String(), IsReverse: isReverse, Evidence: m.field}, m.line)
	}
}

// partOf relates a CI to the entity of a kind that a field names.
func (r *reader) partOf(ci *importer.CI, field, target string) {
	n := r.Root.At("spec", field)
	if n.Is(document.Missing, document.Null) {
		return
	}
	if to, ok := r.reference(n, "spec."+field, target); ok {
		r.add(ci, importer.Relationship{Type: "part_of", Target: to.String(), Evidence: "spec." + field}, n.Line)
	}
}

func (r *reader) add(ci *importer.CI, add importer.Relationship, line int) {
	if add.Target == ci.ExternalID {
		r.Root.At("spec").Note("%s on line %d names the entity itself; it was left out", add.Evidence, line)
		return
	}
	for _, had := range ci.Relationships {
		if had.Type == add.Type && had.Target == add.Target && had.IsReverse == add.IsReverse {
			return
		}
	}
	ci.Relationships = append(ci.Relationships, add)
}

// normal returns a free-form type in the spelling of the tables above.
func normal(s string) string {
	return strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(strings.TrimSpace(s)))
}
