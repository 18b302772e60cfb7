package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
)

// recorder notes the writes of a transaction, one entry a record, in the order they were first touched.
type recorder struct {
	meter
	tx      *sql.Tx // the transaction under ent's, for statements that ent cannot express
	entries []*written
	closing bool // the journal itself is being written
	forgets map[ident.ID]bool
}

type written struct {
	id            ident.ID
	subject       ident.ID
	operation     domain.Operation
	before, after map[string]any
	text          []byte // after, where it is written already
	prior         []byte // before, once it is sealed
	salt, digest  []byte
}

func newRecorder() *recorder { return &recorder{} }

type recorderKey struct{}

func withRecorder(ctx context.Context, r *recorder) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

var errOutsideWrite = errors.New("a mutation outside store.Write: it would not be journalled")

// mutation are the methods that every generated mutation has.
type mutation interface {
	ent.Mutation
	ID() (ident.ID, bool)
}

// record returns the runtime hook on every client. The hook refuses mutations that did not come through Write, and
// those that change rows it cannot name.
func record(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		rec, _ := ctx.Value(recorderKey{}).(*recorder)
		if rec == nil {
			return nil, errOutsideWrite
		}
		if rec.closing {
			return next.Mutate(ctx, m)
		}
		mm, ok := m.(mutation)
		if !ok {
			return nil, fmt.Errorf("%s is written by the journal alone", m.Type())
		}
		if err := fit(m); err != nil {
			return nil, err
		}
		w := &written{}
		switch {
		case m.Op().Is(ent.OpCreate):
			w.operation = domain.Created
		case m.Op().Is(ent.OpUpdateOne):
			w.operation, w.before = domain.Updated, map[string]any{}
			for _, name := range slices.Concat(m.Fields(), m.AddedFields(), m.ClearedFields()) {
				old, err := m.OldField(ctx, name)
				if err != nil {
					return nil, err
				}
				w.before[name] = old
			}
		case m.Op().Is(ent.OpDeleteOne):
			id, _ := mm.ID()
			old, err := load(ctx, mm, id)
			if err != nil {
				return nil, err
			}
			w.operation, w.id = domain.Deleted, id
			if w.before, err = Fields(old); err != nil {
				return nil, err
			}
			w.subject = subject(id, w.before)
		default:
			return nil, fmt.Errorf("%s of %s by condition: the journal needs each record by itself", m.Op(), m.Type())
		}
		// Noted before it happens: ent begins the rows of a bulk in their order, and ends them in the opposite one.
		rec.note(w)
		value, err := next.Mutate(ctx, m)
		switch {
		case err != nil:
			w.operation = ""
			return nil, err
		case w.operation != domain.Deleted:
			// The id of a record made in bulk is known only when the last of them is written: keep the value.
			w.after = map[string]any{pendingKey: value}
		}
		return value, nil
	})
}

// pendingKey holds a record that is read when the transaction ends.
const pendingKey = "\x00record"

func (r *recorder) note(w *written) { r.entries = append(r.entries, w) }

// forget drops the entries, whose writes were undone.
func (r *recorder) forget() { r.entries = nil }

// settle reads the pending records, and returns the writes of one record merged into one entry. It may be called again
// when more is written.
func (r *recorder) settle() ([]*written, error) {
	settled, byID := make([]*written, 0, len(r.entries)), make(map[ident.ID]*written, len(r.entries))
	for _, w := range r.entries {
		if w.operation == "" { // it failed
			continue
		}
		if err := w.settle(); err != nil {
			return nil, err
		}
		earlier := byID[w.id]
		if earlier == nil {
			own := *w
			byID[w.id] = &own
			settled = append(settled, &own)
			continue
		}
		earlier.merge(w)
	}
	return slices.DeleteFunc(settled, func(w *written) bool { return w.operation == "" }), nil
}

// settle reads the record, if it is pending.
func (w *written) settle() error {
	value, ok := w.after[pendingKey]
	if !ok {
		return nil
	}
	after, err := Fields(value)
	if err != nil {
		return err
	}
	w.after = after
	return w.identify()
}

// merge adds a later write of the same record in the same transaction.
func (w *written) merge(later *written) {
	switch {
	case w.operation == domain.Created && later.operation == domain.Deleted:
		w.operation = "" // made and deleted again: nothing to tell
	case w.operation == domain.Created:
		w.after, w.text = later.after, later.text
	case later.operation == domain.Deleted:
		for name, old := range w.before {
			later.before[name] = old
		}
		w.operation, w.before, w.after = domain.Deleted, later.before, nil
	default:
		for name, old := range later.before {
			if _, ok := w.before[name]; !ok {
				w.before[name] = old
			}
		}
		w.after = later.after
	}
}

func (w *written) identify() error {
	text, _ := w.after["id"].(string)
	id, err := ident.Parse(text)
	if err != nil {
		return fmt.Errorf("a record without an id: %w", err)
	}
	w.id, w.subject = id, subject(id, w.after)
	return nil
}

// Fields returns a record as the journal has it: column to value, without its edges.
func Fields(record any) (map[string]any, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	delete(all, "edges")
	return all, nil
}

// subject returns the record whose history shows the writes of id.
func subject(id ident.ID, record map[string]any) ident.ID {
	if id.Kind().IsSubject() {
		return id
	}
	for _, owner := range subjectFields {
		if text, ok := record[owner].(string); ok {
			if of, err := ident.Parse(text); err == nil {
				return of
			}
		}
	}
	return id
}

// subjectFields name the record whose history shows the writes of the record that has them. The first that is set
// counts.
var subjectFields = []string{"account_id", "incident_id", "change_id", "record_id", "ci_id", "team_id"}

// load returns the record that is about to be deleted.
func load(ctx context.Context, m any, id ident.ID) (any, error) {
	if !id.Kind().IsDeletable() {
		return nil, fmt.Errorf("a %s cannot be deleted", id.Kind().Noun())
	}
	return m.(interface{ Client() *ent.Client }).Client().Record(ctx, id)
}
