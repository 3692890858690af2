package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/stats"
)

// report is what a run came to.
type report struct {
	options  options
	load     *load
	samples  *samples
	warm     int // the first sample after the warm-up, which is a quarter
	memory   stats.Trend
	routines stats.Trend
	restarts map[string]int64
	lines    []string // verdicts
	failures int
}

// What may grow: a line that rises by less than this share of its mean an hour is flat, whatever its confidence.
const flat = 0.02

// newReport looks for what grew. Trends go by the hour.
func newReport(o options, l *load, s *samples) (*report, error) {
	r := &report{options: o, load: l, samples: s, warm: len(s.list) / 4}
	var hours, memory, routines []float64
	for _, x := range s.list[r.warm:] {
		hours, memory = append(hours, x.at.Hours()), append(memory, mib(x.memory()))
		routines = append(routines, float64(x.goroutines))
	}
	block := max(1, min(30, len(hours)/8))
	var err error
	if r.memory, err = stats.TrendOf(hours, memory, block); err != nil {
		return nil, err
	}
	if r.routines, err = stats.TrendOf(hours, routines, block); err != nil {
		return nil, err
	}
	status, err := l.server.Status()
	if err != nil {
		return nil, err
	}
	r.restarts = status.Engine.Restarts
	r.judge()
	return r, nil
}

func (r *report) say(ok bool, format string, args ...any) {
	word := "held"
	if !ok {
		word = "**not held**"
		r.failures++
	}
	r.lines = append(r.lines, word+": "+fmt.Sprintf(format, args...))
}

func (r *report) held() bool { return r.failures == 0 }

func (r *report) judge() {
	l, before, after := r.load, r.load.rest, r.samples.rest
	r.say(len(l.wrong) == 0 && l.right > 0, "no wrong picture: %d as before the load, %d not", l.right, len(l.wrong))
	r.lines = append(r.lines, l.wrong[:min(5, len(l.wrong))]...)
	failed := 0
	for _, n := range l.failed {
		failed += n
	}
	r.say(int64(failed) <= l.origin.failed.Load(), "requests for good pictures fail by the origin's faults alone: %d failed (%s), %d faults",
		failed, counts(l.failed), l.origin.failed.Load())
	measured := r.samples.list[len(r.samples.list)-1].at - r.samples.list[r.warm].at
	r.say(grown(r.memory), "memory is flat after the warm-up: %s MiB an hour, around %.0f MiB; in the %v that were measured that is %+.1f MiB at most",
		slope(r.memory), r.memory.Mean, measured.Round(time.Second), (r.memory.Slope+r.memory.Wide)*measured.Hours())
	r.say(grown(r.routines), "goroutines are: %s an hour, around %.0f", slope(r.routines), r.routines.Mean)
	r.say(after.goroutines <= before.goroutines+before.goroutines/5+5, "at rest there are as many goroutines as before: %d, %d before", after.goroutines, before.goroutines)
	r.say(after.descriptors <= before.descriptors+5, "and as many descriptors: %d, %d before; %d of them memory, %d before",
		after.descriptors, before.descriptors, after.memoryObjects, before.memoryObjects)
	// A worker that stands ready for the next failure is one more.
	r.say(after.workerCount >= before.workerCount && after.workerCount <= before.workerCount+1, "and as many workers: %d, %d before", after.workerCount, before.workerCount)
	r.say(!l.server.Ended(), "the server lives")
}

// grown reports that a trend does not rise: zero or less lies in its interval, or all of the interval is next to nothing.
func grown(t stats.Trend) bool { return t.Slope-t.Wide <= 0 || t.Slope+t.Wide <= flat*t.Mean }

func slope(t stats.Trend) string {
	return fmt.Sprintf("%+.1f (95 %% confidence: %+.1f to %+.1f)", t.Slope, t.Slope-t.Wide, t.Slope+t.Wide)
}

func counts(m map[string]int) string {
	var text []string
	for _, what := range slices.Sorted(maps.Keys(m)) {
		text = append(text, fmt.Sprintf("%d x %s", m[what], what))
	}
	return strings.Join(text, ", ")
}

// summary is the page.
func (r *report) summary() string {
	var b strings.Builder
	l, o := r.load, r.options
	asked := l.right + len(l.wrong)
	for _, n := range l.failed {
		asked += n
	}
	bad := map[string]int{}
	for status, n := range l.bad {
		asked += n
		bad[fmt.Sprint(status)] = n
	}
	fmt.Fprintf(&b, "\n%v of load by %d clients, %d requests, %.0f a second; %.0f %% of them for hostile files, %.0f %% of the origin's answers faults.\n\n",
		o.lasts.Round(time.Second), o.clients, asked, float64(asked)/o.lasts.Seconds(), 100*o.hostile, 100*o.faults)
	fmt.Fprintf(&b, "Hostile files were refused with: %s. Workers that were replaced, by reason: %v.\n\n", counts(bad), r.restarts)
	b.WriteString("| | at rest before | under load: median, highest | at rest after |\n|---|---|---|---|\n")
	for _, row := range []struct {
		name string
		of   func(sample) float64
	}{
		{"memory of all processes, MiB", func(s sample) float64 { return mib(s.memory()) }},
		{"of the server, MiB", func(s sample) float64 { return mib(s.server) }},
		{"of the workers, MiB", func(s sample) float64 { return mib(s.workers) }},
		{"workers", func(s sample) float64 { return float64(s.workerCount) }},
		{"goroutines", func(s sample) float64 { return float64(s.goroutines) }},
		{"descriptors", func(s sample) float64 { return float64(s.descriptors) }},
	} {
		var all []float64
		for _, s := range r.samples.list[r.warm:] {
			all = append(all, row.of(s))
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.0f, %.0f | %.0f |\n", row.name, row.of(l.rest), stats.Median(all), slices.Max(all), row.of(r.samples.rest))
	}
	b.WriteString("\n")
	for _, line := range r.lines {
		b.WriteString("- " + line + "\n")
	}
	return b.String()
}
