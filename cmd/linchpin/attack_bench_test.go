package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cpu returns the time that a process has spent on processors.
func (p *process) cpu(b testing.TB) time.Duration {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		b.Skip("the system does not say what a process has spent")
	}
	total := time.Duration(0)
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		var spent time.Duration
		if _, err := fmt.Sscan(string(text), &spent); err != nil {
			b.Fatal(err)
		}
		total += spent
	}
	return total
}

func quiet(b testing.TB) *process {
	b.Helper()
	p, err := launch(b.TempDir(), homeless(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.kill)
	return p
}

// BenchmarkAttack shows what the server spends on each attack of the corpus, reading it included; the bar is 20 ms.
func BenchmarkAttack(b *testing.B) {
	p := quiet(b)
	for _, a := range attacks(b) {
		b.Run(strings.ReplaceAll(a.name, " ", "_"), func(b *testing.B) {
			largest, before := 0, p.cpu(b)
			for b.Loop() {
				largest = max(largest, len(a.send(b, p.url).body))
			}
			b.ReportMetric(float64((p.cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(largest), "B/answer")
			b.ReportMetric(0, "ns/op")
		})
	}
}
