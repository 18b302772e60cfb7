package benchmark_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// times are the durations of questions, by the clock on the wall and, if it is known, in processor time of all
// processors together.
type times struct{ wall, processor []time.Duration }

func (t *times) add(wall, processor time.Duration) {
	t.wall, t.processor = append(t.wall, wall), append(t.processor, processor)
}

func (t *times) time(f func()) { t.add(timed(f)) }

func (t *times) String() string {
	wall := fmt.Sprintf("p50 %v, p99 %v", brief(at(t.wall, .5)), brief(at(t.wall, .99)))
	if len(t.processor) == 0 {
		return wall
	}
	return fmt.Sprintf("%s; processor p50 %v, p99 %v", wall, brief(at(t.processor, .5)), brief(at(t.processor, .99)))
}

// at returns a quantile.
func at(list []time.Duration, share float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func sum(list []time.Duration) (sum time.Duration) {
	for _, d := range list {
		sum += d
	}
	return sum
}

// brief returns a duration rounded to three digits.
func brief(d time.Duration) time.Duration {
	for unit := time.Duration(1); ; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
}

// table is the output of the benchmark, in Markdown.
type table struct{ out strings.Builder }

func (b *table) head(title string, columns ...string) {
	fmt.Fprintf(&b.out, "\n### %s\n\n| %s |\n|%s\n", title, strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
}

func (b *table) row(cells ...any) {
	b.out.WriteByte('|')
	for _, c := range cells {
		if d, ok := c.(time.Duration); ok {
			c = brief(d)
		}
		if f, ok := c.(float64); ok {
			c = fmt.Sprintf("%.3g", f)
			if f >= 100 {
				c = fmt.Sprintf("%.0f", f)
			}
		}
		fmt.Fprintf(&b.out, " %v |", c)
	}
	b.out.WriteByte('\n')
}

// show prints the table, and appends it to the report if one is asked for.
func (b *table) show() {
	if testing.Verbose() {
		_, _ = fmt.Fprintln(os.Stdout, b.out.String())
	}
	if *report != "" {
		f, err := os.OpenFile(*report, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) //nolint:gosec // where they asked for it
		if err == nil {
			_, err = f.WriteString(b.out.String())
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
		}
	}
	b.out.Reset()
}

var (
	begun = time.Now()
	last  time.Time
)

// say prints the current step for a person who watches, beside the tables.
func say(format string, args ...any) {
	if testing.Verbose() {
		last = time.Now()
		_, _ = fmt.Fprintf(os.Stderr, "%6s  %s\n", time.Since(begun).Round(time.Second), fmt.Sprintf(format, args...))
	}
}

// progress says one of many steps: it prints a line now and then.
func progress(format string, args ...any) {
	if time.Since(last) > 10*time.Second {
		say(format, args...)
	}
}

// timed returns how long f takes.
func timed(f func()) (wall, processor time.Duration) {
	start, all, own := time.Now(), processorTime(), threadTime()
	f()
	own = threadTime() - own
	return time.Since(start), max(processorTime()-all, own)
}
