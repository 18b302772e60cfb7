package server

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/linchpin-cmdb/linchpin/internal/domain"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/journal"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

const (
	leastHeader       = "Linchpin-At-Least-Revision"
	leastExtension    = "atLeastRevision"
	revisionExtension = "revision"
	tokenExtension    = "revisionToken"

	staleHeader    = "Linchpin-Max-Staleness"
	staleExtension = "maxStaleness"
	maxStaleness   = 2 * time.Second // unless a request says another
)

// revisions adds to each answer a revision that it knew of at least, and lets an operation wait for one: a client that
// hands the revision of one answer to the next request reads its writes on any server.
type revisions struct {
	feed *journal.Feed
	log  *slog.Logger
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
} = revisions{}

// ExtensionName returns "Revisions".
func (revisions) ExtensionName() string { return "Revisions" }

// Validate accepts every schema.
func (revisions) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptOperation waits for the revision that the request asks for, refuses to answer from a graph that is older
// than the request allows, and adds the revision that the answer knew of.
func (r revisions) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if err := r.await(ctx, op); err != nil {
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{presenter(r.log)(ctx, err)}})
	}
	if op.Operation.Operation == ast.Subscription { // each event has its own
		return next(ctx)
	}
	seen := r.feed.Revision()
	ctx, work := store.Watch(ctx)
	respond := next(ctx)
	return func(context.Context) *graphql.Response {
		response := respond(ctx)
		if response == nil {
			return nil
		}
		if response.Extensions == nil {
			response.Extensions = map[string]any{}
		}
		revision := max(seen, work.Revision())
		response.Extensions[revisionExtension], response.Extensions[tokenExtension] = revision, r.feed.Token(ctx, revision).String()
		return response
	}
}

func (r revisions) await(ctx context.Context, op *graphql.OperationContext) error {
	if describesItself(op.Operation) {
		return nil
	}
	limit, err := staleness(op)
	if err == nil {
		err = r.feed.Fresh(ctx, limit)
	}
	if err != nil {
		return err
	}
	text, given, err := asked(op, leastHeader, leastExtension)
	if !given || err != nil {
		return err
	}
	least, err := domain.ParseRevisionToken(text)
	if err != nil {
		return errs.New(errs.BadUserInput, "%s: %v", leastHeader, err)
	}
	if err := r.feed.Recognise(ctx, least); err != nil {
		return err
	}
	return r.feed.Await(ctx, least.Revision)
}

// describesItself reports whether an operation asks for nothing but the schema.
func describesItself(op *ast.OperationDefinition) bool {
	return !slices.ContainsFunc(op.SelectionSet, func(s ast.Selection) bool {
		f, ok := s.(*ast.Field)
		return !ok || !strings.HasPrefix(f.Name, "__")
	})
}

// staleness returns how old the graph may be for an operation, which says so in seconds.
func staleness(op *graphql.OperationContext) (time.Duration, error) {
	text, given, err := asked(op, staleHeader, staleExtension)
	if !given || err != nil {
		return maxStaleness, err
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errs.New(errs.BadUserInput, "%s: it is a whole number of seconds, such as 10; without it, answers are at most %v old", staleHeader, maxStaleness)
	}
	return time.Duration(seconds) * time.Second, nil
}
