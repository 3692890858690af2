// Command isolation measures what it costs to make pictures in worker processes: CPU time of the server and all its workers
// for each request with isolation process, against isolation off, in alternating rounds of one run. Nothing is kept, so that
// every request renders. Linux only: it reads CPU clocks of other processes.
//
//	go run ./isolation -caddy ../caddy [-picture FILE] [-rounds 9] [-requests 40] [-concurrency 1,2,8]
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/bench/internal/pictures"
	"github.com/imageorigin/imageorigin/bench/internal/stats"
)

// What isolation may cost.
const (
	mostPercent      = 2.0 // of the large picture's CPU time
	mostMilliseconds = 0.5 // of the small one's
)

func main() {
	log.SetFlags(0)
	caddy := flag.String("caddy", "../caddy", "the binary to measure (./xcaddy.sh build makes it)")
	picture := flag.String("picture", "../examples/library/landscape.jpg", "a JPEG of about 12 megapixels")
	rounds := flag.Int("rounds", 9, "alternating rounds, 7 at the least; the median of their differences is told")
	requests := flag.Int("requests", 40, "requests a round for the large picture; five times as many for the small one")
	concurrency := flag.String("concurrency", "1,2,8", "requests at once, one table row each")
	flag.Parse()
	if err := run(*caddy, *picture, *rounds, *requests, *concurrency); err != nil {
		log.Fatal(err)
	}
}

// job is what is asked for.
type job struct {
	name, file, chain string
	requests          int
	verdict           func(difference, off float64) (says string, ok bool)
}

func run(caddy, picture string, rounds, requests int, concurrency string) error {
	if rounds < 7 {
		return errors.New("fewer than 7 rounds make no median; set -rounds 7 or more")
	}
	dir, err := os.MkdirTemp("", "imageorigin-isolation")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	large, err := os.ReadFile(picture)
	if err != nil {
		return err
	}
	small, err := pictures.Small(large)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"large.jpg": large, "small.jpg": small} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	b, err := start(caddy, dir)
	if err != nil {
		return err
	}
	defer b.stop()
	jobs := []job{
		{fmt.Sprintf("%s (%d kB) to 400 px", filepath.Base(picture), len(large)/1000), "large.jpg", "w-400,f-jpg", requests, percent},
		{fmt.Sprintf("768 x 512 (%d kB) to 200 px", len(small)/1000), "small.jpg", "w-200,f-jpg", 5 * requests, milliseconds},
	}
	fmt.Printf("CPU ms a request of the server and its workers; medians of %d alternating rounds (minimum to maximum)\n\n", rounds)
	fmt.Println("| picture | at once | isolation off | isolation process | difference, ms | middle half of the differences | difference | verdict |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	failed := false
	for _, j := range jobs {
		for word := range strings.SplitSeq(concurrency, ",") {
			parallel, err := strconv.Atoi(word)
			if err != nil || parallel < 1 {
				return fmt.Errorf("-concurrency %q: %q is no number of requests", concurrency, word)
			}
			ok, err := b.row(j, parallel, rounds)
			if err != nil {
				return err
			}
			failed = failed || !ok
		}
	}
	if failed {
		return errors.New("\nisolation costs more than it may")
	}
	return nil
}

func percent(difference, off float64) (string, bool) {
	share := 100 * difference / off
	return fmt.Sprintf("at most %.0f %%", mostPercent), share <= mostPercent
}

func milliseconds(difference, _ float64) (string, bool) {
	return fmt.Sprintf("at most %.1f ms", mostMilliseconds), difference <= mostMilliseconds
}

// row measures both servers in turn, now the one first and now the other, and prints a line of the table. It reports whether
// the difference is within what it may be; with one request at once nothing is demanded.
func (b *bench) row(j job, parallel, rounds int) (bool, error) {
	var off, process, differences []float64
	for _, s := range []*side{b.off, b.process} { // warm up
		if _, err := s.load(j, parallel, j.requests/4+parallel); err != nil {
			return false, err
		}
	}
	for round := range rounds {
		sides := []*side{b.off, b.process}
		if round%2 == 1 {
			sides[0], sides[1] = sides[1], sides[0]
		}
		cost := map[*side]float64{}
		for _, s := range sides {
			ms, err := s.load(j, parallel, j.requests)
			if err != nil {
				return false, err
			}
			cost[s] = ms
		}
		off, process = append(off, cost[b.off]), append(process, cost[b.process])
		differences = append(differences, cost[b.process]-cost[b.off])
	}
	difference := stats.Median(differences)
	says, ok := j.verdict(difference, stats.Median(off))
	verdict := "held: " + says
	switch {
	case parallel == 1:
		verdict, ok = "", true
	case !ok:
		verdict = "NOT HELD: " + says
	}
	fmt.Printf("| %s | %d | %s | %s | %+.2f | %+.2f to %+.2f | %+.1f %% | %s |\n", j.name, parallel, stats.Spread(off, 2), stats.Spread(process, 2),
		difference, stats.Quantile(differences, 0.25), stats.Quantile(differences, 0.75), 100*difference/stats.Median(off), verdict)
	return ok, nil
}
