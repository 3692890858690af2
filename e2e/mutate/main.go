// Command mutate asks a server for broken pictures of every format that it reads, with whole ones among them, and tells what
// became of them. It ends with status 1 where anything but the one request was harmed. Linux only: it reads /proc.
//
//	go run ./mutate -caddy ../caddy [-n 100000] [-seed 1] [-parallel 8] [-keep FOLDER] [-global OPTIONS] [-options OPTIONS]
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/imageorigin/imageorigin/e2e/mutation"
)

func main() {
	log.SetFlags(0)
	var c mutation.Config
	flag.StringVar(&c.Caddy, "caddy", "../caddy", "the binary to ask (./xcaddy.sh build makes it)")
	flag.IntVar(&c.Count, "n", 100_000, "requests; one of ten is for a whole picture")
	flag.Uint64Var(&c.Seed, "seed", 1, "which pictures are broken, and how")
	flag.IntVar(&c.Parallel, "parallel", 8, "requests at once")
	flag.StringVar(&c.Keep, "keep", os.TempDir(), "folder for files that harm more than their own request")
	flag.StringVar(&c.Global, "global", "", "further global options of the Caddyfile")
	flag.StringVar(&c.Options, "options", "", "further options of the endpoint")
	flag.Parse()

	caddy, err := filepath.Abs(c.Caddy)
	if err != nil {
		log.Fatal(err)
	}
	c.Caddy = caddy
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report, err := mutation.Run(ctx, c)
	if report != nil {
		report.Write(os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
	if len(report.Failures) > 0 {
		os.Exit(1)
	}
}
