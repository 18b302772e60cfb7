package catalog

import (
	"context"
	"errors"

	"github.com/linchpin-cmdb/linchpin/ent"
	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/ident"
	"github.com/linchpin-cmdb/linchpin/internal/practice/cmdb"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// CreateService adds a service to the catalogue: a CI of the class that its kind names.
func (p *Practice) CreateService(ctx context.Context, in CreateServiceInput) (*ent.CI, error) {
	actor, err := auth.Require(ctx, "service.create")
	if err != nil {
		return nil, err
	}
	labels, err := cmdb.Labels(in.Labels)
	if err != nil {
		return nil, err
	}
	present := map[string]string{}
	for name, value := range labels {
		if value != nil {
			present[name] = *value
		}
	}
	row := cmdb.NewCI{
		Class: cmdb.ServiceClass(in.Kind), Name: in.Name, Description: or(in.Description, ""), Lifecycle: or(in.Lifecycle, domain.Live),
		Environment: or(in.Environment, domain.Production), Criticality: or(in.Criticality, domain.CriticalityMedium), Visibility: or(in.Visibility, domain.Everyone), Labels: present,
		Service: &cmdb.ServiceFacet{
			Tier: or(in.Tier, ""), PortfolioStage: or(in.PortfolioStage, domain.PortfolioCatalog), Category: or(in.Category, ""),
			Links: links(in.Links), SupportTeam: or(in.SupportTeam, 0), AvailabilityTarget: in.AvailabilityTarget,
		},
	}
	return store.Write(ctx, p.store, store.By{Actor: actor.Name, Verb: "service.create"}, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		return cmdb.CreateByPerson(ctx, tx, row, in.Owners, in.ExternalIdentity)
	})
}

// UpdateService changes a service. Of one that was imported, what changed is locked against imports.
func (p *Practice) UpdateService(ctx context.Context, in UpdateServiceInput) (*ent.CI, error) {
	actor, err := auth.Require(ctx, "service.update")
	if err != nil {
		return nil, err
	}
	ch, err := in.change()
	if err != nil {
		return nil, err
	}
	return store.Write(ctx, p.store, store.By{Actor: actor.Name, Verb: "service.update"}, func(ctx context.Context, tx *store.Tx) (*ent.CI, error) {
		return cmdb.UpdateByPerson(ctx, tx, ch, nil)
	})
}

// change is the input as the CMDB takes it. All that cannot be cleared and is null is said at once.
func (in UpdateServiceInput) change() (cmdb.CIChange, error) {
	facet := &cmdb.ServiceChange{Tier: cmdb.Cleared(in.Tier), Category: cmdb.Cleared(in.Category), SupportTeam: cmdb.Cleared(in.SupportTeam)}
	ch := cmdb.CIChange{ID: in.ID, ExpectedVersion: in.ExpectedVersion, Description: cmdb.Cleared(in.Description), Service: facet}
	if list, set := in.Links.ValueOK(); set {
		all := links(list)
		facet.Links = &all
	}
	if target, set := in.AvailabilityTarget.ValueOK(); set {
		facet.AvailabilityTarget = &target
	}
	failures := make([]error, 7)
	ch.Name, failures[0] = cmdb.Given(in.Name, "name")
	ch.Lifecycle, failures[1] = cmdb.Given(in.Lifecycle, "lifecycle")
	ch.Environment, failures[2] = cmdb.Given(in.Environment, "environment")
	ch.Criticality, failures[3] = cmdb.Given(in.Criticality, "criticality")
	facet.PortfolioStage, failures[4] = cmdb.Given(in.PortfolioStage, "portfolioStage")
	ch.Visibility, failures[6] = cmdb.Given(in.Visibility, "visibility")
	failures[5] = ch.SetLabels(in.Labels.Value(), in.Labels.IsSet())
	return ch, errors.Join(failures...)
}

func links(given []ServiceLinkInput) []domain.Link {
	all := make([]domain.Link, len(given))
	for i, l := range given {
		all[i] = domain.Link(l)
	}
	return all
}

// or is what p points to, else a default.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func unknown(id ident.ID) *errs.Error { return errs.New(errs.NotFound, "there is no %s", id) }
