package benchmark_test

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns the processor time of this process, which other processes on the machine do not inflate. It is
// exact to a tick of the scheduler.
func processorTime() time.Duration { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

// threadTime returns the processor time of this thread alone, which is exact.
func threadTime() time.Duration { return clock(unix.CLOCK_THREAD_CPUTIME_ID) }

func clock(which int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(which, &t); err != nil {
		panic(err) // both are always there
	}
	return time.Duration(t.Nano())
}

// processorTimeOf returns the processor time of another process with one thread, or false if the system does not tell
// it.
func processorTimeOf(pid int) (t time.Duration, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0, false
	}
	_, err = fmt.Sscan(string(text), &t)
	return t, err == nil
}
