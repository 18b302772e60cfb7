package importer

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// Plan is what an import will do, decided before anything is written: one item for each record, relationship, group
// and reference the source reports, in the order they will be written. The same input on the same database gives the
// same plan.
type Plan struct {
	Source string `json:"source"`
	// Revision is the state of the database that the plan was made for.
	Revision int64     `json:"revision"`
	Items    []Item    `json:"items"`
	Summary  Summary   `json:"summary"`
	Problems []Problem `json:"problems"`

	work work
}

// Item is one thing the source reports, and what the import does about it.
type Item struct {
	Kind    Kind    `json:"kind"`
	Outcome Outcome `json:"outcome"`
	Origin  Origin  `json:"origin"`
	// ExternalID is the record's; of a relationship, a group or a reference the CI's, team's or person's that has it.
	ExternalID string `json:"externalId,omitempty"`
	// Record is zero for what is to be created.
	Record ident.ID `json:"id,omitempty"`
	Name   string   `json:"name,omitempty"`
	// Detail is the class of a CI, the type of a relationship, the role of an owner.
	Detail string `json:"detail,omitempty"`
	// Target is the external id that a relationship or reference leads to.
	Target string `json:"target,omitempty"`
	// Changes are the fields that are written, or with WouldOverwrite those that are kept.
	Changes []Change `json:"changes,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	// IsStored says of a Dangling reference that it is in the database already.
	IsStored bool `json:"isStored,omitempty"`
}

// Change is a field before and after, as the API shows it.
type Change struct {
	Field  string `json:"field"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// Kind says what an item is about.
type Kind string

// The kinds of items, in the order they are written. The last five are references: they are items of their own only
// while they dangle or when they heal.
const (
	KindDocument     Kind = "document" // what could not be read as any record
	KindTeam         Kind = "team"
	KindPerson       Kind = "person"
	KindCI           Kind = "ci"
	KindRelationship Kind = "relationship"
	KindGroup        Kind = "dependency_group"
	KindOwner        Kind = "owner"
	KindParent       Kind = "parent"
	KindMember       Kind = "member"
	KindSupport      Kind = "support_team"
)

var kinds = []Kind{
	KindDocument, KindTeam, KindPerson, KindCI, KindRelationship, KindGroup, KindOwner, KindParent, KindMember, KindSupport,
}

// Outcome is what happens to an item.
type Outcome string

// The outcomes of items.
const (
	Create    Outcome = "create"
	Update    Outcome = "update"
	Unchanged Outcome = "unchanged"
	// WouldOverwrite is an item of its own beside the record's: a person set these fields, they are kept.
	WouldOverwrite Outcome = "would_overwrite"
	// Heal is a stored dangling reference whose target arrives now.
	Heal Outcome = "heal"
	// IsDangling is a reference to what nobody has reported: it is kept until that arrives.
	IsDangling  Outcome = "dangling"
	IsDuplicate Outcome = "duplicate"
	IsRejected  Outcome = "rejected"
	IsSkipped   Outcome = "skipped"
	// IsConflict happens in Apply alone: the record changed since the plan was made.
	IsConflict Outcome = "conflict"
)

var outcomes = []Outcome{
	Create, Update, Unchanged, WouldOverwrite, Heal, IsDangling, IsDuplicate, IsRejected, IsSkipped, IsConflict,
}

// Writes reports whether applying the item writes to the database.
func (i Item) Writes() bool {
	switch i.Outcome {
	case Create, Update, Heal:
		return true
	case IsDangling:
		return !i.IsStored && i.Kind != KindDocument
	default:
		return false
	}
}

// Writes counts the items that write.
func (p *Plan) Writes() int {
	n := 0
	for _, i := range p.Items {
		if i.Writes() {
			n++
		}
	}
	return n
}

// Summary counts items by kind and outcome.
type Summary map[Kind]map[Outcome]int

func (s Summary) add(k Kind, o Outcome) {
	if s[k] == nil {
		s[k] = map[Outcome]int{}
	}
	s[k][o]++
}

// Total counts the items with an outcome, of all kinds.
func (s Summary) Total(o Outcome) int {
	n := 0
	for _, by := range s {
		n += by[o]
	}
	return n
}

// Progress says how far a phase of planning or applying has come. Total is 0 while nobody knows it.
type Progress struct {
	Phase string
	Done  int
	Total int
}

// The phases, as Progress names them.
const (
	Reading  = "read"
	Matching = "match"
	Applying = "apply"
)

// Options of a plan. The zero value will do.
type Options struct {
	// Progress is called now and then, from the goroutine that plans.
	Progress func(Progress)
}

func (o Options) progress(phase string, done, total int) {
	if o.Progress != nil {
		o.Progress(Progress{phase, done, total})
	}
}

// sortProblems puts problems in the order of the files, those of one place in the order they were found.
func sortProblems(all []Problem) {
	slices.SortStableFunc(all, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Origin.File, b.Origin.File), cmp.Compare(a.Origin.Line, b.Origin.Line))
	})
}
