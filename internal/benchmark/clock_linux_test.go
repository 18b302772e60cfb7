package benchmark_test

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has had of the processors: what others on the machine do does not inflate it. It is
// exact to a tick of the scheduler.
func processorTime() time.Duration { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

// threadTime is that of this thread alone, and exact.
func threadTime() time.Duration { return clock(unix.CLOCK_THREAD_CPUTIME_ID) }

func clock(which int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(which, &t); err != nil {
		panic(err) // both are always there
	}
	return time.Duration(t.Nano())
}

// processorTimeOf is that of another process with one thread; false where the system does not tell.
func processorTimeOf(pid int) (t time.Duration, told bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0, false
	}
	_, err = fmt.Sscan(string(text), &t)
	return t, err == nil
}
