package domain

import "github.com/linchpin-cmdb/linchpin/internal/ident"

// Link is an address of a service: a runbook, a dashboard.
type Link struct {
	Kind  LinkKind `json:"kind"`
	Title string   `json:"title"`
	URL   string   `json:"url"`
}

// GroupMember is a relationship that counts in a dependency group, with its weight (1 unless WEIGHTED).
type GroupMember struct {
	Relationship ident.ID `json:"relationship"`
	Weight       int      `json:"weight"`
}

// ClassPair allows relationships from one class to another; a class means its subtree.
type ClassPair struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

// ImpactSnapshot is the impact that was computed when an incident was opened or resolved.
type ImpactSnapshot struct {
	Revision     int64            `json:"revision"`
	Services     []ImpactedRecord `json:"services"` // the worst of the affected services
	ServiceCount int              `json:"serviceCount"`
	Affected     int              `json:"affected"`
}

// IsCut reports whether more services were affected than are kept.
func (s *ImpactSnapshot) IsCut() bool { return s.ServiceCount > len(s.Services) }

// ImpactedRecord is a CI and the state it was found in.
type ImpactedRecord struct {
	CI    ident.ID `json:"ci"`
	Name  string   `json:"name"`
	State string   `json:"state"`
}

// ExternalKey names a record as the system it came from does.
type ExternalKey struct {
	Source     string `json:"source"`
	ExternalID string `json:"externalId"`
}

// Resync is the reason why a follower of the writes has to read again what it shows.
type Resync string

// Resync values.
const (
	TooOld          Resync = "TOO_OLD"          // the revisions after the one it named can no longer be told
	TooSlow         Resync = "TOO_SLOW"         // it fell too far behind
	UnknownRevision Resync = "UNKNOWN_REVISION" // no write has the number it named yet
	HistoryChanged  Resync = "HISTORY_CHANGED"  // what it was told may never have happened
)

// Values lists them.
func (Resync) Values() []string { return list(TooOld, TooSlow, UnknownRevision, HistoryChanged) }
