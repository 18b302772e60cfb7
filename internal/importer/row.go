// Package importer brings other systems' records into the CMDB: a Source yields rows, rows are matched and planned, and
// the plan is applied in batches through the same verbs everyone uses. It refuses to write anything that was not
// planned first.
package importer

import (
	"context"
	"fmt"
	"iter"
)

// Source yields the records that one other system reports. An error that concerns one row (a broken document, an
// unexpanded template) is yielded as *Notice and the next row follows; any other error ends the source.
type Source interface {
	// Name is the provenance written on everything imported, such as "backstage".
	Name() string
	Rows(ctx context.Context) iter.Seq2[Row, error]
}

// Origin is the place where a row was read.
type Origin struct {
	File string `json:"file,omitempty"` // path as the user gave it, joined with what was found below it
	Line int    `json:"line,omitempty"` // from 1; 0 for the file as a whole
}

func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// Row is one record a source reports: exactly one of CI, Team and Person is set.
type Row struct {
	Origin Origin
	CI     *CI
	Team   *Team
	Person *Person
	// Notices are findings about a row that is imported all the same.
	Notices []Notice
}

// Notice is something a person should look at: where, what, and what would be right.
type Notice struct {
	Origin Origin     `json:"origin"`
	Kind   NoticeKind `json:"kind"`
	// ExternalID is the external id of the record, if the notice concerns one.
	ExternalID string `json:"externalId,omitempty"`
	// Target is the target of a Dangling reference: an external id in the same source, or a file.
	Target string `json:"target,omitempty"`
	Reason string `json:"reason"`
}

// NoticeKind sorts notices in the summary.
type NoticeKind string

// The kinds of notices.
const (
	Rejected  NoticeKind = "rejected"  // the document could not be read and was left out
	Duplicate NoticeKind = "duplicate" // two rows, or several CIs, answer to one identity
	Dangling  NoticeKind = "dangling"  // a reference to a record that has not been reported
	Skipped   NoticeKind = "skipped"   // a document of a kind that has no place in the CMDB
	Warning   NoticeKind = "warning"   // imported, with something to note
	Needed    NoticeKind = "needed"    // something in service would be DOWN by it: it stays as it was
	Conflict  NoticeKind = "conflict"  // changed by someone else between plan and apply, and left out
)

// Error returns the place and the reason on one line.
func (p *Notice) Error() string {
	if p.Origin == (Origin{}) {
		return p.Reason
	}
	return p.Origin.String() + ": " + p.Reason
}

// CI is a configuration item or service as a source reports it. An empty field is not reported: the stored value stays.
type CI struct {
	ExternalID  string // the stable key in the source
	Class       string // class code, such as "database"
	Name        string
	Description string
	Lifecycle   string // domain enum value, such as "LIVE"
	Environment string
	Criticality string
	Labels      map[string]string
	Attributes  map[string]any
	Service     *Service // nil if the CI is no service
	Owners      []Owner

	Relationships []Relationship
	Groups        []Group
}

// plain returns the plain fields as reported, by their names in cmdb.PlainFields.
func (c *CI) plain() map[string]string {
	return map[string]string{
		"name": c.Name, "description": c.Description, "lifecycle": c.Lifecycle, "environment": c.Environment, "criticality": c.Criticality,
	}
}

// Service is what a service adds to its CI. Its kind follows from the class.
type Service struct {
	Tier               string // tier code, such as "tier-1"
	Portfolio          string
	Category           string
	Links              []Link
	SupportTeam        string // external id of a team
	AvailabilityTarget float64
}

// Link is an address of a service: a runbook, a dashboard.
type Link struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Owner is a team or a person, by external id; the first one listed is the primary.
type Owner struct {
	Team   string
	Person string
	Role   string
}

// Relationship goes from the CI it stands on to Target, or if IsReverse, from Target to that CI.
type Relationship struct {
	Type      string // relationship type code, such as "depends_on"
	Target    string // external id in the same source
	IsReverse bool
	Strength  string // "HARD", "SOFT" or empty for the type's default
	// Evidence is the place in the source that shows it, such as "env CART_SERVICE_ADDR".
	Evidence string
}

// Group combines some of the CI's dependencies.
type Group struct {
	Name      string
	Mode      string // ALL, ANY, AT_LEAST, PERCENT, WEIGHTED
	Threshold int    // k, p or the weight needed
	Members   []GroupMember
}

// GroupMember is one of the CI's relationships, named as in Relationships, with its weight (default 1).
type GroupMember struct {
	Type      string
	Target    string
	IsReverse bool
	Weight    int
}

// Team is a group of people.
type Team struct {
	ExternalID  string
	Name        string
	Description string
	Email       string
	Parent      string // external id of a team
}

// Person is a person who owns CIs, is on call or is assigned to tickets.
type Person struct {
	ExternalID string
	Name       string
	Email      string
	Teams      []string // external ids
}
