// Command soak lets a server work for a long time on a mixed load: sizes, formats and animations, files that are cut off,
// damaged or bombs, and an origin that fails. Every picture that comes is compared with the one that was made before the
// load. Each second it notes the memory of the server and its workers, goroutines and descriptors, and tells at the end
// whether they grow. Linux only: it reads /proc.
//
//	go run ./soak -caddy ../caddy [-minutes 20] [-clients 8] [-out ../.build/soak] [-isolation off]
//
// It writes soak.csv, soak.svg and soak.md into the folder that -out names, and fails if a picture was wrong, something grew or
// the server ended.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/procs"
	"github.com/imageorigin/imageorigin/bench/internal/server"
)

// options are the flags.
type options struct {
	caddy, out, isolation string
	lasts                 time.Duration
	clients               int
	originals             int // of each good picture
	hostile, faults       float64
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.caddy, "caddy", "../caddy", "the binary to measure (./xcaddy.sh build makes it)")
	minutes := flag.Float64("minutes", 20, "of load")
	flag.IntVar(&o.clients, "clients", 8, "requests at once")
	flag.IntVar(&o.originals, "originals", 50, "originals of each good picture; with thousands the lists of what is known, which have their own bounds, take hours to fill")
	flag.Float64Var(&o.hostile, "hostile", 0.1, "share of requests for hostile files")
	flag.Float64Var(&o.faults, "faults", 0.1, "share of the origin's answers that fail")
	flag.StringVar(&o.out, "out", "../.build/soak", "folder for the samples, the plot and the summary")
	flag.StringVar(&o.isolation, "isolation", "process", "off makes pictures in the server's own process")
	flag.Parse()
	o.lasts = time.Duration(*minutes * float64(time.Minute))
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func run(o options) error {
	if o.lasts < time.Minute/2 || o.clients < 1 || o.originals < 2 {
		return errors.New("-minutes must be 0.5 at least, -clients 1, -originals 2")
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	origin, err := newOrigin(o.faults)
	if err != nil {
		return err
	}
	defer origin.stop()
	cache, err := os.MkdirTemp("", "imageorigin-soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	// The caches are small enough to be full long before the first quarter is over.
	s, err := server.Start(server.Config{Caddy: o.caddy, App: fmt.Sprintf(`
		origin web web %s {
			breaker off
		}
		cache near memory {
			max_size 16MiB
		}
		cache far disk %s {
			max_size 64MiB
		}
		engine vips {
			isolation %s
		}
		endpoint default {
			origins web
			results near far
			originals far
		}`, origin.server.URL, cache, o.isolation)})
	if err != nil {
		return err
	}
	defer s.Stop()
	if o.isolation == "process" {
		if err := s.AwaitWorkers(1); err != nil {
			return err
		}
	}
	workers, err := procs.Workers(s.PID)
	if err != nil {
		return err
	}
	fmt.Printf("%d worker processes\n", len(workers))
	l := newLoad(s, origin, o)
	if err := l.learn(); err != nil {
		return err
	}
	fmt.Printf("%d requests are known, %d of them hostile; now %v of load\n", len(l.good)+len(l.hostile), len(l.hostile), o.lasts)
	origin.failing.Store(true)
	samples, err := l.run(o.lasts)
	if err != nil {
		return err
	}
	r, err := newReport(o, l, samples)
	if err != nil {
		return err
	}
	for name, content := range map[string]string{"soak.csv": samples.csv(), "soak.svg": r.plot(), "soak.md": r.summary()} {
		if err := os.WriteFile(filepath.Join(o.out, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	fmt.Print(r.summary())
	if !r.held() {
		return errors.New("\nwhat was to be held was not")
	}
	return nil
}
