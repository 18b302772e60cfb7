package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/linchpin-cmdb/linchpin/internal/auth"
	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/safe"
	"github.com/linchpin-cmdb/linchpin/internal/server/guard"
	"github.com/linchpin-cmdb/linchpin/internal/span"
	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// slow is the duration from which an operation is worth a warning.
const slow = time.Second

// observer writes one log line and one measurement for each GraphQL operation, refused ones too. It tells the actor and
// the hash of the document, but never its text or a variable.
type observer struct {
	log        *slog.Logger
	operations *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	unknown    prometheus.Counter
	refusals   *prometheus.CounterVec
	sockets    prometheus.Gauge
}

// newObserver returns an observer that measures into r, or nowhere if r is nil.
func newObserver(log *slog.Logger, r prometheus.Registerer) observer {
	o := observer{
		log: log,
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linchpin_operations_total", Help: "GraphQL operations by type, root field and the code of their first error. Those refused before they ran have the field \"refused\".",
		}, []string{"type", "field", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "linchpin_operation_duration_seconds", Help: "How long GraphQL operations took.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"type", "field"}),
		unknown: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "linchpin_outcome_unknown_total", Help: "Mutations of which nobody knows whether they happened.",
		}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linchpin_refusals_total", Help: "Requests, sockets and operations that were refused before they ran, by code.",
		}, []string{"code"}),
		sockets: prometheus.NewGauge(prometheus.GaugeOpts{Name: "linchpin_sockets", Help: "WebSockets that are open."}),
	}
	if r != nil {
		r.MustRegister(o.operations, o.durations, o.unknown, o.refusals, o.sockets)
	}
	return o
}

// observeDocuments measures the documents that a guard keeps.
func observeDocuments(log *slog.Logger, r prometheus.Registerer, g *guard.Guard) {
	if r == nil {
		return
	}
	const name = "linchpin_documents_bytes"
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: name, Help: "About how much memory the documents take that were read and are kept; --limit-documents bounds it.",
	}, safe.Measure(log, name, func() float64 { return float64(g.Remembered()) })))
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
	graphql.ResponseInterceptor
} = observer{}

// ExtensionName returns "Observer".
func (observer) ExtensionName() string { return "Observer" }

// Validate accepts every schema.
func (observer) Validate(graphql.ExecutableSchema) error { return nil }

type observedKey struct{}

// InterceptOperation observes an operation that is admitted: until its answer, or the end of a subscription.
func (o observer) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op, began := graphql.GetOperationContext(ctx), time.Now()
	ctx, _ = span.Child(ctx, string(op.Operation.Operation)+" "+rootField(op), trace.SpanKindInternal)
	runs := ctx
	if op.Operation.Operation == ast.Subscription { // its events are without end
		runs = span.Hide(ctx)
	}
	runs, work := store.Watch(context.WithValue(runs, observedKey{}, true))
	respond := next(runs)
	isOver := false
	return func(context.Context) *graphql.Response {
		response := respond(runs)
		if isEvent := response != nil && response.Data != nil && op.Operation.Operation == ast.Subscription; isOver || isEvent {
			return response
		}
		isOver = true
		var problems gqlerror.List
		if response != nil {
			problems = response.Errors
		}
		o.tell(ctx, op, rootField(op), problems, time.Since(began), work.Statements())
		return response
	}
}

// InterceptResponse observes an operation that is refused.
func (o observer) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if ctx.Value(observedKey{}) == nil && response != nil && graphql.HasOperationContext(ctx) {
		op := graphql.GetOperationContext(ctx)
		ctx, _ := span.Child(ctx, "refused", trace.SpanKindInternal)
		if len(response.Errors) > 0 {
			o.refused(response.Errors[0].Extensions["code"])
		}
		o.tell(ctx, op, "refused", response.Errors, time.Since(op.Stats.OperationStart), 0)
	}
	return response
}

// refused counts a refusal by its code.
func (o observer) refused(code any) { o.refusals.WithLabelValues(fmt.Sprint(code)).Inc() }

func (o observer) tell(ctx context.Context, op *graphql.OperationContext, field string, problems gqlerror.List, took time.Duration, statements int64) {
	kind, name := "none", ""
	if op.Operation != nil {
		kind, name = string(op.Operation.Operation), op.Operation.Name
	}
	codes, seen := []string{}, map[string]bool{}
	for _, e := range problems {
		if code := fmt.Sprint(e.Extensions["code"]); !seen[code] {
			seen[code] = true
			codes = append(codes, code)
		}
	}
	first := "OK"
	if len(codes) > 0 {
		first = codes[0]
	}
	o.operations.WithLabelValues(kind, field, first).Inc()
	o.durations.WithLabelValues(kind, field).Observe(took.Seconds())
	if seen[string(errs.OutcomeUnknown)] {
		o.unknown.Inc()
	}
	level := slog.LevelInfo
	if took >= slow && kind != string(ast.Subscription) {
		level = slog.LevelWarn
	}
	actor, _ := auth.From(ctx)
	hash := sha256.Sum256([]byte(op.RawQuery))
	document := hex.EncodeToString(hash[:8])
	attributes := []slog.Attr{
		slog.String("request", requestID(ctx)), slog.String("actor", actor.Name),
		slog.String("type", kind), slog.String("field", field), slog.String("name", short(name)), slog.String("hash", document),
		slog.Float64("took_ms", float64(took.Microseconds())/1000), slog.Int64("statements", statements), slog.Any("codes", codes),
	}
	if s := trace.SpanFromContext(ctx); s.IsRecording() {
		attributes = append(attributes, slog.String("trace", s.SpanContext().TraceID().String()))
		s.SetAttributes(attribute.String("graphql.operation.type", kind), attribute.String("graphql.operation.name", short(name)),
			attribute.String("graphql.document.hash", document), attribute.StringSlice("linchpin.codes", codes))
		code := errs.Code("")
		if len(codes) > 0 {
			code = errs.Code(first)
		}
		span.End(s, code)
	}
	o.log.LogAttrs(ctx, level, "operation", attributes...)
}

// rootField returns the root field of an operation, as the contract names it, or "several" if there are more.
func rootField(op *graphql.OperationContext) string {
	name := ""
	for _, s := range op.Operation.SelectionSet {
		f, ok := s.(*ast.Field)
		if !ok || name != "" {
			return "several"
		}
		name = f.Name
	}
	return name
}

func short(name string) string { return name[:min(len(name), 100)] }
