package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/server"
)

const (
	settling = 2 * time.Second  // at the beginning of a load, which counts for nothing
	patience = 40 * time.Second // of a client
	most     = 5000             // requests that are waited for at once
)

// loads are what is asked for at the same time.
type loads struct {
	clients int     // distinct pictures, one after the other by each client
	rate    float64 // or distinct pictures a second, whatever comes back
	hits    float64 // remembered answers a second
	lasts   time.Duration
}

// phase is what came of it, after the first seconds.
type phase struct {
	name  string
	lasts time.Duration
	begin time.Time

	mu      sync.Mutex
	sent    int
	unsent  int
	right   []float64 // ms of pictures that were right
	refused []float64 // ms of 503 with Retry-After
	other   map[string]int
	hits    []float64 // ms of remembered answers
	late    []float64 // ms from when a request was due to when it was sent
}

// goodput is how many distinct pictures came a second.
func (p *phase) goodput() float64 { return float64(len(p.right)) / p.lasts.Seconds() }

// usable says what makes a load worth nothing for finding the capacity.
func (p *phase) usable() error {
	if len(p.right) == 0 || len(p.other) > 0 {
		return fmt.Errorf("%s: %d right answers, and %s", p.name, len(p.right), counted(p.other))
	}
	return nil
}

// measure makes the loads and waits for all answers. Answers count that came while it lasted.
func (t *target) measure(name string, l loads) *phase {
	p := &phase{name: name, lasts: l.lasts - settling, begin: time.Now().Add(settling), other: map[string]int{}}
	end := time.Now().Add(l.lasts)
	var all sync.WaitGroup
	for range l.clients {
		all.Go(func() {
			for time.Now().Before(end) {
				p.send(t, time.Now())
			}
		})
	}
	if l.rate > 0 {
		all.Go(func() { p.arrive(l.rate, end, 1, func(due time.Time) { p.send(t, due) }) })
	}
	all.Go(func() {
		p.arrive(l.hits, end, 2, func(due time.Time) { p.hit(t, due) })
	})
	all.Wait()
	t.missClient.CloseIdleConnections()
	return p
}

// arrive calls ask at random moments, so many a second, as visitors come who know nothing of each other; the same
// moments each time. It waits for none of them before the next, and for all of them at the end.
func (p *phase) arrive(rate float64, end time.Time, seed uint64, ask func(due time.Time)) {
	random := rand.New(rand.NewPCG(seed, 0))
	free := make(chan struct{}, most)
	var asked sync.WaitGroup
	for due := time.Now(); due.Before(end); due = due.Add(time.Duration(random.ExpFloat64() / rate * float64(time.Second))) {
		time.Sleep(time.Until(due))
		select {
		case free <- struct{}{}:
			asked.Go(func() {
				ask(due)
				<-free
			})
		default:
			p.mu.Lock()
			p.unsent++
			p.mu.Unlock()
		}
	}
	asked.Wait()
}

// send asks for a picture that was never asked for. What it took counts from when it was due.
func (p *phase) send(t *target, due time.Time) {
	path, err := t.next()
	late := time.Since(due)
	var r server.Reply
	if err == nil {
		r, err = t.Get(context.Background(), t.missClient, path)
	}
	took, done := time.Since(due), time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if due.After(p.begin) {
		p.sent++
		p.late = append(p.late, milliseconds(late))
	}
	switch {
	case err != nil:
		p.other[short(err)]++
	case r.Status == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != "":
		if due.After(p.begin) {
			p.refused = append(p.refused, milliseconds(took))
		}
	case r.Status != http.StatusOK:
		p.other[fmt.Sprintf("%d %s", r.Status, r.Header.Get("Ik-Error"))]++
	case sha256.Sum256(r.Body) != t.miss:
		p.other["a wrong picture"]++
	case done.After(p.begin) && done.Before(p.begin.Add(p.lasts)):
		p.right = append(p.right, milliseconds(took))
	}
}

// hit asks for what is remembered.
func (p *phase) hit(t *target, due time.Time) {
	h := t.hits[rand.IntN(len(t.hits))]
	late := time.Since(due)
	r, err := t.Get(context.Background(), t.hitClient, h.path)
	took := time.Since(due)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		p.other["remembered: "+short(err)]++
	case r.Status != http.StatusOK:
		p.other[fmt.Sprintf("remembered: %d %s", r.Status, r.Header.Get("Ik-Error"))]++
	case sha256.Sum256(r.Body) != h.sum:
		p.other["remembered: a wrong picture"]++
	case due.After(p.begin):
		p.hits, p.late = append(p.hits, milliseconds(took)), append(p.late, milliseconds(late))
	}
}

// short names an error without the address that it is about.
func short(err error) string {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return "no answer in time"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
