package graph

import (
	"context"

	"github.com/linchpin-cmdb/linchpin/graph/page"
	"github.com/linchpin-cmdb/linchpin/graph/present"
	"github.com/linchpin-cmdb/linchpin/graph/read"
	"github.com/linchpin-cmdb/linchpin/internal/practice/approval"
)

func (r *mutationResolver) CreateApprovalPolicy(ctx context.Context, input approval.CreatePolicy) (*present.ApprovalPolicyPayload, error) {
	return present.Record(r.r.read.ShowApprovalPolicy)(r.r.Approval.CreatePolicy(ctx, input))
}

func (r *mutationResolver) UpdateApprovalPolicy(ctx context.Context, input approval.UpdatePolicy) (*present.ApprovalPolicyPayload, error) {
	return present.Record(r.r.read.ShowApprovalPolicy)(r.r.Approval.UpdatePolicy(ctx, input))
}

func (r *mutationResolver) DeleteApprovalPolicy(ctx context.Context, input approval.DeletePolicy) (*present.DeletedPayload, error) {
	return present.Deleted(r.r.Approval.DeletePolicy(ctx, input))
}

func (r *queryResolver) ApprovalPolicies(ctx context.Context, first *int, after *string, last *int, before *string) (*page.Connection[*read.ApprovalPolicy], error) {
	return r.r.read.ApprovalPolicies(ctx, page.Args{First: first, After: after, Last: last, Before: before})
}
