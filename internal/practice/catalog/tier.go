package catalog

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const lowestRank = 1_000

// CreateServiceTier adds a tier to the scale.
func (p *Practice) CreateServiceTier(ctx context.Context, in CreateServiceTier) (*ent.ServiceTier, error) {
	return auth.Write(ctx, p.store, "service_tier.create", func(ctx context.Context, tx *store.Tx) (*ent.ServiceTier, error) {
		t := &ent.ServiceTier{Code: in.Code, Name: in.Name, Rank: in.Rank, Description: form.Or(in.Description, "")}
		var f form.Form
		f.Fault(valid.Code("code", t.Code))
		checkTier(t, &f)
		if err := f.Err(); err != nil {
			return nil, err
		}
		if err := checkScale(ctx, tx, t); err != nil {
			return nil, err
		}
		return tx.ServiceTier.Create().SetCode(t.Code).SetName(t.Name).SetRank(t.Rank).SetDescription(t.Description).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// UpdateServiceTier renames a tier, or moves it to a rank that is free.
func (p *Practice) UpdateServiceTier(ctx context.Context, in UpdateServiceTier) (*ent.ServiceTier, error) {
	return auth.Write(ctx, p.store, "service_tier.update", func(ctx context.Context, tx *store.Tx) (*ent.ServiceTier, error) {
		var f form.Form
		name, rank := form.Given(&f, "name", in.Name), form.Given(&f, "rank", in.Rank)
		if err := f.Err(); err != nil {
			return nil, err
		}
		q := tx.ServiceTier.Query().Where(servicetier.Code(in.Code))
		if tx.IsPostgres() {
			q = q.ForUpdate()
		}
		old, err := q.First(ctx)
		if ent.IsNotFound(err) {
			return nil, errs.New(errs.NotFound, "there is no service tier %q", in.Code).At("code")
		}
		if err != nil {
			return nil, err
		}
		if err := valid.Stale(in.ExpectedVersion, old.Version); err != nil {
			return nil, err
		}
		next := *old
		next.Name, next.Rank, next.Description = form.Or(name, old.Name), form.Or(rank, old.Rank), form.Or(form.Cleared(in.Description), old.Description)
		checkTier(&next, &f)
		if err := f.Err(); err != nil {
			return nil, err
		}
		if next.Name == old.Name && next.Rank == old.Rank && next.Description == old.Description {
			return old, nil
		}
		if err := checkScale(ctx, tx, &next); err != nil {
			return nil, err
		}
		return tx.ServiceTier.UpdateOne(old).SetName(next.Name).SetRank(next.Rank).SetDescription(next.Description).
			AddVersion(1).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

func checkTier(t *ent.ServiceTier, f *form.Form) {
	t.Name = f.Text("name", t.Name, 1, valid.LongestName)
	t.Description = f.Text("description", t.Description, 0, valid.LongestDescription)
	f.Number("rank", t.Rank, 1, lowestRank)
}

// checkScale refuses a code or a rank that another tier has.
func checkScale(ctx context.Context, tx *store.Tx, t *ent.ServiceTier) error {
	all, err := tx.ServiceTier.Query().All(ctx)
	if err != nil {
		return err
	}
	var f form.Form
	for _, other := range all {
		if other.ID == t.ID {
			continue
		}
		if other.Code == t.Code {
			f.Fault(errs.New(errs.AlreadyExists, "there is a tier %s already", t.Code).At("code"))
		}
		if other.Rank == t.Rank {
			f.Fault(errs.New(errs.AlreadyExists, "the tier %s has the rank %d already: choose another", other.Code, t.Rank).At("rank"))
		}
	}
	return f.Err()
}
