package impact

import (
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Question asks what follows from a set of failures.
type Question struct {
	// Failed are the CIs that fail, each DOWN or DEGRADED. If one is named twice, the worse state holds; one that is not
	// in service harms no other.
	Failed []Failure
	// Excluded CIs stay OPERATIONAL and pass nothing on, also when they are named in Failed.
	Excluded []ident.ID
	// Maintenance names CIs on which work is planned. Their hits are marked, and nothing else changes: one that
	// the work takes down is also named in Failed.
	Maintenance []ident.ID
	// OnFacts asks of the estate as it is: the CIs are DOWN beside that open incidents name as ROOT and that changes take
	// down which are being carried out. CIs that an incident excludes stay as they are given by these or by Failed.
	OnFacts bool
	// WithoutBrink does not look for the brink: AT_RISK is what lost a member itself.
	WithoutBrink bool
	// MaxDepth leaves out of the answer what is more than so many hops from every failed CI; 0: no limit.
	// The states of the others are those of the unlimited answer: depth limits what is told, never what is true.
	MaxDepth int
	// MaxCIs stops after so many CIs beside the failed ones; 0: no limit. The answer is true then, with the nearest rounds
	// first and the lowest ids of the last round, but CIs and AT_RISK are missing.
	MaxCIs int
}

// Failure is one CI that fails.
type Failure struct {
	CI    ident.ID
	State State // Down or Degraded
}

// Reason says why an answer is not whole.
type Reason uint8

// The reasons.
const (
	NoReason Reason = iota
	MaxDepth
	MaxCIs
	Time // the context's deadline passed
)

var reasons = [...]string{"NONE", "MAX_DEPTH", "MAX_CIS", "TIME"}

// String returns the reason as the API shows it.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return "UNKNOWN"
}

// Completeness says whether an answer is whole, why not, and how many CIs were reached on the way, those
// left out included.
type Completeness struct {
	IsPartial bool
	Reason    Reason
	Explored  int
}

func (c *Completeness) cut(r Reason) {
	if !c.IsPartial {
		c.IsPartial, c.Reason = true, r
	}
}

// locate finds CIs in the snapshot, or names the first that is not there.
func locate(s *topology.Snapshot, field string, ci ident.ID) (topology.Vertex, error) {
	v, ok := s.Index(ci)
	if !ok {
		return 0, errs.New(errs.NotFound, "there is no CI %v at revision %d", name(ci), s.Revision()).At(field)
	}
	return v, nil
}

func name(ci ident.ID) string {
	if ci == 0 {
		return "without id"
	}
	return ci.String()
}
