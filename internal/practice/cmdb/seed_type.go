package cmdb

import (
	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// seededTypes are the relationship types that a new database has.
var seededTypes = []ent.RelationshipType{
	seedType("depends_on", "depends on", "used by", domain.TargetToSource, domain.Hard, false, "The source needs the target, in whatever way: the type to use when none below says more."),
	seedType("runs_on", "runs on", "runs", domain.TargetToSource, domain.Hard, false, "Software runs on a machine, a cluster or a workload."),
	seedType("hosted_on", "hosted on", "hosts", domain.TargetToSource, domain.Hard, false, "The target offers the platform that the source lives on."),
	seedType("contained_in", "contained in", "contains", domain.TargetToSource, domain.Hard, true, "The source is inside the target: a server in a rack, a rack in a room."),
	seedType("virtualized_by", "virtualized by", "virtualizes", domain.TargetToSource, domain.Hard, false, "A virtual machine and its hypervisor.", pair("virtual_machine", "hypervisor"), pair("virtual_machine", "cluster")),
	seedType("powered_by", "powered by", "powers", domain.TargetToSource, domain.Hard, false, "Hardware and what feeds it. Redundant feeds belong in a dependency group.", pair("hardware", "pdu"), pair("hardware", "ups")),
	seedType("consumes_api", "consumes API", "API consumed by", domain.TargetToSource, domain.Hard, false, "Software and an API that it calls.", pair(anyClass, "api")),
	seedType("member_of", "member of", "has member", domain.SourceToTarget, domain.Hard, false, "A cluster suffers from its members: put them in a dependency group of the cluster."),
	seedType("provides_api", "provides API", "API provided by", domain.SourceToTarget, domain.Hard, false, "An API fails with the software that provides it.", pair("service", "api"), pair("software", "api")),
	seedType("sends_data_to", "sends data to", "receives data from", domain.SourceToTarget, domain.Soft, false, "Data flows from source to target, which can do without for a while."),
	seedType("connects_to", "connects to", "connected by", domain.BothDirections, domain.Soft, false, "A connection that each end feels the loss of."),
	seedType("part_of", "part of", "has part", domain.NoImpact, domain.Hard, true, "The source belongs to the target: services to a system, systems to a domain.",
		pair(anyClass, "system"), pair(anyClass, "domain"), pair(anyClass, "place"), pair("container", "namespace"),
		// A component is part of another in Backstage, whatever of the two it is.
		pair("service", "service"), pair("service", "software"), pair("software", "service"), pair("software", "software")),
	seedType("replicates_to", "replicates to", "replicated from", domain.NoImpact, domain.Hard, false, "Data is copied from source to target."),
	seedType("backed_up_by", "backed up by", "backs up", domain.NoImpact, domain.Hard, false, "The target keeps backups of the source."),
	seedType("managed_by", "managed by", "manages", domain.NoImpact, domain.Hard, false, "The target administers the source."),
}

func seedType(code, forward, reverse string, direction domain.ImpactDirection, strength domain.Strength, isContainment bool, description string, pairs ...domain.ClassPair) ent.RelationshipType {
	return ent.RelationshipType{
		Code: code, ForwardLabel: forward, ReverseLabel: reverse, Description: description, ImpactDirection: direction,
		Strength: strength, IsContainment: isContainment, Cardinality: domain.ManyToMany, AllowedPairs: pairs,
	}
}

func pair(source, target string) domain.ClassPair {
	return domain.ClassPair{Source: source, Target: target}
}
