package graph

import (
	"context"
	"time"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/read"
)

func (r *queryResolver) Kpis(ctx context.Context, period read.KPIPeriod, from time.Time, to time.Time, timeZone string, groupBy read.KPIGroup, first *int, after *string, last *int, before *string) (*page.Connection[*read.KPI], error) {
	q := read.KPIQuery{Period: period, From: from, To: to, Zone: timeZone, By: groupBy}
	return r.r.read.KPIs(ctx, q, page.Args{First: first, After: after, Last: last, Before: before})
}
