package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/procs"
)

// sample is the server at one moment.
type sample struct {
	at            time.Duration // since the load began
	server        int64         // bytes of memory, shared pages by their shares
	workers       int64         // of all workers together
	workerCount   int
	goroutines    int
	descriptors   int
	memoryObjects int // those of the descriptors that are memory
}

func (s sample) memory() int64 { return s.server + s.workers }

// samples are all of them.
type samples struct {
	list []sample
	rest sample // after the load
}

// sample looks at the server each second until ctx ends.
func (l *load) sample(ctx context.Context) (*samples, error) {
	s, begin := new(samples), time.Now()
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return s, nil
		case <-ticks.C:
		}
		now, err := l.look()
		if err != nil {
			return nil, fmt.Errorf("after %v: %w\n%s", time.Since(begin).Round(time.Second), err, l.server.Said())
		}
		now.at = time.Since(begin)
		s.list = append(s.list, now)
	}
}

func (l *load) look() (sample, error) {
	var s sample
	var err error
	if s.server, err = procs.Memory(l.server.PID); err != nil {
		return s, err
	}
	workers, err := procs.Workers(l.server.PID)
	if err != nil {
		return s, err
	}
	for _, pid := range workers {
		// One that ends meanwhile has no memory.
		if bytes, err := procs.Memory(pid); err == nil {
			s.workers += bytes
			s.workerCount++
		}
	}
	if s.descriptors, s.memoryObjects, err = procs.Descriptors(l.server.PID); err != nil {
		return s, err
	}
	s.goroutines, err = l.server.Goroutines()
	return s, err
}

// quiet looks at the server while nobody asks it: the least of what is seen for so many seconds. Memory that originals were
// read into is kept for half a minute, in case it is needed again.
func (l *load) quiet(seconds int) (sample, error) {
	l.client.CloseIdleConnections()
	l.origin.server.CloseClientConnections()
	var least sample
	for i := range seconds {
		time.Sleep(time.Second)
		s, err := l.look()
		if err != nil {
			return least, err
		}
		if i == 0 {
			least = s
		}
		least.server, least.workers = min(least.server, s.server), min(least.workers, s.workers)
		least.goroutines, least.descriptors = min(least.goroutines, s.goroutines), min(least.descriptors, s.descriptors)
		least.memoryObjects, least.workerCount = min(least.memoryObjects, s.memoryObjects), s.workerCount
	}
	return least, nil
}

// csv writes all samples.
func (s *samples) csv() string {
	var b strings.Builder
	b.WriteString("seconds,memory_mib,server_mib,workers_mib,workers,goroutines,descriptors,memory_descriptors\n")
	for _, x := range s.list {
		fmt.Fprintf(&b, "%.1f,%.1f,%.1f,%.1f,%d,%d,%d,%d\n", x.at.Seconds(), mib(x.memory()), mib(x.server), mib(x.workers),
			x.workerCount, x.goroutines, x.descriptors, x.memoryObjects)
	}
	return b.String()
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
