package catalog

import (
	"context"
	"errors"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/ent/servicetier"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/rule/valid"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const lowestRank = 1_000

// CreateServiceTier adds a tier to the scale.
func (p *Practice) CreateServiceTier(ctx context.Context, in CreateServiceTierInput) (*ent.ServiceTier, error) {
	actor, err := auth.Require(ctx, "service_tier.create")
	if err != nil {
		return nil, err
	}
	t := &ent.ServiceTier{Code: in.Code, Name: in.Name, Rank: in.Rank, Description: or(in.Description, "")}
	if err := errors.Join(valid.Code("code", t.Code), checkTier(t)); err != nil {
		return nil, err
	}
	return store.Write(ctx, p.store, store.By{Actor: actor.Name, Verb: "service_tier.create"}, func(ctx context.Context, tx *store.Tx) (*ent.ServiceTier, error) {
		if err := checkScale(ctx, tx, t); err != nil {
			return nil, err
		}
		return tx.ServiceTier.Create().SetCode(t.Code).SetName(t.Name).SetRank(t.Rank).SetDescription(t.Description).
			SetCreatedAt(tx.Now).SetUpdatedAt(tx.Now).Save(ctx)
	})
}

// UpdateServiceTier renames a tier, or moves it to a rank that is free.
func (p *Practice) UpdateServiceTier(ctx context.Context, in UpdateServiceTierInput) (*ent.ServiceTier, error) {
	actor, err := auth.Require(ctx, "service_tier.update")
	if err != nil {
		return nil, err
	}
	name, noName := cmdb.Given(in.Name, "name")
	rank, noRank := cmdb.Given(in.Rank, "rank")
	if err := errors.Join(noName, noRank); err != nil {
		return nil, err
	}
	return store.Write(ctx, p.store, store.By{Actor: actor.Name, Verb: "service_tier.update"}, func(ctx context.Context, tx *store.Tx) (*ent.ServiceTier, error) {
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
		next.Name, next.Rank, next.Description = or(name, old.Name), or(rank, old.Rank), or(cmdb.Cleared(in.Description), old.Description)
		if err := checkTier(&next); err != nil {
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

func checkTier(t *ent.ServiceTier) error {
	var noName, noDescription, noRank error
	t.Name, noName = valid.Text("name", t.Name, 1, valid.LongestName)
	t.Description, noDescription = valid.Text("description", t.Description, 0, valid.LongestDescription)
	if t.Rank < 1 || t.Rank > lowestRank {
		noRank = errs.New(errs.Invalid, "%d is no rank: 1 to %d, 1 mattering most", t.Rank, lowestRank).At("rank")
	}
	return errors.Join(noName, noDescription, noRank)
}

// checkScale refuses a code or a rank that another tier has.
func checkScale(ctx context.Context, tx *store.Tx, t *ent.ServiceTier) error {
	all, err := tx.ServiceTier.Query().All(ctx)
	if err != nil {
		return err
	}
	var taken []error
	for _, other := range all {
		if other.ID == t.ID {
			continue
		}
		if other.Code == t.Code {
			taken = append(taken, errs.New(errs.AlreadyExists, "there is a tier %s already", t.Code).At("code"))
		}
		if other.Rank == t.Rank {
			taken = append(taken, errs.New(errs.AlreadyExists, "rank %d is %s's", t.Rank, other.Code).At("rank"))
		}
	}
	return errors.Join(taken...)
}
