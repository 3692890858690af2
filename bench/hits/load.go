package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/imageorigin/imageorigin/bench/internal/cputime"
)

// cost is what a load came to.
type cost struct {
	cpu  float64 // microseconds of the server for each request, user and system
	rate float64 // requests a second
}

// What wrk reports.
var (
	wrkCount  = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	wrkRate   = regexp.MustCompile(`(?m)^Requests/sec:\s*([\d.]+)`)
	wrkErrors = regexp.MustCompile(`(?m)^\s*(Socket errors|Non-2xx or 3xx responses):.*`)
)

// load asks for the answer as fast as it comes, over so many connections that stay open, and returns what each cost.
func (s *server) load(a answer, connections, seconds int) (cost, error) {
	args := []string{"-t1", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(seconds) + "s"}
	if a.conditional {
		args = append(args, "-H", "If-None-Match: "+s.etag)
	}
	before, err := cputime.Of(s.cmd.Process.Pid)
	if err != nil {
		return cost{}, err
	}
	said, err := exec.Command("wrk", append(args, s.base+s.path)...).CombinedOutput()
	if err != nil {
		return cost{}, fmt.Errorf("wrk: %w: %s", err, said)
	}
	after, err := cputime.Of(s.cmd.Process.Pid)
	if err != nil {
		return cost{}, err
	}
	count, rate := wrkCount.FindSubmatch(said), wrkRate.FindSubmatch(said)
	if failed := wrkErrors.Find(said); failed != nil || count == nil || rate == nil {
		return cost{}, fmt.Errorf("%s: wrk says:\n%s", s.side.name, said)
	}
	n, err := strconv.ParseFloat(string(count[1]), 64)
	if err != nil || n == 0 {
		return cost{}, fmt.Errorf("%s: wrk counts %q requests", s.side.name, count[1])
	}
	perSecond, err := strconv.ParseFloat(string(rate[1]), 64)
	return cost{(after - before) * 1000 / n, perSecond}, err
}
