package hugepage_test

import (
	"testing"

	"github.com/linchpin-cmdb/linchpin/internal/hugepage"
)

func TestAnArrayOnHugePagesHoldsItsValues(t *testing.T) {
	for _, n := range []int{0, 1, 1 << 10, 1 << 20, 1<<20 + 1, 3<<20 + 7} {
		a := hugepage.Make[uint32](n, n+n/8)
		if len(a) != n || cap(a) != n+n/8 {
			t.Fatalf("got %d of %d, want %d of %d", len(a), cap(a), n, n+n/8)
		}
		for i := range a {
			if a[i] != 0 {
				t.Fatalf("place %d of %d holds %d", i, n, a[i])
			}
			a[i] = uint32(i)
		}
		for i := range a {
			if a[i] != uint32(i) {
				t.Fatalf("place %d of %d holds %d", i, n, a[i])
			}
		}
	}
}
