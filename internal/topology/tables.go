package topology

import "github.com/linchpin-cmdb/linchpin/internal/ident"

// tables are the facts of one revision and the arcs compiled from them. A copy of the struct is a cheap
// snapshot: everything behind it is shared until an edit lays something over it.
type tables struct {
	numbering
	patching      patching
	drift         int    // rows that were laid over and compacted since the numbering was made
	types         []Type // by number
	cis           table[ciFact]
	relationships table[relationshipFact]
	groups        table[Counter]
	out, in       adjacency
	incidents     []Incident // by id
	changes       []Change   // by id
	digest        Digest
	memberships   overlay[[]uint32] // the groups of each relationship that is in several
	awaiting      overlay[[]uint32] // by CI number: relationships that take no effect while the CI is not in service
	unmet         overlay[[]key]    // by CI number: needs that nothing meets: see Snapshot.Unmet
	short         int               // CIs that have such needs
}

// ciFact is a CI in eight bytes.
type ciFact struct {
	class24tags8 uint32
	tier         uint16
	environment  Environment
}

const (
	ciKnown = 1 << iota
	ciRetired
	ciService
	ciPlanned
)

func packCI(f CI) ciFact {
	tags := uint32(ciKnown)
	if f.IsRetired {
		tags |= ciRetired
	}
	if f.IsService {
		tags |= ciService
	}
	if f.IsPlanned {
		tags |= ciPlanned
	}
	return ciFact{uint32(f.Class.Number())<<8 | tags, uint16(f.Tier.Number()), f.Environment}
}

func (f ciFact) isKnown() bool   { return f.class24tags8&ciKnown != 0 }
func (f ciFact) isPlanned() bool { return f.class24tags8&ciPlanned != 0 }
func (f ciFact) isRetired() bool { return f.class24tags8&ciRetired != 0 }

// stage returns what the arcs and needs of others depend on.
func (f ciFact) stage() uint32     { return f.class24tags8 & (ciKnown | ciRetired | ciPlanned) }
func (f ciFact) isInService() bool { return f.stage() == ciKnown }

func (f ciFact) unpack(ci ident.ID) CI {
	out := CI{
		ID: ci, Class: ident.New(ident.CIClass, int64(f.class24tags8>>8)), Environment: f.environment,
		IsService: f.class24tags8&ciService != 0, IsPlanned: f.isPlanned(), IsRetired: f.isRetired(),
	}
	if f.tier != 0 {
		out.Tier = ident.New(ident.ServiceTier, int64(f.tier))
	}
	return out
}

// relationshipFact is a relationship in sixteen bytes. The place exists as soon as a group names it, before it is
// known.
type relationshipFact struct {
	source, target ciNumber
	group          uint32 // a group it is a member of; 0: none
	typ            uint16
	strength       Strength
	tags           uint8
}

const (
	relationshipKnown = 1 << iota
	inSeveralGroups   // writer.memberships has them all
	awaitsSource      // listed in writer.awaiting under its source
	awaitsTarget
)

func packRelationship(f Relationship) relationshipFact {
	return relationshipFact{
		source: ciNumber(f.Source.Number()), target: ciNumber(f.Target.Number()),
		typ: uint16(f.Type.Number()), strength: f.Strength, tags: relationshipKnown,
	}
}

func (f relationshipFact) isKnown() bool { return f.tags&relationshipKnown != 0 }

func (f relationshipFact) unpack(number uint32) Relationship {
	return Relationship{
		ID: ident.New(ident.Relationship, int64(number)), Type: ident.New(ident.RelationshipType, int64(f.typ)),
		Source: ident.New(ident.CI, int64(f.source)), Target: ident.New(ident.CI, int64(f.target)), Strength: f.strength,
	}
}

// typeOf returns the type of a number, or one that lets nothing flow.
func (t *tables) typeOf(number uint16) Type {
	if int(number) < len(t.types) {
		return t.types[number]
	}
	return Type{}
}

func (t *tables) isInService(v Vertex) bool { return t.cis.at(uint32(v)).isInService() }

// isSoft reports whether a relationship is SOFT, by its own strength or else its type's.
func (t *tables) isSoft(f *relationshipFact) bool {
	return f.strength == Soft || f.strength == Default && t.typeOf(f.typ).Strength == Soft
}

// hops returns the ways on which impact passes over a relationship: none while an end is not in service, one, or
// two for a type that flows both ways. A self-loop has one, whatever its type.
func (t *tables) hops(f *relationshipFact) (hops [2]hop, n int) {
	if hops, n = t.ways(f); n > 0 && t.isInService(hops[0].from) && t.isInService(hops[0].to) {
		return hops, n
	}
	return hops, 0
}

// ways returns the hops of a relationship as if both of its ends were in service.
func (t *tables) ways(f *relationshipFact) (hops [2]hop, n int) {
	flow := t.typeOf(f.typ).Flow
	if !f.isKnown() || flow == NoFlow {
		return hops, 0
	}
	source, target := t.place(f.source), t.place(f.target)
	if flow != TargetToSource {
		hops[n] = hop{source, target}
		n++
	}
	if flow == TargetToSource || flow == Both && f.source != f.target {
		hops[n] = hop{target, source}
		n++
	}
	return hops, n
}

// hop is a way from a cause to the CI that suffers.
type hop struct{ from, to Vertex }
