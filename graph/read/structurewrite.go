package read

import (
	"cmp"
	"context"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/consequence"
	"github.com/linchpin-cmdb/linchpin/ent/entry"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/rule/impact"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// StructureWrite is a write by which something in service is DOWN though nothing failed.
type StructureWrite struct {
	Revision    int64
	At          time.Time
	Actor, Verb string
	// Reason is why its consequences were accepted; nil if nobody had to say.
	Reason *string
}

// structureWrites finds the writes behind what is broken by itself: the newest write to what a need hangs on that could
// have broken it, one whose consequences were accepted before any other.
type structureWrites struct {
	turns   map[ident.ID][]*Entry // the writes that could have broken a need, by record, the newest first
	reasons map[at]string         // of what was accepted
	shown   map[*Entry]bool
	hidden  map[ident.ID]bool
}

// at is what a write did to the needs of a CI.
type at struct {
	ci       ident.ID
	revision int64
}

// turning lists the fields of records by which a write can break a need.
var turning = map[ident.Kind][]string{
	ident.CI: {"lifecycle"}, ident.Relationship: {"strength"}, ident.RelationshipType: {"impact_direction", "strength"},
	ident.DependencyGroup: {"mode", "threshold", "members"},
}

// loadStructureWrites reads the writes behind causes, as they were at a revision, in a few statements. If none of the
// causes is STRUCTURE, it reads nothing.
func loadStructureWrites(ctx context.Context, r *Reader, revision int64, found [][]impact.Cause) (w structureWrites, err error) {
	var records, subjects, cis []ident.ID
	for _, causes := range found {
		for _, c := range causes {
			if c.CI == 0 {
				continue
			}
			records, subjects, cis = append(records, c.CI), append(subjects, c.CI), append(cis, c.CI)
			for _, need := range c.Lacks {
				records, subjects = append(records, need...), append(subjects, need...) // groups belong to the CI
			}
			for _, step := range c.Paths[0] {
				records, subjects, cis = append(records, step.To, step.Relationship, step.Group), append(subjects, step.To, step.Relationship), append(cis, step.To)
			}
		}
	}
	if len(cis) == 0 {
		return w, nil
	}
	if w.hidden, err = r.hidden(ctx); err != nil {
		return w, err
	}
	// Hidden writes are left out once it is known which is meant: another write than the right one would mislead.
	rows, err := r.writes().Where(having(entry.FieldSubjectID, distinct(subjects)), having(entry.FieldRecordID, distinct(records)),
		entry.IDLT(store.EntryID(revision+1, 0)), func(s *sql.Selector) { s.Where(isTurn(s.C(entry.FieldBefore), s.C(entry.FieldOperation))) }).
		Order(ent.Desc(entry.FieldID)).All(ctx)
	if err != nil {
		return w, store.Translate(err)
	}
	w.turns, w.shown = map[ident.ID][]*Entry{}, map[*Entry]bool{}
	for _, e := range r.wrapEntries(rows) {
		restricted, err := e.IsRestricted(ctx)
		if err != nil {
			return w, err
		}
		w.turns[e.RecordID] = append(w.turns[e.RecordID], e)
		w.shown[e] = !restricted && !w.hidden[e.RecordID] && !w.hidden[e.SubjectID]
	}
	accepted, err := r.consequences().Where(having(consequence.FieldCiID, distinct(cis)), consequence.RevisionLTE(revision)).All(ctx)
	w.reasons = make(map[at]string, len(accepted))
	for _, c := range accepted {
		w.reasons[at{c.CiID, c.Revision}] = c.Reason
	}
	return w, store.Translate(err)
}

// distinct returns ids once each, without 0.
func distinct(ids []ident.ID) []ident.ID {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	return slices.DeleteFunc(ids, func(id ident.ID) bool { return id == 0 })
}

// isTurn returns the condition that a write could have broken a need: it made something new, or changed a field that
// tells.
func isTurn(before, operation string) *sql.Predicate {
	any := []*sql.Predicate{sql.EQ(operation, domain.Created)}
	for _, fields := range turning {
		for _, field := range fields {
			any = append(any, sqljson.HasKey(before, sqljson.Path(field)))
		}
	}
	return sql.Or(any...)
}

// of returns the writes behind a cause, the newest first.
func (w structureWrites) of(c impact.Cause) []*StructureWrite {
	all := []*StructureWrite{}
	if w.hidden[c.CI] {
		return all
	}
	joined := w.joined(c.Paths[0])
	var chosen []*Entry
	for _, need := range c.Lacks {
		turn := newest(w.turnOf(c.CI, need), joined)
		if turn != nil && w.shown[turn] && !slices.ContainsFunc(chosen, func(e *Entry) bool { return e.Revision == turn.Revision }) {
			chosen = append(chosen, turn)
		}
	}
	slices.SortFunc(chosen, func(a, b *Entry) int { return cmp.Compare(b.Revision, a.Revision) })
	for _, e := range chosen[:min(len(chosen), namedCIs)] {
		all = append(all, &StructureWrite{e.Revision, e.At, e.Actor, e.Verb, w.reason(c, e.Revision)})
	}
	return all
}

// reason returns why the consequences of a write for the CIs of a cause were accepted.
func (w structureWrites) reason(c impact.Cause, revision int64) *string {
	for _, ci := range append([]ident.ID{c.CI}, ends(c.Paths[0])...) {
		if said, ok := w.reasons[at{ci, revision}]; ok && !w.hidden[ci] {
			return &said
		}
	}
	return nil
}

func ends(way []impact.Step) (all []ident.ID) {
	for _, step := range way {
		all = append(all, step.To)
	}
	return all
}

// turnOf returns the write by which a CI lacks what hangs on some records. Its own coming into service is one.
func (w structureWrites) turnOf(ci ident.ID, need []ident.ID) (turn *Entry) {
	for _, record := range append([]ident.ID{ci}, need...) {
		for _, e := range w.turns[record] {
			if record != ci || cameIntoService(e) {
				turn = w.better(ci, turn, e)
			}
		}
	}
	return turn
}

// joined returns the write by which a way came about that leads to the CI, if that was accepted after it was broken.
func (w structureWrites) joined(way []impact.Step) (turn *Entry) {
	for _, step := range way {
		for _, record := range []ident.ID{step.To, step.Relationship, step.Group} {
			for _, e := range w.turns[record] {
				if _, ok := w.reasons[at{step.To, e.Revision}]; ok {
					turn = newest(turn, e)
				}
			}
		}
	}
	return turn
}

// better returns the newer of two writes, one that was accepted before one that was not.
func (w structureWrites) better(ci ident.ID, a, b *Entry) *Entry {
	if a == nil {
		return b
	}
	_, isA := w.reasons[at{ci, a.Revision}]
	_, isB := w.reasons[at{ci, b.Revision}]
	switch {
	case isA == isB:
		return newest(a, b)
	case isA:
		return a
	}
	return b
}

func newest(a, b *Entry) *Entry {
	if a == nil || b != nil && b.ID > a.ID {
		return b
	}
	return a
}

// cameIntoService reports whether a write brought a CI into service.
func cameIntoService(e *Entry) bool {
	isServing := func(record map[string]any) bool {
		stage, _ := record["lifecycle"].(string)
		return stage == string(domain.Live) || stage == string(domain.Deprecated)
	}
	return isServing(e.Entry.After) && !isServing(e.Entry.Before)
}
