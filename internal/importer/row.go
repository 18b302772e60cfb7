// Package importer brings other systems' records into the CMDB: a Source yields rows, rows are matched and planned, and
// the plan is applied in batches through the same verbs everyone uses. It refuses to write anything that was not
// planned first.
package importer

import (
	"context"
	"fmt"
	"iter"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
)

// Source yields the records that one other system reports. An error that concerns one row (a broken document, an
// unexpanded template) is yielded as *Notice and the next row follows; any other error ends the source.
type Source interface {
	// Name is the provenance written on everything imported, such as "backstage".
	Name() string
	Rows(ctx context.Context) iter.Seq2[Row, error]
}

// Named returns a source under another name: its keys are those of that name.
func Named(of Source, name string) Source { return named{of, name} }

type named struct {
	Source
	name string
}

// Name returns the name.
func (n named) Name() string { return n.name }

// Run returns what the source says of its scope, if it says anything.
func (n named) Run() (scope string, kind domain.RunKind) {
	if scoped, ok := n.Source.(Scoped); ok {
		return scoped.Run()
	}
	return "", ""
}

// Classes returns the classes that the source says, if it says any.
func (n named) Classes(ctx context.Context) ([]cmdb.CreateCIClass, error) {
	return ClassesOf(ctx, n.Source)
}

// Serials returns what the source says of its parts, if it says anything.
func (n named) Serials() []Serial {
	if numbered, ok := n.Source.(Numbered); ok {
		return numbered.Serials()
	}
	return nil
}

// Scoped is a source that says itself which part of it its rows are of, and how much of that.
type Scoped interface {
	Run() (scope string, kind domain.RunKind)
}

// Origin is the place where a row was read.
type Origin struct {
	File string `json:"file,omitempty"` // path as the user gave it, joined with what was found below it
	Line int    `json:"line,omitempty"` // from 1; 0 for the file as a whole
	// Column is the name of a column, if the place is a cell of a table.
	Column string `json:"column,omitempty"`
}

func (o Origin) String() string {
	switch {
	case o.Line == 0:
		return o.File
	case o.Column != "":
		return fmt.Sprintf("%s:%d, column %q", o.File, o.Line, o.Column)
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// Row is one record a source reports: exactly one of CI, Team, Person and Deleted is set.
type Row struct {
	Origin Origin  `json:"-"`
	CI     *CI     `json:"ci,omitempty"`
	Team   *Team   `json:"team,omitempty"`
	Person *Person `json:"person,omitempty"`
	// Deleted is the key of a record that the source says is gone, in place of a record.
	Deleted string `json:"-"`
	// Notices are findings about a row that is imported all the same.
	Notices []Notice `json:"-"`
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
	ExternalID  string            `json:"key"`             // the stable key in the source
	Class       string            `json:"class,omitempty"` // class code, such as "database"
	Name        string            `json:"name,omitempty"`
	Description string            `json:"description,omitempty"`
	Lifecycle   string            `json:"lifecycle,omitempty"` // domain enum value, such as "LIVE"
	Environment string            `json:"environment,omitempty"`
	Criticality string            `json:"criticality,omitempty"`
	Visibility  string            `json:"visibility,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Attributes  map[string]any    `json:"attributes,omitempty"`
	Service     *Service          `json:"service,omitempty"` // nil if the CI is no service
	Owners      []Owner           `json:"owners,omitempty"`
	// Keys are keys of the CI in other spaces than the source's own, such as "aws:arn". The source has to be trusted for
	// the space.
	Keys []Key `json:"keys,omitempty"`
	// Null names the fields of which the source says that there is none, which counts like a value: "description",
	// "attributes.x", "labels.x", "owners", "supportTeam", "tier", "category", "links", "availabilityTarget".
	Null []string `json:"null,omitempty"`

	Relationships []Relationship `json:"relationships,omitempty"`
	Groups        []Group        `json:"groups,omitempty"`
}

// Key is a key of a record in a space of keys.
type Key struct {
	Space string `json:"space"`
	Key   string `json:"key"`
}

// plain returns the plain fields as reported, by their names in cmdb.PlainFields.
func (c *CI) plain() map[string]string {
	return map[string]string{
		"name": c.Name, "description": c.Description, "lifecycle": c.Lifecycle, "environment": c.Environment, "criticality": c.Criticality,
		"visibility": c.Visibility,
	}
}

// Service is what a service adds to its CI. Its kind follows from the class.
type Service struct {
	Tier               string  `json:"tier,omitempty"` // tier code, such as "tier-1"
	Portfolio          string  `json:"portfolioStage,omitempty"`
	Category           string  `json:"category,omitempty"`
	Links              []Link  `json:"links,omitempty"`
	SupportTeam        string  `json:"supportTeam,omitempty"` // external id of a team
	SupportTeamSpace   string  `json:"supportTeamSpace,omitempty"`
	AvailabilityTarget float64 `json:"availabilityTarget,omitempty"`
}

// Link is an address of a service: a runbook, a dashboard.
type Link struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Owner is a team or a person, by external id; the first one listed is the primary.
type Owner struct {
	Team   string `json:"team,omitempty"`
	Person string `json:"person,omitempty"`
	Role   string `json:"role,omitempty"`
	Space  string `json:"space,omitempty"` // of the external id: a source; empty: the row's own
}

// Relationship goes from the CI it stands on to Target, or if IsReverse, from Target to that CI.
type Relationship struct {
	Type      string `json:"type"`            // relationship type code, such as "depends_on"
	Target    string `json:"target"`          // external id
	Space     string `json:"space,omitempty"` // of the external id: a source; empty: the row's own
	IsReverse bool   `json:"isReverse,omitempty"`
	Strength  string `json:"strength,omitempty"` // "HARD", "SOFT" or empty for the type's default
	// Evidence is the place in the source that shows it, such as "env CART_SERVICE_ADDR".
	Evidence string `json:"evidence,omitempty"`
}

// Group combines some of the CI's dependencies.
type Group struct {
	Name      string        `json:"name"`
	Mode      string        `json:"mode"`                // ALL, ANY, AT_LEAST, PERCENT, WEIGHTED
	Threshold int           `json:"threshold,omitempty"` // k, p or the weight needed
	Members   []GroupMember `json:"members"`
}

// GroupMember is one of the CI's relationships, named as in Relationships, with its weight (default 1).
type GroupMember struct {
	Type      string `json:"type"`
	Target    string `json:"target"`
	Space     string `json:"space,omitempty"`
	IsReverse bool   `json:"isReverse,omitempty"`
	Weight    int    `json:"weight,omitempty"`
}

// Team is a group of people.
type Team struct {
	ExternalID  string `json:"key"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Email       string `json:"email,omitempty"`
	Parent      string `json:"parent,omitempty"` // external id of a team
}

// Person is a person who owns CIs, is on call or is assigned to tickets.
type Person struct {
	ExternalID string   `json:"key"`
	Name       string   `json:"name,omitempty"`
	Email      string   `json:"email,omitempty"`
	Teams      []string `json:"teams,omitempty"` // external ids
}
