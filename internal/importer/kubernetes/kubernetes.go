// Package kubernetes reads Kubernetes manifests: Deployments, StatefulSets and DaemonSets become workloads, Services
// become application services that run on them, and environment variables and NetworkPolicies show dependencies. It
// applies no kustomize and expands no Helm chart: give it their output, or that of kubectl get.
//
// It never repeats a value of an environment variable, which may hold a password.
package kubernetes

import (
	"context"
	"errors"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
	"github.com/linchpin-cmdb/linchpin/internal/importer/document"
)

// Source reads manifests.
type Source struct {
	paths  []string
	limits document.Limits
}

// New returns a source of the files and folders at paths.
func New(paths []string) *Source { return &Source{paths: paths} }

// Name returns "kubernetes".
func (s *Source) Name() string { return "kubernetes" }

// Rows yields the notices of documents that cannot be imported as they are read, then workloads and Services in the
// order in which they were read, and last the dangling references that no row can carry. An external id is
// kind:namespace/name, such as "deployment:default/frontend"; of two documents with one id the first counts. An edge to
// a Service that was not read stays in the row.
func (s *Source) Rows(ctx context.Context) iter.Seq2[importer.Row, error] {
	return rows(document.Read(ctx, s.paths, s.limits))
}

func rows(documents iter.Seq2[*document.Document, error]) iter.Seq2[importer.Row, error] {
	return func(yield func(importer.Row, error) bool) {
		c := &cluster{inside: map[string][]*workload{}, services: map[string]*service{}, namespaces: map[string]map[string]string{}, patches: map[string]importer.Origin{}}
		for d, err := range documents {
			var p *importer.Notice
			switch {
			case errors.As(err, &p):
				if !yield(importer.Row{}, p) {
					return
				}
			case err != nil:
				yield(importer.Row{}, err)
				return
			default:
				for _, p := range c.read(d, d.Root) {
					if !yield(importer.Row{}, p) {
						return
					}
				}
			}
		}
		for _, p := range c.settle() {
			if !yield(importer.Row{}, p) {
				return
			}
		}
		dangling := c.relate()
		for _, o := range c.kept {
			if row := o.row(); row != nil && !yield(*row, nil) {
				return
			}
		}
		for _, p := range dangling {
			if !yield(importer.Row{}, p) {
				return
			}
		}
	}
}

// cluster holds all objects of one import: a selector finds its pods only after all have been read.
type cluster struct {
	met        []found
	kept       []found // the objects that count, after settle
	workloads  []*workload
	inside     map[string][]*workload       // by namespace
	services   map[string]*service          // by external id
	namespaces map[string]map[string]string // labels by name
	patches    map[string]importer.Origin   // files that a Kustomization applies as patches, and the places that say so
}

// found is one object of one of the kinds: exactly one field is set.
type found struct {
	workload *workload
	service  *service
	policy   *policy
}

func (f found) object() object {
	switch {
	case f.workload != nil:
		return f.workload.object
	case f.service != nil:
		return f.service.object
	default:
		return f.policy.object
	}
}

func (f found) row() *importer.Row {
	switch {
	case f.workload != nil:
		return &f.workload.row
	case f.service != nil:
		return &f.service.row
	default:
		return nil
	}
}

// read reads one document, or the items of a List, and returns what is wrong with it.
func (c *cluster) read(d *document.Document, root *document.Node) []*importer.Notice {
	if root.Is(document.Map) && strings.HasSuffix(root.Text("kind"), "List") && root.At("items").Is(document.List) {
		var notices []*importer.Notice
		for _, item := range root.List("items") {
			notices = append(notices, c.read(d, item)...)
		}
		return notices
	}
	m, p := readManifest(d, root)
	if p == nil {
		p = c.take(m)
	}
	var notices []*importer.Notice
	if p != nil {
		notices = append(notices, p)
	}
	for _, n := range d.TakeNotices() { // the notices that no row has taken
		notices = append(notices, &n)
	}
	return notices
}

