package synthetic

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/rule/calendar"
)

// Year is what happens to an estate in a year: incidents and changes, each in the order in which they were opened, and
// what is promised of incidents.
//
// Rates and shares are those of the log that Rabobank's IT gave to the Business Process Intelligence Challenge of 2014
// (46,606 incidents, 30,275 changes): how many there are of each priority, how many are opened again (4.9 %) and how
// many a change caused (1.2 %). How long each takes is drawn from log-normal distributions of our own.
type Year struct {
	Changes   []Change
	Incidents []Incident
	Promises  []Promise
}

// The tickets of a year to 100 CIs, so that an estate of 100,000 has as many as the log.
const (
	incidentsOf100 = 46
	changesOf100   = 30
)

// Move is a change of a ticket's state.
type Move[S ~string] struct {
	At       time.Time
	From, To S
}

// Incident is one incident. CIs are places in the estate: the first is the root, the others are affected.
type Incident struct {
	OpenedAt        time.Time
	Moves           []Move[domain.IncidentState]
	Impact, Urgency int
	Resolution      domain.ResolutionCode // "" until it is resolved
	Channel         domain.Channel
	Team            int32 // -1: none
	CIs             []int32
	CausedBy        int32  // a change; -1: none
	Marks           []Mark // in their order
}

// Change is one change. CIs are places in the estate.
type Change struct {
	DraftedAt                time.Time
	Moves                    []Move[domain.ChangeState]
	Type                     domain.ChangeType
	PlannedStart, PlannedEnd time.Time
	Outcome                  domain.ChangeOutcome // "" until it is closed
	Team                     int32                // -1: none
	CIs                      []int32
	IsOutage                 bool // it takes them down
	Clashes                  []Clash
}

// drawn is one of several values, drawn by its share.
type drawn[T any] struct {
	what  T
	share float64
}

func draw[T any](r *rand.Rand, all []drawn[T]) T {
	at := r.Float64()
	for _, d := range all {
		if at -= d.share; at < 0 {
			return d.what
		}
	}
	return all[len(all)-1].what
}

var (
	priorities  = []drawn[int]{{1, 0.0001}, {2, 0.015}, {3, 0.1142}, {4, 0.4874}, {5, 0.3833}}
	outcomes    = []drawn[domain.ChangeOutcome]{{domain.Successful, 0.9}, {domain.SuccessfulWithIssues, 0.05}, {domain.BackedOut, 0.03}, {domain.Failed, 0.02}}
	kinds       = []drawn[domain.ChangeType]{{domain.Standard, 0.6}, {domain.Normal, 0.35}, {domain.Emergency, 0.05}}
	reportedBy  = []drawn[domain.Channel]{{domain.ChannelPhone, 0.4}, {domain.ChannelPortal, 0.3}, {domain.ChannelMonitoring, 0.2}, {domain.ChannelEmail, 0.1}}
	resolutions = []drawn[domain.ResolutionCode]{{domain.Fixed, 0.72}, {domain.Workaround, 0.12}, {domain.NoFault, 0.08}, {domain.NotReproducible, 0.05}, {domain.DuplicateOf, 0.03}}
	// The median times of a priority until it is acknowledged and until it is resolved.
	patience = map[int][2]time.Duration{
		1: {5 * time.Minute, 2 * time.Hour}, 2: {15 * time.Minute, 4 * time.Hour}, 3: {45 * time.Minute, 9 * time.Hour},
		4: {2 * time.Hour, 20 * time.Hour}, 5: {4 * time.Hour, 40 * time.Hour},
	}
)

// Shares of the log.
const (
	reopened = 0.049
	caused   = 0.012
)

// NewYear returns the incidents and changes of the year that begins at a moment, 46 and 30 to 100 CIs, in O(n log n).
// It leaves out what would happen after the end of the year.
func NewYear(e *Estate, begin time.Time, seed uint64) *Year {
	y := &yearMaker{Estate: e, begin: begin.UTC().Truncate(time.Second), random: rand.New(rand.NewPCG(seed, 0x79656172))}
	y.end, y.clock, y.Promises = y.begin.AddDate(1, 0, 0), aroundTheClock(), slices.Clone(promises)
	y.popular = rand.NewZipf(y.random, 1.1, 50, uint64(len(e.CIs)-1))
	y.places = y.random.Perm(len(e.CIs))
	for _, at := range y.moments(len(e.CIs) * changesOf100 / 100) {
		y.Changes = append(y.Changes, y.change(at))
	}
	y.clash()
	for _, at := range y.moments(len(e.CIs) * incidentsOf100 / 100) {
		y.Incidents = append(y.Incidents, y.incident(at))
	}
	return &y.Year
}

type yearMaker struct {
	Year
	*Estate
	random     *rand.Rand
	begin, end time.Time
	popular    *rand.Zipf // some CIs have many tickets
	places     []int
	clock      *calendar.Calendar // by which promises go
}

// moments draws the times at which tickets are opened: mostly in working hours.
func (y *yearMaker) moments(n int) []time.Time {
	all := make([]time.Time, 0, n)
	days := int(y.end.Sub(y.begin).Hours() / 24)
	for len(all) < n {
		at := y.begin.AddDate(0, 0, y.random.IntN(days))
		if day := at.Weekday(); (day == time.Saturday || day == time.Sunday) && y.random.Float64() > 0.15 {
			continue
		}
		if y.random.Float64() < 0.85 {
			at = at.Add(7*time.Hour + time.Duration(y.random.Int64N(int64(11*time.Hour))))
		} else {
			at = at.Add(time.Duration(y.random.Int64N(int64(24 * time.Hour))))
		}
		all = append(all, at.Truncate(time.Second))
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// around draws a length of time around a median; it is at least a minute.
func (y *yearMaker) around(median time.Duration) time.Duration {
	d := time.Duration(float64(median) * math.Exp(1.1*y.random.NormFloat64()))
	return max(d, time.Minute).Truncate(time.Second)
}

func (y *yearMaker) ci() int32 { return int32(y.places[y.popular.Uint64()]) }

// some draws one to n CIs, each once.
func (y *yearMaker) some(n int) []int32 {
	all := []int32{y.ci()}
	for range y.random.IntN(n) {
		if ci := y.ci(); !slices.Contains(all, ci) {
			all = append(all, ci)
		}
	}
	return all
}

// team returns the team that owns a CI, or any team if nobody does; some tickets have none.
func (y *yearMaker) team(ci int32) int32 {
	switch {
	case y.random.IntN(20) == 0:
		return -1
	case y.CIs[ci].Team >= 0:
		return y.CIs[ci].Team
	}
	return int32(y.random.IntN(len(y.Teams)))
}
