package catalog

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/practice/form"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// CreateService adds a service to the catalogue: a CI of the class that its kind names.
func (p *Practice) CreateService(ctx context.Context, in CreateService) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "service.create", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		labels, err := cmdb.Labels(in.Labels)
		if err != nil {
			return nil, err
		}
		in.Fields.Name = &in.Name
		row := cmdb.NewCI{
			Class: cmdb.ServiceClass(in.Kind), Fields: in.Fields, Labels: cmdb.Present(labels),
			Service: &cmdb.ServiceFacet{
				Tier: form.Or(in.Tier, ""), PortfolioStage: form.Or(in.PortfolioStage, domain.PortfolioCatalog), Category: form.Or(in.Category, ""),
				Links: links(in.Links), SupportTeam: form.Or(in.SupportTeam, 0), AvailabilityTarget: in.AvailabilityTarget,
			},
		}
		return cmdb.CreateByPerson(ctx, tx, row, in.Owners, in.ExternalIdentity)
	}))
}

// UpdateService changes a service. On one that was imported, the changed fields are locked against imports.
func (p *Practice) UpdateService(ctx context.Context, in UpdateService) (*ent.CI, error) {
	return auth.Write(ctx, p.store, "service.update", form.Accepting(in.AcceptConsequences, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		ch, err := in.change()
		if err != nil {
			return nil, err
		}
		if err := cmdb.MayEdit(ctx, tx, in.ID, "id"); err != nil {
			return nil, err
		}
		if in.Visibility.IsSet() {
			if err := cmdb.ByRole(ctx, "visibility"); err != nil {
				return nil, err
			}
		}
		return cmdb.UpdateByPerson(ctx, tx, ch, nil)
	}))
}

// change returns the input as the CMDB takes it. It names all fields at once that are null and cannot be cleared.
func (in UpdateService) change() (cmdb.CIChange, error) {
	facet := &cmdb.ServiceChange{Tier: form.Cleared(in.Tier), Category: form.Cleared(in.Category), SupportTeam: form.Cleared(in.SupportTeam)}
	var f form.Form
	ch := cmdb.CIChange{ID: in.ID, ExpectedVersion: in.ExpectedVersion, Fields: in.Fields(&f), Service: facet}
	if list, ok := in.Links.ValueOK(); ok {
		all := links(list)
		facet.Links = &all
	}
	if target, ok := in.AvailabilityTarget.ValueOK(); ok {
		facet.AvailabilityTarget = &target
	}
	facet.PortfolioStage = form.Given(&f, "portfolioStage", in.PortfolioStage)
	f.Fault(ch.SetLabels(in.Labels.Value(), in.Labels.IsSet()))
	return ch, f.Err()
}

func links(given []ServiceLink) []domain.Link {
	all := make([]domain.Link, len(given))
	for i, l := range given {
		all[i] = domain.Link(l)
	}
	return all
}
