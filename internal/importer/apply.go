package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
	"github.com/linchpin-cmdb/linchpin/internal/store/pgconn"
)

// batchSize bounds the records of one transaction.
const batchSize = 2_000

// Result is what applying a plan did.
type Result struct {
	// Written counts the steps that were written, as IsConflict those that were left out, and as IsNeeded those that
	// would have taken something in service DOWN.
	Written Summary `json:"written"`
	// Conflicts are the rows that were left out because the database had changed since the plan, which a new plan takes
	// in, or because something in service would have been DOWN.
	Conflicts []Notice `json:"conflicts"`
	// Run numbers the run, and Refused is why it wrote nothing: too much is gone.
	Run     int64  `json:"run"`
	Refused string `json:"refused,omitempty"`
	// Batches is the number of transactions that wrote, each one revision.
	Batches int `json:"batches"`
	// Otherwise counts the steps that are others than when the run was planned, if it was kept since.
	Otherwise int `json:"otherwise,omitempty"`
}

// Apply writes the steps of the plan in batches, each one revision, whole or not at all: teams and people, CIs with
// their keys and owners, relationships, dependency groups, dangling references. If a record has changed since the plan,
// it is left out and reported as a conflict. If ctx ends or a batch fails, the result tells what was written until
// then; a new plan of the same source does the rest. A plan is applied once.
func (p *Plan) Apply(ctx context.Context, s *store.Store, progress func(Progress)) (Result, error) {
	ctx = pgconn.Patient(ctx)
	actor, err := auth.RequireOf(ctx, "import.apply", p.Source)
	if err != nil {
		return Result{Written: Summary{}, Conflicts: []Notice{}}, err
	}
	a := newApplying(p, s, actor, progress)
	if err := a.beginRun(ctx); err != nil {
		return a.result, err
	}
	a.result.Run = a.run
	if p.Refused != "" {
		a.result.Refused = p.Refused
		if p.run == 0 {
			err = a.keepInput(ctx)
		}
		return a.result, errors.Join(err, a.endRun(ctx, domain.RunRefused, p.Refused))
	}
	for _, r := range slices.Concat(p.work.teams, p.work.people, p.work.cis) {
		if r.id != 0 {
			a.versions[r.id] = r.version
		}
	}
	cis, edges := &phase[*record]{write: a.writeCIs}, &phase[*edge]{write: a.writeEdges}
	groups, dangling := &phase[*group]{write: a.writeGroups}, &phase[*loose]{write: a.writeDangling}
	partings, farewells := &phase[*parting]{write: a.writePartings}, &phase[*farewell]{write: a.writeFarewells}
	a.waiting = edges
	err = errors.Join(
		inBatches(ctx, a, p.work.teams, &phase[*record]{write: a.writeTeams}),
		inBatches(ctx, a, p.work.people, &phase[*record]{write: a.writePeople}),
		inBatches(ctx, a, p.work.cis, cis),
		inBatches(ctx, a, p.work.edges, edges),
		inBatches(ctx, a, p.work.groups, groups),
		inBatches(ctx, a, p.work.dangling, dangling),
		a.insist(ctx, edges, groups, dangling, cis),
		inBatches(ctx, a, p.work.partings, partings),
		a.forget(ctx),
		inBatches(ctx, a, p.work.farewells, farewells),
		a.insist(ctx, partings, farewells),
		a.writeClaims(ctx),
		a.unsettle(ctx),
		a.writeMissing(ctx),
	)
	state, reason := domain.RunApplied, ""
	if err != nil {
		state, reason = domain.RunFailed, err.Error()
	}
	return a.result, errors.Join(err, a.endRun(context.WithoutCancel(ctx), state, reason))
}

func newApplying(p *Plan, s *store.Store, actor auth.Actor, progress func(Progress)) *applying {
	return &applying{
		plan: p, store: s, by: actor.By(verb(p.Source)), isNarrow: !actor.Has(auth.Admin), progress: progress, result: Result{Written: Summary{}, Conflicts: []Notice{}},
		ids: map[*record]ident.ID{}, left: map[*record]bool{}, versions: map[ident.ID]int{}, edges: map[*edge]ident.ID{}, others: map[*record]bool{}, total: p.work.size(),
	}
}

