package importer

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/reconcile"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// Practice holds the verbs about what sources say. The records they return belong to a closed transaction: read their
// fields only.
type Practice struct{ store *store.Store }

// New makes the practice over a database.
func New(s *store.Store) *Practice { return &Practice{s} }

// RunNamed is which run to do something about.
type RunNamed struct{ ID ident.ID }

// ApproveRunInput is which run may pass, and how many records may go missing in it.
type ApproveRunInput struct {
	ID         ident.ID
	RetireUpTo int
}

// run returns the number of a run that the actor may do something about. It asks first whether they may, so that they
// learn of no run otherwise: a run that is not there is of no source.
func (p *Practice) run(ctx context.Context, id ident.ID, verb string) (int64, error) {
	var err error = errs.New(errs.NotFound, "there is no run %s", id).At("id")
	found := &Run{}
	if id.Kind() == ident.ImportRun {
		if is, failed := ReadRun(ctx, p.store, id.Number()); failed == nil {
			found, err = is, nil
		} else if errs.CodeOf(failed) != errs.NotFound {
			return 0, failed
		}
	}
	if _, refused := auth.RequireOf(ctx, verb, found.Source); refused != nil {
		return 0, refused
	}
	return found.ID, err
}

// ApplyRun applies a run: see the function of the name. It returns the run as it is afterwards.
func (p *Practice) ApplyRun(ctx context.Context, in RunNamed) (*Run, error) {
	id, err := p.run(ctx, in.ID, "import.apply")
	if err != nil {
		return nil, err
	}
	if _, _, err := ApplyRun(ctx, p.store, id, nil); err != nil {
		return nil, err
	}
	return ReadRun(ctx, p.store, id)
}

// ApproveRun lets a run pass that was refused: see the function of the name.
func (p *Practice) ApproveRun(ctx context.Context, in ApproveRunInput) (*Run, error) {
	id, err := p.run(ctx, in.ID, "import.approve")
	if err == nil {
		err = ApproveRun(ctx, p.store, id, in.RetireUpTo)
	}
	if err != nil {
		return nil, err
	}
	return ReadRun(ctx, p.store, id)
}

// DiscardRun gives up a run: see the function of the name.
func (p *Practice) DiscardRun(ctx context.Context, in RunNamed) (*Run, error) {
	id, err := p.run(ctx, in.ID, "import.discard")
	if err == nil {
		err = DiscardRun(ctx, p.store, id)
	}
	if err != nil {
		return nil, err
	}
	return ReadRun(ctx, p.store, id)
}

// ReleaseField is which field of a CI sources may write again.
type ReleaseField struct {
	ID              ident.ID
	ExpectedVersion *int
	Field           string
}

// ReleaseField lets sources write a field of a CI again, and gives it the value that their claims make of it, without
// reading any source. A value that no longer fits the class of the CI is left out.
func (p *Practice) ReleaseField(ctx context.Context, in ReleaseField) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "ci.release_field", func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		if err := cmdb.CheckLock(in.Field); err != nil {
			return nil, errs.Under(err, "field")
		}
		released, err := cmdb.UpdateByPerson(ctx, tx, cmdb.CIChange{ID: in.ID, ExpectedVersion: in.ExpectedVersion}, []string{in.Field})
		if err != nil {
			return nil, err
		}
		if err := recompute(ctx, tx, released, in.Field); err != nil {
			return nil, err
		}
		return tx.CI.Get(ctx, released.ID)
	})
}

// recompute gives a field of a CI the value that all claims make of it.
func recompute(ctx context.Context, tx *store.Tx, of *ent.CI, field string) error {
	all, err := claimsOn(ctx, tx, []ident.ID{of.ID})
	if err != nil || len(all) == 0 {
		return err
	}
	p := &planner{tx: tx, byKey: map[string]*record{}, deleted: map[string]Origin{}, listed: map[looseAt]bool{}, plan: &Plan{Summary: Summary{}}}
	if p.ref, err = cmdb.LoadReference(ctx, tx); err != nil {
		return err
	}
	if p.belief, err = loadBelief(ctx, tx); err != nil {
		return err
	}
	class, _ := p.ref.ClassByID(of.ClassID)
	values, err := p.belief.effective(class, all)
	if err != nil {
		return err
	}
	value, ok := values[field]
	if !ok {
		return nil
	}
	p.source = value.Of.Source
	r := newRecord(Row{CI: (&CI{ExternalID: value.Of.Key}).with(map[string]reconcile.Value{field: value}, func(name string) string {
		text, _ := value.Value.(string)
		if name != field {
			return ""
		}
		return text
	})})
	r.CI.ExternalID, r.id = value.Of.Key, of.ID
	p.records = []*record{r}
	if err := p.load(ctx); err != nil {
		return err
	}
	if r.old = p.stored.cis[of.ID]; r.old == nil {
		if err := p.loadCIs(ctx, []ident.ID{of.ID}); err != nil {
			return err
		}
		r.old = p.stored.cis[of.ID]
	}
	if err := p.loadParts(ctx); err != nil {
		return err
	}
	p.prepare(ctx, r)
	if r.isDropped {
		return nil
	}
	p.planSupport(r)
	p.planOwners(r)
	return p.writeOne(ctx, tx, r)
}

// writeOne writes what is planned for a stored CI whose references are all stored.
func (p *planner) writeOne(ctx context.Context, tx *store.Tx, r *record) error {
	if r.ciChange != nil || r.support != nil {
		ch := cmdb.CIChange{ID: r.id}
		if r.ciChange != nil {
			ch = *r.ciChange
		}
		if r.support != nil {
			ch.Service = &cmdb.ServiceChange{SupportTeam: &r.support.id}
		}
		if _, err := cmdb.UpdateCIsTx(ctx, tx, p.ref, []cmdb.CIChange{ch}); err != nil {
			return errs.Under(err, "field")
		}
	}
	if r.owners == nil {
		return nil
	}
	row := cmdb.OwnerSet{CI: r.id}
	for _, o := range r.owners {
		row.Owners = append(row.Owners, cmdb.NewOwner{Of: o.by.id, Role: o.role})
	}
	return cmdb.SetOwnersTx(ctx, tx, []cmdb.OwnerSet{row})
}
