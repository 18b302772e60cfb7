// Package hugepage asks the system to back arrays by huge pages, which spares walks through them most misses of the
// address cache (TLB). It refuses nothing and promises nothing: on a system without huge pages it does nothing.
package hugepage

import "unsafe"

const size = 2 << 20

// Make returns make([]T, n, capacity), on huge pages as far as whole ones fit. T must hold no pointers.
func Make[T any](n, capacity int) []T {
	a := make([]T, n, capacity)
	if bytes := uintptr(capacity) * unsafe.Sizeof(*new(T)); bytes >= 2*size {
		start := unsafe.Pointer(unsafe.SliceData(a))
		before := -uintptr(start) % size
		advise(unsafe.Slice((*byte)(unsafe.Add(start, before)), (bytes-before)/size*size))
	}
	return a
}
