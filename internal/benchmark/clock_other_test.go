//go:build !linux

package benchmark_test

import "time"

var start = time.Now()

// processorTime is the time that passes, where nothing better is known.
func processorTime() time.Duration { return time.Since(start) }

func threadTime() time.Duration { return time.Since(start) }

func processorTimeOf(int) (time.Duration, bool) { return 0, false }
