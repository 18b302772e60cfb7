package graph_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/linchpin-cmdb/linchpin/internal/store"
)

// postmasterOf returns the parent process of all of a database's backends.
func postmasterOf(b *testing.B, s *store.Store) int {
	b.Helper()
	var backend int
	if err := s.Writer().QueryRowContext(b.Context(), "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		b.Fatal(err)
	}
	return stat(backend).parent
}

// own returns the processor time that this process has used so far.
func own(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// spentBy returns the time that a process and its children have used so far, those that have ended included.
func spentBy(parent int) time.Duration {
	of := stat(parent)
	sum := of.cpu + of.ended
	processes, _ := filepath.Glob("/proc/[0-9]*") // fails on a bad pattern only
	for _, p := range processes {
		if pid, err := strconv.Atoi(filepath.Base(p)); err == nil {
			if p := stat(pid); p.parent == parent {
				sum += p.cpu
			}
		}
	}
	return sum
}

// process is what Linux counts of one: its time in all its threads, and that of children that have ended.
type process struct {
	parent     int
	cpu, ended time.Duration
}

// tick is the unit of time in which /proc counts.
const tick = time.Second / 100

// stat reads the counts of a process from /proc. If it has ended, or there is no /proc, stat returns zeros.
func stat(pid int) (p process) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	number := func(i int) int {
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			panic(err) // not reached on Linux
		}
		return n
	}
	return process{number(1), tick * time.Duration(number(11)+number(12)), tick * time.Duration(number(13)+number(14))}
}
