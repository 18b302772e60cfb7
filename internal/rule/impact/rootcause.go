package impact

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// Symptom is a CI that was seen to be unwell.
type Symptom struct {
	CI    ident.ID
	State State // Down or Degraded; it is explained by a failure that brings this or worse
}

// Symptoms are what was seen. CIs of which nothing is said may be affected or not.
type Symptoms struct {
	Seen    []Symptom
	Healthy []ident.ID
}

// RootCauseOptions are the parameters of the search; zero values stand for the defaults.
type RootCauseOptions struct {
	Silence       float64                // share of affected CIs that show nothing; 0.7
	Noise         float64                // share of symptoms that have nothing to do with the cause; 0.2
	FalseHealth   float64                // chance that an affected CI is called healthy; 0.05
	Observable    func(topology.CI) bool // CIs that would show something if they were affected; nil: all
	MaxFailures   int                    // in one explanation; 3
	MaxCandidates int                    // 10
	MaxBroken     int                    // of what a candidate would also have broken, so many are named; 20
}

// RootCausesAnswer lists what could have caused symptoms.
type RootCausesAnswer struct {
	Revision     int64
	Completeness Completeness
	Candidates   []RootCause // best first
}

// RootCause is a set of failures that explains symptoms, or several sets that what was seen cannot tell apart.
type RootCause struct {
	Failures        []ident.ID   // by id
	Alternatives    [][]ident.ID // other sets of failures that nothing seen tells from Failures, best first
	Score           float64      // log-likelihood, less that of all symptoms being noise
	Share           float64      // of the probability of all candidates listed
	Explained       []ident.ID
	Unexplained     []ident.ID
	Contradicted    []ident.ID // called healthy, but would be affected
	AlsoBroken      []ident.ID // would be affected, but nothing was said of them
	AlsoBrokenCount int
}

// RootCauses finds the fewest failures that explain symptoms.
func RootCauses(ctx context.Context, s *topology.Snapshot, seen Symptoms, o RootCauseOptions) (*RootCausesAnswer, error) {
	return &RootCausesAnswer{}, nil
}
