// Command hits measures what a remembered answer costs: CPU time of the whole server for each request, against that of
// Caddy's own file_server on the same bytes, in alternating rounds of one run. Linux only: it reads CPU times from /proc. The
// load is made by wrk.
//
//	go run ./hits -caddy ../caddy [-picture FILE] [-bytes 50000] [-rounds 5] [-seconds 3] [-connections 1,8] [-sides memory,disk]
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	caddy := flag.String("caddy", "../caddy", "the binary to measure (./xcaddy.sh build makes it)")
	picture := flag.String("picture", "../examples/library/landscape.jpg", "the original: a JPEG that is large enough")
	size := flag.Int64("bytes", 50_000, "how large the answer is: a width is looked for that makes it so, within 2 %")
	rounds := flag.Int("rounds", 5, "alternating rounds; the median is told")
	seconds := flag.Int("seconds", 3, "of load for each figure of a round")
	connections := flag.String("connections", "1,8", "connections of wrk at once, kept open, one table row each")
	words := flag.String("sides", names(sides), "what is measured beside file_server")
	flag.Parse()

	chosen, err := choose(*words)
	if err != nil {
		log.Fatal(err)
	}
	if err := run(*caddy, *picture, *size, *rounds, *seconds, *connections, chosen); err != nil {
		log.Fatal(err)
	}
}

// choose returns the sides that are named.
func choose(words string) ([]side, error) {
	var chosen []side
	for word := range strings.SplitSeq(words, ",") {
		i := slices.IndexFunc(sides, func(s side) bool { return s.name == word })
		if i < 0 {
			return nil, fmt.Errorf("side %q is not known; there are %s", word, names(sides))
		}
		chosen = append(chosen, sides[i])
	}
	return chosen, nil
}

func names(list []side) string {
	var text []string
	for _, s := range list {
		text = append(text, s.name)
	}
	return strings.Join(text, ",")
}

func run(caddy, picture string, size int64, rounds, seconds int, connections string, chosen []side) error {
	dir, err := os.MkdirTemp("", "imageorigin-hits")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := newBench(caddy, picture, dir, size, seconds)
	if err != nil {
		return err
	}
	defer b.stop()
	if err := b.start(chosen); err != nil {
		return err
	}
	fmt.Printf("%d bytes, %s; CPU us a request, median of %d rounds of %d s (min-max)\n\n", len(b.body), b.path, rounds, seconds)
	fmt.Println("| imageorigin | answer | connections | file_server | imageorigin | ratio (median of the rounds' ratios) | requests/s: file_server, imageorigin |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for word := range strings.SplitSeq(connections, ",") {
		parallel, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		for _, answer := range []answer{{name: "200"}, {name: "304", conditional: true}} {
			if err := b.rows(answer, parallel, rounds); err != nil {
				return err
			}
		}
	}
	return b.originRested()
}

// answer is what is asked for.
type answer struct {
	name        string
	conditional bool // with the ETag that the client has
}

// figures are those of one server, one for each round.
type figures struct{ cpu, ratios, rate []float64 }

// rows measures all servers in turn, round by round, and prints a line of the table for each side.
func (b *bench) rows(a answer, parallel, rounds int) error {
	all := make([]figures, len(b.servers))
	for _, s := range b.servers { // warm up
		if _, err := s.load(a, parallel, 1); err != nil {
			return err
		}
	}
	for range rounds {
		for i, s := range b.servers {
			if a.conditional && s.etag == "" {
				continue // it knows no other answer
			}
			cost, err := s.load(a, parallel, b.seconds)
			if err != nil {
				return err
			}
			f := &all[i]
			f.cpu, f.rate = append(f.cpu, cost.cpu), append(f.rate, cost.rate)
			f.ratios = append(f.ratios, cost.cpu/all[0].cpu[len(f.cpu)-1])
		}
	}
	files := all[0]
	for i, f := range all[1:] {
		if len(f.cpu) == 0 {
			continue
		}
		fmt.Printf("| %s | %s | %d | %s | %s | %s | %.0f, %.0f |\n", b.servers[i+1].side.says, a.name, parallel,
			spread(files.cpu, 1), spread(f.cpu, 1), spread(f.ratios, 2), median(files.rate), median(f.rate))
	}
	return nil
}

func median(v []float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[len(sorted)/2]
}

func spread(v []float64, digits int) string {
	return fmt.Sprintf("%.*f (%.*f-%.*f)", digits, median(v), digits, slices.Min(v), digits, slices.Max(v))
}
