package topology

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// CI holds what the graph knows of a configuration item. One that is not in service, planned or retired, has no arcs:
// they vanish, and come back with it. Counter and Snapshot.Unmet tell what that does to others.
type CI struct {
	ID          ident.ID
	Class       ident.ID
	Tier        ident.ID // 0: none
	Environment Environment
	IsService   bool
	IsPlanned   bool // PLANNED or BUILD
	IsRetired   bool // outweighs IsPlanned
}

// Type holds what the graph knows of a relationship type.
type Type struct {
	ID       ident.ID
	Flow     Flow
	Strength Strength
}

// Relationship links two CIs. It takes effect once its type and both ends are there, in whatever order they come.
type Relationship struct {
	ID, Type, Source, Target ident.ID
	Strength                 Strength // overrides the type's unless Default
}

// Group says how the dependencies of one CI combine. A member counts while its relationship brings
// impact to Dependent; a relationship named twice is one member, with the weight given last.
type Group struct {
	ID, Dependent ident.ID
	Mode          Mode
	Threshold     int
	Members       []Member
}

// Member is one relationship of a group. Weight counts in Weighted groups only; below 1 it is 1.
type Member struct {
	Relationship ident.ID
	Weight       int
}

// Incident holds the marks that one open incident puts on the graph.
type Incident struct {
	ID             ident.ID
	Root, Excluded []ident.ID
}

// Change holds the marks that a change puts on the graph while it is carried out.
type Change struct {
	ID                 ident.ID
	TakenDown, Changed []ident.ID
}

// Batch holds the writes of one revision: facts written, each whole, and records removed, which are removed after the
// facts are written. If a fact appears twice, the last one holds. Facts may name records that come later or never.
// Removing a closed incident, or a change that is no longer carried out, takes its marks away.
type Batch struct {
	Revision      int64
	CIs           []CI
	Types         []Type
	Relationships []Relationship
	Groups        []Group
	Incidents     []Incident
	Changes       []Change
	Removed       []ident.ID
}

// The highest numbers in dense arrays. A number beyond is refused, so that one bad id cannot ask for all memory.
const (
	maxVertex       = 1<<26 - 1
	maxRelationship = 1<<28 - 1
	maxGroup        = 1<<26 - 1
	maxType         = 1<<16 - 1
	maxClass        = 1<<24 - 1
	maxTier         = 1<<16 - 1
)

// normalise checks each fact and returns it in the one form that is stored and digested: service ids as CI ids, members
// and marks sorted and without repetition. It does not change b's slices.
func (b Batch) normalise() (Batch, error) {
	c := checker{}
	b.CIs, b.Types, b.Relationships = slices.Clone(b.CIs), slices.Clone(b.Types), slices.Clone(b.Relationships)
	for i := range b.CIs {
		f := &b.CIs[i]
		c.ci(&f.ID)
		c.number(f.ID, f.Class, ident.CIClass, maxClass)
		if f.Tier != 0 {
			c.number(f.ID, f.Tier, ident.ServiceTier, maxTier)
		}
		c.enum(f.ID, int(f.Environment), len(environments))
		f.IsPlanned = f.IsPlanned && !f.IsRetired
	}
	for i := range b.Types {
		f := &b.Types[i]
		c.number(f.ID, f.ID, ident.RelationshipType, maxType)
		c.enum(f.ID, int(f.Flow), len(flows))
		c.enum(f.ID, int(f.Strength), len(strengths))
		if f.Strength == Default {
			f.Strength = Hard
		}
	}
	for i := range b.Relationships {
		f := &b.Relationships[i]
		c.number(f.ID, f.ID, ident.Relationship, maxRelationship)
		c.number(f.ID, f.Type, ident.RelationshipType, maxType)
		c.ci(&f.Source)
		c.ci(&f.Target)
		c.enum(f.ID, int(f.Strength), len(strengths))
	}
	b.Groups = slices.Clone(b.Groups)
	for i := range b.Groups {
		c.group(&b.Groups[i])
	}
	b.Incidents = slices.Clone(b.Incidents)
	for i := range b.Incidents {
		f := &b.Incidents[i]
		c.number(f.ID, f.ID, ident.Incident, 1<<48-1)
		f.Root, f.Excluded = c.marks(f.Root), c.marks(f.Excluded)
	}
	b.Changes = slices.Clone(b.Changes)
	for i := range b.Changes {
		f := &b.Changes[i]
		c.number(f.ID, f.ID, ident.Change, 1<<48-1)
		f.TakenDown, f.Changed = c.marks(f.TakenDown), c.marks(f.Changed)
	}
	b.Removed = slices.Clone(b.Removed)
	for i := range b.Removed {
		c.removed(&b.Removed[i])
	}
	return b, c.err
}

// checker keeps the first complaint.
type checker struct{ err error }

func (c *checker) complain(format string, args ...any) {
	if c.err == nil {
		c.err = errs.New(errs.Invalid, format, args...)
	}
}

func (c *checker) number(of, v ident.ID, kind ident.Kind, limit int64) {
	if v.Kind() != kind || v.Number() < 1 || v.Number() > limit {
		c.complain("%v names %d (%v) where a %v numbered 1 to %d belongs", of, int64(v), v, kind, limit)
	}
}

func (c *checker) ci(v *ident.ID) {
	if v.Kind() == ident.Service {
		*v = v.As(ident.CI)
	}
	c.number(*v, *v, ident.CI, maxVertex)
}

func (c *checker) enum(of ident.ID, v, limit int) {
	if v >= limit {
		c.complain("%v has an enum value %d that is not known", of, v)
	}
}

func (c *checker) group(f *Group) {
	c.number(f.ID, f.ID, ident.DependencyGroup, maxGroup)
	c.ci(&f.Dependent)
	c.enum(f.ID, int(f.Mode), len(modes))
	f.Threshold = min(max(f.Threshold, 0), 1<<31-1)
	f.Members = slices.Clone(f.Members)
	slices.Reverse(f.Members) // so that of equals the last one stays
	slices.SortStableFunc(f.Members, func(a, b Member) int { return cmp.Compare(a.Relationship, b.Relationship) })
	f.Members = slices.CompactFunc(f.Members, func(a, b Member) bool { return a.Relationship == b.Relationship })
	var sum int64
	for i := range f.Members {
		m := &f.Members[i]
		c.number(f.ID, m.Relationship, ident.Relationship, maxRelationship)
		m.Weight = max(m.Weight, 1)
		if sum += int64(min(m.Weight, 1<<32)); sum > 1<<32-1 {
			c.complain("the weights of %v add up to more than %d", f.ID, int64(1<<32-1))
			return
		}
	}
}

func (c *checker) marks(ids []ident.ID) []ident.ID {
	ids = slices.Clone(ids)
	for i := range ids {
		c.ci(&ids[i])
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (c *checker) removed(v *ident.ID) {
	switch v.Kind() {
	case ident.CI, ident.Service:
		c.ci(v)
	case ident.RelationshipType:
		c.number(*v, *v, ident.RelationshipType, maxType)
	case ident.Relationship:
		c.number(*v, *v, ident.Relationship, maxRelationship)
	case ident.DependencyGroup:
		c.number(*v, *v, ident.DependencyGroup, maxGroup)
	case ident.Incident, ident.Change:
		c.number(*v, *v, v.Kind(), 1<<48-1)
	default:
		c.complain("%d (%v) is removed, but the graph holds no such kind of record", int64(*v), *v)
	}
}
