// Package span adds spans to a trace that records. It refuses to begin a trace: without one it costs a look into the
// context and allocates nothing.
package span

import (
	"context"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
)

// Scope is the name under which the product's spans are known.
const Scope = "github.com/linchpin-cmdb/linchpin"

// Child begins a span below that of ctx. If the span of ctx does not record, it returns ctx and a span that records
// nothing.
func Child(ctx context.Context, name string, kind trace.SpanKind) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, parent
	}
	return parent.TracerProvider().Tracer(Scope).Start(ctx, name, trace.WithSpanKind(kind))
}

// Hide returns a context in which nothing is traced.
func Hide(ctx context.Context) context.Context {
	return trace.ContextWithSpan(ctx, trace.SpanFromContext(context.Background()))
}

// End ends a span that Child began. It records the code of a failure and not its message, since messages hold values.
func End(s trace.Span, code errs.Code) {
	if !s.IsRecording() {
		return
	}
	if code != "" {
		s.SetStatus(codes.Error, string(code))
	}
	s.End()
}
