package mutation

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// What may be more at the end than after the warm-up.
const (
	moreDescriptors = 8         // those of idle connections of the server's own
	moreMemory      = 256 << 20 // bytes: arenas of allocators, one a thread, which fill with time
)

// Report is what a run found.
type Report struct {
	Failures []string // what is wrong, the first of them in words

	counts   map[plan.Format]map[int]int
	internal []string // the first of those that were answered with 500
	controls int
	crashed  int // requests of which the log says that the process that worked on them ended

	pings, pingsFailed int
	slowestPing        time.Duration

	before, after held
	memory        []int64 // bytes after each quarter
}

func newReport() *Report { return &Report{counts: map[plan.Format]map[int]int{}} }

func (r *Report) count(f plan.Format, status int, whole bool) {
	if r.counts[f] == nil {
		r.counts[f] = map[int]int{}
	}
	r.counts[f][status]++
	if whole {
		r.controls++
	}
}

func (r *Report) fail(text string) { r.Failures = append(r.Failures, text) }

func (r *Report) ping(took time.Duration, err error) {
	r.pings++
	r.slowestPing = max(r.slowestPing, took)
	if err != nil {
		if r.pingsFailed++; r.pingsFailed == 1 {
			r.fail(fmt.Sprintf("another route of the server: %v", err))
		}
	}
}

// compare notes what is left behind.
func (r *Report) compare(before, after held) {
	r.before, r.after = before, after
	if after.processes > before.processes {
		r.fail(fmt.Sprintf("there are %d processes, %d after the warm-up", after.processes, before.processes))
	}
	if after.zombies > 0 {
		r.fail(fmt.Sprintf("%d processes have ended and nobody has asked how", after.zombies))
	}
	if after.descriptors > before.descriptors+moreDescriptors {
		r.fail(fmt.Sprintf("%d descriptors are open, %d after the warm-up", after.descriptors, before.descriptors))
	}
	if after.rss > before.rss+moreMemory {
		r.fail(fmt.Sprintf("the processes hold %d MiB, %d after the warm-up", after.rss>>20, before.rss>>20))
	}
}

// crashes compares how many requests failed with how many the log explains.
func (r *Report) crashes(told int64) {
	r.crashed = int(told)
	internal := 0
	for _, statuses := range r.counts {
		internal += statuses[http.StatusInternalServerError]
	}
	if internal > r.crashed {
		r.fail(fmt.Sprintf("%d answers are 500, and the log tells of %d crashes: %s", internal, r.crashed, strings.Join(r.internal, "; ")))
	}
}

// Write prints the report: a table of statuses, then the rest in sentences.
func (r *Report) Write(w io.Writer) {
	seen := map[int]bool{}
	for _, statuses := range r.counts {
		for status := range statuses {
			seen[status] = true
		}
	}
	columns := slices.Sorted(maps.Keys(seen))
	fmt.Fprint(w, "| format |")
	for _, status := range columns {
		fmt.Fprintf(w, " %d |", status)
	}
	fmt.Fprintf(w, "\n|---|%s\n", strings.Repeat("---|", len(columns)))
	for _, f := range slices.Sorted(maps.Keys(r.counts)) {
		fmt.Fprintf(w, "| %v |", f)
		for _, status := range columns {
			fmt.Fprintf(w, " %d |", r.counts[f][status])
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n%d of them were whole pictures; %d requests ended with the process that worked on them\n", r.controls, r.crashed)
	fmt.Fprintf(w, "another route: %d requests, %d failed, the slowest took %v\n", r.pings, r.pingsFailed, r.slowestPing.Round(time.Millisecond))
	fmt.Fprintf(w, "after the warm-up: %v\nat the end:        %v\n", r.before, r.after)
	fmt.Fprint(w, "memory after each quarter, in MiB:")
	for _, bytes := range r.memory {
		fmt.Fprintf(w, " %d", bytes>>20)
	}
	fmt.Fprintln(w)
	for _, text := range r.Failures {
		fmt.Fprintln(w, "FAILED:", text)
	}
}