func (c *cluster) take(m manifest) *importer.Notice {
	var f found
	var p *importer.Notice
	switch {
	case m.isKustomization():
		return c.kustomization(m)
	case m.isNamespace():
		c.namespace(m.name)
		maps.Copy(c.namespaces[m.name], m.root.TextMap("metadata", "labels"))
		return nil
	case m.isWorkload():
		f.workload, p = readWorkload(m)
	case m.isService():
		f.service, p = readService(m)
	default:
		f.policy, p = readPolicy(m)
	}
	if p != nil {
		return p
	}
	if row := f.row(); row != nil {
		row.Notices = m.TakeNotices()
		for i := range row.Notices {
			row.Notices[i].ExternalID = m.id()
		}
	}
	c.met = append(c.met, f)
	return nil
}

// namespace adds a namespace, with the label that every namespace carries.
func (c *cluster) namespace(name string) {
	if c.namespaces[name] == nil {
		c.namespaces[name] = map[string]string{"kubernetes.io/metadata.name": name}
	}
}

// kustomization notes the files that are patches, whose documents are no objects. It applies nothing.
func (c *cluster) kustomization(m manifest) *importer.Notice {
	patches := 0
	for _, field := range []string{"patches", "patchesStrategicMerge", "patchesJson6902"} {
		for _, p := range m.root.List(field) {
			patches++
			file := p
			if p.Is(document.Map) {
				file = p.At("path")
			}
			if name := file.Text(); name != "" && !strings.Contains(name, "\n") {
				c.patches[filepath.Join(filepath.Dir(m.origin.File), filepath.FromSlash(name))] = m.At(p.Line)
			}
		}
	}
	if patches > 0 {
		return m.notice(importer.Skipped, "a file for kustomize with %d patches, which were not applied; run kustomize and import what it prints", patches)
	}
	return m.notice(importer.Skipped, "a file for kustomize, not an object of a cluster")
}

// settle keeps the objects that count: no patches, in whatever order they were read, and of two with one id the first.
func (c *cluster) settle() []*importer.Notice {
	var notices []*importer.Notice
	first := map[string]importer.Origin{}
	for _, f := range c.met {
		o := f.object()
		if by, ok := c.patches[filepath.Clean(o.origin.File)]; ok {
			notices = append(notices, o.notice(importer.Skipped, "this %s is a patch, as %v says; run kustomize and import what it prints", o.kind, by))
			continue
		}
		if at, ok := first[o.id()]; ok {
			notices = append(notices, o.notice(importer.Duplicate, "%s is described twice: the first, at %v, counts; this one was left out", o.id(), at))
			continue
		}
		first[o.id()] = o.origin
		c.namespace(o.namespace)
		c.kept = append(c.kept, f)
		if f.workload != nil {
			c.workloads = append(c.workloads, f.workload)
			c.inside[o.namespace] = append(c.inside[o.namespace], f.workload)
		}
		if f.service != nil {
			c.services[o.id()] = f.service
		}
	}
	return notices
}

// relate adds all relationships, and returns notices for the parts of NetworkPolicies that match nothing.
func (c *cluster) relate() []*importer.Notice {
	behind := map[*workload][]*service{}
	for _, f := range c.kept {
		if f.service != nil {
			c.runsOn(f.service, behind)
		}
	}
	for _, w := range c.workloads {
		for _, v := range w.env {
			for _, host := range v.hosts {
				if id, ok := serviceAt(host, w.namespace, c.known); ok && !isOwn(behind[w], id) {
					w.edges.add("depends_on", id, "env "+v.name)
				}
			}
		}
	}
	var dangling []*importer.Notice
	for _, f := range c.kept {
		if f.policy != nil {
			dangling = append(dangling, c.allow(f.policy, behind)...)
		}
	}
	for _, w := range c.workloads {
		w.row.CI.Relationships = w.edges.relationships()
	}
	return dangling
}

