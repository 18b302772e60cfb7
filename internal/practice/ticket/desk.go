package ticket

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/lifecycle"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Desk is where the tickets of one kind are worked on: each verb locks its record, decides, and writes record, version
// and timeline in one transaction. The fields say what is special about the kind.
type Desk[Record any, State ~string, Update Builder[Record, State, Update]] struct {
	Store *store.Store
	Kind  ident.Kind
	// Lock reads a record and keeps others from writing it until the transaction ends.
	Lock     func(context.Context, *store.Tx, ident.ID) (Record, error)
	Facts    func(Record) Facts[State]
	Update   func(*store.Tx, Record) Update
	Mutation func(Update) ent.Mutation
	// About says whose a record is.
	About func(context.Context, *store.Tx, Record) (auth.About, error)
	// Moving, where it is set, runs before a record moves to another state; Moved runs when it is written.
	Moving func(ctx context.Context, tx *store.Tx, was Record, u Update, to State) error
	Moved  func(ctx context.Context, tx *store.Tx, is Record) error
}

// Builder is ent's builder of an update of one record.
type Builder[Record, State, Self any] interface {
	SetState(State) Self
	SetUpdatedAt(time.Time) Self
	AddVersion(int) Self
	Save(context.Context) (Record, error)
}

// Facts are what a desk looks at of a record.
type Facts[State ~string] struct {
	ID      ident.ID
	Version int
	State   State
	Table   lifecycle.Table[State]
}

// Target is the record that a verb is for, as the caller saw it.
type Target struct {
	id              ident.ID
	expectedVersion *int
}

// Seen names the record that a verb is for; a caller who states no version takes any.
func Seen(id ident.ID, expectedVersion *int) Target { return Target{id, expectedVersion} }

// Step is what a move does beside changing the state. It returns what to say about it in the timeline.
type Step[Record, Update any] func(ctx context.Context, tx *store.Tx, was Record, u Update) (said string, err error)

// Take reads the record that a field names and keeps others from writing it until the transaction ends.
func (d *Desk[Record, State, Update]) Take(ctx context.Context, tx *store.Tx, field string, id ident.ID) (none Record, err error) {
	if err := form.Kind(id, d.Kind, field); err != nil {
		return none, err
	}
	record, err := d.Lock(ctx, tx, id)
	if ent.IsNotFound(err) {
		return none, form.Missing(id, field)
	}
	return record, err
}

// TakeSeen takes a record, unless it is another than the caller saw.
func (d *Desk[Record, State, Update]) TakeSeen(ctx context.Context, tx *store.Tx, of Target) (none Record, err error) {
	record, err := d.Take(ctx, tx, "id", of.id)
	if err != nil {
		return none, err
	}
	if err := d.Mine(ctx, tx, record); err != nil {
		return none, err
	}
	return record, valid.Stale(of.expectedVersion, d.Facts(record).Version)
}

// Mine returns nil if the actor may do what this write does to a record.
func (d *Desk[Record, State, Update]) Mine(ctx context.Context, tx *store.Tx, record Record) error {
	if auth.IsFree(ctx) {
		return nil
	}
	about, err := d.About(ctx, tx, record)
	if err != nil {
		return err
	}
	return auth.Within(ctx, tx, about)
}

// Edit runs decide on a locked record, and returns it as it is afterwards, once then has seen that. If decide sets
// nothing, nothing is written and the version stays.
func (d *Desk[Record, State, Update]) Edit(
	ctx context.Context, verb string, of Target, decide func(context.Context, *store.Tx, Record, Update) error,
	then ...func(context.Context, *store.Tx, Record) error,
) (Record, error) {
	return auth.Write(ctx, d.Store, verb, func(ctx context.Context, tx *store.Tx) (none Record, err error) {
		was, err := d.TakeSeen(ctx, tx, of)
		if err != nil {
			return none, err
		}
		u := d.Update(tx, was)
		if err := decide(ctx, tx, was, u); err != nil {
			return none, err
		}
		if store.IsIdle(d.Mutation(u)) {
			return was, nil
		}
		is, err := u.AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
		for _, see := range then {
			if err == nil {
				err = see(ctx, tx, is)
			}
		}
		return is, err
	})
}

