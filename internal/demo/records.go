package demo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
)

// RecordSet is the demo's incidents and changes, by a key that lets one refer to another.
type RecordSet struct {
	Templates map[string]Template `yaml:"templates"`
	Changes   map[string]Change   `yaml:"changes"`
	Incidents map[string]Incident `yaml:"incidents"`
}

// Template is a template from which STANDARD changes of the demo are drafted.
type Template struct {
	Name          string        `yaml:"name"`
	Description   string        `yaml:"description"`
	Justification string        `yaml:"justification"`
	Plan          string        `yaml:"plan"`
	BackoutPlan   string        `yaml:"backoutPlan"`
	TestPlan      string        `yaml:"testPlan"`
	Classes       []string      `yaml:"classes"`
	MayTakeDown   bool          `yaml:"mayTakeDown"`
	LongestWindow time.Duration `yaml:"longestWindow"`
	CreatedBy     string        `yaml:"createdBy"` // a person
	CreatedAt     Offset        `yaml:"createdAt"`
}

// Change is a change as it stands when the demo starts. An Offset is nil if its moment has not come.
type Change struct {
	Type          domain.ChangeType    `yaml:"type"`
	Template      string               `yaml:"template"` // of a STANDARD change
	State         domain.ChangeState   `yaml:"state"`
	Outcome       domain.ChangeOutcome `yaml:"outcome"`
	OutcomeNotes  string               `yaml:"outcomeNotes"`
	Title         string               `yaml:"title"`
	Description   string               `yaml:"description"`
	Justification string               `yaml:"justification"`
	Plan          string               `yaml:"plan"`
	BackoutPlan   string               `yaml:"backoutPlan"`
	TestPlan      string               `yaml:"testPlan"`
	RequestedBy   string               `yaml:"requestedBy"` // a person
	Assignee      string               `yaml:"assignee"`    // a person
	Team          string               `yaml:"team"`
	ApprovedBy    []string             `yaml:"approvedBy"` // people
	CreatedAt     Offset               `yaml:"createdAt"`
	PlannedStart  Offset               `yaml:"plannedStart"`
	PlannedEnd    Offset               `yaml:"plannedEnd"`
	ActualStart   *Offset              `yaml:"actualStart"`
	ActualEnd     *Offset              `yaml:"actualEnd"`
	ClosedAt      *Offset              `yaml:"closedAt"`
	CIs           []ScopedCI           `yaml:"cis"`
	Timeline      []Entry              `yaml:"timeline"`
}

// ScopedCI is a CI in the scope of a change.
type ScopedCI struct {
	ID   string            `yaml:"id"`
	Role domain.ChangeRole `yaml:"role"`
}

// Incident is an incident as it stands when the demo starts. If Impact is 0, the suggested one holds.
type Incident struct {
	State          domain.IncidentState `yaml:"state"`
	Title          string               `yaml:"title"`
	Description    string               `yaml:"description"`
	Impact         int                  `yaml:"impact"`
	Urgency        int                  `yaml:"urgency"`
	Category       string               `yaml:"category"`
	Channel        domain.Channel       `yaml:"channel"`
	IsMajor        bool                 `yaml:"isMajor"`
	Caller         string               `yaml:"caller"`   // a person
	Assignee       string               `yaml:"assignee"` // a person
	Team           string               `yaml:"team"`
	CausedByChange string               `yaml:"causedByChange"` // key of a change
	DetectedAt     *Offset              `yaml:"detectedAt"`
	OpenedAt       Offset               `yaml:"openedAt"`
	AcknowledgedAt *Offset              `yaml:"acknowledgedAt"`
	CIs            []LinkedCI           `yaml:"cis"`
	Timeline       []Entry              `yaml:"timeline"`
}

// LinkedCI is a CI that an incident concerns.
type LinkedCI struct {
	ID   string              `yaml:"id"`
	Role domain.IncidentRole `yaml:"role"`
}

// Entry is a comment or work note.
type Entry struct {
	At   Offset              `yaml:"at"`
	Kind domain.TimelineKind `yaml:"kind"`
	By   string              `yaml:"by"` // a person
	Text string              `yaml:"text"`
}

// Offset is a time relative to the moment the demo starts, written as "+72h" or "-3h10m".
type Offset time.Duration

// From returns the time that lies the offset after now.
func (o Offset) From(now time.Time) time.Time { return now.Add(time.Duration(o)) }

// UnmarshalYAML requires the sign, so that it is plain whether 72h is ahead or behind.
func (o *Offset) UnmarshalYAML(n *yaml.Node) error {
	d, err := time.ParseDuration(n.Value)
	if err != nil || n.Value[0] != '+' && n.Value[0] != '-' {
		return fmt.Errorf("line %d: %q is not an offset; write +72h or -3h10m", n.Line, n.Value)
	}
	*o = Offset(d)
	return nil
}

// Records reads the demo's incidents and changes. It refuses unknown fields.
func Records() (RecordSet, error) {
	text, err := files.ReadFile("records.yaml")
	if err != nil {
		return RecordSet{}, err
	}
	return decode(text)
}

func decode(text []byte) (r RecordSet, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&r); err != nil {
		return RecordSet{}, fmt.Errorf("demo records: %w", err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return RecordSet{}, errors.New("demo records: more than one document")
	}
	return r, nil
}