// runsOn relates a Service to every workload whose pods it selects. If there are several, any one of them keeps it up.
func (c *cluster) runsOn(s *service, behind map[*workload][]*service) {
	if s.selector.isEmpty() {
		return
	}
	var members []importer.GroupMember
	for _, w := range c.inside[s.namespace] {
		if s.selector.selects(w.labels) {
			behind[w] = append(behind[w], s)
			s.edges.add("runs_on", w.id(), "selector "+s.selector.String())
			members = append(members, importer.GroupMember{Type: "runs_on", Target: w.id()})
		}
	}
	s.row.CI.Relationships = s.edges.relationships()
	switch {
	case len(members) == 0:
		s.row.Notices = append(s.row.Notices, *s.notice(importer.Warning, "%s selects %s, which no workload read here has on its pods", s.id(), s.selector))
	case len(members) > 1:
		s.row.CI.Groups = []importer.Group{{Name: "workloads", Mode: "ANY", Members: members}}
	}
}

// known answers the questions of serviceAt.
func (c *cluster) known(namespace, name string) bool {
	if name != "" {
		return c.services["service:"+namespace+"/"+name] != nil
	}
	return namespace == "default" || c.namespaces[namespace] != nil
}

// isOwn reports whether a Service leads back to the workload: a peer of its own is no dependency.
func isOwn(own []*service, id string) bool {
	return slices.ContainsFunc(own, func(s *service) bool { return s.id() == id })
}

// allow makes each workload that a policy lets in depend on the Services of the workloads it protects.
func (c *cluster) allow(p *policy, behind map[*workload][]*service) []*importer.Notice {
	if len(p.from) == 0 {
		return nil
	}
	var notices []*importer.Notice
	lost := func(line int, what, selector string) {
		notice := p.notice(importer.Dangling, "%s %s pods with %s, which no workload read here has", p.id(), what, selector)
		notice.Origin.Line, notice.Target = line, selector
		notices = append(notices, notice)
	}
	var protected []*workload
	for _, w := range c.inside[p.namespace] {
		if p.pods.selects(w.labels) {
			protected = append(protected, w)
		}
	}
	if len(protected) == 0 {
		lost(p.origin.Line, "protects", p.pods.String())
		return notices
	}
	for _, from := range p.from {
		isMet := false
		for _, caller := range c.workloads {
			if !c.letsIn(p, from, caller) {
				continue
			}
			isMet = true
			for _, w := range protected {
				if w != caller {
					dependOn(caller, w, behind, "NetworkPolicy "+p.name)
				}
			}
		}
		if !isMet {
			lost(from.line, "lets in", from.pods.String())
		}
	}
	return notices
}

func (c *cluster) letsIn(p *policy, from peer, w *workload) bool {
	if from.namespaces == nil && w.namespace != p.namespace || from.namespaces != nil && !from.namespaces.selects(c.namespaces[w.namespace]) {
		return false
	}
	return from.pods.selects(w.labels)
}

// dependOn relates a caller to the Services of a workload: to those that its environment names, or else to those that
// are not exposed outside the cluster, or else to all. Without any Service it relates the caller to the workload
// itself.
func dependOn(caller, w *workload, behind map[*workload][]*service, evidence string) {
	if len(behind[w]) == 0 {
		caller.edges.add("depends_on", w.id(), evidence)
		return
	}
	var named, inside []*service
	for _, s := range behind[w] {
		if caller.edges.has("depends_on", s.id()) {
			named = append(named, s)
		}
		if !s.isExposed {
			inside = append(inside, s)
		}
	}
	services := behind[w]
	if len(named) > 0 {
		services = named
	} else if len(inside) > 0 {
		services = inside
	}
	for _, s := range services {
		if !isOwn(behind[caller], s.id()) {
			caller.edges.add("depends_on", s.id(), evidence)
		}
	}
}
