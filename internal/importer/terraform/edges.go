package terraform

import (
	"slices"
	"strings"

	"github.com/linchpin-cmdb/linchpin/internal/importer"
)

// edge is a relationship that begins at a resource.
type edge struct {
	kind string
	to   *resource
}

// reason is why an edge is there.
type reason struct {
	evidence []string
	isSoft   bool
}

// edges finds how the resources of a state are related.
type edges struct {
	*state
	found map[*resource]map[edge]*reason
}

func (e *edges) add(from *resource, kind string, to *resource, evidence string, isSoft bool) {
	if from == to || from.class == "" || to.class == "" || to.values.text("id") == "" {
		return
	}
	if e.found[from] == nil {
		e.found[from] = map[edge]*reason{}
	}
	why := e.found[from][edge{kind, to}]
	if why == nil {
		why = &reason{isSoft: true}
		e.found[from][edge{kind, to}] = why
	}
	why.isSoft = why.isSoft && isSoft
	if !slices.Contains(why.evidence, evidence) {
		why.evidence = append(why.evidence, evidence)
	}
}

// find finds all edges: those that attributes show, those of security groups and of load balancers, and, between
// resources that nothing else relates, those that the state lists as dependencies.
func (e *edges) find() {
	for _, r := range e.resources {
		for name, kind := range references {
			ids := r.values.texts(name)
			for _, id := range ids {
				if to := e.byID[fold(id)]; to != nil {
					e.add(r, kind, to, "attribute "+name, kind == "connects_to" || len(ids) > 1) // one of several may fail
				}
			}
		}
	}
	e.groups()
	e.tags()
	e.balancers()
	e.volumes()
	for _, r := range e.resources {
		for _, address := range r.needs {
			for _, to := range e.named(r, address) {
				if !e.areRelated(r, to) {
					e.add(r, "depends_on", to, "dependencies", true)
				}
			}
		}
	}
}

// areRelated reports whether an edge other than a listed dependency leads from one resource to another.
func (e *edges) areRelated(from, to *resource) bool {
	for at, why := range e.found[from] {
		if at.to == to && !slices.Equal(why.evidence, []string{"dependencies"}) {
			return true
		}
	}
	return false
}

// isGroup reports whether a resource is a security group, and isGroupRule whether it is one rule of a group.
func (r *resource) isGroup() bool {
	return r.kind == "aws_security_group" || strings.HasSuffix(r.kind, "_networking_secgroup_v2")
}

func (r *resource) isGroupRule() bool {
	return strings.HasPrefix(r.kind, "aws_security_group_rule") || strings.HasPrefix(r.kind, "aws_vpc_security_group_") || strings.HasSuffix(r.kind, "_networking_secgroup_rule_v2")
}

// isInterface reports whether a resource is how others are connected to a network.
func (r *resource) isInterface() bool {
	return strings.HasSuffix(r.kind, "_networking_port_v2") || strings.HasSuffix(r.kind, "_network_interface")
}

// groups relates what stands on both sides of the rules of security groups.
func (e *edges) groups() {
	members := map[*resource][]*resource{}
	for _, r := range e.resources {
		if r.class == "" {
			continue
		}
		for _, g := range e.groupsOf(r) {
			members[g] = append(members[g], r)
		}
	}
	join := func(from, to *resource) {
		if from == nil || to == nil {
			return
		}
		for _, a := range members[from] {
			for _, b := range members[to] {
				e.add(a, "depends_on", b, "security groups "+from.name+", "+to.name, true)
			}
		}
	}
	for _, r := range e.resources {
		switch {
		case r.isGroup():
			for _, rule := range r.values.blocks("ingress") {
				for _, id := range rule.texts("security_groups") {
					join(e.byID[id], r)
				}
			}
			for _, rule := range r.values.blocks("egress") {
				for _, id := range rule.texts("security_groups") {
					join(r, e.byID[id])
				}
			}
		case r.isGroupRule():
			own, other := e.sidesOf(r)
			if r.values.text("type") == "egress" || r.values.text("direction") == "egress" || strings.Contains(r.kind, "_egress_") {
				own, other = other, own
			}
			join(other, own)
		}
	}
}

