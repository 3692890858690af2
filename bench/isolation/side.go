package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/cputime"
	"github.com/imageorigin/imageorigin/bench/internal/procs"
	"github.com/imageorigin/imageorigin/bench/internal/server"
)

// side is one of the two servers.
type side struct {
	*server.Server
	name   string
	client *http.Client
	right  map[string][]byte // answers, by path: those of isolation off
}

// bench is both of them, which run all the time: the one that is not asked costs nothing.
type bench struct{ off, process *side }

func start(caddy, folder string) (*bench, error) {
	right := map[string][]byte{}
	off, err := startSide(caddy, folder, "off", right)
	if err != nil {
		return nil, err
	}
	process, err := startSide(caddy, folder, "process", right)
	if err != nil {
		off.Stop()
		return nil, err
	}
	return &bench{off, process}, nil
}

func (b *bench) stop() {
	b.off.Stop()
	b.process.Stop()
}

func startSide(caddy, folder, isolation string, right map[string][]byte) (*side, error) {
	s, err := server.Start(server.Config{Caddy: caddy, App: fmt.Sprintf(`
		origin pictures folder %s
		engine vips {
			isolation %s
		}
		endpoint default {
			origins pictures
			results off
		}`, folder, isolation)})
	if err != nil {
		return nil, fmt.Errorf("isolation %s: %w", isolation, err)
	}
	a := &side{s, isolation, server.Client(64, 60*time.Second), right}
	if isolation == "process" {
		err = s.AwaitWorkers(1)
	} else if workers, e := procs.Workers(s.PID); e != nil || len(workers) > 0 {
		err = fmt.Errorf("isolation off: there are workers %v, %v", workers, e)
	}
	if err != nil {
		s.Stop()
		return nil, err
	}
	return a, nil
}

// load asks n times, parallel at once, and returns the CPU milliseconds that the server and its workers took for each.
// All answers are compared.
func (s *side) load(j job, parallel, n int) (float64, error) {
	path := "/tr:" + j.chain + "/" + j.file
	if s.right[path] == nil {
		r, err := s.ask(path)
		if err != nil {
			return 0, err
		}
		s.right[path] = r.Body
	}
	before, err := cputime.Group(s.PID)
	if err != nil {
		return 0, err
	}
	errs := make([]error, parallel)
	var clients sync.WaitGroup
	for c := range parallel {
		clients.Go(func() {
			for i := c; i < n && errs[c] == nil; i += parallel {
				r, err := s.ask(path)
				if err == nil && !bytes.Equal(r.Body, s.right[path]) {
					err = fmt.Errorf("isolation %s: %s: %d bytes that are not those of isolation off", s.name, path, len(r.Body))
				}
				errs[c] = err
			}
		})
	}
	clients.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	after, err := cputime.Group(s.PID)
	return (after - before) / float64(n), err
}

func (s *side) ask(path string) (server.Reply, error) {
	r, err := s.Get(context.Background(), s.client, path)
	if err == nil && r.Status != http.StatusOK {
		err = fmt.Errorf("isolation %s: %s: %d, %s", s.name, path, r.Status, r.Header.Get("Ik-Error"))
	}
	return r, err
}
