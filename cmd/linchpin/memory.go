package main

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"
)

// memory is how much memory a server takes. docs/benchmarks.md has what the defaults were chosen by.
type memory struct {
	limit   string // bytes, a share of what there is, or off
	garbage int    // percent of what is in use
}

const leastMemory = 16 << 20

func memoryFlags(flags *pflag.FlagSet) *memory {
	m := &memory{}
	flags.StringVar(&m.limit, "memory", "80%", "memory to keep to by collecting garbage sooner: 512MiB, a share of what the container or the machine has, or off; GOMEMLIMIT says it too")
	flags.IntVar(&m.garbage, "garbage", 400, "garbage that may gather before it is collected, in percent of what is in use, within --memory; GOGC says it too")
	return m
}

// apply sets what the flags say. If a flag is not given and the runtime's own variable is, the variable holds.
func (m *memory) apply(flags *pflag.FlagSet, getenv func(string) string) error {
	if flags.Changed("memory") || getenv("GOMEMLIMIT") == "" {
		limit, err := memoryLimit(m.limit, memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem))
		if err != nil {
			return fmt.Errorf("--memory: %w", err)
		}
		debug.SetMemoryLimit(limit)
	}
	if flags.Changed("garbage") || getenv("GOGC") == "" {
		if m.garbage < 1 {
			return fmt.Errorf("--garbage is %d: a percentage above 0", m.garbage)
		}
		debug.SetGCPercent(m.garbage)
	}
	return nil
}

// memoryLimit reads a limit in bytes; there is what a share is taken of.
func memoryLimit(text string, there memlimit.Provider) (int64, error) {
	if text == "off" {
		return math.MaxInt64, nil
	}
	share, ok := strings.CutSuffix(text, "%")
	if !ok {
		n, err := humanize.ParseBytes(text)
		if err != nil || n < leastMemory || n > math.MaxInt64 {
			return 0, fmt.Errorf("%q is neither a size of 16MiB or more, nor a share, nor off", text)
		}
		return int64(n), nil
	}
	percent, err := strconv.Atoi(share)
	if err != nil || percent < 1 || percent > 100 {
		return 0, fmt.Errorf("%q is not a share from 1%% to 100%%", text)
	}
	all, err := there()
	if errors.Is(err, memlimit.ErrNoLimit) {
		return math.MaxInt64, nil
	}
	return max(leastMemory, int64(min(all, math.MaxInt64))/100*int64(percent)), err
}
