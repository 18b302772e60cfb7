package domain

// Weekday is a day of the week.
type Weekday string

// Weekday values, in order.
const (
	Monday    Weekday = "MONDAY"
	Tuesday   Weekday = "TUESDAY"
	Wednesday Weekday = "WEDNESDAY"
	Thursday  Weekday = "THURSDAY"
	Friday    Weekday = "FRIDAY"
	Saturday  Weekday = "SATURDAY"
	Sunday    Weekday = "SUNDAY"
)

// Values lists them in order.
func (Weekday) Values() []string {
	return list(Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday)
}

// WorkingHours are the hours of a weekday in which people work, as times of day such as 09:00; 24:00 ends the day.
type WorkingHours struct {
	Weekday Weekday `json:"weekday"`
	From    string  `json:"from"`
	Until   string  `json:"until"`
}

// Holiday is a date, such as 2027-12-25, on which nobody works.
type Holiday struct {
	Date string `json:"date"`
	Name string `json:"name"`
}

// ServiceLevelMetric is the time that a service level target measures.
type ServiceLevelMetric string

// ServiceLevelMetric values.
const (
	AcknowledgeMetric ServiceLevelMetric = "ACKNOWLEDGE" // the time until somebody takes it on
	ResolveMetric     ServiceLevelMetric = "RESOLVE"     // the time until service is restored
)

// Values lists them.
func (ServiceLevelMetric) Values() []string { return list(AcknowledgeMetric, ResolveMetric) }

// RecordType is the sort of record that service level targets are for.
type RecordType string

// IncidentRecord is an incident.
const IncidentRecord RecordType = "INCIDENT"

// Values lists them.
func (RecordType) Values() []string { return list(IncidentRecord) }

// ServiceLevelState is how a record stands against a target.
type ServiceLevelState string

// ServiceLevelState values.
const (
	ServiceLevelRunning  ServiceLevelState = "RUNNING"
	ServiceLevelPaused   ServiceLevelState = "PAUSED"
	ServiceLevelMet      ServiceLevelState = "MET"
	ServiceLevelBreached ServiceLevelState = "BREACHED" // also while the clock goes on
)

// Values lists them.
func (ServiceLevelState) Values() []string {
	return list(ServiceLevelRunning, ServiceLevelPaused, ServiceLevelMet, ServiceLevelBreached)
}
