//go:build !linux

package benchmark_test

import "time"

var start = time.Now()

// processorTime returns the time that passed: the system tells nothing better.
func processorTime() time.Duration { return time.Since(start) }

func threadTime() time.Duration { return time.Since(start) }

func processorTimeOf(int) (time.Duration, bool) { return 0, false }
