// Package benchmark measures the engine beside its peers: C over the same arrays, PostgreSQL and SQLite over the same
// edges. Its tests are the command: see docs/benchmarks.md. It asserts that the peers agree, and no time.
package benchmark
