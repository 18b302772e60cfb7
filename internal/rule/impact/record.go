package impact

import (
	"cmp"
	"slices"
	"sync"

	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/topology"
)

// partaking is that of which an answer tells: the CIs in whose present state a record takes part.
type partaking struct {
	record int32
	estate *Answer // whose hits these are
	told   []int32 // hits, by when they were reached
	steps  map[int32]int32
	trail  *trail

	apart, alone func() *Answer // the worlds without the record, and with it as the only one
}

// OfRecord returns the impact of a record (docs/impact.md, "The impact of a record"): the CIs in whose present state it
// takes part. False if the record is no fact of the snapshot. It costs a walk over what it tells.
func OfRecord(s *topology.Snapshot, record ident.ID) (*Answer, bool) {
	x := sceneOf(s)
	at, ok := slices.BinarySearchFunc(x.facts.Records, record, func(r Record, id ident.ID) int { return cmp.Compare(r.ID, id) })
	if !ok {
		return nil, false
	}
	e := x.Answer
	of := &partaking{record: int32(at), estate: e, steps: map[int32]int32{}}
	of.trail = x.follow(x.facts.Records[at].Down)
	for _, step := range of.trail.steps {
		i, _ := e.place(step.v)
		if _, known := of.steps[i]; known {
			continue
		}
		if best, takesPart := of.trail.nearest(x, step.v); takesPart {
			of.steps[i] = best
			of.told = append(of.told, i)
		}
	}
	of.apart = sync.OnceValue(func() *Answer { return x.without(of.record) })
	of.alone = sync.OnceValue(func() *Answer { return x.facts.world(s, func(r int32) bool { return r == of.record }) })
	return &Answer{
		Revision: e.Revision, Completeness: Completeness{Explored: len(of.told)}, snapshot: s, of: of,
		hits: e.hits, rounds: e.rounds, tallies: e.tallies, maintained: e.maintained,
	}, true
}

// without returns how the estate would fare if a record did not say what is DOWN; what it rules out stays so.
func (x *scene) without(record int32) *Answer {
	isStated := func(v topology.Vertex) bool {
		return slices.ContainsFunc(x.facts.down[v], func(r int32) bool { return r != record })
	}
	from := slices.DeleteFunc(slices.Clone(x.facts.Records[record].Down), isStated)
	barred := slices.DeleteFunc(slices.Clone(from), x.suffers)
	a, err := retract(noHurry, x.Answer, estateFares(x.snapshot), from, barred)
	if err != nil {
		panic(err) // nobody cancels
	}
	return a
}

// The ids of records that only a view knows.
var (
	Unopened = ident.New(ident.Incident, 1<<48-1) // an incident that is about to be opened
	reported = ident.New(ident.Incident, 1<<48-2)
)

// OfIncident returns the impact of an incident on a snapshot as if it were open and named these CIs.
func OfIncident(s *topology.Snapshot, i topology.Incident) (*Answer, error) {
	view, err := s.With(topology.Batch{Incidents: []topology.Incident{i}})
	if err != nil {
		return nil, err
	}
	a, _ := OfRecord(view, i.ID)
	return a, nil
}

// OfReported returns what an incident would take part in if the CIs that it was seen to affect were DOWN, on a snapshot
// as if it were open; they are told themselves. Without marks, the snapshot is taken as it is.
func OfReported(s *topology.Snapshot, i topology.Incident, seen []ident.ID) (*Answer, error) {
	b := topology.Batch{Incidents: []topology.Incident{{ID: reported, Root: seen}}}
	if len(i.Root)+len(i.Excluded) > 0 {
		b.Incidents = append(b.Incidents, i)
	}
	view, err := s.With(b)
	if err != nil {
		return nil, err
	}
	a, _ := OfRecord(view, reported)
	return a, nil
}

// world returns how the estate would fare if only some records said what is DOWN; CIs that the others rule out stay so.
func (f *Facts) world(s *topology.Snapshot, says func(record int32) bool) *Answer {
	return f.worldBut(s, says, 0)
}

// worldBut returns a world in which one CI is not ruled out by any record.
func (f *Facts) worldBut(s *topology.Snapshot, says func(record int32) bool, lifted topology.Vertex) *Answer {
	var q Question
	isDown := map[topology.Vertex]bool{}
	for i, r := range f.Records {
		if says(int32(i)) {
			for _, v := range r.Down {
				if !isDown[v] {
					isDown[v] = true
					q.Failed = append(q.Failed, Failure{s.ID(v), Down})
				}
			}
		}
	}
	for v := range f.excluded {
		if !isDown[v] && v != lifted {
			q.Excluded = append(q.Excluded, s.ID(v))
		}
	}
	a, err := solve(noHurry, s, q, nil)
	if err != nil {
		panic(err) // all is in the snapshot, and nobody cancels
	}
	return a
}

