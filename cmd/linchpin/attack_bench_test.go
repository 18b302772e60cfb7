package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// cpu is the time that a process has spent on processors.
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

// What the server spends on each attack of the corpus, reading it included; the bar is 20 ms.
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

// What somebody else notices while the corpus is sent over and over by another client: the p99 of a small query, in
// rounds with and without attacks that take turns. The bar is a ratio of 1.2.
func BenchmarkBystander(b *testing.B) {
	p := quiet(b)
	corpus := attacks(b)
	client := &http.Client{}
	round := func() (times []time.Duration) {
		for range 200 {
			start := time.Now()
			if _, err := post(b.Context(), client, p.url, "{ cis(first: 1) { totalCount } revision }", nil); err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Since(start))
			time.Sleep(2 * time.Millisecond)
		}
		return times
	}
	var alone, attacked []time.Duration
	round()
	sent := 0
	for b.Loop() {
		alone = append(alone, round()...)
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for ; ; sent++ {
				select {
				case <-stop:
					return
				default:
					corpus[sent%len(corpus)].send(b, p.url)
				}
			}
		}()
		attacked = append(attacked, round()...)
		close(stop)
		<-done
	}
	p99 := func(times []time.Duration) float64 {
		slices.Sort(times)
		return float64(times[len(times)*99/100].Microseconds()) / 1000
	}
	b.ReportMetric(p99(alone), "p99-ms-alone")
	b.ReportMetric(p99(attacked), "p99-ms-attacked")
	b.ReportMetric(p99(attacked)/p99(alone), "p99-ratio")
	b.ReportMetric(float64(sent)/float64(b.N), "attacks/round")
	b.ReportMetric(0, "ns/op")
}
