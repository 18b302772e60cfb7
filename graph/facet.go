package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/exec"
	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
)

func (r *cIConnectionResolver) Facets(ctx context.Context, of *page.Connection[*read.CI], fields []read.CIFacetField) ([]*read.CIFacet, error) {
	return r.r.read.CIFacets(ctx, of, fields)
}

func (r *serviceConnectionResolver) Facets(ctx context.Context, of *page.Connection[*read.Service], fields []read.ServiceFacetField) ([]*read.ServiceFacet, error) {
	return r.r.read.ServiceFacets(ctx, of, fields)
}

func (r *incidentConnectionResolver) Facets(ctx context.Context, of *page.Connection[*read.Incident], fields []read.IncidentFacetField) ([]*read.IncidentFacet, error) {
	return r.r.read.IncidentFacets(ctx, of, fields)
}

func (r *changeConnectionResolver) Facets(ctx context.Context, of *page.Connection[*read.Change], fields []read.ChangeFacetField) ([]*read.ChangeFacet, error) {
	return r.r.read.ChangeFacets(ctx, of, fields)
}

func (r *Resolver) CIConnection() exec.CIConnectionResolver { return &cIConnectionResolver{r} }

func (r *Resolver) ServiceConnection() exec.ServiceConnectionResolver {
	return &serviceConnectionResolver{r}
}

func (r *Resolver) IncidentConnection() exec.IncidentConnectionResolver {
	return &incidentConnectionResolver{r}
}

func (r *Resolver) ChangeConnection() exec.ChangeConnectionResolver {
	return &changeConnectionResolver{r}
}

type (
	cIConnectionResolver       struct{ r *Resolver }
	serviceConnectionResolver  struct{ r *Resolver }
	incidentConnectionResolver struct{ r *Resolver }
	changeConnectionResolver   struct{ r *Resolver }
)