// sidesOf returns the group of a rule, and the one whose members the rule lets through. A rule that does not say its
// own group needs two, and its own is the one that it does not name.
func (e *edges) sidesOf(rule *resource) (own, other *resource) {
	for _, name := range []string{"source_security_group_id", "remote_group_id", "referenced_security_group_id"} {
		if id := rule.values.text(name); id != "" {
			other = e.byID[id]
		}
	}
	if id := rule.values.text("security_group_id"); id != "" {
		return e.byID[id], other
	}
	for _, address := range rule.needs {
		for _, g := range e.named(rule, address) {
			if g.isGroup() && g != other {
				own = g
			}
		}
	}
	return own, other
}

// groupsOf returns the security groups of a resource: those that its attributes name, its own or those of its
// interfaces, or if it has no such attribute, those among its dependencies.
func (e *edges) groupsOf(r *resource) (all []*resource) {
	hasAttribute := false
	add := func(g *resource) {
		if g != nil && g.isGroup() && !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	from := func(r *resource) {
		for _, name := range groupAttributes {
			hasAttribute = hasAttribute || r.values.has(name)
			for _, id := range r.values.texts(name) {
				add(e.byID[id])
			}
		}
	}
	from(r)
	var direct []*resource
	for _, id := range r.values.texts("network_interface_ids") {
		if to := e.byID[fold(id)]; to != nil {
			direct = append(direct, to)
		}
	}
	for _, address := range r.needs {
		direct = append(direct, e.named(r, address)...)
	}
	for _, to := range direct {
		if to.isInterface() {
			from(to)
		}
	}
	if hasAttribute {
		return all
	}
	for _, to := range direct {
		add(to)
	}
	return all
}

// tags relates the instances that firewalls of Google let through, which are told by their tags.
func (e *edges) tags() {
	tagged := map[string][]*resource{}
	for _, r := range e.resources {
		if r.kind == "google_compute_instance" {
			for _, tag := range r.values.texts("tags") {
				tagged[tag] = append(tagged[tag], r)
			}
		}
	}
	for _, r := range e.resources {
		if r.kind != "google_compute_firewall" || r.values.text("direction") == "EGRESS" {
			continue
		}
		for _, from := range r.values.texts("source_tags") {
			for _, to := range r.values.texts("target_tags") {
				for _, a := range tagged[from] {
					for _, b := range tagged[to] {
						e.add(a, "depends_on", b, "firewall "+r.name, true)
					}
				}
			}
		}
	}
}

// balancers relates load balancers to what their listeners forward to.
func (e *edges) balancers() {
	behind := map[string][]*resource{} // by the target group
	for _, r := range e.resources {
		if strings.HasSuffix(r.kind, "_target_group_attachment") {
			if to := e.byID[fold(r.values.text("target_id"))]; to != nil {
				group := r.values.text("target_group_arn")
				behind[group] = append(behind[group], to)
			}
		}
	}
	for _, r := range e.resources {
		lb := e.byID[r.values.text("load_balancer_arn")]
		if lb == nil {
			continue
		}
		groups := r.values.texts("target_group_arn")
		for _, action := range r.values.blocks("default_action") {
			groups = append(groups, action.texts("target_group_arn")...)
		}
		for _, group := range groups {
			for _, to := range behind[group] {
				e.add(lb, "depends_on", to, "listener "+r.name, true)
			}
		}
	}
}

// volumes relates instances to the volumes that are attached to them.
func (e *edges) volumes() {
	for _, r := range e.resources {
		if r.class != "" {
			continue
		}
		of, volume := e.byID[fold(r.values.text("instance_id"))], e.byID[fold(r.values.text("volume_id"))]
		if of != nil && volume != nil {
			e.add(of, "depends_on", volume, "attachment "+r.name, false)
		}
	}
}

// of returns the relationships of a resource, sorted.
func (e *edges) of(r *resource) (all []importer.Relationship) {
	for at, why := range e.found[r] {
		slices.Sort(why.evidence)
		rel := importer.Relationship{Type: at.kind, Target: e.key(at.to), Evidence: strings.Join(why.evidence, "; ")}
		if why.isSoft {
			rel.Strength = "SOFT"
		}
		all = append(all, rel)
	}
	slices.SortFunc(all, func(a, b importer.Relationship) int {
		return strings.Compare(a.Target+" "+a.Type, b.Target+" "+b.Type)
	})
	return all
}
