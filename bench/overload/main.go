// Command overload measures what a server does that is asked for more than it can make: it finds the rate at which distinct
// pictures come out at best, and then asks for as many, and for several times as many, for minutes, whatever comes back.
// Beside it remembered answers are asked for steadily. Linux only: it looks for worker processes in /proc.
//
//	go run ./overload -caddy ../caddy [-picture FILE] [-seconds 120] [-times 4] [-probe 10] [-hits 100] [-quick 250ms] [-isolation off]
//
// The load generator shares the processors with the server. It goes before others where it may (a superuser's right), so that
// it sends when requests are due; how late it was is printed beside what it measured.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/procs"
	"github.com/imageorigin/imageorigin/bench/internal/stats"
)

// options are the flags.
type options struct {
	caddy, picture, isolation, app string
	seconds, probe                 time.Duration
	times, hits                    float64
	quick                          time.Duration
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.caddy, "caddy", "../caddy", "the binary to measure (./xcaddy.sh build makes it)")
	flag.StringVar(&o.picture, "picture", "../examples/library/landscape.jpg", "a JPEG of about 12 megapixels")
	flag.StringVar(&o.isolation, "isolation", "process", "off makes pictures in the server's own process")
	flag.StringVar(&o.app, "options", "", "Caddyfile: further lines of the global option imageorigin, such as limits")
	seconds := flag.Int("seconds", 120, "of load at capacity, and of load above it")
	probe := flag.Int("probe", 10, "seconds of each load that looks for the capacity")
	flag.Float64Var(&o.times, "times", 4, "the capacity, for the load above it")
	flag.Float64Var(&o.hits, "hits", 100, "remembered answers a second that are asked for beside every load")
	flag.DurationVar(&o.quick, "quick", 250*time.Millisecond, "within which 99 of 100 refusals should come")
	flag.Parse()
	o.seconds, o.probe = time.Duration(*seconds)*time.Second, time.Duration(*probe)*time.Second
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func run(o options) error {
	if o.seconds <= 2*settling || o.probe <= 2*settling || o.times <= 1 || o.hits <= 0 {
		return fmt.Errorf("-seconds and -probe must be above %.0f, -times above 1, -hits above 0", (2 * settling).Seconds())
	}
	t, err := newTarget(o)
	if err != nil {
		return err
	}
	defer t.stop()
	if o.isolation == "process" {
		if err := t.AwaitWorkers(1); err != nil {
			return err
		}
	}
	workers, err := procs.Workers(t.PID)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d worker processes; the load generator goes before others: %v\n\n", o.picture, len(workers), procs.Hasten(10))
	fmt.Println("| load | asked, a second | right, a second (goodput) | 99 of 100 of them, ms | 503 | 99 of 100 of them, ms | anything else | remembered, ms: 50, 99 of 100 | sent late, ms: 99 of 100 |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	calm := t.measure("none", loads{hits: o.hits, lasts: min(o.seconds, 30*time.Second)})
	calm.print()
	best := 0.0
	for _, clients := range []int{1, 2, 4, 8, 16} {
		p := t.measure(fmt.Sprintf("%d clients, one request after the other", clients), loads{clients: clients, hits: o.hits, lasts: o.probe})
		p.print()
		if err := p.usable(); err != nil {
			return err
		}
		best = max(best, p.goodput())
	}
	capacity := best
	at := t.measure("at capacity", loads{rate: capacity, hits: o.hits, lasts: o.seconds})
	at.print()
	best = max(best, at.goodput())
	over := t.measure(fmt.Sprintf("%g x capacity", o.times), loads{rate: o.times * capacity, hits: o.hits, lasts: o.seconds})
	over.print()
	if t.Ended() {
		return fmt.Errorf("the server ended:\n%s", t.Said())
	}
	fmt.Println()
	return verdicts(best, at, over, o.quick)
}

// verdicts prints what was to be held, and what was.
func verdicts(best float64, at, over *phase, quick time.Duration) error {
	failed := 0
	say := func(ok bool, format string, args ...any) {
		word := "held"
		if !ok {
			word, failed = "NOT HELD", failed+1
		}
		fmt.Printf("- %s: %s\n", word, fmt.Sprintf(format, args...))
	}
	say(over.goodput() >= 0.9*best, "goodput above capacity is %.2f of the best, at least 0.90", over.goodput()/best)
	calm, busy := stats.Quantile(at.hits, 0.99), stats.Quantile(over.hits, 0.99)
	say(busy <= 2*calm, "99 of 100 remembered answers come within %.1f ms, %.2f x what it is at capacity, at most 2", busy, busy/calm)
	late := stats.Quantile(over.refused, 0.99)
	say(len(over.refused) > 0 && late <= float64(quick.Milliseconds()), "%d refusals, 99 of 100 within %.1f ms, at most %d", len(over.refused), late, quick.Milliseconds())
	say(len(over.other) == 0 && len(at.other) == 0, "everything else is a 503 with Retry-After; others: %s, %s", counted(at.other), counted(over.other))
	say(over.unsent == 0 && at.unsent == 0, "all requests were sent; not sent, because too many were waited for: %d, %d", at.unsent, over.unsent)
	if failed > 0 {
		return errors.New("\nwhat was to be held was not")
	}
	return nil
}

func (p *phase) print() {
	fmt.Printf("| %s | %.1f | %.1f | %s | %d (%.0f %%) | %s | %s | %.1f, %.1f | %.1f |\n", p.name, float64(p.sent)/p.lasts.Seconds(), p.goodput(),
		quantile(p.right, 0.99), len(p.refused), 100*float64(len(p.refused))/float64(max(1, p.sent)), quantile(p.refused, 0.99), counted(p.other),
		stats.Median(p.hits), stats.Quantile(p.hits, 0.99), stats.Quantile(p.late, 0.99))
}

func quantile(v []float64, q float64) string {
	if len(v) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", stats.Quantile(v, q))
}

// counted writes how often what happened.
func counted(other map[string]int) string {
	if len(other) == 0 {
		return "none"
	}
	var text []string
	for what, n := range other {
		text = append(text, fmt.Sprintf("%d x %s", n, what))
	}
	slices.Sort(text)
	return strings.Join(text, ", ")
}
