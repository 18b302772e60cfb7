package main

import (
	"math"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestAMemoryLimitIsASizeOrAShare(t *testing.T) {
	for text, want := range map[string]int64{
		"off": math.MaxInt64, "512MiB": 512 << 20, "1GB": 1e9, "80%": 800 << 20, "1%": leastMemory, "100%": 1000 << 20,
		"": 0, "0": 0, "1MiB": 0, "-1": 0, "0%": 0, "101%": 0, "8.5%": 0, "%": 0, "much": 0,
	} {
		got, err := memoryLimit(text, memlimit.Limit(1000<<20))
		if got != want || err != nil != (want == 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if got, err := memoryLimit("80%", func() (uint64, error) { return 0, memlimit.ErrNoLimit }); got != math.MaxInt64 || err != nil {
		t.Errorf("where nobody knows: %d, %v", got, err)
	}
}

func TestFlagsSayHowMuchMemoryAServerTakesAndElseItsEnvironment(t *testing.T) {
	const bytes, percent = "go_gc_gomemlimit_bytes", "go_gc_gogc_percent"
	for about, c := range map[string]struct {
		environment, flags []string
		bytes, percent     float64
	}{
		"neither":     {nil, nil, 0, 400},
		"flags":       {nil, []string{"--memory", "300MiB", "--garbage", "150"}, 300 << 20, 150},
		"environment": {[]string{"GOMEMLIMIT=200MiB", "GOGC=50"}, nil, 200 << 20, 50},
		"both":        {[]string{"GOMEMLIMIT=200MiB", "GOGC=50"}, []string{"--memory", "off", "--garbage", "150"}, math.MaxInt64, 150},
	} {
		t.Run(about, func(t *testing.T) {
			p, err := launch(t.TempDir(), append(homeless(t), c.environment...), append(c.flags, "--admin-listen", "127.0.0.1:0")...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.kill)
			if c.bytes == 0 { // a share of what this machine has
				if got := p.metric(t, bytes); got < leastMemory || got >= math.MaxInt64 {
					t.Errorf("%s is %g", bytes, got)
				}
			} else if got := p.metric(t, bytes); got != c.bytes {
				t.Errorf("%s is %g, not %g", bytes, got, c.bytes)
			}
			if got := p.metric(t, percent); got != c.percent {
				t.Errorf("%s is %g, not %g", percent, got, c.percent)
			}
		})
	}
}