// tells reports whether a hit is told.
func (of *partaking) tells(i int32) bool { _, ok := of.steps[i]; return ok }

// isNamed reports whether the record says that a hit failed.
func (of *partaking) isNamed(i int32) bool {
	step, ok := of.steps[i]
	return ok && of.trail.steps[step].before < 0
}

func (of *partaking) distance(i int32) int32 { return of.trail.steps[of.steps[i]].distance }

// TogetherWith lists the other records that take part in the state of a CI which the answer tells, by id, if the record
// that the answer is about would not bring it to that state by itself. The brink does not count for that.
func (a *Answer) TogetherWith(ci ident.ID) []ident.ID {
	i, ok := a.find(ci)
	if a.of == nil || !ok || !a.tells(i) || a.of.alone().TrueState(ci) >= a.hits[i].state {
		return nil
	}
	return a.Beside(ci)
}

// Beside lists the other records that take part in the state of a CI which the answer about a record tells, by id.
func (a *Answer) Beside(ci ident.ID) []ident.ID {
	i, ok := a.find(ci)
	if a.of == nil || !ok || !a.tells(i) {
		return nil
	}
	own := FactsOf(a.snapshot).Records[a.of.record].ID
	return slices.DeleteFunc(RecordsOf(a.snapshot, ci), func(r ident.ID) bool { return r == own })
}

type recordsKey struct{ of topology.Vertex }

// RecordsOf returns the records that take part in the present state of a CI, by id. They are worked out once for each
// snapshot and CI.
func RecordsOf(s *topology.Snapshot, ci ident.ID) []ident.ID {
	v, ok := s.Index(ci)
	if !ok {
		return nil
	}
	return slices.Clone(s.Memo(recordsKey{v}, func() any {
		x := sceneOf(s)
		return x.facts.named(x.causesOf(v).records)
	}).([]ident.ID))
}

// NoteReason says why the failure of a CI that a question names adds less than one might think.
type NoteReason uint8

// The reasons of notes.
const (
	DownAlready  NoteReason = iota + 1 // it is DOWN without the question
	IsExcluded                         // it is ruled out
	NotInService                       // it fails nobody
)

var noteReasons = [...]string{"", "DOWN_ALREADY", "EXCLUDED", "NOT_IN_SERVICE"}

// String returns the reason as the API shows it.
func (r NoteReason) String() string {
	if int(r) < len(noteReasons) {
		return noteReasons[r]
	}
	return "UNKNOWN"
}

// Note says something of a CI that a question names as failed.
type Note struct {
	CI     ident.ID
	Reason NoteReason
	By     []ident.ID // the records by which it is so
}

// Notes returns what is to be said of the CIs that the question names as failed, in their order.
func (a *Answer) Notes() (all []Note) {
	seen, facts := map[ident.ID]bool{}, &Facts{}
	if a.asked.OnFacts {
		facts = FactsOf(a.snapshot)
	}
	for _, f := range a.asked.Failed {
		ci := f.CI.As(ident.CI)
		v, ok := a.snapshot.Index(ci)
		if !ok || seen[ci] {
			continue
		}
		seen[ci] = true
		if !a.snapshot.InService(v) {
			all = append(all, Note{CI: ci, Reason: NotInService})
			continue
		}
		if a.now != nil && a.now.TrueState(ci) == Down {
			all = append(all, Note{ci, DownAlready, a.now.partakers(ci)})
		}
		if by := facts.ExcludedBy(v); len(by) > 0 || slices.ContainsFunc(a.asked.Excluded, func(x ident.ID) bool { return x.As(ident.CI) == ci }) {
			all = append(all, Note{ci, IsExcluded, by})
		}
	}
	return all
}

// partakers lists the records that take part in the state of a CI in a world, by id.
func (a *Answer) partakers(ci ident.ID) []ident.ID {
	v, ok := a.snapshot.Index(ci)
	if !ok || !a.asked.OnFacts {
		return nil
	}
	x := a.scene(FactsOf(a.snapshot))
	return x.facts.named(x.causesOf(v).records)
}

// Partakers lists the records that take part in the state of a CI, by id.
func Partakers(s *topology.Snapshot, ci ident.ID) []ident.ID { return Estate(s).partakers(ci) }
