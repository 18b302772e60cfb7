package importer

import (
	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/catalog"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/reconcile"
)

// record is a row on its way into the database.
type record struct {
	Row                                   // as all claims make it
	reported   Row                        // as the source has it
	own        *claim                     // that the source has on it; nil if it is new
	values     map[string]reconcile.Value // what all claims make of it; nil if no other source has any
	hash, body string                     // of the claim
	origin     Origin
	kind       Kind
	key        string // external id
	name       string

	place     int // among the rows of the run
	isDropped bool
	isNoisy   bool                 // the run has something to say of it that the next one has to say again
	isWoken   bool                 // it is looked at for its relationships with rows that are not
	isAbsent  bool                 // the run does not have it
	id        ident.ID             // of the stored record that it matches; 0 until it is created
	version   int                  // of the stored record when it was planned
	needsKey  bool                 // it was matched without its key, which has to be stored
	shared    []domain.ExternalKey // of other spaces, which have to be stored

	// The mutations to make; at most one of each pair.
	newTeam      *catalog.NewTeam
	teamChange   *catalog.TeamChange
	parent       *end // with newTeam or teamChange
	newPerson    *catalog.NewPerson
	personChange *catalog.PersonChange
	teams        []end // the teams that the person joins
	newCI        *cmdb.NewCI
	ciChange     *cmdb.CIChange
	support      *end     // with newCI or ciChange
	owners       []answer // nil if they stay as they are

	class *cmdb.Class // of a CI
	old   *ent.CI     // the stored CI
	next  *ent.CI     // the CI after the import, without references to others
	diff  comparison
}

func newRecord(row Row) *record {
	r := &record{Row: row, reported: row, origin: row.Origin}
	n := 0
	if row.CI != nil {
		r.kind, r.key, r.name = KindCI, row.CI.ExternalID, row.CI.Name
		n++
	}
	if row.Team != nil {
		r.kind, r.key, r.name = KindTeam, row.Team.ExternalID, row.Team.Name
		n++
	}
	if row.Person != nil {
		r.kind, r.key, r.name = KindPerson, row.Person.ExternalID, row.Person.Name
		n++
	}
	if n != 1 {
		return nil
	}
	return r
}

// writes reports whether anything of the record itself is to be written.
func (r *record) writes() bool {
	return r.id == 0 || r.needsKey || r.teamChange != nil || r.personChange != nil || r.ciChange != nil ||
		len(r.shared) > 0 || r.parent != nil || r.support != nil || len(r.teams) > 0 || r.owners != nil
}

// end is a record that another one refers to: stored, or still to be created.
type end struct {
	id ident.ID
	of *record // if id is 0
}

func (r *record) end() end {
	if r.id != 0 {
		return end{id: r.id}
	}
	return end{of: r}
}

// answer is an owner and its role.
type answer struct {
	by   end
	role string
}

// edge is a relationship on its way into the database.
type edge struct {
	from           *record // the record that reports it
	reported       Relationship
	source, target end
	old            *ent.Relationship
	strength       *domain.Strength // nil if it is not reported
	evidence       string
	outcome        Outcome
	isDropped      bool
}

// group is a dependency group on its way into the database.
type group struct {
	of        *record
	name      string
	mode      domain.GroupMode
	threshold int
	members   []member
	old       *ent.DependencyGroup
}

type member struct {
	edge   *edge
	weight int
}

// loose is a reference to a record that has not been reported.
type loose struct {
	of        *record
	kind      domain.DanglingKind
	target    domain.ExternalKey
	detail    string
	isReverse bool
	strength  *domain.Strength
	evidence  string
	isStored  bool
}

// work holds the records that a plan writes, in that order.
type work struct {
	teams, people, cis []*record
	edges              []*edge
	groups             []*group
	dangling           []*loose
	partings           []*parting
	forgotten          []ident.ID // dangling references that nobody makes any more
	farewells          []*farewell
	claims             []*record // whose claims are to be written
	unsettled          []string  // keys of rows that were left out
	missing            []*claim  // that the source has lost
}

func (w work) size() int {
	return len(w.teams) + len(w.people) + len(w.cis) + len(w.edges) + len(w.groups) + len(w.dangling) + len(w.partings) + len(w.farewells) +
		len(w.claims) + len(w.missing)
}