// applying is one run of Apply.
type applying struct {
	plan     *Plan
	store    *store.Store
	by       store.By
	progress func(Progress)
	result   Result

	ids      map[*record]ident.ID // of the created records
	made     map[domain.ExternalKey]ident.ID
	versions map[ident.ID]int // of stored records, as the plan or this run itself left them
	edges    map[*edge]ident.ID
	waiting  *phase[*edge]    // of relationships, which groups look through for members
	left     map[*record]bool // what was not written as planned, so that it is not claimed yet
	run      int64
	failed   bool

	isNarrow bool             // the actor writes of the plan's source alone
	others   map[*record]bool // left out since they are other sources'

	done, total int
}

// unit is a row of a batch.
type unit interface {
	comparable
	about() (*record, Kind, string)
}

func (r *record) about() (*record, Kind, string) {
	return r, r.kind, fmt.Sprintf("%s %q", r.kind, r.key)
}
func (e *edge) about() (*record, Kind, string) { return e.from, KindRelationship, e.said() }
func (l *loose) about() (*record, Kind, string) {
	return l.of, danglingKinds[l.kind], fmt.Sprintf("reference of %q to %q", l.of.key, l.target.ExternalID)
}

func (g *group) about() (*record, Kind, string) {
	return g.of, KindGroup, fmt.Sprintf("dependency group %q of %q", g.name, g.of.key)
}

// refused holds the units of a batch that cannot be written as planned, with the reasons.
type refused[T unit] map[T]string

func (r refused[T]) Error() string {
	return fmt.Sprintf("%d rows cannot be written as planned", len(r))
}

// or returns err, or if that is nil and units are refused, r.
func (r refused[T]) or(err error) error {
	if err == nil && len(r) > 0 {
		return r
	}
	return err
}

// batch writes units in a transaction. It returns a function to call once the transaction has committed, or refused.
type batch[T unit] func(ctx context.Context, tx *store.Tx, ref *cmdb.Reference, live []T) (done func(), err error)

// inBatches writes all units, a transaction for each batch. Refused units are left out, and their batch is tried again.
func inBatches[T unit](ctx context.Context, a *applying, all []T, p *phase[T]) error {
	for live := range slices.Chunk(all, batchSize) {
		if a.failed {
			return nil
		}
		n := len(live)
		if err := writeBatch(ctx, a, slices.Clone(live), p); err != nil {
			a.failed = true
			return err
		}
		a.done += n
		if a.progress != nil {
			a.progress(Progress{Applying, a.done, a.total})
		}
	}
	return nil
}

func writeBatch[T unit](ctx context.Context, a *applying, live []T, p *phase[T]) error {
	const attempts = 20
	for attempt := 1; len(live) > 0; attempt++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		done, err := store.Write(ctx, a.store, a.by, func(ctx context.Context, tx *store.Tx) (func(), error) {
			if err := a.beat(ctx, tx); err != nil {
				return nil, err
			}
			ref, err := cmdb.LoadReference(ctx, tx)
			if err != nil {
				return nil, err
			}
			return p.write(ctx, tx, ref, live)
		})
		var out refused[T]
		switch {
		case err == nil:
			done()
			return nil
		case errors.As(err, &out) && len(out) > 0:
			live = slices.DeleteFunc(live, func(u T) bool {
				reason, ok := out[u]
				if ok {
					conflict(a, u, reason)
				}
				return ok
			})
		case isNeeded(err):
			return p.divide(ctx, a, live, err)
		case errs.CodeOf(err) != errs.AlreadyExists || attempt == attempts:
			return err
		}
		// Another writer has just created the same record: the next attempt finds it.
	}
	return nil
}

func conflict[T unit](a *applying, u T, reason string) {
	r, kind, said := u.about()
	a.left[r] = true
	a.result.Written.add(kind, IsConflict)
	a.result.Conflicts = append(a.result.Conflicts, Notice{
		Origin: r.origin, Kind: Conflict, ExternalID: r.key, Reason: fmt.Sprintf("%s was left out: %s; plan again", said, reason),
	})
}

// blame turns failures whose paths begin with a row's number into refused units.
func blame[T unit](err error, rows []T) error {
	all, ok := errs.All(err)
	if err == nil || !ok {
		return err
	}
	out := refused[T]{}
	for _, e := range all {
		if len(e.Field) == 0 {
			return err
		}
		i, notANumber := strconv.Atoi(e.Field[0])
		if notANumber != nil || i < 0 || i >= len(rows) {
			return err
		}
		if out[rows[i]] != "" {
			out[rows[i]] += "; "
		}
		out[rows[i]] += e.Message
	}
	return out
}

// wrote counts the steps that a committed batch wrote.
func (a *applying) wrote(n int, kind Kind, o Outcome) {
	for range n {
		a.result.Written.add(kind, o)
	}
}