// Move changes the state as the table says for a mutation.
func (d *Desk[Record, State, Update]) Move(ctx context.Context, mutation string, of Target, do Step[Record, Update]) (Record, error) {
	var then []func(context.Context, *store.Tx, Record) error
	if d.Moved != nil {
		then = append(then, d.Moved)
	}
	return d.Edit(ctx, Verb(d.Kind, mutation), of, func(ctx context.Context, tx *store.Tx, was Record, u Update) error {
		return d.MoveTaken(ctx, tx, was, u, mutation, do)
	}, then...)
}

// MoveTaken sets the state of a locked record as the table says for a mutation, and tells the timeline.
func (d *Desk[Record, State, Update]) MoveTaken(
	ctx context.Context, tx *store.Tx, was Record, u Update, mutation string, do Step[Record, Update],
) error {
	facts := d.Facts(was)
	to, err := facts.Table.Move(facts.State, mutation)
	if err != nil {
		return err
	}
	if d.Moving != nil {
		if err := d.Moving(ctx, tx, was, u, to); err != nil {
			return err
		}
	}
	said, err := do(ctx, tx, was, u)
	if err != nil {
		return err
	}
	u.SetState(to)
	return Moved(ctx, tx, facts.ID, facts.State, to, said)
}

// Nothing does nothing: it is the step of a move that only changes the state.
func (d *Desk[Record, State, Update]) Nothing(context.Context, *store.Tx, Record, Update) (string, error) {
	return "", nil
}

// Because returns a step that only says why.
func (d *Desk[Record, State, Update]) Because(reason string) Step[Record, Update] {
	return func(context.Context, *store.Tx, Record, Update) (string, error) {
		var f form.Form
		said := f.Text("reason", reason, 1, LongestText)
		return said, f.Err()
	}
}

// Comment writes into the timeline of a record, whatever its state. It leaves the record's version alone.
func (d *Desk[Record, State, Update]) Comment(ctx context.Context, id ident.ID, kind domain.TimelineKind, body string) (*ent.TimelineEntry, error) {
	return auth.Write(ctx, d.Store, d.Kind.Noun()+".comment", func(ctx context.Context, tx *store.Tx) (*ent.TimelineEntry, error) {
		var f form.Form
		Reference(ctx, tx, &f, "id", d.Kind, &id)
		if f.Err() == nil && !auth.IsFree(ctx) {
			record, err := d.Take(ctx, tx, "id", id)
			if err == nil {
				err = d.Mine(ctx, tx, record)
			}
			if err != nil {
				return nil, err
			}
		}
		if kind != domain.Comment && kind != domain.WorkNote { // only the system writes changes of state
			f.Fault(errs.New(errs.Invalid, "kind is %q: it is one of %s, %s", string(kind), domain.Comment, domain.WorkNote).At("kind"))
		}
		said := f.Text("body", body, 1, LongestText)
		if err := f.Err(); err != nil {
			return nil, err
		}
		return Write(ctx, tx, id, kind, said)
	})
}

// Available lists what the actor of ctx may do next with a record of a kind, which stands to them as how says.
func Available[State ~string](ctx context.Context, kind ident.Kind, table lifecycle.Table[State], from State, how auth.Standing) []lifecycle.Transition[State] {
	available := []lifecycle.Transition[State]{}
	for _, t := range table.Next(from) {
		if auth.May(ctx, Verb(kind, t.Verb), how) {
			available = append(available, t)
		}
	}
	return available
}

// Verb returns the policy's word for a mutation: incident.start for startIncident, change.request_approval for
// requestChangeApproval.
func Verb(kind ident.Kind, mutation string) string {
	noun := kind.Noun()
	var verb strings.Builder
	verb.WriteString(noun + ".")
	for _, r := range strings.Replace(mutation, strings.ToUpper(noun[:1])+noun[1:], "", 1) {
		if unicode.IsUpper(r) {
			verb.WriteByte('_')
		}
		verb.WriteRune(unicode.ToLower(r))
	}
	return verb.String()
}
