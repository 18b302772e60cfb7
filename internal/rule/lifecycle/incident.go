package lifecycle

import "github.com/linchpin-cmdb/linchpin/internal/domain"

// IncidentTransition is a transition that an incident can take next.
type IncidentTransition = Transition[domain.IncidentState]

// Incident is the state table of incidents.
var Incident = Table[domain.IncidentState]{"an incident", []row[domain.IncidentState]{
	// from, to, by, which needs
	{domain.IncidentNew, domain.IncidentInProgress, "startIncident", nil},
	{domain.IncidentNew, domain.IncidentOnHold, "holdIncident", needs("reason")},
	{domain.IncidentNew, domain.IncidentResolved, "resolveIncident", needs("code", "notes")},
	{domain.IncidentNew, domain.IncidentCanceled, "cancelIncident", needs("reason")},

	{domain.IncidentInProgress, domain.IncidentOnHold, "holdIncident", needs("reason")},
	{domain.IncidentInProgress, domain.IncidentResolved, "resolveIncident", needs("code", "notes")},
	{domain.IncidentInProgress, domain.IncidentCanceled, "cancelIncident", needs("reason")},

	{domain.IncidentOnHold, domain.IncidentInProgress, "startIncident", nil},
	{domain.IncidentOnHold, domain.IncidentResolved, "resolveIncident", needs("code", "notes")},
	{domain.IncidentOnHold, domain.IncidentCanceled, "cancelIncident", needs("reason")},

	{domain.IncidentResolved, domain.IncidentClosed, "closeIncident", nil},
	{domain.IncidentResolved, domain.IncidentInProgress, "reopenIncident", needs("reason")},
}}

// CheckIncident returns errs.TransitionRefused if an incident may not go from one state to the other.
func CheckIncident(from, to domain.IncidentState) error { return Incident.Check(from, to) }

func needs(what ...string) []string { return what }
