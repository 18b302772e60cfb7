package kubernetes

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/address"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// object is the part of a manifest that is kept for every kind.
type object struct {
	origin                       importer.Origin
	group, kind, namespace, name string
}

func (o object) id() string { return strings.ToLower(o.kind) + ":" + o.namespace + "/" + o.name }

func (o object) notice(kind importer.NoticeKind, format string, args ...any) *importer.Notice {
	p := &importer.Notice{Origin: o.origin, Kind: kind, Reason: fmt.Sprintf(format, args...)}
	if o.name != "" {
		p.ExternalID = o.id()
	}
	return p
}

func (o object) isWorkload() bool {
	return (o.group == "apps" || o.group == "extensions") && slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, o.kind)
}
func (o object) isService() bool   { return o.group == "" && o.kind == "Service" }
func (o object) isNamespace() bool { return o.group == "" && o.kind == "Namespace" }
func (o object) isPolicy() bool {
	return (o.group == "networking.k8s.io" || o.group == "extensions") && o.kind == "NetworkPolicy"
}

// manifest is an object with its text, while it is being read.
type manifest struct {
	object
	*document.Document
	root *document.Node
}

// objectName matches names of objects, which are DNS subdomains. Some kinds allow more; none allows a name that would
// spoil an external id.
var objectName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$`)

// readManifest reads apiVersion and kind, and metadata if this source reads more of that kind.
func readManifest(d *document.Document, root *document.Node) (manifest, *importer.Notice) {
	m := manifest{Document: d, root: root, object: object{origin: d.At(root.Line)}}
	if !root.Is(document.Map) {
		return m, m.notice(importer.Rejected, "the document is %s; a map with apiVersion, kind and metadata is expected", root.Kind)
	}
	if p := d.Unexpanded(root.At("apiVersion"), root.At("kind")); p != nil {
		return m, p
	}
	m.kind = root.Text("kind")
	if group, _, ok := strings.Cut(root.Text("apiVersion"), "/"); ok {
		m.group = group
	}
	switch {
	case m.isKustomization():
		return m, nil
	case m.kind == "":
		return m, m.notice(importer.Skipped, "no apiVersion and kind: this is no Kubernetes object")
	case !m.isWorkload() && !m.isService() && !m.isPolicy() && !m.isNamespace():
		return m, m.notice(importer.Skipped, "kind %s of apiVersion %s has no place in the CMDB", document.Quote(m.kind), document.Quote(root.Text("apiVersion")))
	}
	metadata := root.At("metadata")
	if !metadata.Is(document.Map) {
		return m, m.notice(importer.Rejected, "metadata of this %s is missing or no map; a map with a name is expected", m.kind)
	}
	if p := d.Unexpanded(metadata.At("name"), metadata.At("namespace"), metadata.At("labels")); p != nil {
		return m, p
	}
	name, namespace := metadata.Text("name"), metadata.Text("namespace")
	if namespace == "" {
		namespace = "default"
	}
	if !objectName.MatchString(name) || !objectName.MatchString(namespace) {
		return m, m.notice(importer.Rejected, "this %s has the name %s in namespace %s; DNS names are expected", m.kind, document.Quote(name), document.Quote(namespace))
	}
	m.name, m.namespace = name, namespace
	return m, nil
}

// isKustomization reports whether the file holds instructions for kustomize. A Component does too.
func (m manifest) isKustomization() bool {
	named := slices.Contains([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, filepath.Base(m.origin.File))
	return m.group == "kustomize.config.k8s.io" || named && m.kind == ""
}

// specFault returns why a spec cannot be read, or nil: a wrong shape, or a partial document, as patches for kustomize
// are. A partial document is not imported, since the missing parts would count as gone.
func (m manifest) specFault(isPartial func(spec *document.Node) bool) *importer.Notice {
	spec := m.root.At("spec")
	switch {
	case !spec.Is(document.Missing, document.Null, document.Map):
		return m.notice(importer.Rejected, "spec of this %s is %s; a map is expected", m.kind, spec.Kind)
	case m.root.At("$patch") != nil, isPartial(spec):
		return m.notice(importer.Skipped, "this %s is only a part of one, such as a patch for kustomize; run kustomize and import what it prints", m.kind)
	}
	return nil
}

// workload is an object that runs pods.
type workload struct {
	object
	labels map[string]string // of its pods
	env    []variable
	row    importer.Row
	edges  edges
}

type variable struct {
	name  string
	hosts []string
}

func readWorkload(m manifest) (*workload, *importer.Notice) {
	var template *document.Node
	var containers []*document.Node
	isPartial := func(spec *document.Node) bool {
		template = spec.At("template")
		containers = template.List("spec", "containers")
		hasImage := slices.ContainsFunc(containers, func(c *document.Node) bool { return c.Is(document.Map) && c.Text("image") != "" })
		return spec.At("selector").Is(document.Missing, document.Null) || !hasImage
	}
	if p := m.specFault(isPartial); p != nil {
		return nil, p
	}
	suspects := []*document.Node{m.root.At("spec", "replicas"), m.root.At("spec", "selector"), template.At("metadata", "labels"), template.At("spec", "serviceAccountName")}
	w := &workload{object: m.object, labels: template.TextMap("metadata", "labels")}
	for _, c := range append(slices.Clone(template.List("spec", "initContainers")), containers...) {
		suspects = append(suspects, c.At("image"))
		for _, e := range c.List("env") {
			// A valueFrom has no value here: it refers to something outside the manifest, or to a secret.
			name, value := e.Text("name"), e.Text("value")
			if address.Is(name, value) {
				suspects = append(suspects, e.At("value"))
				w.env = append(w.env, variable{name: name, hosts: address.Hosts(value)})
			}
		}
	}
	if p := m.Unexpanded(suspects...); p != nil {
		return nil, p
	}
	attributes := map[string]any{"kind": m.kind}
	var images, ports []any
	for _, c := range containers {
		if image := c.Text("image"); image != "" {
			images = append(images, image)
		}
		for _, p := range c.List("ports") {
			if port, ok := p.Int("containerPort"); ok {
				ports = append(ports, port)
			}
		}
	}
	attributes["image"] = images[0]
	if len(images) > 1 {
		attributes["images"] = images
	}
	if len(ports) > 0 {
		attributes["ports"] = ports
	}
	if replicas, ok := m.root.Int("spec", "replicas"); ok {
		attributes["replicas"] = replicas
	}
	if account := template.Text("spec", "serviceAccountName"); account != "" {
		attributes["serviceAccount"] = account
	}
	w.row = m.row("workload", attributes)
	return w, nil
}

// service is a stable name for pods.
type service struct {
	object
	selector  selector
	isExposed bool // outside the cluster
	row       importer.Row
	edges     edges
}

func readService(m manifest) (*service, *importer.Notice) {
	if p := m.specFault(func(spec *document.Node) bool {
		return spec.At("ports") == nil && spec.At("selector") == nil && spec.At("externalName") == nil
	}); p != nil {
		return nil, p
	}
	spec := m.root.At("spec")
	if p := m.Unexpanded(spec.At("selector"), spec.At("ports"), spec.At("type"), spec.At("externalName")); p != nil {
		return nil, p
	}
	kind := spec.Text("type")
	s := &service{object: m.object, selector: selector{labels: spec.TextMap("selector")}, isExposed: kind == "LoadBalancer" || kind == "NodePort"}
	attributes := map[string]any{}
	var ports []any
	for _, p := range spec.List("ports") {
		if port, ok := p.Int("port"); ok {
			ports = append(ports, port)
		}
	}
	if len(ports) > 0 {
		attributes["ports"] = ports
	}
	for _, f := range []struct{ attribute, field string }{{"serviceType", "type"}, {"externalName", "externalName"}} {
		if text := spec.Text(f.field); text != "" {
			attributes[f.attribute] = text
		}
	}
	if len(attributes) == 0 {
		attributes = nil
	}
	s.row = m.row("application_service", attributes)
	s.row.CI.Service = &importer.Service{}
	return s, nil
}

func (m manifest) row(class string, attributes map[string]any) importer.Row {
	return importer.Row{Origin: m.origin, CI: &importer.CI{
		ExternalID: m.id(), Class: class, Name: m.name, Lifecycle: string(domain.Live), Environment: string(domain.Production),
		Labels: m.root.TextMap("metadata", "labels"), Attributes: attributes,
	}}
}

// policy is the ingress side of a NetworkPolicy.
type policy struct {
	object
	pods selector
	from []peer
}

// peer selects pods that are let in: those of the policy's own namespace, or of the namespaces selected.
type peer struct {
	pods       selector
	namespaces *selector
	line       int
}

// readPolicy reads the peers that name pods by a selector. Any other peer, or all pods, shows who may call and not who
// does, and so does a policy for all pods.
func readPolicy(m manifest) (*policy, *importer.Notice) {
	spec := m.root.At("spec")
	if p := m.specFault(func(spec *document.Node) bool { return spec.At("podSelector") == nil }); p != nil {
		return nil, p
	}
	if p := m.Unexpanded(spec.At("podSelector"), spec.At("ingress")); p != nil {
		return nil, p
	}
	p := &policy{object: m.object, pods: readSelector(spec.At("podSelector"))}
	types := spec.Texts("policyTypes")
	if len(types) > 0 && !slices.ContainsFunc(types, func(n *document.Node) bool { return n.Text() == "Ingress" }) {
		return p, nil
	}
	for _, rule := range spec.List("ingress") {
		for _, f := range rule.List("from") {
			from := peer{pods: readSelector(f.At("podSelector")), line: f.Line}
			if n := f.At("namespaceSelector"); n != nil {
				s := readSelector(n)
				from.namespaces = &s
			}
			if !from.pods.isEmpty() && !p.pods.isEmpty() {
				p.from = append(p.from, from)
			}
		}
	}
	return p, nil
}
