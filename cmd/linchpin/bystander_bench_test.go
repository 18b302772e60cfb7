package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// attackers runs a client of its own process: a line on standard input says from how many connections it sends the
// corpus over and over, and to which address. It goes on until an empty line; then it says how many requests were
// answered.
func attackers() {
	corpus, err := readAttacks()
	if err != nil {
		fail(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var connections int
		var address string
		if _, err := fmt.Sscan(lines.Text(), &connections, &address); err != nil {
			fail(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		var next, answered atomic.Int64
		var all sync.WaitGroup
		for range connections {
			all.Go(func() {
				for ctx.Err() == nil {
					r, err := corpus[int(next.Add(1))%len(corpus)].request(ctx, address)
					if err != nil {
						fail(err)
					}
					response, err := client.Do(r)
					if err != nil {
						continue // it was stopped, or the server closed the connection of a body that is too large
					}
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
					answered.Add(1)
				}
			})
		}
		lines.Scan()
		stop()
		all.Wait()
		fmt.Println(answered.Load())
	}
}

// bystander runs a client of its own process: for each address on standard input, behind which a header may stand, it
// asks a small query 300 times, and says how long each took, in microseconds.
func bystander() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var times []int64
		var headers []string
		address, header, ok := strings.Cut(lines.Text(), " ")
		if ok {
			headers = append(headers, header)
		}
		for range 300 {
			begin := time.Now()
			if a, err := post(context.Background(), http.DefaultClient, address, "{ cis(first: 1) { totalCount } revision }", nil, headers...); err != nil || len(a.Errors) > 0 {
				fail(fmt.Errorf("%v: %w", a.Errors, err))
			}
			times = append(times, time.Since(begin).Microseconds())
			time.Sleep(2 * time.Millisecond)
		}
		_ = json.NewEncoder(os.Stdout).Encode(times)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// peer is a client that runs as a process of its own.
type peer struct {
	in  io.Writer
	out *bufio.Scanner
}

func newPeer(b *testing.B, name string) peer {
	b.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	p := peer{in, bufio.NewScanner(out)}
	p.out.Buffer(nil, 1<<20)
	return p
}

func (p peer) say(b *testing.B, line string) {
	b.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		b.Fatal(err)
	}
}

func (p peer) hear(b *testing.B, v any) {
	b.Helper()
	if !p.out.Scan() {
		b.Fatal("a client has ended")
	}
	if err := json.Unmarshal(p.out.Bytes(), v); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBystander shows what somebody else notices while connections send the corpus over and over, without a pause.
// Three kinds of rounds take turns: nobody attacks; another server on the same machine is attacked, which takes
// processors away and nothing else; and the server itself is. The bar is a p99 of 1.2 times.
func BenchmarkBystander(b *testing.B) {
	for _, connections := range []int{1, 8} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) { besideAttacks(b, connections) })
	}
}

func besideAttacks(b *testing.B, connections int) {
	p, neighbour := quiet(b), quiet(b)
	asker, foe := newPeer(b, "bystander"), newPeer(b, "attackers")
	besideFoes(b, p, neighbour, func() string { return p.url }, asker, foe, func(attacked *process) string { return fmt.Sprint(connections, " ", attacked.url) })
}

// besideFoes takes rounds in turn: nobody is attacked, the neighbour is, the server is.
func besideFoes(b *testing.B, p, neighbour *process, asks func() string, asker, foe peer, attack func(*process) string) {
	round := func(attacked *process) (times []int64, answered int) {
		if attacked != nil {
			foe.say(b, attack(attacked))
			time.Sleep(50 * time.Millisecond)
		}
		asker.say(b, asks())
		asker.hear(b, &times)
		if attacked != nil {
			foe.say(b, "")
			foe.hear(b, &answered)
		}
		return times, answered
	}
	round(p)
	round(neighbour)
	var alone, beside, attacked []int64
	answered, spent := 0, time.Duration(0)
	for b.Loop() {
		times, _ := round(nil)
		alone = append(alone, times...)
		times, _ = round(neighbour)
		beside = append(beside, times...)
		before := p.cpu(b)
		times, n := round(p)
		attacked = append(attacked, times...)
		answered, spent = answered+n, spent+p.cpu(b)-before
	}
	for _, quantile := range []struct {
		name  string
		share int
	}{{"p50", 50}, {"p99", 99}} {
		of := func(times []int64) float64 {
			slices.Sort(times)
			return float64(times[len(times)*quantile.share/100]) / 1000
		}
		b.ReportMetric(of(alone), quantile.name+"-ms-alone")
		b.ReportMetric(of(beside), quantile.name+"-ms-neighbour")
		b.ReportMetric(of(attacked), quantile.name+"-ms-attacked")
		b.ReportMetric(of(attacked)/of(alone), quantile.name+"-ratio")
		b.ReportMetric(of(attacked)/of(beside), quantile.name+"-ratio-neighbour")
	}
	b.ReportMetric(float64(answered)/float64(b.N), "attacks/round")
	b.ReportMetric(spent.Seconds()*1000/float64(max(answered, 1)), "cpu-ms/attack")
	b.ReportMetric(0, "ns/op")
}
