package span_test

import (
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/linchpin-cmdb/linchpin/internal/errs"
	"github.com/linchpin-cmdb/linchpin/internal/span"
)

func TestASpanThatIsNotTracedAllocatesNothing(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		_, s := span.Child(t.Context(), "SELECT", trace.SpanKindClient)
		span.End(s, errs.Internal)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
