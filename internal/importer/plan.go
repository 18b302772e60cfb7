package importer

import (
	"cmp"
	"slices"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// Plan is what an import will do, decided before anything is written: one step for each record, relationship, group and
// reference the source reports, in the order they will be written. The same input on the same database gives the same
// plan.
type Plan struct {
	Source string `json:"source"`
	// Revision is the revision of the database that the plan was made for.
	Revision int64   `json:"revision"`
	Steps    []Step  `json:"items"`
	Summary  Summary `json:"summary"`
	// Settled is how many rows needed no look: as they were when they were last compared. They have no steps.
	Settled int      `json:"settled"`
	Notices []Notice `json:"problems"`

	// Scope is the part of the source that was read, and Kind how much of it. IsComplete reports whether all of it
	// could be read.
	Scope      string         `json:"scope,omitempty"`
	Kind       domain.RunKind `json:"kind"`
	IsComplete bool           `json:"isComplete"`
	// Refused is why the plan is not to be applied unless a person approves it: too much is gone.
	Refused string `json:"refused,omitempty"`

	work    work
	known   map[domain.ExternalKey]ident.ID // the records of keys that were looked up
	serials map[string]Serial               // by parts
	isWhole bool                            // it looks at all that the source claims in its scope

	input     packed // what was read
	run       int64  // that the plan was kept in; 0 if it was not
	otherwise int    // how many steps are others than when it was kept
}

// Step is one thing the source reports, and what the import does about it.
type Step struct {
	Kind    Kind    `json:"kind"`
	Outcome Outcome `json:"outcome"`
	Origin  Origin  `json:"origin"`
	// ExternalID is the external id of the record; of a relationship, a group or a reference that of the CI, team or
	// person it belongs to.
	ExternalID string `json:"externalId,omitempty"`
	// Record is zero if the record is to be created.
	Record ident.ID `json:"id,omitempty"`
	Name   string   `json:"name,omitempty"`
	// Detail is the class of a CI, the type of a relationship, the role of an owner.
	Detail string `json:"detail,omitempty"`
	// Target is the external id of the other end of a relationship or reference.
	Target string `json:"target,omitempty"`
	// Space is the space of the target's key, if it is not the source's own.
	Space string `json:"space,omitempty"`
	// Differences are the fields that are written, or with WouldOverwrite those that are kept.
	Differences []Difference `json:"changes,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	// IsStored reports whether an IsDangling reference is in the database already.
	IsStored bool `json:"isStored,omitempty"`
}

// Difference is a field before and after, as the API shows it.
type Difference struct {
	Field  string `json:"field"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// Kind is the kind of thing a step is about.
type Kind string

// The kinds of steps, in the order they are written. The last four are references: they have steps of their own only
// while they dangle or when they heal.
const (
	KindDocument     Kind = "document" // a document that could not be read as a record
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

// Outcome is what the import does about a step.
type Outcome string

// The outcomes of steps.
const (
	Create    Outcome = "create"
	Update    Outcome = "update"
	Unchanged Outcome = "unchanged"
	// WouldOverwrite is an additional step beside the record's: a person set these fields, so they are kept.
	WouldOverwrite Outcome = "would_overwrite"
	// Heal is a stored dangling reference whose target arrives with this import.
	Heal Outcome = "heal"
	// IsDangling is a reference to a record that has not been reported: it is kept until that record arrives.
	IsDangling  Outcome = "dangling"
	IsDuplicate Outcome = "duplicate"
	IsRejected  Outcome = "rejected"
	IsSkipped   Outcome = "skipped"
	// Yield is an additional step beside the record's: other sources are believed in these fields. TakeOver is one for
	// the fields in which the source is believed against others.
	Yield    Outcome = "yield"
	TakeOver Outcome = "take_over"
	// Remove is a relationship or a reference that no source reports any more.
	Remove Outcome = "remove"
	// IsMissing is a record that a complete reading of its scope lacks; Retire one that has been missing for long enough.
	IsMissing Outcome = "missing"
	Retire    Outcome = "retire"
	// IsConflict occurs in Apply alone: the record has changed since the plan.
	IsConflict Outcome = "conflict"
	// IsNeeded occurs in Apply alone: something in service would have been DOWN by it, so that it stays as it was.
	IsNeeded Outcome = "needed"
)

var outcomes = []Outcome{
	Create, Update, Unchanged, TakeOver, Yield, WouldOverwrite, Heal, Remove, IsMissing, Retire, IsDangling, IsDuplicate, IsRejected, IsSkipped, IsConflict, IsNeeded,
}

// Writes reports whether applying the step writes to the database.
func (i Step) Writes() bool {
	switch i.Outcome {
	case Create, Update, Heal, Remove, Retire:
		return true
	case IsDangling:
		return !i.IsStored && i.Kind != KindDocument
	default:
		return false
	}
}

// Writes counts the steps that write.
func (p *Plan) Writes() int {
	n := 0
	for _, i := range p.Steps {
		if i.Writes() {
			n++
		}
	}
	return n
}

// Summary counts steps by kind and outcome.
type Summary map[Kind]map[Outcome]int

func (s Summary) add(k Kind, o Outcome) { s.count(k, o, 1) }

func (s Summary) count(k Kind, o Outcome, n int) {
	if s[k] == nil {
		s[k] = map[Outcome]int{}
	}
	s[k][o] += n
}

// Total counts the steps with an outcome, of all kinds.
func (s Summary) Total(o Outcome) int {
	n := 0
	for _, by := range s {
		n += by[o]
	}
	return n
}

// Progress is how far a phase of planning or applying has come. Total is 0 while it is unknown.
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

// Options are the options of a plan. The zero value is valid.
type Options struct {
	// Scope is the part of the source that is read, such as an account or a cluster; Kind is how much of it. Only a FULL
	// run makes anything missing. The zero value is PARTIAL.
	Scope string
	Kind  domain.RunKind
	// RetireUpTo is how many records a person lets go missing in this run, beyond what the source's guard allows.
	RetireUpTo int
	// TakeOlder takes parts of the source that are older than what a run has applied of them.
	TakeOlder bool
	// Classes are classes that the plan takes for given, whatever the database has.
	Classes []cmdb.CreateCIClass
	// Progress is called now and then, from the goroutine that plans.
	Progress func(Progress)
}

func (o Options) progress(phase string, done, total int) {
	if o.Progress != nil {
		o.Progress(Progress{phase, done, total})
	}
}

// sortNotices sorts notices by file and line, and keeps the order in which those of one place were found.
func sortNotices(all []Notice) {
	slices.SortStableFunc(all, func(a, b Notice) int {
		return cmp.Or(cmp.Compare(a.Origin.File, b.Origin.File), cmp.Compare(a.Origin.Line, b.Origin.Line))
	})
}
